//! Lengths of time as people write them: `500ms`, `10s`, `30m`, `2h`, `30d`, `1h30m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A length of time, to the millisecond; in JSON and YAML a text such as `"1h30m"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

/// Why a text is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanError(String);

impl fmt::Display for SpanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a length of time: write a number and a unit, such as 10s, 30m, 2h, 30d or 1h30m",
            self.0
        )
    }
}

impl std::error::Error for SpanError {}

/// A hundred years: anything longer is a slip of the finger.
const SPAN_MS_MAX: u64 = 100 * 365 * 86_400_000;

const UNITS: [(&str, u64); 6] = [
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl Span {
    /// So many seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// So many milliseconds.
    #[must_use]
    pub const fn from_ms(milliseconds: u64) -> Self {
        Self(Duration::from_millis(milliseconds))
    }

    /// The same for the standard library.
    #[must_use]
    pub const fn duration(self) -> Duration {
        self.0
    }

    /// In whole seconds; what is left over is dropped.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0.as_secs()
    }

    /// In milliseconds.
    #[must_use]
    pub fn ms(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(SPAN_MS_MAX)
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let refused = || SpanError(text.chars().take(40).collect());
        if text == "0" {
            return Ok(Self(Duration::ZERO));
        }
        let mut rest = text;
        let mut total_ms = 0_u64;
        // Units go from the largest down, each at most once: `1h30m`, never `30m1h`.
        let mut units = UNITS.iter();
        while !rest.is_empty() {
            let digits = rest
                .find(|c: char| !c.is_ascii_digit())
                .ok_or_else(refused)?;
            let (number, tail) = rest.split_at(digits);
            let letters = tail
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            let number: u64 = number.parse().map_err(|_| refused())?;
            let (_, unit_ms) = units.find(|(name, _)| *name == unit).ok_or_else(refused)?;
            total_ms = number
                .checked_mul(*unit_ms)
                .and_then(|ms| total_ms.checked_add(ms))
                .filter(|ms| *ms <= SPAN_MS_MAX)
                .ok_or_else(refused)?;
            rest = tail;
        }
        if text.is_empty() {
            return Err(refused());
        }
        Ok(Self(Duration::from_millis(total_ms)))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.ms();
        if rest == 0 {
            return f.write_str("0s");
        }
        for (name, unit_ms) in UNITS.iter().skip(1) {
            let count = rest / unit_ms;
            rest %= unit_ms;
            if count > 0 {
                write!(f, "{count}{name}")?;
            }
        }
        Ok(())
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Visitor)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a length of time such as \"10m\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
        text.parse().map_err(E::custom)
    }
}

impl PartialSchema for Span {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "A length of time such as `500ms`, `10s`, `30m`, `2h`, `30d` or `1h30m`",
            ))
            .pattern(Some(pattern()))
            .build()
            .into()
    }
}

impl ToSchema for Span {}

/// Units from the largest down, each at most once, at least one.
fn pattern() -> String {
    let from = |first: usize| {
        let mut units = UNITS.iter().skip(first).map(|(unit, _)| unit);
        let leading = units.next().map(|unit| format!("[0-9]{{1,3}}{unit}"));
        let rest = units.map(|unit| format!("([0-9]{{1,4}}{unit})?"));
        leading.into_iter().chain(rest).collect::<String>()
    };
    let starts: Vec<String> = (0..UNITS.len()).map(from).collect();
    format!("^({})$", starts.join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> u64 {
        text.parse::<Span>().unwrap().ms()
    }

    #[test]
    fn every_unit_is_read() {
        assert_eq!(ms("500ms"), 500);
        assert_eq!(ms("10s"), 10_000);
        assert_eq!(ms("30m"), 1_800_000);
        assert_eq!(ms("2h"), 7_200_000);
        assert_eq!(ms("30d"), 2_592_000_000);
        assert_eq!(ms("1w"), 604_800_000);
        assert_eq!(ms("1h30m"), 5_400_000);
        assert_eq!(ms("0"), 0);
    }

    #[test]
    fn what_is_not_a_length_of_time_is_refused_with_an_example() {
        for text in [
            "",
            "10",
            "s",
            "-3s",
            "1.5h",
            "30m1h",
            "10 s",
            "1y",
            "99999999999999d",
            "５s",
        ] {
            let error = text.parse::<Span>().unwrap_err().to_string();
            assert!(error.contains("30m"), "{text}: {error}");
            let json = serde_json::to_string(text).unwrap();
            assert!(serde_json::from_str::<Span>(&json).is_err(), "{text}");
        }
        assert!(
            serde_json::from_str::<Span>("600").is_err(),
            "of what unit?"
        );
    }

    #[test]
    fn it_prints_as_it_is_typed() {
        for text in ["500ms", "10s", "1h30m", "30d", "0s"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
            let json = format!("\"{text}\"");
            let span: Span = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&span).unwrap(), json);
        }
    }
}
