//! What can be wrong with a definition. Every error names what, which, and what to do about it.

use std::fmt;

use crate::key::{FlagKey, SegmentKey, VariantKey};
use crate::limit::{
    NAME_BYTES_MAX, PREREQUISITES_MAX, RULES_MAX, SEGMENT_UNITS_MAX, UNIT_BYTES_MAX,
    VALUE_BYTES_MAX, VARIANTS_MAX,
};
use crate::value::ValueType;

/// Where in a definition something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `closed`.
    Closed,
    /// `open`.
    Open,
    /// The rule of this id.
    Rule(Box<str>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed"),
            Self::Open => f.write_str("open"),
            Self::Rule(id) => write!(f, "rule {id:?}"),
        }
    }
}

/// One thing that is wrong with a flag's definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// There are no variants.
    #[error("a flag needs variants; give it at least the one it is closed to")]
    NoVariants,
    /// There are more than [`VARIANTS_MAX`].
    #[error("a flag has at most {VARIANTS_MAX} variants; this one has {count}")]
    TooManyVariants {
        /// How many there are.
        count: usize,
    },
    /// A variant's value is not of the flag's type.
    #[error(
        "variant {variant} is of type {found}; every variant of a {wanted} flag must be a {wanted}"
    )]
    ValueType {
        /// The variant.
        variant: VariantKey,
        /// Its type.
        found: ValueType,
        /// The flag's type.
        wanted: ValueType,
    },
    /// A variant's number is not finite, or too large to become a float exactly.
    #[error("variant {variant} has a number that cannot be a float exactly; write one that can")]
    ValueNumber {
        /// The variant.
        variant: VariantKey,
    },
    /// A variant's value is larger than [`VALUE_BYTES_MAX`].
    #[error(
        "variant {variant} takes more than {VALUE_BYTES_MAX} bytes as JSON; keep large data elsewhere \
         and let the flag name it"
    )]
    ValueTooLarge {
        /// The variant.
        variant: VariantKey,
    },
    /// A variant is named that does not exist.
    #[error("{place} names variant {variant}, which does not exist; the variants are {known}")]
    UnknownVariant {
        /// Where it is named.
        place: Place,
        /// The name.
        variant: VariantKey,
        /// The variants there are, for people.
        known: String,
    },
    /// A split has no arms.
    #[error("the split of {place} has no arms; give it variants with weights")]
    EmptySplit {
        /// Where it is.
        place: Place,
    },
    /// A split's weights do not add up to 100 %.
    #[error("the weights of {place} add up to {} %, not to 100 %", thousandths(*.total))]
    SplitSum {
        /// Where it is.
        place: Place,
        /// Their sum in thousandths of a per cent.
        total: u64,
    },
    /// There are more than [`RULES_MAX`] rules.
    #[error("a flag has at most {RULES_MAX} rules; this one has {count}; list units in a segment")]
    TooManyRules {
        /// How many there are.
        count: usize,
    },
    /// A rule id is empty, too long or not printable.
    #[error(
        "rule number {number} needs an id of 1 to {NAME_BYTES_MAX} bytes without control characters"
    )]
    RuleId {
        /// The rule's place in the list, from 1.
        number: usize,
    },
    /// Two rules have one id.
    #[error("two rules have the id {id:?}; give each its own")]
    RuleIdTwice {
        /// The id.
        id: Box<str>,
    },
    /// There are more than [`PREREQUISITES_MAX`].
    #[error("a flag has at most {PREREQUISITES_MAX} prerequisites; this one has {count}")]
    TooManyPrerequisites {
        /// How many there are.
        count: usize,
    },
    /// The flag is its own prerequisite.
    #[error("a flag cannot be its own prerequisite; remove it from the list")]
    PrerequisiteOfItself,
    /// A flag is a prerequisite twice.
    #[error("flag {flag} is a prerequisite twice; name it once, with all variants that meet it")]
    PrerequisiteTwice {
        /// The flag.
        flag: FlagKey,
    },
    /// A prerequisite names a flag that does not exist.
    #[error("prerequisite {flag} does not exist; create it first or remove it from the list")]
    PrerequisiteUnknown {
        /// The flag.
        flag: FlagKey,
    },
    /// A prerequisite is to be met by a variant that the flag does not have.
    #[error("prerequisite {flag} has no variant {variant}; its variants are {known}")]
    PrerequisiteVariant {
        /// The flag.
        flag: FlagKey,
        /// The variant.
        variant: VariantKey,
        /// The variants there are, for people.
        known: String,
    },
    /// A prerequisite is to be met by the flag's closed variant.
    #[error(
        "prerequisite {flag} must not be met by its closed variant {variant}, \
         because closing one flag must never open another"
    )]
    PrerequisiteClosed {
        /// The flag.
        flag: FlagKey,
        /// Its closed variant.
        variant: VariantKey,
    },
    /// A salt is too long.
    #[error("a salt has at most {NAME_BYTES_MAX} bytes")]
    SaltTooLong,
    /// The unit attribute's name is empty or too long.
    #[error(
        "`unit` is the name of an attribute, of 1 to {NAME_BYTES_MAX} bytes; leave it out for the targeting key"
    )]
    UnitName,
    /// `stale_after_s` is 0.
    #[error("stale_after_s must be at least 1; leave it out to serve the last known forever")]
    StaleAfterZero,
}

/// One thing that is wrong with a segment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SegmentError {
    /// Its condition asks about itself.
    #[error("segment {segment} asks about itself; remove it from its own condition")]
    AsksAboutItself {
        /// The segment.
        segment: SegmentKey,
    },
    /// It lists more than [`SEGMENT_UNITS_MAX`] units.
    #[error("a segment lists at most {SEGMENT_UNITS_MAX} units; this one lists {count}")]
    TooManyUnits {
        /// How many it lists.
        count: usize,
    },
    /// A listed unit is empty or longer than [`UNIT_BYTES_MAX`].
    #[error("unit {unit:?} cannot be listed: a unit has 1 to {UNIT_BYTES_MAX} bytes")]
    Unit {
        /// The first characters of the unit.
        unit: String,
    },
}

/// The sentences of several errors as one, for a message of one line.
pub(crate) fn joined(errors: &[impl fmt::Display]) -> String {
    let mut text = String::new();
    for (index, error) in errors.iter().enumerate() {
        if index > 0 {
            text.push_str("; ");
        }
        text.push_str(&error.to_string());
    }
    text
}

/// A sum of percentages, which may be above 100.
fn thousandths(total: u64) -> String {
    let (whole, fraction) = (total / 1_000, total % 1_000);
    if fraction == 0 {
        return whole.to_string();
    }
    let digits = format!("{fraction:03}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}
