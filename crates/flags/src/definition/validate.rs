//! What a definition must be before anybody relies on it. Every error names what, which, and what
//! to do about it.

use std::collections::BTreeSet;
use std::fmt;

use super::{Definition, Rule, Segment, Serve, Split};
use crate::key::{FlagKey, SegmentKey, VariantKey};
use crate::limit::{
    NAME_BYTES_MAX, PREREQUISITES_MAX, RULES_MAX, SEGMENT_UNITS_MAX, UNIT_BYTES_MAX,
    VALUE_BYTES_MAX, VARIANTS_MAX,
};
use crate::percentage::BUCKETS;
use crate::value::{Value, ValueType};

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

impl Definition {
    /// Checks everything that can be told from this definition alone; what concerns other flags
    /// is [`Definition::validate_prerequisites`].
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the fields.
    pub fn validate(&self) -> Result<(), Vec<DefinitionError>> {
        let mut errors = Vec::new();
        self.validate_variants(&mut errors);
        self.validate_variant(&self.closed, Place::Closed, &mut errors);
        self.validate_serve(&self.open, &Place::Open, &mut errors);
        self.validate_rules(&mut errors);
        self.validate_own_prerequisites(&mut errors);
        if self.salt.len() > NAME_BYTES_MAX {
            errors.push(DefinitionError::SaltTooLong);
        }
        if let Some(unit) = &self.unit
            && !(1..=NAME_BYTES_MAX).contains(&unit.len())
        {
            errors.push(DefinitionError::UnitName);
        }
        if self.stale_after_s == Some(0) {
            errors.push(DefinitionError::StaleAfterZero);
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    /// Checks the prerequisites against the flags they name, which `find` knows.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the list. Circles are not looked for.
    pub fn validate_prerequisites<'a>(
        &self,
        find: impl Fn(&FlagKey) -> Option<&'a Self>,
    ) -> Result<(), Vec<DefinitionError>> {
        let mut errors = Vec::new();
        for prerequisite in &self.prerequisites {
            let flag = prerequisite.flag.clone();
            let Some(other) = find(&flag) else {
                errors.push(DefinitionError::PrerequisiteUnknown { flag });
                continue;
            };
            for variant in &prerequisite.variants {
                let (flag, variant) = (flag.clone(), variant.clone());
                if variant == other.closed {
                    errors.push(DefinitionError::PrerequisiteClosed { flag, variant });
                } else if !other.variants.contains_key(&variant) {
                    errors.push(DefinitionError::PrerequisiteVariant {
                        flag,
                        variant,
                        known: other.variant_names(),
                    });
                }
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    fn variant_names(&self) -> String {
        let names: Vec<&str> = self.variants.keys().map(VariantKey::as_str).collect();
        names.join(", ")
    }

    fn validate_variants(&self, errors: &mut Vec<DefinitionError>) {
        match self.variants.len() {
            0 => errors.push(DefinitionError::NoVariants),
            1..=VARIANTS_MAX => {}
            count => errors.push(DefinitionError::TooManyVariants { count }),
        }
        for (variant, value) in &self.variants {
            let variant = || variant.clone();
            let (found, wanted) = (value.value_type(), self.value_type);
            let is_whole_float = found == ValueType::Integer && wanted == ValueType::Float;
            if found != wanted && !is_whole_float {
                errors.push(DefinitionError::ValueType {
                    variant: variant(),
                    found,
                    wanted,
                });
            }
            if !is_exact_number(value, wanted) {
                errors.push(DefinitionError::ValueNumber { variant: variant() });
            }
            if is_larger_than(value, VALUE_BYTES_MAX) {
                errors.push(DefinitionError::ValueTooLarge { variant: variant() });
            }
        }
    }

    fn validate_variant(
        &self,
        variant: &VariantKey,
        place: Place,
        errors: &mut Vec<DefinitionError>,
    ) {
        if !self.variants.contains_key(variant) {
            errors.push(DefinitionError::UnknownVariant {
                place,
                variant: variant.clone(),
                known: self.variant_names(),
            });
        }
    }

    fn validate_serve(&self, serve: &Serve, place: &Place, errors: &mut Vec<DefinitionError>) {
        match serve {
            Serve::Variant(variant) => self.validate_variant(variant, place.clone(), errors),
            Serve::Split(split) => {
                for arm in &split.split {
                    self.validate_variant(&arm.variant, place.clone(), errors);
                }
                validate_split(split, place, errors);
            }
        }
    }

    fn validate_rules(&self, errors: &mut Vec<DefinitionError>) {
        if self.rules.len() > RULES_MAX {
            errors.push(DefinitionError::TooManyRules {
                count: self.rules.len(),
            });
        }
        let mut ids = BTreeSet::new();
        for (number, Rule { id, serve, .. }) in (1_usize..).zip(&self.rules) {
            if !(1..=NAME_BYTES_MAX).contains(&id.len()) || id.chars().any(char::is_control) {
                errors.push(DefinitionError::RuleId { number });
            } else if !ids.insert(id) {
                errors.push(DefinitionError::RuleIdTwice { id: id.clone() });
            }
            self.validate_serve(serve, &Place::Rule(id.clone()), errors);
        }
    }

    fn validate_own_prerequisites(&self, errors: &mut Vec<DefinitionError>) {
        if self.prerequisites.len() > PREREQUISITES_MAX {
            errors.push(DefinitionError::TooManyPrerequisites {
                count: self.prerequisites.len(),
            });
        }
        let mut flags = BTreeSet::new();
        for prerequisite in &self.prerequisites {
            if prerequisite.flag == self.key {
                errors.push(DefinitionError::PrerequisiteOfItself);
            } else if !flags.insert(&prerequisite.flag) {
                errors.push(DefinitionError::PrerequisiteTwice {
                    flag: prerequisite.flag.clone(),
                });
            }
        }
    }
}

impl Segment {
    /// Checks everything that can be told from this segment alone.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn validate(&self) -> Result<(), Vec<SegmentError>> {
        let mut errors = Vec::new();
        if self.segments().contains(&self.key) {
            errors.push(SegmentError::AsksAboutItself {
                segment: self.key.clone(),
            });
        }
        let count = self.include.len().saturating_add(self.exclude.len());
        if count > SEGMENT_UNITS_MAX {
            errors.push(SegmentError::TooManyUnits { count });
        }
        let wrong = self
            .include
            .iter()
            .chain(&self.exclude)
            .find(|unit| !(1..=UNIT_BYTES_MAX).contains(&unit.len()));
        if let Some(unit) = wrong {
            errors.push(SegmentError::Unit {
                unit: unit.chars().take(40).collect(),
            });
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }
}

fn validate_split(split: &Split, place: &Place, errors: &mut Vec<DefinitionError>) {
    if split.salt.len() > NAME_BYTES_MAX {
        errors.push(DefinitionError::SaltTooLong);
    }
    if split.split.is_empty() {
        errors.push(DefinitionError::EmptySplit {
            place: place.clone(),
        });
        return;
    }
    let total: u64 = split
        .split
        .iter()
        .map(|arm| u64::from(arm.weight.thousandths()))
        .fold(0, u64::saturating_add);
    if total != u64::from(BUCKETS) {
        errors.push(DefinitionError::SplitSum {
            place: place.clone(),
            total,
        });
    }
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

fn is_exact_number(value: &Value, wanted: ValueType) -> bool {
    match value {
        Value::Float(number) => number.is_finite(),
        Value::Integer(_) if wanted == ValueType::Float => {
            value.clone().coerced_to(wanted).is_some()
        }
        _ => true,
    }
}

/// Whether the JSON text of `value` is longer than `bytes_max`, without writing it anywhere.
fn is_larger_than(value: &Value, bytes_max: usize) -> bool {
    struct Room(usize);
    impl fmt::Write for Room {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 = self.0.checked_sub(text.len()).ok_or(fmt::Error)?;
            Ok(())
        }
    }
    fmt::Write::write_fmt(&mut Room(bytes_max), format_args!("{value}")).is_err()
}
