//! Rollouts that run: steered by people, moved by evidence. Where an exposure grows, that is an
//! opening like any other; where it shrinks, nobody is asked for anything.

use std::sync::Arc;

use leverframe_flags::{EnvironmentKey, FlagKey, Position};

use crate::access::Role;
use crate::event::Event;
use crate::position::{is_opening, lifts_latch};
use crate::rejection::Rejection;
use crate::rollout::{
    Cause, Observation, Phase, Rollout, Steer, Target, Transition, sentence, steer as steered, step,
};
use crate::state::Flag;

use super::authority::{Case, missing};
use super::{Decision, effect, lever};

/// A person tells a rollout what to do.
pub(super) fn steer(
    case: &Case<'_>,
    id: &str,
    what: Steer,
    seen: Option<&Observation>,
) -> Result<Decision, Rejection> {
    let rollout = rollout(case, id)?;
    demand_scope(case, rollout)?;
    if what == Steer::Pause && matches!(rollout.phase, Phase::Paused { .. }) {
        return Ok(Decision::Unchanged {
            revision: rollout.moves.last().map_or(0, |last| last.revision),
        });
    }
    let entry = case.environment(&rollout.environment)?;
    // Going on is an opening even where nobody more is let through by it yet.
    if !matches!(what, Steer::Pause | Steer::RollBack) {
        let verb = format!("let {} go on in {}", rollout.flag, rollout.environment);
        case.demand_opening(entry, &verb)?;
        let flag = case.flag(&rollout.flag)?;
        let current = case
            .state
            .lever_revision(flag, rollout.environment.as_str());
        case.demand_match(current, false)?;
        demand_looker(case, rollout, what)?;
    }
    let seen = seen.filter(|seen| is_current(case, rollout, seen));
    let transition = steered(rollout, what, seen).map_err(conflict)?;
    Ok(Decision::Append(moved(case, rollout, &transition, seen)))
}

/// A stage that waits for somebody to look waits for whom it names.
fn demand_looker(case: &Case<'_>, rollout: &Rollout, what: Steer) -> Result<(), Rejection> {
    let Phase::Stage { index, .. } = rollout.phase else {
        return Ok(());
    };
    let stage = rollout.plan.stages.get(index).map(|stage| &stage.to);
    match stage {
        Some(Target::Look { by, .. }) if what == Steer::Approve && **by != *case.actor_name() => {
            Err(Rejection::Denied {
                why: format!(
                    "{} waits for {by} to look, and you are {}; to go on without: lever rollout skip {} \
                     -e {} -r \"…\"",
                    rollout.id,
                    case.actor_name(),
                    rollout.flag,
                    rollout.environment
                ),
            })
        }
        _ => Ok(()),
    }
}

/// Back to before the running rollout, or before the last one that is over. It never opens: what is
/// lower by now, or was killed, stays as it is.
pub(super) fn rollback(
    case: &Case<'_>,
    key: &FlagKey,
    environment: &EnvironmentKey,
) -> Result<Decision, Rejection> {
    case.environment(environment)?;
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
    if is_back(flag, from, to)
        && let Some(moved) = position(flag, environment, to)
    {
        return Ok(Decision::Append(vec![moved]));
    }
    Ok(Decision::Unchanged {
        revision: case.state.lever_revision(flag, environment.as_str()),
    })
}

/// What the node sees.
pub(super) fn observe(
    case: &Case<'_>,
    id: &str,
    seen: &Observation,
) -> Result<Decision, Rejection> {
    case.demand_node("observe a rollout")?;
    let rollout = rollout(case, id)?;
    let unchanged = Decision::Unchanged {
        revision: case.state.revision(),
    };
    if !is_current(case, rollout, seen) {
        return Ok(unchanged);
    }
    // A freeze may be younger than what was seen.
    let seen = Observation {
        is_frozen: seen.is_frozen || is_frozen(case, rollout),
        ..seen.clone()
    };
    let transition = step(rollout, &seen).and_then(|found| spared(case, rollout, found));
    Ok(transition.map_or(unchanged, |transition| {
        Decision::Append(moved(case, rollout, &transition, Some(&seen)))
    }))
}

/// Where closing does harm by now, what would lower the lever stops it instead, and a person decides.
/// Nothing when it stands still already.
fn spared(case: &Case<'_>, rollout: &Rollout, found: Transition) -> Option<Transition> {
    let flag = case.state.flag(rollout.flag.as_str())?;
    let from = flag.position(rollout.environment.as_str());
    let lowers = found
        .position
        .as_ref()
        .is_some_and(|to| to != from && is_back(flag, from, to));
    let is_unsafe = match (&flag.definition.unsafe_closing, from) {
        (Some(closing), Position::Open { exposure }) => exposure.percentage > closing.after,
        _ => false,
    };
    if !lowers || !is_unsafe {
        return Some(found);
    }
    let Phase::Paused { .. } = rollout.phase else {
        return Some(Transition {
            to: Phase::Paused {
                at: Box::new(rollout.phase.clone()),
            },
            position: None,
            proved: None,
            cause: found.cause,
        });
    };
    None
}

/// Whether nothing has happened to the rollout and its lever since that was seen.
fn is_current(case: &Case<'_>, rollout: &Rollout, seen: &Observation) -> bool {
    let flag = case.state.flag(rollout.flag.as_str());
    let lever = flag.and_then(|flag| flag.lever(rollout.environment.as_str()));
    let last = rollout.moves.last().map_or(0, |last| last.revision);
    seen.move_revision == last
        && seen.lever_revision == lever.map_or(0, |lever| lever.moved_revision)
}

fn is_frozen(case: &Case<'_>, rollout: &Rollout) -> bool {
    let freeze = case
        .state
        .freeze(rollout.environment.as_str(), case.meta.now);
    freeze.is_some()
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
    // On the way back nothing is opened: somebody may have lowered the lever further than that.
    let is_way_back = matches!(transition.to, Phase::RolledBack | Phase::Retreated { .. })
        && transition.cause != Cause::Resumed;
    if let (Some(flag), Some(to)) = (flag, &transition.position) {
        let from = flag.position(rollout.environment.as_str());
        if !is_way_back || is_back(flag, from, to) {
            events.extend(position(flag, &rollout.environment, to));
        }
    }
    let words: Box<str> = said(case, rollout, transition, seen).into();
    events.push(Event::RolloutMoved {
        rollout: rollout.id.clone(),
        at: seen.map_or(case.meta.steady, |seen| seen.now),
        to: transition.to.clone(),
        proved: transition.proved,
        cause: transition.cause.clone(),
        sentence: words.clone(),
        sights: seen.map(|seen| seen.sights.clone()).unwrap_or_default(),
    });
    events.extend(effect::wanted(case, rollout, transition, &words));
    events
}

/// The transition as a sentence, with what closing would do now where that is not harmless.
fn said(
    case: &Case<'_>,
    rollout: &Rollout,
    transition: &Transition,
    seen: Option<&Observation>,
) -> String {
    let words = named(case, sentence(rollout, transition, seen));
    let flag = case.state.flag(rollout.flag.as_str());
    match flag.and_then(|flag| flag.definition.unsafe_closing.as_ref()) {
        Some(closing) if matches!(transition.to, Phase::Paused { .. }) => format!(
            "{words}; beyond {} % closing does harm: {}",
            closing.after, closing.sentence
        ),
        _ => words,
    }
}

/// What a person did says who, and why.
fn named(case: &Case<'_>, words: String) -> String {
    let Some(deed) = words.strip_prefix("Somebody ") else {
        return words;
    };
    let who = case.actor_name();
    match case.meta.why.tidied().reason {
        Some(why) => format!("{who} {deed} ({why})"),
        None => format!("{who} {deed}"),
    }
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

/// Whether nobody more is let through there, and no latch is left.
fn is_back(flag: &Flag, from: &Position, to: &Position) -> bool {
    !is_opening(from, to, &flag.definition.closed) && !lifts_latch(from, to)
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

pub(super) fn conflict(why: String) -> Rejection {
    Rejection::Conflict { why }
}
