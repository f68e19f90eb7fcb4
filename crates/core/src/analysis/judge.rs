//! What the evidence says of one metric now.

use serde::{Deserialize, Serialize};

use super::ceiling::above;
use super::counts::Counts;
use super::evalue::EValue;
use super::harm::{BAD_UNITS_MIN, Harm};
use super::harmless::Harmless;

/// Stage's evidence that is proved at this level lets the stage pass.
pub const ALPHA_OK: f64 = 0.05;
/// A canary this bad with this many units is taken back at once, whatever the statistics say.
const HOPELESS_RATE: f64 = 0.5;
const HOPELESS_UNITS_MIN: u64 = 20;

/// What is allowed of a metric, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// The level at which this metric convicts: its part of the rollout's 0.01.
    pub alpha: f64,
    /// The ratio of bad rates that this stage must rule out before it passes.
    pub margin: f64,
    /// A bad rate of the exposed arm, from 0 to 1, that is no harm whatever the ratio is.
    pub tolerable: f64,
    /// A bad rate of the exposed arm that must not be exceeded, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<f64>,
}

/// The evidence of one metric: through the whole rollout, and of the present stage and build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Of harm, since the start.
    pub harm: Harm,
    /// Of its absence, since this stage and build.
    pub harmless: Harmless,
}

/// What the evidence says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// The exposed arm does harm.
    Bad,
    /// Harm is ruled out for this stage.
    Ok,
    /// Neither yet.
    Learning,
}

/// A finding with the numbers behind it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// What it says.
    pub finding: Finding,
    /// Why it is bad, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harm: Option<Sort>,
    /// All units since the start.
    pub total: Counts,
    /// The units of this stage and build.
    pub stage: Counts,
    /// The evidence of harm relative to the other arm.
    pub e_bad: EValue,
    /// The evidence of its absence, the stronger of the relative and the absolute one.
    pub e_ok: EValue,
}

/// How a metric is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// Worse than the other arm by more than is tolerated.
    Relative,
    /// Worse than the ceiling, whatever the other arm does.
    Absolute,
    /// Most units fail.
    Hopeless,
}

/// Judges the evidence against the limits.
#[must_use]
pub fn judge(evidence: &Evidence, limits: &Limits) -> Judgement {
    let total = evidence.harm.counts();
    let stage = evidence.harmless.counts();
    // The ceiling is a test of its own: with it the level is shared.
    let share = if limits.ceiling.is_some() { 2.0 } else { 1.0 };
    let alpha = limits.alpha / share;
    let is_over_ceiling = |ceiling: f64| {
        total.exposed.bad >= BAD_UNITS_MIN && above(total.exposed, ceiling).rejects(alpha)
    };
    let is_hopeless = stage.exposed.units >= HOPELESS_UNITS_MIN
        && stage.exposed.rate().is_some_and(|rate| rate > HOPELESS_RATE)
        // When the other arm is as bad it is an outage, which the release did not cause.
        && stage.held_back.rate().is_none_or(|rate| rate <= HOPELESS_RATE / 2.0);
    let harm = if is_hopeless {
        Some(Sort::Hopeless)
    } else if evidence.harm.convicts(alpha) {
        Some(Sort::Relative)
    } else if limits.ceiling.is_some_and(is_over_ceiling) {
        Some(Sort::Absolute)
    } else {
        None
    };
    let relative = evidence.harmless.relative();
    let absolute = evidence.harmless.absolute(limits.tolerable);
    let e_ok = if relative < absolute {
        absolute
    } else {
        relative
    };
    let finding = match harm {
        Some(_) => Finding::Bad,
        None if e_ok.rejects(ALPHA_OK) => Finding::Ok,
        None => Finding::Learning,
    };
    Judgement {
        finding,
        harm,
        total,
        stage,
        e_bad: evidence.harm.evidence(),
        e_ok,
    }
}
