//! What a rollout could prove. `POST /environments/{environment}/flags/{flag}/preflight`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::plan::PlanDefinition;

/// Asks what a plan could prove here; exactly one of `plan` and `definition`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskPreflight {
    /// The plan of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// This plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<PlanDefinition>,
}

/// What a plan could prove here, from the traffic of the last hours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Preflight {
    /// Which flag.
    pub flag: String,
    /// Where.
    pub environment: String,
    /// Whether a rollout may start.
    pub ready: bool,
    /// Why not, a sentence each; empty when it may.
    pub refusals: Vec<String>,
    /// What to know before it starts, a sentence each.
    pub remarks: Vec<String>,
    /// One for each stage of the plan as it would run.
    pub stages: Vec<StageForecast>,
    /// The plan as it would run: stages that can prove nothing are merged.
    pub plan: PlanDefinition,
}

/// What a stage could prove.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StageForecast {
    /// What the stage is called.
    pub label: String,
    /// In words: "catches ≥ 5× within 4 min; cannot prove < 2×".
    pub sentence: String,
    /// The smallest ratio of bad rates that is caught within the bake; absent when none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catches: Option<f64>,
    /// Within how many minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_min: Option<f64>,
    /// After how many minutes a good release is usually proved; absent when never, or when that cannot
    /// be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proved_after_min: Option<f64>,
    /// The ratio below which harm cannot be ruled out within `max_hold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cannot_prove_below: Option<f64>,
}
