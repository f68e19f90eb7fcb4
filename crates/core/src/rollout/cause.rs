//! Why a rollout made a transition.

use serde::{Deserialize, Serialize};

/// Why a rollout made a transition, or stays where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Cause {
    /// These metrics convict the release.
    Harm {
        /// Which.
        metrics: Vec<Box<str>>,
    },
    /// Both arms became worse right after a step.
    SharedHarm,
    /// Those who were exposed are missing among those who report.
    MissingUnits,
    /// Every metric that may convict is proved ok.
    Proved,
    /// The bake is over, and these metrics are not proved yet.
    NotProved {
        /// Which.
        metrics: Vec<Box<str>>,
    },
    /// What is seen cannot be used, for longer than the stage may last.
    Blind {
        /// Of which metrics.
        metrics: Vec<Box<str>>,
    },
    /// The stage lasted as long as it may, without proof.
    Inconclusive,
    /// The way back was kept warm for long enough.
    Cooled,
    /// The clean bake after a retreat is over.
    Recovered,
    /// The lever was moved by hand.
    MovedByHand,
}
