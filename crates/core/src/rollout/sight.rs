//! What is seen of a rollout at one tick.

use serde::{Deserialize, Serialize};

use crate::analysis::{Finding, Judgement, Share};
use crate::time::Timestamp;

/// Everything a tick knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// When, by the node's steady clock.
    pub now: Timestamp,
    /// Since when it has been looked at without a break. A node that was away saw nothing of what the
    /// time between would have shown, so that time alone decides nothing until a bake has been looked at.
    pub looked_since: Timestamp,
    /// The rollout's last move that is known here, by its revision. One that another move followed
    /// since is of the past, and nothing is decided by it.
    pub move_revision: u64,
    /// The revision that last moved the lever.
    pub lever_revision: u64,
    /// Whether forward steps are stopped in this environment, by a person or by the node itself.
    pub is_frozen: bool,
    /// A build of the application that answers now and did not when the stage began.
    pub new_build: Option<Box<str>>,
    /// How much of this stage and build has been analysed, in milliseconds: what was dropped while it
    /// settled, or was never seen, does not count.
    pub analysed_ms: i64,
    /// One for each metric of the plan.
    pub sights: Vec<Sight>,
    /// Whether the arms got the units that the percentage says.
    pub share: Share,
    /// What both arms have in common.
    pub both: Both,
    /// Units that were let through and for which something went wrong, since the start.
    pub users_hit: u64,
}

/// What both arms have in common, held against what was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Both {
    /// Whether the last move of the lever let more through, and less than a bake ago.
    pub is_step_recent: bool,
    /// Whether they have become worse since that move.
    pub is_worse: bool,
    /// Whether they have become worse lately, long after it.
    pub is_outage: bool,
    /// Whether the error budget burns too fast.
    pub is_burning: bool,
    /// After a retreat: whether what was wrong outlasted it, so that the step was not the reason. None
    /// until that can be told.
    pub outlasts_retreat: Option<bool>,
    /// After a retreat: whether the last bake was as it had been before the step.
    pub is_clean: bool,
}

impl Both {
    /// Whether a step now would be one into trouble.
    #[must_use]
    pub fn is_harmed(&self) -> bool {
        self.is_worse || self.is_outage || self.is_burning
    }
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
        /// How it came about.
        #[serde(default)]
        detail: Detail,
    },
    /// A number that has a limit.
    Gauge {
        /// It.
        value: f64,
        /// The limit.
        limit: f64,
        /// Whether it must not be below the limit; else not above.
        is_floor: bool,
        /// How many samples in a row were on the wrong side.
        wrong_in_a_row: u32,
        /// How many make it bad.
        in_a_row_max: u32,
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

/// What a judgement was made by.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Detail {
    /// The ratio that is tolerated.
    pub tolerance: f64,
    /// Whether there was nothing to compare with, as in a cohort: the units are then those let through.
    pub is_alone: bool,
    /// Whether requests were counted and not units: no level is guaranteed.
    pub is_approximate: bool,
    /// Whoever was not answered well within this is bad, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_ms: Option<u32>,
    /// Whether the bad rate is proved to be under the ceiling.
    pub is_under_ceiling: bool,
    /// What it waits for, while nothing can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<Waiting>,
}

/// How much more has to be seen, about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Waiting {
    /// Exposed units.
    pub units: u64,
    /// Minutes, at the present pace.
    pub minutes: u64,
}

impl Reading {
    /// What it says; none when it says nothing.
    #[must_use]
    pub fn finding(&self) -> Option<Finding> {
        match self {
            Self::Judged { judgement, .. } => Some(judgement.finding),
            Self::Gauge {
                wrong_in_a_row: 0, ..
            } => Some(Finding::Ok),
            Self::Gauge {
                wrong_in_a_row,
                in_a_row_max,
                ..
            } if wrong_in_a_row >= in_a_row_max => Some(Finding::Bad),
            Self::Gauge { .. } => Some(Finding::Learning),
            Self::NoData | Self::Error { .. } | Self::Untrusted { .. } => None,
        }
    }

    /// Whether it says that the release is bad.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        self.finding() == Some(Finding::Bad)
    }
}
