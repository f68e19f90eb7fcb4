//! Watches: what a person opened is looked at for a while, and closed again by the same evidence that
//! convicts a stage. A watch never opens anything, and not being able to see is no reason to close what
//! a person meant to be open.

use crate::analysis::Share;

use super::step::{is_overdue, roll_back};
use super::{Cause, Observation, Phase, Rollout, Transition};

/// What a watch does on what is seen.
pub(super) fn watched(
    rollout: &Rollout,
    seen: &Observation,
    bad: Vec<Box<str>>,
) -> Option<Transition> {
    if !bad.is_empty() {
        return Some(roll_back(rollout, Cause::Harm { metrics: bad }));
    }
    if seen.both.is_worse {
        return Some(roll_back(rollout, Cause::SharedHarm));
    }
    if seen.share == Share::TooFew {
        return Some(roll_back(rollout, Cause::MissingUnits));
    }
    let plan = &rollout.plan;
    is_overdue(rollout, seen, plan.hold_ms_max(0), plan.bake_ms(0)).then_some(Transition {
        to: Phase::Ended,
        position: None,
        proved: None,
        cause: Cause::WatchOver,
    })
}
