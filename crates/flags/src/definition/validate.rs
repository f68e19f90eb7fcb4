//! What a definition must be before anybody relies on it.

use std::collections::BTreeSet;
use std::fmt;

use super::error::{DefinitionError, Place, SegmentError};
use super::{Definition, Rule, Segment, Serve, Split};
use crate::key::{FlagKey, VariantKey};
use crate::limit::{
    NAME_BYTES_MAX, PREREQUISITES_MAX, RULES_MAX, SEGMENT_UNITS_MAX, UNIT_BYTES_MAX,
    VALUE_BYTES_MAX, VARIANTS_MAX,
};
use crate::percentage::BUCKETS;
use crate::value::{Value, ValueType};

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
