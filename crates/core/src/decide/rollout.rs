//! Rollouts: started and steered by people, moved by evidence. Where an exposure grows, that is an
//! opening like any other; where it shrinks, nobody is asked for anything.

use std::sync::Arc;

use leverframe_flags::{EnvironmentKey, FlagKey, Position};

use crate::access::Role;
use crate::command::{PlanChoice, Survey, Terms};
use crate::event::Event;
use crate::limit::ROLLOUTS_RUNNING_MAX;
use crate::position::{is_opening, lifts_latch};
use crate::rejection::Rejection;
use crate::rollout::{
    Cause, Interruption, Observation, Part, Phase, Plan, Rollout, Steer, Transition, interrupted,
    sentence, steer as steered, step,
};
use crate::state::Flag;

use super::authority::{Case, missing};
use super::definition::invalid;
use super::names::listed;
use super::{Decision, effect, lever, plan};

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
    demand_tried_once(case, wanted)?;
    demand_uncrowded(case, flag, environment)?;
    let mut events = Vec::new();
    if let Some(running) = case.state.running_of(key, environment) {
        if !wanted.terms.replace {
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
    let before = flag.position(environment.as_str()).clone();
    demand_growth(key, &before, &plan)?;
    let rollout = Rollout {
        id: format!("ro_{:012x}", case.meta.entropy & 0xffff_ffff_ffff).into(),
        flag: key.clone(),
        environment: environment.clone(),
        plan,
        before,
        lever_revision: 0,
        phase: Phase::Stage {
            index: 0,
            part: Part::Baking,
        },
        since: case.meta.now,
        proved: None,
        started_by: case.actor_name(),
        started_by_id: case.meta.actor.id().into(),
        started_at: case.meta.now,
        reason: case.meta.why.tidied().reason,
        baselines: wanted.survey.baselines.clone(),
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
    events.push(Event::RolloutStarted {
        rollout: Arc::new(rollout.clone()),
    });
    events.extend(moved(case, &rollout, &first, None));
    Ok(Decision::Append(events))
}

/// A person tells a rollout what to do.
pub(super) fn steer(
    case: &Case<'_>,
    id: &str,
    what: Steer,
    seen: Option<&Observation>,
) -> Result<Decision, Rejection> {
    let rollout = rollout(case, id)?;
    demand_scope(case, rollout)?;
    let transition = steered(rollout, what, seen).map_err(conflict)?;
    let flag = case.flag(&rollout.flag)?;
    let entry = case.environment(&rollout.environment)?;
    let from = flag.position(rollout.environment.as_str());
    // Going on is an opening even where nobody more is let through by it yet.
    let goes_on = !matches!(what, Steer::Pause | Steer::RollBack);
    if goes_on || opens(flag, from, transition.position.as_ref()) {
        let verb = format!("let {} go on in {}", rollout.flag, rollout.environment);
        case.demand_opening(entry, &verb)?;
    }
    Ok(Decision::Append(moved(case, rollout, &transition, seen)))
}

/// Back to before the running rollout, or before the last one that is over.
pub(super) fn rollback(
    case: &Case<'_>,
    key: &FlagKey,
    environment: &EnvironmentKey,
) -> Result<Decision, Rejection> {
    let entry = case.environment(environment)?;
    case.demand_environment(environment.as_str())?;
    case.demand_key(key.as_str())?;
    let flag = case.flag(key)?;
    if let Some(running) = case.state.running_of(key, environment) {
        return steer(case, &running.id, Steer::RollBack, None);
    }
    let Some(last) = case.state.last_of(key, environment) else {
        return Err(Rejection::Conflict {
            why: format!(
                "{key} has had no rollout in {environment}; to close it: lever kill {key} -e {environment}"
            ),
        });
    };
    let from = flag.position(environment.as_str());
    let to = &last.before;
    if from == to || (from.is_closed() && to.is_closed()) {
        return Ok(Decision::Unchanged {
            revision: case.state.lever_revision(flag, environment.as_str()),
        });
    }
    if opens(flag, from, Some(to)) {
        case.demand_opening(entry, &format!("open {key} in {environment}"))?;
    }
    let moved = position(flag, environment, to);
    Ok(Decision::Append(moved.into_iter().collect()))
}

/// What the node sees.
pub(super) fn observe(
    case: &Case<'_>,
    id: &str,
    seen: &Observation,
) -> Result<Decision, Rejection> {
    case.demand_node("observe a rollout")?;
    let rollout = rollout(case, id)?;
    match step(rollout, seen) {
        Some(transition) => {
            let events = moved(case, rollout, &transition, Some(seen));
            Ok(Decision::Append(events))
        }
        None => Ok(Decision::Unchanged {
            revision: case.state.revision(),
        }),
    }
}

/// What a transition comes to: the lever's move, the rollout's, and who is told.
pub(super) fn moved(
    case: &Case<'_>,
    rollout: &Rollout,
    transition: &Transition,
    seen: Option<&Observation>,
) -> Vec<Event> {
    let mut events = Vec::new();
    let flag = case.state.flag(rollout.flag.as_str());
    if let (Some(flag), Some(to)) = (flag, &transition.position) {
        events.extend(position(flag, &rollout.environment, to));
    }
    let words: Box<str> = sentence(rollout, transition, seen).into();
    events.push(Event::RolloutMoved {
        rollout: rollout.id.clone(),
        at: seen.map_or(case.meta.now, |seen| seen.now),
        to: transition.to.clone(),
        proved: transition.proved,
        cause: transition.cause.clone(),
        sentence: words.clone(),
        sights: seen.map(|seen| seen.sights.clone()).unwrap_or_default(),
    });
    events.extend(effect::wanted(case, rollout, transition, &words));
    events
}

/// The move of a lever, if it is one. Closed means killed: only an opening leads out of it.
fn position(flag: &Flag, environment: &EnvironmentKey, to: &Position) -> Option<Event> {
    let from = flag.position(environment.as_str());
    if from == to || (from.is_closed() && to.is_closed()) {
        return None;
    }
    if to.is_closed() {
        return lever::closing(flag, environment);
    }
    Some(Event::PositionMoved {
        flag: flag.key().clone(),
        environment: environment.clone(),
        from: from.clone(),
        to: to.clone(),
    })
}

fn opens(flag: &Flag, from: &Position, to: Option<&Position>) -> bool {
    to.is_some_and(|to| is_opening(from, to, &flag.definition.closed) || lifts_latch(from, to))
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

fn rollout<'a>(case: &Case<'a>, id: &str) -> Result<&'a Arc<Rollout>, Rejection> {
    let Some(rollout) = case.state.rollout(id) else {
        let names = case.state.rollouts().map(|rollout| &*rollout.id);
        return Err(missing("rollout", id, names));
    };
    if rollout.is_over() {
        return Err(Rejection::Conflict {
            why: format!("{id} is over"),
        });
    }
    Ok(rollout)
}

fn demand_scope(case: &Case<'_>, rollout: &Rollout) -> Result<(), Rejection> {
    case.demand_role(Role::Brake, "steer a rollout")?;
    case.demand_environment(rollout.environment.as_str())?;
    case.demand_key(rollout.flag.as_str())
}

fn conflict(why: String) -> Rejection {
    Rejection::Conflict { why }
}
