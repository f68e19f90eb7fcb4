//! Flags and rules. `GET|POST /flags`, `GET|PUT|DELETE /flags/{flag}` (DELETE archives),
//! `POST /flags/{flag}/environments/{environment}/rules`,
//! `DELETE …/rules/{rule}`, `POST …/rules/{rule}/move`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::lever::Lever;
use super::receipt::Why;

/// What a flag is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Lets a release through; must have a sunset date.
    Release,
    /// A brake for operations.
    Kill,
    /// Lets background work through.
    Job,
    /// An operational setting that stays.
    Ops,
    /// A comparison of variants.
    Experiment,
    /// Who may use what.
    Permission,
}

/// The type of a flag's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ValueType {
    /// `true` or `false`.
    Boolean,
    /// Text.
    String,
    /// A signed 64-bit integer.
    Integer,
    /// A finite 64-bit float.
    Float,
    /// An object or array.
    Object,
}

/// A flag's definition, the same JSON (and, in files, YAML) everywhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlagDefinition {
    /// `[A-Za-z0-9._~-]{1,128}`.
    pub key: String,
    /// What it is for.
    pub kind: Kind,
    /// The type of every value.
    #[serde(rename = "type")]
    pub value_type: ValueType,
    /// The named values.
    pub variants: BTreeMap<String, serde_json::Value>,
    /// The safe variant.
    pub closed: String,
    /// What the exposed get.
    pub open: Serve,
    /// Who answers for it.
    pub owner: String,
    /// One line for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Words to group flags by.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
    /// What closing does, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub runbook: String,
    /// The date (`2026-12-31`) by which it should be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sunset: Option<String>,
    /// Whether client-side tokens may see its values.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub client_visible: bool,
    /// Closed by an evaluator itself once its configuration is older than this, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after_s: Option<u32>,
    /// `unsafe after 25% — what closing does then`; closing is safe when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<String>,
    /// The attribute buckets are computed from; the targeting key when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The salt of the exposure's bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// How a bucket is computed: `native`, or `unsalted` where splits were imported without salts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Rules and prerequisites, per environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environments: BTreeMap<String, EnvironmentRules>,
}

/// What a flag does in one environment beyond its exposure.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentRules {
    /// Tried in order before the exposure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Flags that must not be closed for this one to be open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prerequisites: Vec<Prerequisite>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, made by the server when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The condition, in the `when` language.
    pub when: String,
    /// What contexts that meet it get.
    pub serve: Serve,
}

/// One variant, or several by weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Serve {
    /// Always this variant.
    Variant(String),
    /// A variant by bucket.
    Split {
        /// The arms; weights add up to 100.
        split: Vec<Arm>,
        /// The salt of this split's bucket, made by the server when absent.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        salt: String,
    },
}

/// One arm of a split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// The variant.
    pub variant: String,
    /// Its share in per cent, at most three decimals.
    pub weight: f64,
}

/// A flag that must not be closed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Prerequisite {
    /// The flag.
    pub flag: String,
    /// The variants that meet it; any but the closed one when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<String>,
}

/// A flag and its levers. The ETag is `defined_revision`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Flag {
    /// Its definition.
    pub definition: FlagDefinition,
    /// The revision that last changed the definition.
    pub defined_revision: u64,
    /// When it was created, in RFC 3339.
    pub created_at: String,
    /// Whether it is out of use.
    pub archived: bool,
    /// One for each environment.
    pub levers: Vec<Lever>,
}

/// Some flags. `GET /flags?q=&owner=&tag=&kind=&archived=&after=&limit=`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlagList {
    /// By key.
    pub flags: Vec<Flag>,
    /// Pass as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Creates or replaces a flag's definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutFlag {
    /// The definition.
    pub definition: FlagDefinition,
    /// Why.
    #[serde(default)]
    pub why: Why,
}

/// Adds a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddRule {
    /// The rule.
    pub rule: Rule,
    /// The index it will have, from 0; last when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<usize>,
    /// Why.
    #[serde(default)]
    pub why: Why,
}

/// Moves a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveRule {
    /// The index it will have, from 0.
    pub to: usize,
    /// Why.
    #[serde(default)]
    pub why: Why,
}
