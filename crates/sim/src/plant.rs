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
    /// A kill is refused while the store fails.
    BrakeNeedsTheStore,
    /// A kill that is out and not stored is not kept beside the journal.
    BrakesAreNotKept,
    /// A node that starts does not look whether kills were out.
    BrakesForgottenOnStart,
    /// A kill that is out is not tried again when the store fails once more.
    BrakesGivenUp,
    /// A kill that was out is stored in the name of the node.
    BrakesStoredByNobody,
    /// A kill that is out is stored though its own request was, meanwhile.
    BrakesStoredTwice,
    /// Numbers of kills begin at 1 with every node that forgot them.
    BrakeNumbersBeginAgain,
    /// A snapshot shows open what a kill closes that is not stored.
    JoinersSeeBrakedFlagsOpen,
    /// A frame says that no kill is out while one is.
    ReleasedWhileOutstanding,
}

impl Plant {
    /// All of them.
    pub const ALL: [Self; 28] = [
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
        Self::BrakeNeedsTheStore,
        Self::BrakesAreNotKept,
        Self::BrakesForgottenOnStart,
        Self::BrakesGivenUp,
        Self::BrakesStoredByNobody,
        Self::BrakesStoredTwice,
        Self::BrakeNumbersBeginAgain,
        Self::JoinersSeeBrakedFlagsOpen,
        Self::ReleasedWhileOutstanding,
    ];
}
