//! What the evidence says of one metric now.

use serde::{Deserialize, Serialize};

use super::ceiling::{above, below};
use super::counts::{Counts, Tally};
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

/// The evidence of one metric that compares two arms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence<'a> {
    /// Of harm, since the start.
    pub harm: &'a Harm,
    /// Of its absence, since this stage and build.
    pub harmless: &'a Harmless,
    /// The distinct units since the start.
    pub total: Counts,
    /// The distinct units of this stage and build.
    pub stage: Counts,
    /// The distinct units since the lever was last moved, those of the settling time among them.
    pub at_once: Counts,
    /// How many units go wrong together; 1 where each is known.
    pub clump: f64,
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

/// Judges one arm against the other.
#[must_use]
pub fn judge(evidence: &Evidence<'_>, limits: &Limits) -> Judgement {
    // The ceiling is a test of its own: with it the level is shared.
    let share = if limits.ceiling.is_some() { 2.0 } else { 1.0 };
    let alpha = limits.alpha / share;
    let clump = evidence.clump.max(1.0);
    let e_bad = evidence.harm.evidence_of_clumps(clump);
    // When the other arm is as bad it is an outage, which the release did not cause.
    let is_outage = evidence
        .at_once
        .held_back
        .rate()
        .is_some_and(|rate| rate > HOPELESS_RATE / 2.0);
    let harm = if is_hopeless(evidence.at_once.exposed) && !is_outage {
        Some(Sort::Hopeless)
    } else if evidence.harm.convicts_by(e_bad, clump, alpha) {
        Some(Sort::Relative)
    } else if exceeds(evidence.total.exposed.over(clump), limits.ceiling, alpha) {
        Some(Sort::Absolute)
    } else {
        None
    };
    // What convicts while it settles is not part of the rest.
    let is_at_once = harm == Some(Sort::Hopeless);
    let relative = evidence.harmless.relative_of_clumps(clump);
    let absolute = below(evidence.stage.exposed.over(clump), limits.tolerable);
    Judgement {
        finding: finding(harm, stronger(relative, absolute)),
        harm,
        total: evidence.total,
        stage: if is_at_once {
            evidence.at_once
        } else {
            evidence.stage
        },
        e_bad,
        e_ok: stronger(relative, absolute),
    }
}

/// Judges units that have nothing to be compared with, such as those of a cohort: by the ceiling, and
/// where there is none by the rate at which they would be hopeless. `at_once` has those of the settling
/// time, too.
#[must_use]
pub fn judge_alone(total: Tally, stage: Tally, at_once: Tally, limits: &Limits) -> Judgement {
    let harm = if is_hopeless(at_once) {
        Some(Sort::Hopeless)
    } else if exceeds(total, limits.ceiling, limits.alpha / 2.0) {
        Some(Sort::Absolute)
    } else {
        None
    };
    let limit = limits.ceiling.unwrap_or(HOPELESS_RATE);
    let alone = |exposed| Counts {
        exposed,
        held_back: Tally::default(),
    };
    Judgement {
        finding: finding(harm, below(stage, limit)),
        harm,
        total: alone(total),
        stage: alone(if harm == Some(Sort::Hopeless) {
            at_once
        } else {
            stage
        }),
        e_bad: limits
            .ceiling
            .map_or(EValue::NOTHING, |ceiling| above(total, ceiling)),
        e_ok: below(stage, limit),
    }
}

fn is_hopeless(tally: Tally) -> bool {
    tally.units >= HOPELESS_UNITS_MIN && tally.rate().is_some_and(|rate| rate > HOPELESS_RATE)
}

fn exceeds(tally: Tally, ceiling: Option<f64>, alpha: f64) -> bool {
    tally.bad >= BAD_UNITS_MIN
        && ceiling.is_some_and(|ceiling| above(tally, ceiling).rejects(alpha))
}

fn stronger(one: EValue, other: EValue) -> EValue {
    if one < other { other } else { one }
}

fn finding(harm: Option<Sort>, e_ok: EValue) -> Finding {
    match harm {
        Some(_) => Finding::Bad,
        None if e_ok.rejects(ALPHA_OK) => Finding::Ok,
        None => Finding::Learning,
    }
}
