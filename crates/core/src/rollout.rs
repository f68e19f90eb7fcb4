//! Rollouts: a journey of one lever through stages, decided by evidence. Pure: what is seen at a tick
//! and where the rollout stands give the next transition, or none. Knows positions and evidence; not
//! who measures, who stores, who is told.
//!
//! The order in which a tick looks is the order of what matters: a human's stop and the loss of the
//! lever beat everything; then harm; then harm that hits both arms; then what cannot be trusted; and
//! only when nothing of that is there, whether to go on.

mod built_in;
mod cause;
mod interruption;
mod ledger;
mod measurement;
mod moves;
mod plan;
mod preflight;
mod row;
mod sentence;
mod sight;
mod steer;
mod step;
mod watch;

pub use cause::Cause;
pub use interruption::{Interruption, interrupted};
pub use ledger::{Course, Glance, LOOK_BACK_MS, Ledger, Step, Wanted, course};
pub use measurement::{Arrivals, Histogram, LATENCY_BUCKETS, Measurement, Seen};
pub use plan::{Inconclusive, Measure, Metric, OnBad, Plan, PlanError, Stage, Standing, Target};
pub use preflight::{MetricForecast, MetricTraffic, Preflight, StageForecast, Traffic, preflight};
pub use row::{LATENCY_ROW, row_key, source_row};
pub use sentence::{says, sentence, standing};
pub use sight::{Both, Detail, Observation, Reading, Sight, Waiting};
pub use steer::{Steer, steer};
pub use step::{Transition, step};

use std::collections::BTreeSet;
use std::sync::Arc;

use leverframe_flags::{EnvironmentKey, Exposure, FlagKey, Percentage, Position};
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// One rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rollout {
    /// Its name, such as `ro_01jd7k`.
    pub id: Box<str>,
    /// Whose lever.
    pub flag: FlagKey,
    /// Where.
    pub environment: EnvironmentKey,
    /// What was planned, as it was when the rollout started.
    pub plan: Arc<Plan>,
    /// Where the lever stood before; a rollback goes back there.
    pub before: Position,
    /// The revision that last moved the lever, by this rollout. A lever that was moved since is in
    /// somebody's hand.
    pub lever_revision: u64,
    /// Where it is.
    pub phase: Phase,
    /// Since when, by the node's steady clock.
    pub since: Timestamp,
    /// The stage with the largest exposure that has been proved harmless.
    pub proved: Option<usize>,
    /// Who started it, as people call the actor.
    pub started_by: Box<str>,
    /// The same, by the token's id.
    pub started_by_id: Box<str>,
    /// When.
    pub started_at: Timestamp,
    /// Why, if a reason was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Box<str>>,
    /// What was frozen of each latency metric before the start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baselines: Vec<Baseline>,
    /// The builds of the application that have been seen at this stage.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub builds: BTreeSet<Box<str>>,
    /// Whether it only watches what a person opened: it never opens anything itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_watch: bool,
    /// Every transition so far, the oldest first; the first is the start. At most
    /// [`crate::limit::ROLLOUT_MOVES_MAX`], of which the middle is left out.
    pub moves: Vec<Move>,
}

/// A transition that a rollout made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// Its revision.
    pub revision: u64,
    /// When, by the node's steady clock: from here on its intervals count.
    pub at: Timestamp,
    /// Where it led.
    pub to: Phase,
    /// Why.
    pub cause: Cause,
    /// By whom, as people call the actor.
    pub by: Box<str>,
    /// Why, as a sentence with its numbers.
    pub sentence: Box<str>,
}

/// What was frozen of a latency metric before the start, so that a release cannot move its own limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Of which metric.
    pub metric: Box<str>,
    /// Whoever is not answered well within this is bad, in milliseconds.
    pub limit_ms: u32,
    /// The share of those held back that was, from 0 to 1; the tolerance is `(1 − quantile) / share`.
    pub share: f64,
}

/// Where a rollout is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Phase {
    /// Looked at a stage; what is seen counts once it has settled.
    Stage {
        /// The index of the stage.
        index: usize,
        /// What it does there.
        part: Part,
    },
    /// Taken back to an earlier exposure, as a precaution: nobody is convicted.
    Retreated {
        /// The stage that was left.
        from: usize,
        /// The stage it is at; none when nobody is exposed.
        to: Option<usize>,
    },
    /// Fully open but for those held back, so that there is still something to compare with.
    Warm,
    /// Stopped where it stands.
    Paused {
        /// Where it goes on.
        at: Box<Phase>,
    },
    /// Open for everybody; over.
    Done,
    /// Taken back to where it was; over.
    RolledBack,
    /// Given up without an end of its own, such as when the lever was moved by hand; over.
    Ended,
}

/// What a rollout does at a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Collects evidence until the bake is over.
    Baking,
    /// The bake is over and the evidence not enough.
    Holding,
    /// Held to the end, and asks a person.
    Asking,
}

impl Rollout {
    /// Whether nothing more will happen by itself.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Done | Phase::RolledBack | Phase::Ended)
    }

    /// Whom the plan lets through in the end, in words.
    #[must_use]
    pub fn destination(&self) -> String {
        let last = self.exposure(self.plan.stages.len().saturating_sub(1));
        if last.percentage == Percentage::FULL {
            "open to everybody".to_owned()
        } else {
            format!("open to {last}")
        }
    }

    /// The exposure of a stage: the cohorts of all stages up to it and its percentage.
    #[must_use]
    pub fn exposure(&self, stage: usize) -> Exposure {
        self.plan.exposure(stage)
    }
}
