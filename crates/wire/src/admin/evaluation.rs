//! Trying a flag. `POST /environments/{environment}/evaluate`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Asks a flag about a context.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Evaluate {
    /// The flag.
    pub flag: String,
    /// The context, with `targetingKey` as the unit.
    #[serde(default)]
    pub context: serde_json::Map<String, serde_json::Value>,
    /// Whether to tell every step.
    #[serde(default)]
    pub explain: bool,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Evaluation {
    /// The flag.
    pub key: String,
    /// The value.
    pub value: serde_json::Value,
    /// The variant.
    pub variant: String,
    /// OpenFeature's reason.
    pub reason: String,
    /// The rule that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// `exposed`, `held back` or `assigned`.
    pub arm: String,
    /// What was missing, if something was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The revision of the environment that answered.
    pub revision: u64,
    /// Every step in order, where it was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<ExplainedStep>,
}

/// One step of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExplainedStep {
    /// What was looked at: `position`, `prerequisite`, `rule`, `exposure`.
    pub step: String,
    /// Whether it decided.
    pub decided: bool,
    /// In one sentence.
    pub sentence: String,
}
