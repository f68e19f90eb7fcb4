//! Watches: what a person opens in a guarded environment is watched, unless they decline it.

use std::sync::Arc;

use leverframe_flags::{EnvironmentKey, FlagKey, Position};

use crate::command::{Command, Survey};
use crate::event::Event;
use crate::limit::ROLLOUTS_RUNNING_MAX;
use crate::rejection::Rejection;
use crate::rollout::{Cause, Part, Phase, Plan, Rollout, Transition};

use super::authority::Case;
use super::definition::invalid;
use super::rollout::moved;
use super::start::fresh_id;
use super::{Decision, lever};

/// An opening that no watch is to follow.
pub(super) fn declined(case: &Case<'_>, opening: &Command) -> Result<Decision, Rejection> {
    let (decision, flag, environment) = match opening {
        Command::Open {
            flag,
            environment,
            exposure,
        } => (
            lever::open(case, flag, environment, exposure)?,
            flag,
            environment,
        ),
        Command::Ramp {
            flag,
            environment,
            percentage,
        } => (
            lever::ramp(case, flag, environment, *percentage)?,
            flag,
            environment,
        ),
        _ => return Err(invalid("unwatched", "only an open or a ramp is watched")),
    };
    Ok(match decision {
        Decision::Append(mut events) => {
            events.push(Event::WatchDeclined {
                flag: flag.clone(),
                environment: environment.clone(),
            });
            Decision::Append(events)
        }
        decision => decision,
    })
}

/// A watch of what was opened by that revision; nothing when that is not so any more, or is watched.
pub(super) fn start(
    case: &Case<'_>,
    key: &FlagKey,
    environment: &EnvironmentKey,
    opened: u64,
    survey: &Survey,
) -> Result<Decision, Rejection> {
    case.demand_node("start a watch")?;
    let unchanged = Ok(Decision::Unchanged {
        revision: case.state.revision(),
    });
    let (Some(flag), Some(touched)) = (case.state.flag(key.as_str()), case.state.touched(opened))
    else {
        return unchanged;
    };
    let Some(lever) = flag.lever(environment.as_str()) else {
        return unchanged;
    };
    let Position::Open { exposure } = &lever.position else {
        return unchanged;
    };
    if lever.moved_revision != opened || !case.state.is_unwatched(flag, environment) {
        return unchanged;
    }
    if case.state.running().count() >= ROLLOUTS_RUNNING_MAX {
        return Err(Rejection::Full {
            noun: "running rollouts",
            max: ROLLOUTS_RUNNING_MAX,
        });
    }
    let watch = Rollout {
        id: fresh_id(case)?,
        flag: key.clone(),
        environment: environment.clone(),
        plan: Arc::new(Plan::watch(exposure.percentage)),
        before: Position::start(),
        lever_revision: opened,
        phase: Phase::Stage {
            index: 0,
            part: Part::Baking,
        },
        since: case.meta.steady,
        proved: None,
        started_by: lever.moved_by.as_ref().into(),
        started_by_id: touched.actor.as_ref().into(),
        started_at: case.meta.now,
        reason: lever.reason.as_deref().map(Into::into),
        baselines: survey.finite_baselines(),
        builds: survey.builds.clone(),
        is_watch: true,
        moves: Vec::new(),
    };
    let first = Transition {
        to: watch.phase.clone(),
        position: None,
        proved: None,
        cause: Cause::Watched,
    };
    let mut events = vec![Event::RolloutStarted {
        rollout: Arc::new(watch.clone()),
    }];
    events.extend(moved(case, &watch, &first, None));
    Ok(Decision::Append(events))
}
