//! Flags as people define them: the same in every environment, with rules for each.

mod closing;

use std::collections::BTreeSet;

use leverframe_flags::{
    Definition, EnvironmentKey, FlagKey, Hash, Prerequisite, Rule, Serve, Value, ValueType,
    VariantKey,
};
use serde::{Deserialize, Serialize};

use crate::table::Table;

pub use closing::{ClosingError, UnsafeClosing};

/// What a flag is for; it decides the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Lets a release through; must have a sunset date.
    Release,
    /// A brake for operations: `stale_after` is on by default.
    Kill,
    /// Lets background work through.
    Job,
    /// An operational setting that stays.
    Ops,
    /// A comparison of variants.
    Experiment,
    /// Who may use what; stays.
    Permission,
}

/// A flag's definition: declarative, reviewable, fit for a file in git. Says nothing of positions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlagDefinition {
    /// The flag's name.
    pub key: FlagKey,
    /// What it is for.
    pub kind: Kind,
    /// The type of every variant's value.
    #[serde(rename = "type")]
    pub value_type: ValueType,
    /// The named values.
    pub variants: Table<VariantKey, Value>,
    /// The safe variant.
    pub closed: VariantKey,
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
    /// What closing does, in words, for the person who is about to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub runbook: String,
    /// The date (`2026-12-31`) by which the flag should be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sunset: Option<jiff::civil::Date>,
    /// Whether client-side tokens may see this flag's values.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub client_visible: bool,
    /// Closed by an evaluator itself once its configuration is older than this many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after_s: Option<u32>,
    /// When closing does harm; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsafe_closing: Option<UnsafeClosing>,
    /// The attribute buckets are computed from; the targeting key when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Box<str>>,
    /// The salt of the exposure's bucket; the flag key when a new flag names none.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub salt: Box<str>,
    /// How a bucket is computed.
    #[serde(default, skip_serializing_if = "is_native")]
    pub hash: Hash,
    /// Rules and prerequisites, per environment.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub environments: Table<EnvironmentKey, EnvironmentRules>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_native(hash: &Hash) -> bool {
    *hash == Hash::Native
}

/// What the names of the server's own flags begin with.
pub const INTERNAL_PREFIX: &str = "leverframe.";

/// Whether a name is kept for the server's own flags.
#[must_use]
pub fn is_internal(key: &FlagKey) -> bool {
    key.as_str().starts_with(INTERNAL_PREFIX)
}

/// What a flag does in one environment beyond its exposure.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentRules {
    /// Rules, tried in order before the exposure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Flags that must not be closed for this one to be open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prerequisites: Vec<Prerequisite>,
}

impl FlagDefinition {
    /// The value of the closed variant; a definition without one is never accepted.
    #[must_use]
    pub fn closed_value(&self) -> Option<&Value> {
        self.variants.get(&self.closed)
    }

    /// The rules of an environment, in order.
    #[must_use]
    pub fn rules_in(&self, environment: &str) -> &[Rule] {
        self.environments
            .get(environment)
            .map_or(&[], |rules| &rules.rules)
    }

    /// The prerequisites of an environment.
    #[must_use]
    pub fn prerequisites_in(&self, environment: &str) -> &[Prerequisite] {
        self.environments
            .get(environment)
            .map_or(&[], |rules| &rules.prerequisites)
    }

    /// What an evaluator of `environment` needs of this definition.
    #[must_use]
    pub fn in_environment(&self, environment: &str) -> Definition {
        let rules = self
            .environments
            .get(environment)
            .cloned()
            .unwrap_or_default();
        Definition {
            key: self.key.clone(),
            value_type: self.value_type,
            variants: self.variants.clone().into_iter().collect(),
            closed: self.closed.clone(),
            open: self.open.clone(),
            rules: rules.rules,
            prerequisites: rules.prerequisites,
            unit: self.unit.clone(),
            salt: self.salt.clone(),
            hash: self.hash,
            client_visible: self.client_visible,
            stale_after_s: self.stale_after_s,
        }
    }
}
