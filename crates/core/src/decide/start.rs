//! The start of a rollout: an opening like any other, and what is asked beyond that.

use std::sync::Arc;

use leverframe_flags::{EnvironmentKey, FlagKey, Position};

use crate::command::{PlanChoice, Survey, Terms};
use crate::event::Event;
use crate::flag::FlagDefinition;
use crate::limit::ROLLOUTS_RUNNING_MAX;
use crate::position::latch;
use crate::rejection::Rejection;
use crate::rollout::{Cause, Interruption, Part, Phase, Plan, Rollout, Transition, interrupted};
use crate::state::Flag;

use super::authority::{Case, missing};
use super::definition::invalid;
use super::names::listed;
use super::rollout::{conflict, moved};
use super::{Decision, drill, plan};

/// What a start asks for.
pub(super) struct Start<'a> {
    pub(super) flag: &'a FlagKey,
    pub(super) environment: &'a EnvironmentKey,
    pub(super) plan: &'a PlanChoice,
    pub(super) terms: Terms,
    pub(super) survey: &'a Survey,
}

pub(super) fn start(case: &Case<'_>, wanted: &Start<'_>) -> Result<Decision, Rejection> {
    let (key, environment) = (wanted.flag, wanted.environment);
    let entry = case.environment(environment)?;
    case.demand_environment(environment.as_str())?;
    case.demand_key(key.as_str())?;
    let flag = case.flag(key)?;
    let plan = chosen(case, wanted.plan)?;
    plan::demand_valid(case, &plan)?;
    case.demand_opening(entry, &format!("roll {key} out in {environment}"))?;
    let current = case.state.lever_revision(flag, environment.as_str());
    case.demand_match(current, entry.environment.guarded)?;
    if !wanted.survey.undeclared.is_empty() && !wanted.terms.undeclared_too {
        return Err(Rejection::Conflict {
            why: format!(
                "{} evaluators of {environment} do not know {key}: {}. Deploy the build that does first, \
                 or start with --undeclared-too",
                wanted.survey.undeclared.len(),
                listed(wanted.survey.undeclared.iter())
            ),
        });
    }
    if drill::running(case, key, environment) {
        return Err(conflict(format!(
            "a drill of {key} in {environment} is under way; start when it is over"
        )));
    }
    demand_unkilled(case, flag, wanted)?;
    demand_tried_once(case, wanted)?;
    demand_uncrowded(case, flag, environment)?;
    let mut events = Vec::new();
    let running = case.state.running_of(key, environment);
    if let Some(running) = running {
        if !wanted.terms.replace && !running.is_watch {
            return Err(Rejection::Conflict {
                why: format!(
                    "{} takes {key} through its stages in {environment} already; look at it: \
                     lever rollout status {key} -e {environment}; or start with --replace",
                    running.id
                ),
            });
        }
        if let Some(ending) = interrupted(running, &Interruption::Replaced) {
            events.extend(moved(case, running, &ending, None));
        }
    } else if case.state.running().count() >= ROLLOUTS_RUNNING_MAX {
        return Err(Rejection::Full {
            noun: "running rollouts",
            max: ROLLOUTS_RUNNING_MAX,
        });
    }
    let position = flag.position(environment.as_str());
    demand_growth(key, position, &plan)?;
    // One that takes another's place goes back to where that one would have.
    let replaced = running.filter(|running| !running.is_watch);
    let before = replaced.map_or(position, |running| &running.before).clone();
    let rollout = Rollout {
        id: fresh_id(case)?,
        flag: key.clone(),
        environment: environment.clone(),
        plan,
        before,
        lever_revision: 0,
        phase: Phase::Stage {
            index: 0,
            part: Part::Baking,
        },
        since: case.meta.steady,
        proved: None,
        started_by: case.actor_name(),
        started_by_id: case.meta.actor.id().into(),
        started_at: case.meta.now,
        reason: case.meta.why.tidied().reason,
        baselines: wanted.survey.finite_baselines(),
        builds: wanted.survey.builds.clone(),
        is_watch: false,
        moves: Vec::new(),
    };
    let first = Transition {
        to: rollout.phase.clone(),
        position: Some(Position::Open {
            exposure: rollout.exposure(0),
        }),
        proved: None,
        cause: Cause::Started,
    };
    events.extend(reshuffled(case, flag, &rollout));
    events.push(Event::RolloutStarted {
        rollout: Arc::new(rollout.clone()),
    });
    events.extend(moved(case, &rollout, &first, None));
    Ok(Decision::Append(events))
}

fn chosen(case: &Case<'_>, choice: &PlanChoice) -> Result<Arc<Plan>, Rejection> {
    match choice {
        PlanChoice::Inline(plan) => Ok(Arc::new((**plan).clone())),
        PlanChoice::Named(key) => match case.state.plan(key) {
            Some(entry) => Ok(Arc::clone(&entry.plan)),
            None => Plan::built_in(key).map(Arc::new).ok_or_else(|| {
                let own = case.state.plans().map(|entry| &*entry.plan.key);
                missing("plan", key, own.chain(["safe", "internal"]))
            }),
        },
    }
}

pub(super) fn fresh_id(case: &Case<'_>) -> Result<Box<str>, Rejection> {
    let parts = [0, 40, 80].map(|bits| (case.meta.entropy >> bits) & 0xffff_ffff_ffff);
    let ids = parts.map(|part| format!("ro_{part:012x}"));
    ids.into_iter()
        .find(|id| case.state.rollout(id).is_none())
        .map(String::into_boxed_str)
        .ok_or_else(|| conflict("no free name for a rollout was found; try again".to_owned()))
}

/// A kill stays killed (P3): a lever that somebody closed is not rolled out unless that is said.
/// Where a rollout latched it on its own way back, [`demand_tried_once`] says what is asked.
fn demand_unkilled(case: &Case<'_>, flag: &Flag, wanted: &Start<'_>) -> Result<(), Rejection> {
    let (key, environment) = (wanted.flag, wanted.environment);
    let Some(lever) = flag.lever(environment.as_str()) else {
        return Ok(());
    };
    let is_by_rollout = case.state.last_of(key, environment).is_some_and(|last| {
        last.phase == Phase::RolledBack && last.lever_revision == lever.moved_revision
    });
    if latch(&lever.position).is_none() || is_by_rollout || wanted.terms.again {
        return Ok(());
    }
    let why = lever.reason.as_deref().unwrap_or("no reason given");
    Err(conflict(format!(
        "{key} was killed in {environment} by {} at r{} ({why}), and stays so; to roll it out \
         nevertheless start with --again -r \"…\"",
        lever.moved_by, lever.moved_revision
    )))
}

/// A release that was convicted is not tried again as it is, unless somebody says so.
fn demand_tried_once(case: &Case<'_>, wanted: &Start<'_>) -> Result<(), Rejection> {
    let Some(last) = case.state.last_of(wanted.flag, wanted.environment) else {
        return Ok(());
    };
    let was_convicted = last.phase == Phase::RolledBack
        && last
            .moves
            .last()
            .is_some_and(|last| matches!(last.cause, Cause::Harm { .. } | Cause::Limit { .. }));
    let is_new = wanted
        .survey
        .builds
        .iter()
        .any(|build| !last.builds.contains(build));
    if !was_convicted || is_new || wanted.terms.again {
        return Ok(());
    }
    Err(Rejection::Conflict {
        why: format!(
            "{} rolled {} back in {}, and no new build has come since; deploy one, or start with --again -r \"…\"",
            last.id, wanted.flag, wanted.environment
        ),
    })
}

/// After one that failed, another try begins with other people: those who suffered before are no more
/// likely than others to suffer again, and the arms do not differ by what happened to them. Only while
/// the flag is closed everywhere, because elsewhere people would change sides.
fn reshuffled(case: &Case<'_>, flag: &Flag, rollout: &Rollout) -> Option<Event> {
    case.state.last_of(&rollout.flag, &rollout.environment)?;
    let mut levers = flag.levers.values();
    if !levers.all(|lever| lever.position.is_closed()) {
        return None;
    }
    let mut definition = FlagDefinition::clone(&flag.definition);
    definition.salt = format!("{}/{}", flag.key(), rollout.id).into();
    Some(Event::FlagEdited {
        definition: definition.into(),
    })
}

/// At most two rollouts of one service at a time, so that a fault has few suspects. Flags say which
/// service they belong to by a tag such as `service:checkout`.
fn demand_uncrowded(
    case: &Case<'_>,
    flag: &Flag,
    environment: &EnvironmentKey,
) -> Result<(), Rejection> {
    const TOGETHER_MAX: usize = 2;
    for service in flag.services() {
        let others: Vec<&FlagKey> = case
            .state
            .running()
            .filter(|other| other.environment == *environment && other.flag != *flag.key())
            .filter(|other| !other.is_watch)
            .filter(|other| {
                let other = case.state.flag(other.flag.as_str());
                other.is_some_and(|other| other.services().any(|name| name == service))
            })
            .map(|other| &other.flag)
            .collect();
        if others.len() >= TOGETHER_MAX {
            return Err(Rejection::Conflict {
                why: format!(
                    "{} are being rolled out in {environment}, and belong to {service} as well; \
                     two at a time are the most",
                    listed(others)
                ),
            });
        }
    }
    Ok(())
}

/// A rollout opens; it never takes away what is open.
fn demand_growth(key: &FlagKey, before: &Position, plan: &Plan) -> Result<(), Rejection> {
    let first = plan.exposure(0);
    match before {
        Position::Closed { .. } => Ok(()),
        Position::Open { exposure } if exposure.is_within(&first) => Ok(()),
        Position::Open { .. } => Err(invalid(
            "stages",
            &format!(
                "{key} is {before} already, and the first stage is {first}; begin with one that lets \
                 the same contexts through and more"
            ),
        )),
        Position::Pinned { .. } => Err(Rejection::Conflict {
            why: format!("{key} is {before}; a rollout takes a lever that is closed or open"),
        }),
    }
}
