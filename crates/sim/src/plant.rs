//! Plants: faults put into the simulated node or evaluator on purpose, one at a time, to show that
//! the world notices when a safety is missing.

/// A safety that is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// The disk says that it has synced and has not.
    SkipTheSync,
    /// A node publishes what it has decided before it is stored.
    PublishBeforeAppend,
    /// A node answers its operators before the record is stored.
    AnswerBeforeAppend,
    /// A node that was replaced writes all the same.
    IgnoreTheFence,
    /// An edit brings a position along, as if files had them.
    LatchForgottenOnEdit,
    /// A node that starts from its snapshot forgets what was killed.
    LatchForgottenOnRestart,
    /// A restore of an older backup leaves what was killed since as the backup had it.
    LatchForgottenOnRestore,
    /// A restore closes again only what the backup knows to have been moved.
    LatchForgottenWhereNothingMoved,
    /// A close needs a reason where the environment is guarded.
    BrakeAsksForAReason,
    /// An opening passes as if the environment were not guarded.
    GuardIsAsleep,
    /// An evaluator acknowledges what it has not applied yet.
    AcknowledgeBeforeApply,
    /// An evaluator takes an older snapshot for a newer one.
    FollowerAcceptsOlder,
    /// An evaluator applies a change although the one before it is missing.
    FollowerSkipsGaps,
    /// A goodbye or a lost connection is the same: both leave the roll.
    RollForgetsTheSilent,
    /// An acknowledgement counts for the newest revision, whatever it says.
    AcknowledgementsCountForTheHead,
    /// A repeat of a command is decided as a new one.
    RepeatsAreNew,
    /// A ramp deals the buckets anew.
    RampMovesPeople,
    /// A node takes the saved roll's times for its own clock's.
    RollTrustsTheWallClock,
    /// A joiner is sent a snapshot that was made earlier, and the changes since.
    JoinersGetOldSnapshots,
}

impl Plant {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::SkipTheSync,
        Self::PublishBeforeAppend,
        Self::AnswerBeforeAppend,
        Self::IgnoreTheFence,
        Self::LatchForgottenOnEdit,
        Self::LatchForgottenOnRestart,
        Self::LatchForgottenOnRestore,
        Self::LatchForgottenWhereNothingMoved,
        Self::BrakeAsksForAReason,
        Self::GuardIsAsleep,
        Self::AcknowledgeBeforeApply,
        Self::FollowerAcceptsOlder,
        Self::FollowerSkipsGaps,
        Self::RollForgetsTheSilent,
        Self::AcknowledgementsCountForTheHead,
        Self::RepeatsAreNew,
        Self::RampMovesPeople,
        Self::RollTrustsTheWallClock,
        Self::JoinersGetOldSnapshots,
    ];
}
