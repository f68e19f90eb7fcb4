//! What a person may have a rollout do. A stop is always possible; going on depends on where it stands
//! and, but for a skip, on what is seen.

use super::step::{forward, is_proved, position, roll_back};
use super::{Cause, Observation, Part, Phase, Rollout, Target, Transition};

/// What a person has a rollout do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steer {
    /// Stop where it stands.
    Pause,
    /// Go on from where it was paused; the stage begins anew.
    Resume,
    /// To the next stage now, if the evidence allows it.
    Advance,
    /// To the next stage without evidence.
    Skip,
    /// Looked, and it is fine.
    Approve,
    /// Back to where the lever was before.
    RollBack,
}

/// The transition that a person asked for.
///
/// # Errors
/// Why it is not possible here, and what would be.
pub fn steer(
    rollout: &Rollout,
    what: Steer,
    seen: Option<&Observation>,
) -> Result<Transition, String> {
    let id = &rollout.id;
    match (what, &rollout.phase) {
        (_, Phase::Done | Phase::RolledBack | Phase::Ended) => Err(format!("{id} is over")),
        (steer, _) if rollout.is_watch && steer != Steer::RollBack => Err(format!(
            "{id} only watches what {} opened; it ends by itself",
            rollout.started_by
        )),
        (Steer::RollBack, _) => Ok(roll_back(rollout, Cause::RolledBackByHand)),
        (Steer::Pause, Phase::Paused { .. }) => Err(format!("{id} is paused already")),
        (Steer::Pause, phase) => Ok(stay(
            Phase::Paused {
                at: Box::new(phase.clone()),
            },
            Cause::PausedByHand,
        )),
        (Steer::Resume, Phase::Paused { at }) => Ok(resumed(rollout, at)),
        (Steer::Resume, _) => Err(format!("{id} is not paused")),
        (_, Phase::Paused { .. }) => Err(format!(
            "{id} is paused; let it go on first: lever rollout resume {} -e {} -r \"…\"",
            rollout.flag, rollout.environment
        )),
        (Steer::Approve, Phase::Stage { index, .. }) if is_look(rollout, *index) => {
            Ok(forward(rollout, *index, Cause::Looked))
        }
        (Steer::Approve, _) => Err(format!("{id} does not wait for anybody to look")),
        (Steer::Skip, Phase::Stage { index, .. }) => Ok(forward(rollout, *index, Cause::Skipped)),
        (Steer::Advance, Phase::Stage { index, .. }) if is_look(rollout, *index) => Err(format!(
            "{id} waits for somebody to look: lever rollout approve {} -e {} -r \"…\"",
            rollout.flag, rollout.environment
        )),
        (Steer::Advance, Phase::Stage { index, .. }) => match seen {
            Some(seen) if is_proved(rollout, seen) => Ok(forward(rollout, *index, Cause::Advanced)),
            _ => Err(not_yet(rollout)),
        },
        // After a precaution, and while it cools, the evidence goes on by itself or not at all.
        (Steer::Advance, Phase::Retreated { to: Some(_), .. } | Phase::Warm) => {
            Err(not_yet(rollout))
        }
        (Steer::Skip, Phase::Retreated { to: Some(at), .. }) => {
            Ok(forward(rollout, *at, Cause::Skipped))
        }
        (Steer::Skip | Steer::Advance, Phase::Retreated { .. }) => Err(format!(
            "{id} was taken back to where it began; roll it back and start another"
        )),
        (Steer::Skip, Phase::Warm) => Ok(Transition {
            to: Phase::Done,
            position: Some(position(rollout, &Phase::Done)),
            proved: None,
            cause: Cause::Skipped,
        }),
    }
}

fn not_yet(rollout: &Rollout) -> String {
    format!(
        "the evidence does not allow it yet; what is missing: lever rollout explain {0} -e {1}; \
         to go on without it: lever rollout skip {0} -e {1} -r \"…\"",
        rollout.flag, rollout.environment
    )
}

fn is_look(rollout: &Rollout, index: usize) -> bool {
    let stage = rollout.plan.stages.get(index);
    matches!(stage.map(|stage| &stage.to), Some(Target::Look { .. }))
}

fn resumed(rollout: &Rollout, at: &Phase) -> Transition {
    let to = match at {
        Phase::Stage { index, .. } => Phase::Stage {
            index: *index,
            part: Part::Baking,
        },
        at => at.clone(),
    };
    Transition {
        position: Some(position(rollout, &to)),
        to,
        proved: None,
        cause: Cause::Resumed,
    }
}

fn stay(to: Phase, cause: Cause) -> Transition {
    Transition {
        to,
        position: None,
        proved: None,
        cause,
    }
}
