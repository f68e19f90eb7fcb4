//! What is seen of a rollout at one tick.

use serde::{Deserialize, Serialize};

use crate::analysis::{Judgement, Share};
use crate::time::Timestamp;

/// Everything a tick knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// When, by the node's steady clock.
    pub now: Timestamp,
    /// The rollout's last move that is known here, by its revision. One that another move followed
    /// since is of the past, and nothing is decided by it.
    pub move_revision: u64,
    /// The revision that last moved the lever.
    pub lever_revision: u64,
    /// Whether forward steps are stopped in this environment, by a person or by the node itself.
    pub is_frozen: bool,
    /// How much of this stage and build has been analysed, in milliseconds: what was dropped while it
    /// settled, or was never seen, does not count.
    pub analysed_ms: i64,
    /// One for each metric of the plan.
    pub sights: Vec<Sight>,
    /// Whether both arms became worse within a bake of the last step.
    pub is_shared_harm: bool,
    /// Whether the arms got the units that the percentage says.
    pub share: Share,
}

/// What is seen of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sight {
    /// Which.
    pub metric: Box<str>,
    /// What.
    pub reading: Reading,
}

/// What a metric's source gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reading", rename_all = "kebab-case")]
pub enum Reading {
    /// Counts that can be judged, and were.
    Judged {
        /// The judgement.
        judgement: Judgement,
    },
    /// It answered, and there was nothing.
    NoData,
    /// It did not answer, or not what can be read.
    Error {
        /// Why.
        why: Box<str>,
    },
    /// It contradicts itself: too many late reports, say.
    Untrusted {
        /// Why.
        why: Box<str>,
    },
}
