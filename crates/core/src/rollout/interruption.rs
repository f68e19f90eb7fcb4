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
}

/// What the rollout does about it; nothing when that changes nothing for it.
#[must_use]
pub fn interrupted(rollout: &Rollout, what: &Interruption) -> Option<Transition> {
    if rollout.is_over() {
        return None;
    }
    let (ends, cause) = match what {
        Interruption::Killed => (true, Cause::Killed),
        Interruption::Archived => (true, Cause::Archived),
        Interruption::Replaced => (true, Cause::Replaced),
        Interruption::Moved => (false, Cause::MovedByHand),
        Interruption::Edited => (false, Cause::Edited),
        Interruption::PrerequisiteClosed { flag } => {
            (false, Cause::PrerequisiteClosed { flag: flag.clone() })
        }
    };
    let to = match &rollout.phase {
        _ if ends => Phase::Ended,
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
