//! Rollouts: a journey of one lever through stages, decided by evidence. Pure: what is seen at a tick
//! and where the rollout stands give the next transition, or none. Knows positions and evidence; not
//! who measures, who stores, who is told.
//!
//! The order in which a tick looks is the order of what matters: a human's stop and the loss of the
//! lever beat everything; then harm; then harm that hits both arms; then what cannot be trusted; and
//! only when nothing of that is there, whether to go on.

mod cause;
mod plan;
mod sight;
mod step;

pub use cause::Cause;
pub use plan::{Inconclusive, Metric, OnBad, Plan, PlanError, Stage, Standing, Target};
pub use sight::{Observation, Reading, Sight};
pub use step::{Transition, step};

use leverframe_flags::{EnvironmentKey, Exposure, FlagKey, Position};
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
    pub plan: Plan,
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
    /// When.
    pub started_at: Timestamp,
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

    /// The exposure of a stage: the cohorts of all stages up to it and its percentage.
    #[must_use]
    pub fn exposure(&self, stage: usize) -> Exposure {
        self.plan.exposure(stage)
    }
}
