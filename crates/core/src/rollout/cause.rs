//! Why a rollout made a transition.

use leverframe_flags::FlagKey;
use serde::{Deserialize, Serialize};

/// Why a rollout made a transition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Cause {
    /// Somebody started it.
    Started,
    /// These metrics convict the release.
    Harm {
        /// Which.
        metrics: Vec<Box<str>>,
    },
    /// Both arms became worse right after a step. A precaution: nobody is convicted.
    SharedHarm,
    /// Both arms became worse long after the last step, which is not suspected.
    Outage,
    /// The error budget burns too fast.
    BudgetBurns,
    /// These gauges are on the wrong side of their limits.
    Limit {
        /// Which.
        metrics: Vec<Box<str>>,
    },
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
    /// Nobody looked in time.
    LookExpired,
    /// A person looked and said ok.
    Looked,
    /// The way back was kept warm for long enough.
    Cooled,
    /// The clean bake after a retreat is over.
    Recovered,
    /// A new build of the application is there; its bake begins anew.
    NewBuild {
        /// Which.
        build: Box<str>,
    },
    /// A person went on, which the evidence allows.
    Advanced,
    /// A person went on without evidence.
    Skipped,
    /// A person paused it.
    PausedByHand,
    /// A person let it go on.
    Resumed,
    /// A person took it back.
    RolledBackByHand,
    /// The lever was closed.
    Killed,
    /// The lever was moved by hand.
    MovedByHand,
    /// The definition, or a segment it uses, was changed.
    Edited,
    /// A flag that it needs was closed.
    PrerequisiteClosed {
        /// Which.
        flag: FlagKey,
    },
    /// Another rollout of the lever took its place.
    Replaced,
    /// The flag was archived.
    Archived,
    /// A person opened the lever, and what comes of it is watched.
    Watched,
    /// It was watched for as long as a watch lasts, and nothing spoke against it.
    WatchOver,
    /// A backup was restored: what was seen since is of another history.
    Restored,
}
