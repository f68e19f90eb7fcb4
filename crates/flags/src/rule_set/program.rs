//! What a definition compiles to, whatever the position is.

use std::io::Write;
use std::sync::Arc;

use super::flag::{Fixed, Unit};
use crate::bucket::BucketSalt;
use crate::definition::{Definition, Hash, Prerequisite, Rule, Serve};
use crate::expression::Subject;
use crate::key::VariantKey;
use crate::matcher::{Compiler, Matcher};
use crate::outcome::Reason;
use crate::segment_table::SegmentTable;
use crate::value::Value;

/// A definition, compiled.
#[derive(Debug)]
pub(super) struct Program {
    definition: Arc<Definition>,
    variants: Box<[(VariantKey, Value)]>,
    closed: usize,
    /// Whether the definition, which is somewhere else in memory, need be asked for them.
    has_prerequisites: bool,
    unit_attribute: Option<Box<str>>,
    /// In the order of the definition's rules.
    rules: Box<[CompiledRule]>,
    subjects: Box<[Subject]>,
    open: CompiledServe,
    exposure_salt: BucketSalt,
}

#[derive(Debug)]
pub(super) struct CompiledRule {
    pub(super) when: Matcher,
    pub(super) serve: CompiledServe,
}

/// What is served: a variant by its number, or one by the unit's bucket.
#[derive(Debug)]
pub(super) enum CompiledServe {
    Variant(usize),
    Split {
        salt: BucketSalt,
        /// For people.
        salt_text: Box<str>,
        arms: Box<[CompiledArm]>,
    },
}

#[derive(Debug)]
pub(super) struct CompiledArm {
    /// The first bucket that is no longer this arm's.
    below: u32,
    variant: usize,
}

impl Program {
    /// Compiles a definition that is normalised (so its salts are there) and valid; says which segment is in the way.
    pub(super) fn new(
        definition: &Arc<Definition>,
        segments: &SegmentTable,
    ) -> Result<Self, String> {
        for segment in definition.segments() {
            segments.find(segment)?;
        }
        let mut compiler = Compiler::default();
        let mut rules = Vec::with_capacity(definition.rules.len());
        for rule in &definition.rules {
            let when = compiler
                .compile(rule.when.tree(), &|key| segments.find(key).ok())
                .map_err(|absent| format!("segment {} does not exist", absent.0))?;
            let serve = CompiledServe::new(definition, &rule.serve)?;
            rules.push(CompiledRule { when, serve });
        }
        Ok(Self {
            variants: definition
                .variants
                .iter()
                .map(|(variant, value)| (variant.clone(), value.clone()))
                .collect(),
            closed: number(definition, &definition.closed)?,
            has_prerequisites: !definition.prerequisites.is_empty(),
            unit_attribute: definition.unit.clone(),
            rules: rules.into(),
            subjects: compiler.into_subjects(),
            open: CompiledServe::new(definition, &definition.open)?,
            exposure_salt: BucketSalt::new(&definition.salt),
            definition: Arc::clone(definition),
        })
    }

    pub(super) fn prerequisites(&self) -> &[Prerequisite] {
        if self.has_prerequisites {
            &self.definition.prerequisites
        } else {
            &[]
        }
    }

    /// What the rules compiled to, in order.
    pub(super) fn compiled_rules(&self) -> &[CompiledRule] {
        &self.rules
    }

    /// The rule that compiled to the one of the same index.
    pub(super) fn rule(&self, index: usize) -> Option<&Rule> {
        self.definition.rules.get(index)
    }

    pub(super) fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    pub(super) fn open(&self) -> &CompiledServe {
        &self.open
    }

    pub(super) fn exposure_bucket(&self, unit: Unit<'_>) -> u32 {
        bucket(&self.exposure_salt, unit)
    }

    pub(super) fn unit_attribute(&self) -> Option<&str> {
        self.unit_attribute.as_deref()
    }

    pub(super) fn variant(&self, number: usize) -> Option<(&VariantKey, &Value)> {
        self.variants
            .get(number)
            .map(|(variant, value)| (variant, value))
    }

    /// The number of a variant; the definition has at most [`crate::limit::VARIANTS_MAX`].
    pub(super) fn number(&self, variant: &VariantKey) -> Option<u32> {
        let known = self.variants.iter().position(|(known, _)| known == variant);
        known.and_then(|number| u32::try_from(number).ok())
    }

    pub(super) fn closed_number(&self) -> usize {
        self.closed
    }

    pub(super) fn closed(&self) -> Option<(&VariantKey, &Value)> {
        self.variant(self.closed)
    }

    pub(super) fn closed_key(&self) -> Option<&VariantKey> {
        self.closed().map(|(variant, _)| variant)
    }

    /// The variant that everybody exposed gets, if it is one.
    pub(super) fn only_open_variant(&self) -> Option<&VariantKey> {
        match &self.open {
            CompiledServe::Variant(number) => self.variant(*number).map(|(variant, _)| variant),
            CompiledServe::Split { .. } => None,
        }
    }

    /// Whether anything is looked at before the exposure.
    pub(super) fn looks_before_exposure(&self) -> bool {
        !self.rules.is_empty() || !self.definition.prerequisites.is_empty()
    }

    /// The answer that gives everybody `variant`; `None` when there is no such variant.
    pub(super) fn fixed(&self, variant: &VariantKey, reason: Reason) -> Option<Fixed> {
        let value = self.definition.variants.get(variant)?;
        Some(Fixed {
            variant: variant.clone(),
            value: value.clone(),
            variant_number: self.number(variant),
            reason,
            cause: None,
            is_closed: *variant == self.definition.closed,
        })
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
        let salt_text = match definition.hash {
            Hash::Native => split.salt.clone(),
            Hash::Unsalted => Box::default(),
        };
        Ok(Self::Split {
            salt: BucketSalt::new(&salt_text),
            salt_text,
            arms: arms.into(),
        })
    }
}

/// The bucket of a unit, and the arm of a split that it falls in.
pub(super) fn arm_of(salt: &BucketSalt, arms: &[CompiledArm], unit: Unit<'_>) -> (u32, usize) {
    let bucket = bucket(salt, unit);
    let arm = arms
        .iter()
        .find(|arm| bucket < arm.below)
        .or_else(|| arms.last());
    (bucket, arm.map_or(usize::MAX, |arm| arm.variant))
}

fn bucket(salt: &BucketSalt, unit: Unit<'_>) -> u32 {
    match unit {
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

fn number(definition: &Definition, variant: &VariantKey) -> Result<usize, String> {
    definition
        .variants
        .keys()
        .position(|known| known == variant)
        .ok_or_else(|| format!("variant {variant} does not exist"))
}
