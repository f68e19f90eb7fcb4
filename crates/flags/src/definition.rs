//! Definitions, as one environment's evaluators need them: what a flag does when it is not closed.

mod error;
mod uses;
mod validate;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::expression::Expression;
use crate::key::{FlagKey, SegmentKey, VariantKey};
use crate::percentage::Percentage;
use crate::value::{Value, ValueType};

pub(crate) use error::joined;
pub use error::{DefinitionError, Place, SegmentError};

/// A flag's definition in one environment. Declarative; says nothing of who is let through now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The flag's name.
    pub key: FlagKey,
    /// The type of every variant's value.
    #[serde(rename = "type")]
    pub value_type: ValueType,
    /// The named values.
    pub variants: BTreeMap<VariantKey, Value>,
    /// The safe variant.
    pub closed: VariantKey,
    /// What the exposed get.
    pub open: Serve,
    /// Rules, tried in order before the exposure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Flags that must not be closed for this one to be open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prerequisites: Vec<Prerequisite>,
    /// The attribute whose value is the unit that buckets are computed from; the targeting key
    /// when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Box<str>>,
    /// The salt of the exposure's bucket. Stored, so that renaming never moves anybody.
    pub salt: Box<str>,
    /// How a bucket is computed.
    #[serde(default)]
    pub hash: Hash,
    /// Whether client-side tokens may see this flag's values.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub client_visible: bool,
    /// Closed by the evaluator itself once its configuration is older than this many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after_s: Option<u32>,
}

/// How a bucket is computed from a salt and a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hash {
    /// `murmur3_x86_32(seed 0, utf8(salt + unit))`, scaled to [`crate::BUCKETS`].
    #[default]
    Native,
    /// As [`Hash::Native`] for the exposure; for splits `murmur3_x86_32(seed 0, utf8(unit))`
    /// without their salts, as flagd computes it where a file names a bare attribute to bucket by.
    Unsalted,
}

/// One rule: the first whose `when` is true decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A name that stays the rule's own while others are added, moved or removed.
    pub id: Box<str>,
    /// The condition.
    pub when: Expression,
    /// What contexts that meet it get.
    pub serve: Serve,
}

/// One variant, or several by weight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Serve {
    /// Always this variant.
    Variant(VariantKey),
    /// A variant by the unit's bucket.
    Split(Split),
}

/// Variants by weight; the weights add up to exactly 100 %.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// The arms, in the order in which they take buckets from 0 up.
    pub split: Vec<Arm>,
    /// The salt of this split's bucket; stored when the split is made. An absent one in a file is
    /// filled in on the way in.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub salt: Box<str>,
}

/// One arm of a [`Split`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// The variant this arm gives.
    pub variant: VariantKey,
    /// Its share.
    pub weight: Percentage,
}

/// A flag of the same environment that must give a variant other than its closed one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prerequisite {
    /// The flag that is asked.
    pub flag: FlagKey,
    /// The variants that meet it; any but the closed one when empty. Never the closed one: closing
    /// a flag must not open another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<VariantKey>,
}

/// A named set of contexts, the same in every environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// The segment's name.
    pub key: SegmentKey,
    /// Contexts that meet this belong to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Expression>,
    /// Units that belong to it by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<Box<str>>,
    /// Units that never belong to it, whatever else is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<Box<str>>,
}
