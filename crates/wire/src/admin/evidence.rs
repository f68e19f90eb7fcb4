//! What is seen of a rollout. `GET /rollouts/{rollout}/evidence`, `GET /rollouts/{rollout}/measurements`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rollout::Rollout;

/// A rollout and all that is known of it now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// Which.
    pub rollout: Rollout,
    /// When this was seen, in RFC 3339.
    pub at: String,
    /// Whether forward steps are stopped here, and by what, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<String>,
    /// How much of this stage and build has been analysed, in milliseconds.
    pub analysed_ms: i64,
    /// How much must be, in milliseconds.
    pub bake_ms: i64,
    /// How long the stage lasts so far, in milliseconds.
    pub lasted_ms: i64,
    /// How long it may, in milliseconds.
    pub hold_ms_max: i64,
    /// One for each metric of the plan.
    pub metrics: Vec<MetricEvidence>,
    /// Whether both arms became worse right after the last step.
    pub shared_harm: bool,
    /// What the units say of the share that was meant.
    pub share: ShareView,
    /// Units that were let through and for which something went wrong, since the start.
    pub users_hit: u64,
    /// Why it does not move, a sentence each; empty when it is over.
    pub holds: Vec<String>,
    /// What comes next when nothing stands against it, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What the evidence says of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Those exposed are harmed.
    Bad,
    /// Harm is ruled out for this stage.
    Ok,
    /// Neither yet.
    Learning,
    /// The source answered, and there was nothing.
    NoData,
    /// The source did not answer, or not what can be read.
    Error,
    /// What it says contradicts itself.
    Untrusted,
}

/// What is seen of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MetricEvidence {
    /// Which.
    pub metric: String,
    /// What the evidence says.
    pub verdict: Verdict,
    /// The same in one sentence.
    pub sentence: String,
    /// Those exposed, at this stage and since this build; absent when nothing can be counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposed: Option<ArmCounts>,
    /// Those held back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_back: Option<ArmCounts>,
    /// Both since the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposed_total: Option<ArmCounts>,
    /// Both since the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_back_total: Option<ArmCounts>,
    /// The natural logarithm of the evidence of harm; it convicts at the logarithm of `1/α`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ln_e_bad: Option<f64>,
    /// Where it convicts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ln_e_bad_limit: Option<f64>,
    /// The natural logarithm of the evidence of its absence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ln_e_ok: Option<f64>,
    /// Where it proves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ln_e_ok_limit: Option<f64>,
}

/// The units of one arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct ArmCounts {
    /// Distinct units.
    pub units: u64,
    /// Those of them for which something went wrong.
    pub bad: u64,
}

/// What the units of a stage say of the share that was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ShareView {
    /// Nothing against it.
    AsMeant,
    /// More units than meant were exposed: the counts cannot be trusted.
    TooMany,
    /// Fewer than meant: they left, or crashed before they could say so.
    TooFew,
}

/// What is kept of a rollout's measurements. `?metric=&from=&until=&limit=`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MeasurementList {
    /// By metric, the oldest first.
    pub measurements: Vec<MeasurementView>,
    /// Whether there were more than are shown.
    pub truncated: bool,
    /// Between which ratios the truth lies, one for each metric whose arms could be compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ratios: Vec<RatioView>,
}

/// Between which ratios of bad rates, exposed to held back, the truth lies: the rollout's own confidence
/// sequence at 99 %, which holds however often one looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RatioView {
    /// Of which metric of the plan.
    pub metric: String,
    /// The lowest ratio that is not refuted; 0 when none is.
    pub low: f64,
    /// The highest; absent when the evidence does not set an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

/// What was known of a metric once an interval was counted: for charts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SoFar {
    /// Distinct exposed units since the start, those of a cohort where one is let through, and the bad
    /// ones among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposed: Option<RateView>,
    /// Those held back, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_back: Option<RateView>,
    /// The bad rate of the exposed, in per cent, from which on harm is looked for: the tolerance times
    /// that of those held back so far. Being above it convicts nobody before the evidence does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// Whether the interval is part of the evidence, and did not fall into what settles.
    pub counted: bool,
}

/// A bad rate in per cent, with Wilson's interval (1927) at 95 %: of one look, for people's eyes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RateView {
    /// What was counted.
    pub percent: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// One metric in one closed interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MeasurementView {
    /// Of which metric of the plan.
    pub metric: String,
    /// The begin of the interval, in RFC 3339.
    pub at: String,
    /// How long it is, in milliseconds.
    pub length_ms: i64,
    /// The revision that had last moved the lever when it began.
    pub lever_revision: u64,
    /// What was seen, in one word: `units`, `latency`, `gauge`, `no-data`, `error` or `untrusted`.
    pub seen: String,
    /// Those exposed by the percentage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposed: Option<ArmCounts>,
    /// Those held back by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_back: Option<ArmCounts>,
    /// Those that a cohort let through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned: Option<ArmCounts>,
    /// Exposed and held back units that reported too late, together.
    #[serde(default)]
    pub late: u64,
    /// The number of a gauge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// What was known by then of all intervals of the rollout; absent before its start and for gauges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub so_far: Option<SoFar>,
    /// Why nothing can be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl ArmCounts {
    /// Bad units in per cent; none without units.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts stay far below 2^53, where every integer is a float"
    )]
    pub fn percent_bad(self) -> Option<f64> {
        (self.units > 0).then(|| 100.0 * self.bad as f64 / self.units as f64)
    }
}
