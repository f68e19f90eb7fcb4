//! A gate for pipelines. `GET /environments/{environment}/flags/{flag}/probe?window=&error_budget=`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::evidence::ArmCounts;
use super::span::Span;

/// How a flag did in the time just gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Probe {
    /// Which.
    pub flag: String,
    /// Where.
    pub environment: String,
    /// How far back was looked.
    pub window: Span,
    /// The bad rate that is allowed, in per cent.
    pub error_budget: f64,
    /// The answer in one word.
    pub state: ProbeState,
    /// The same in a sentence that says what is missing when something is.
    pub sentence: String,
    /// Those the percentage let through: they are judged.
    pub exposed: ArmCounts,
    /// Those that something else decided for, such as a cohort, a rule or a pin: they are judged where
    /// the percentage let nobody through.
    pub assigned: ArmCounts,
    /// Those the percentage held back.
    pub held_back: ArmCounts,
    /// The closed intervals that had outcomes.
    pub intervals: u64,
}

/// Whether a budget is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeState {
    /// Fewer were bad than the budget allows.
    Within,
    /// More were.
    Spent,
    /// Nobody reported anything: nothing is known.
    NoData,
}
