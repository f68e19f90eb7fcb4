//! What a definition compiles to, whatever the flag is called and whatever its position is.

use std::sync::Arc;

use super::salt::Salt;
use super::unit::Unit;
use crate::bucket::BucketSalt;
use crate::definition::{Definition, Hash, Prerequisite, Serve};
use crate::expression::Subject;
use crate::key::VariantKey;
use crate::matcher::{Compiler, Matcher, SegmentAbsent};
use crate::segment_table::SegmentTable;
use crate::value::Value;

/// The variants of a definition, in the order of their names.
pub(super) type Variants = Arc<[(VariantKey, Value)]>;

/// The number of a variant, or no variant. At most [`crate::limit::VARIANTS_MAX`] are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct VariantNumber(u16);

/// A definition, compiled.
#[derive(Debug)]
pub(super) struct Program {
    variants: Variants,
    closed: VariantNumber,
    rules: Box<[CompiledRule]>,
    subjects: Box<[Subject]>,
    open: CompiledServe,
    exposure_salt: Salt,
    unit_attribute: Option<Box<str>>,
    prerequisites: Box<[Prerequisite]>,
}

#[derive(Debug)]
pub(super) struct CompiledRule {
    pub(super) id: Box<str>,
    pub(super) when: Matcher,
    pub(super) serve: CompiledServe,
}

/// What is served: a variant by its number, or one by the unit's bucket.
#[derive(Debug)]
pub(super) enum CompiledServe {
    Variant(VariantNumber),
    Split(Box<CompiledSplit>),
}

#[derive(Debug)]
pub(super) struct CompiledSplit {
    pub(super) salt: Salt,
    arms: Box<[CompiledArm]>,
}

#[derive(Debug)]
struct CompiledArm {
    /// The first bucket that is no longer this arm's.
    below: u32,
    variant: VariantNumber,
}

impl VariantNumber {
    pub(super) const NONE: Self = Self(u16::MAX);

    fn new(number: usize) -> Self {
        u16::try_from(number).map_or(Self::NONE, Self)
    }

    /// The number itself; `None` where there is no variant.
    pub(super) fn get(self) -> Option<u32> {
        (self != Self::NONE).then_some(u32::from(self.0))
    }
}

impl Program {
    /// Compiles a definition that is normalised (so its salts are there) and valid; says which
    /// segment is in the way. `variants` are the definition's.
    pub(super) fn new(
        definition: &Definition,
        variants: Variants,
        segments: &SegmentTable,
    ) -> Result<Self, String> {
        let mut compiler = Compiler::default();
        let mut rules = Vec::with_capacity(definition.rules.len());
        for rule in &definition.rules {
            let when = compiler
                .compile(rule.when.tree(), &|key| segments.find(key).ok())
                .map_err(|SegmentAbsent(key)| {
                    let why = segments.find(&key).err();
                    why.unwrap_or_else(|| format!("segment {key} cannot be asked"))
                })?;
            rules.push(CompiledRule {
                id: rule.id.clone(),
                when,
                serve: CompiledServe::new(definition, &rule.serve)?,
            });
        }
        Ok(Self {
            variants,
            closed: number(definition, &definition.closed)?,
            rules: rules.into(),
            subjects: compiler.into_subjects(),
            open: CompiledServe::new(definition, &definition.open)?,
            exposure_salt: Salt::new(&definition.key, &definition.salt),
            unit_attribute: definition.unit.clone(),
            prerequisites: definition.prerequisites.as_slice().into(),
        })
    }

    pub(super) fn prerequisites(&self) -> &[Prerequisite] {
        &self.prerequisites
    }

    /// What the rules compiled to, in order.
    pub(super) fn rules(&self) -> &[CompiledRule] {
        &self.rules
    }

    pub(super) fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    pub(super) fn open(&self) -> &CompiledServe {
        &self.open
    }

    pub(super) fn exposure_salt(&self) -> &Salt {
        &self.exposure_salt
    }

    pub(super) fn unit_attribute(&self) -> Option<&str> {
        self.unit_attribute.as_deref()
    }

    #[inline]
    pub(super) fn variant(&self, number: VariantNumber) -> Option<(&VariantKey, &Value)> {
        self.variants
            .get(usize::from(number.0))
            .map(|(variant, value)| (variant, value))
    }

    /// The variants, in the order of their names.
    pub(super) fn variants(&self) -> impl Iterator<Item = (&VariantKey, &Value)> {
        self.variants
            .iter()
            .map(|(variant, value)| (variant, value))
    }

    /// The number of a variant; none where the definition does not have it.
    pub(super) fn number(&self, variant: &VariantKey) -> VariantNumber {
        let known = self.variants.iter().position(|(known, _)| known == variant);
        known.map_or(VariantNumber::NONE, VariantNumber::new)
    }

    pub(super) fn closed_number(&self) -> VariantNumber {
        self.closed
    }

    pub(super) fn closed(&self) -> Option<(&VariantKey, &Value)> {
        self.variant(self.closed)
    }

    /// The variant that everybody exposed gets, if it is one.
    pub(super) fn only_open_variant(&self) -> Option<VariantNumber> {
        match &self.open {
            CompiledServe::Variant(number) => Some(*number),
            CompiledServe::Split(_) => None,
        }
    }

    /// Whether a rule looks at the time.
    pub(super) fn asks_the_time(&self) -> bool {
        self.subjects.contains(&Subject::Now)
    }

    /// Whether anything is looked at before the exposure.
    pub(super) fn looks_before_exposure(&self) -> bool {
        !self.rules.is_empty() || !self.prerequisites.is_empty()
    }
}

impl CompiledServe {
    fn new(definition: &Definition, serve: &Serve) -> Result<Self, String> {
        let split = match serve {
            Serve::Variant(variant) => return Ok(Self::Variant(number(definition, variant)?)),
            Serve::Split(split) => split,
        };
        let mut below = 0_u32;
        let mut arms = Vec::with_capacity(split.split.len());
        for arm in &split.split {
            below = below.saturating_add(arm.weight.thousandths());
            arms.push(CompiledArm {
                below,
                variant: number(definition, &arm.variant)?,
            });
        }
        // Another way to compute a bucket will not compile without its own code here.
        let salt = match definition.hash {
            Hash::Native => Salt::new(&definition.key, &split.salt),
            Hash::Unsalted => Salt::none(),
        };
        Ok(Self::Split(Box::new(CompiledSplit {
            salt,
            arms: arms.into(),
        })))
    }
}

impl CompiledSplit {
    /// The bucket of a unit, and the variant of the arm that it falls in. `key` is the flag's
    /// hashed key.
    pub(super) fn arm_of(&self, key: BucketSalt, unit: Unit<'_>) -> (u32, VariantNumber) {
        let bucket = unit.bucket(&self.salt.of(key));
        let arm = self
            .arms
            .iter()
            .find(|arm| bucket < arm.below)
            .or_else(|| self.arms.last());
        (bucket, arm.map_or(VariantNumber::NONE, |arm| arm.variant))
    }
}

fn number(definition: &Definition, variant: &VariantKey) -> Result<VariantNumber, String> {
    definition
        .variants
        .keys()
        .position(|known| known == variant)
        .map(VariantNumber::new)
        .ok_or_else(|| format!("variant {variant} does not exist"))
}
