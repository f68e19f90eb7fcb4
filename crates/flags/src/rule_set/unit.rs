//! The unit of a flag: whom its buckets are computed for.

use std::fmt;
use std::io::Write as _;

use crate::bucket::BucketSalt;
use crate::context::Context;
use crate::limit::UNIT_BYTES_MAX;
use crate::matcher::Operand;

/// The unit of a flag, read from a context.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unit<'c> {
    Text(&'c str),
    /// A number, which is hashed as it is written in decimal.
    Number(i64),
}

impl<'c> Unit<'c> {
    /// Reads the unit: the targeting key, or the attribute that a definition names, where it is
    /// a text or an integer.
    pub(super) fn read(context: &'c Context, attribute: Option<&str>) -> Option<Self> {
        let Some(name) = attribute else {
            return context.unit().map(Self::Text);
        };
        match Operand::named(context, name)? {
            Operand::Text(text) => (1..=UNIT_BYTES_MAX)
                .contains(&text.len())
                .then_some(Self::Text(text)),
            Operand::Integer(number) => Some(Self::Number(number)),
            _ => None,
        }
    }

    /// The unit's bucket under a salt.
    pub(super) fn bucket(self, salt: &BucketSalt) -> u32 {
        match self {
            Unit::Text(text) => salt.bucket(text),
            Unit::Number(number) => {
                // "-9223372036854775808" has 20 characters.
                let mut digits = [0_u8; 20];
                let mut rest = digits.as_mut_slice();
                let written = write!(rest, "{number}").is_ok();
                let unused = rest.len();
                let used = digits.len().saturating_sub(unused);
                let text = digits
                    .get(..used)
                    .filter(|_| written)
                    .and_then(|bytes| std::str::from_utf8(bytes).ok());
                salt.bucket(text.unwrap_or_default())
            }
        }
    }
}

impl fmt::Display for Unit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}
