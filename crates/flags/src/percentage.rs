//! Percentages, in whole thousandths of a per cent, and the buckets they cut.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The number of buckets a population is divided into; one bucket is a thousandth of a per cent.
pub const BUCKETS: u32 = 100_000;

/// A share of a population, exact to a thousandth of a per cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Percentage(u32);

/// Why a text or number is not a percentage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a percentage: write 0 to 100 with at most three decimals, such as 25 or 33.333"
)]
pub struct PercentageError {
    text: String,
}

impl Percentage {
    /// Nobody.
    pub const ZERO: Self = Self(0);
    /// Everybody.
    pub const FULL: Self = Self(BUCKETS);

    /// From thousandths of a per cent (0 to 100 000); `None` above.
    #[must_use]
    pub fn from_thousandths(thousandths: u32) -> Option<Self> {
        (thousandths <= BUCKETS).then_some(Self(thousandths))
    }

    /// In thousandths of a per cent, which is also the number of buckets it covers.
    #[must_use]
    pub fn thousandths(self) -> u32 {
        self.0
    }
}

impl FromStr for Percentage {
    type Err = PercentageError;

    /// Reads `25`, `25%`, `0.5` or `33.333`; more than three decimals are refused, never rounded.
    fn from_str(text: &str) -> Result<Self, PercentageError> {
        let refused = || PercentageError {
            text: text.chars().take(40).collect(),
        };
        let number = text.strip_suffix('%').unwrap_or(text);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let is_digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) || whole.len() > 3 || fraction.len() > 3 {
            return Err(refused());
        }
        let whole: u32 = whole.parse().map_err(|_| refused())?;
        let fraction: u32 = format!("{fraction:0<3}").parse().map_err(|_| refused())?;
        Self::from_thousandths(whole.saturating_mul(1_000).saturating_add(fraction))
            .ok_or_else(refused)
    }
}

impl fmt::Display for Percentage {
    /// Without a sign and without trailing zeros: `25`, `0.5`, `33.333`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / 1_000, self.0 % 1_000);
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{fraction:03}");
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

impl Serialize for Percentage {
    /// As a JSON number, which is exact for at most three decimals.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(1_000) {
            serializer.serialize_u32(self.0 / 1_000)
        } else {
            serializer.serialize_f64(f64::from(self.0) / 1_000.0)
        }
    }
}

impl<'de> Deserialize<'de> for Percentage {
    /// From a number (`25`, `0.5`) or a text (`"25%"`).
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => text,
            serde_json::Value::Number(number) => number.to_string(),
            other => other.to_string(),
        };
        // A JSON number may come as 25.0.
        text.strip_suffix(".0")
            .unwrap_or(&text)
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
