//! What a rollout does when something that is not its own happens to its lever.

use leverframe_flags::FlagKey;

use super::{Cause, Phase, Rollout, Transition};

/// What happened to a rollout's lever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interruption {
    /// It was closed.
    Killed,
    /// It was lowered.
    Moved,
    /// Its definition, or a segment it uses, was changed.
    Edited,
    /// A flag that it needs was closed.
    PrerequisiteClosed {
        /// Which.
        flag: FlagKey,
    },
    /// Its flag was archived.
    Archived,
    /// Another rollout takes its place.
    Replaced,
    /// A backup was restored: what was seen since is of another history.
    Restored,
}

impl Interruption {
    /// Whether the rollout is over with it; else it is paused, and may go on.
    #[must_use]
    pub fn is_end(&self) -> bool {
        matches!(self, Self::Killed | Self::Archived | Self::Replaced)
    }
}

/// What the rollout does about it; nothing when that changes nothing for it.
#[must_use]
pub fn interrupted(rollout: &Rollout, what: &Interruption) -> Option<Transition> {
    if rollout.is_over() {
        return None;
    }
    let cause = match what {
        Interruption::Killed => Cause::Killed,
        Interruption::Archived => Cause::Archived,
        Interruption::Replaced => Cause::Replaced,
        Interruption::Moved => Cause::MovedByHand,
        Interruption::Edited => Cause::Edited,
        Interruption::PrerequisiteClosed { flag } => {
            Cause::PrerequisiteClosed { flag: flag.clone() }
        }
        Interruption::Restored => Cause::Restored,
    };
    let to = match &rollout.phase {
        // A watch is of what was opened; of anything else there may be another.
        _ if what.is_end() || rollout.is_watch => Phase::Ended,
        paused @ Phase::Paused { .. } => paused.clone(),
        phase => Phase::Paused {
            at: Box::new(phase.clone()),
        },
    };
    Some(Transition {
        to,
        position: None,
        proved: None,
        cause,
    })
}
