//! Drills: a lever is closed the way a kill closes it, and put back exactly as it was.

use leverframe_flags::{EnvironmentKey, FlagKey};

use crate::access::Role;
use crate::drill::DrillResult;
use crate::event::Event;
use crate::limit::{DRILL_EVERY_MS_MIN, DRILL_SCHEDULES_MAX};
use crate::position::latch;
use crate::rejection::Rejection;
use crate::state::Flag;

use super::authority::{Case, append};
use super::definition::invalid;
use super::{Decision, lever};

pub(super) fn start(
    case: &Case<'_>,
    key: &FlagKey,
    environment: &EnvironmentKey,
) -> Result<Decision, Rejection> {
    let entry = case.environment(environment)?;
    case.demand_environment(environment.as_str())?;
    case.demand_key(key.as_str())?;
    // It is put back afterwards, and that is an opening.
    case.demand_opening(entry, &format!("drill {key} in {environment}"))?;
    let flag = case.flag(key)?;
    let before = flag.position(environment.as_str());
    if latch(before).is_some() {
        return Err(conflict(format!(
            "{key} was killed in {environment} and stays so; a drill takes a lever that is not"
        )));
    }
    let rollout = case.state.running_of(key, environment);
    if let Some(rollout) = rollout.filter(|rollout| !rollout.is_watch) {
        return Err(conflict(format!(
            "{} takes {key} through its stages in {environment}; drill it when that is over",
            rollout.id
        )));
    }
    if running(case, key, environment) {
        return Err(conflict(format!(
            "a drill of {key} in {environment} is under way"
        )));
    }
    let mut events = vec![Event::DrillStarted {
        flag: key.clone(),
        environment: environment.clone(),
        before: before.clone(),
    }];
    events.extend(lever::closing(flag, environment));
    Ok(Decision::Append(events))
}

/// Whether a drill has the lever in its hand.
pub(super) fn running(case: &Case<'_>, key: &FlagKey, environment: &EnvironmentKey) -> bool {
    case.state.drills().any(|drill| {
        drill.result.is_none() && drill.flag == *key && drill.environment == *environment
    })
}

pub(super) fn finish(
    case: &Case<'_>,
    revision: u64,
    result: &DrillResult,
) -> Result<Decision, Rejection> {
    case.demand_node("finish a drill")?;
    let Some(drill) = case.state.drill(revision) else {
        return Err(Rejection::NotFound {
            noun: "drill",
            key: format!("r{revision}"),
            similar: None,
        });
    };
    if drill.result.is_some() {
        return Ok(Decision::Unchanged { revision });
    }
    let mut events = Vec::new();
    let flag = case.state.flag(drill.flag.as_str());
    let lever = flag.and_then(|flag| flag.lever(drill.environment.as_str()));
    // Whoever moved it meanwhile meant it, and whoever changed what the flag does meant it for a lever
    // that was closed.
    let is_same = |flag: &Flag| {
        let environment = drill.environment.as_str();
        let (changed, _) = case
            .state
            .behaviour_revision(flag, &drill.before, environment);
        let mut cohorts = drill.before.cohorts();
        !flag.is_archived
            && (drill.before.is_closed() || changed <= revision)
            && cohorts.all(|cohort| case.state.segment(cohort.as_str()).is_some())
    };
    let is_restored = flag.is_some_and(|flag| is_same(flag))
        && lever.is_some_and(|lever| lever.moved_revision == revision);
    if is_restored && let Some(lever) = lever {
        events.push(Event::PositionMoved {
            flag: drill.flag.clone(),
            environment: drill.environment.clone(),
            from: lever.position.clone(),
            to: drill.before.clone(),
        });
    }
    events.push(Event::DrillFinished {
        drill: revision,
        result: result.clone(),
        is_restored,
    });
    Ok(Decision::Append(events))
}

pub(super) fn schedule(
    case: &Case<'_>,
    key: &FlagKey,
    environment: &EnvironmentKey,
    every_ms: Option<i64>,
) -> Result<Decision, Rejection> {
    let entry = case.environment(environment)?;
    case.demand_environment(environment.as_str())?;
    case.demand_key(key.as_str())?;
    case.demand_role(Role::Operator, "schedule drills")?;
    let known = case
        .state
        .drill_schedules()
        .find(|known| known.flag == *key && known.environment == *environment);
    match (every_ms, known) {
        (None, None) => {
            return Err(conflict(format!(
                "no drills of {key} are scheduled in {environment}"
            )));
        }
        (Some(every_ms), Some(known)) if every_ms == known.every_ms => {
            return Ok(Decision::Unchanged {
                revision: known.revision,
            });
        }
        (Some(every_ms), known) => {
            case.flag(key)?;
            case.demand_opening(entry, &format!("schedule drills of {key} in {environment}"))?;
            if every_ms < DRILL_EVERY_MS_MIN {
                return Err(invalid("every", "once a minute is the most often"));
            }
            if known.is_none() && case.state.drill_schedules().count() >= DRILL_SCHEDULES_MAX {
                return Err(Rejection::Full {
                    noun: "drill schedules",
                    max: DRILL_SCHEDULES_MAX,
                });
            }
        }
        (None, Some(_)) => {}
    }
    Ok(append(Event::DrillScheduled {
        flag: key.clone(),
        environment: environment.clone(),
        every_ms,
    }))
}

fn conflict(why: String) -> Rejection {
    Rejection::Conflict { why }
}
