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
        self.as_text(|text| salt.bucket(text))
    }

    /// The unit's fingerprint: the same wherever it is computed, and with no relation to a bucket, so
    /// that those with small fingerprints are a fair sample of every bucket. FNV-1a of the text in 64
    /// bits, mixed as MurmurHash3 ends, because FNV leaves its high bits too much alike.
    pub(super) fn fingerprint(self) -> u64 {
        self.as_text(|text| {
            let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
            let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
            let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
            hash ^ (hash >> 33)
        })
    }

    fn as_text<T>(self, read: impl FnOnce(&str) -> T) -> T {
        match self {
            Unit::Text(text) => read(text),
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
                read(text.unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_stay_the_same_from_one_version_to_the_next() {
        // Evaluators of several versions report the same people.
        assert_eq!(Unit::Text("u-1").fingerprint(), 3_359_043_538_035_117_407);
        assert_eq!(
            Unit::Number(-7).fingerprint(),
            Unit::Text("-7").fingerprint()
        );
    }

    #[test]
    fn those_with_small_fingerprints_are_a_fair_sample_of_every_bucket() {
        let salt = BucketSalt::new("new-checkout");
        let mut sampled = [0_u32; 10];
        for number in 0..100_000 {
            let name = format!("user-{number}");
            let unit = Unit::Text(&name);
            if unit.fingerprint() < u64::MAX / 4 {
                sampled[unit.bucket(&salt) as usize / 10_000] += 1;
            }
        }
        // 2 500 each; five standard deviations are 217.
        for (tenth, count) in sampled.into_iter().enumerate() {
            assert!(count.abs_diff(2_500) < 217, "{tenth}: {count}");
        }
    }
}
