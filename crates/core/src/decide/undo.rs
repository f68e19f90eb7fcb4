//! Undo: a new record that takes one revision back, all of it or nothing.
//!
//! - Only while that revision is still the last change of everything it touched.
//! - A lever goes back exactly to where it was. Where that is an opening it follows an opening's
//!   policy, with the named revision standing for `If-Match`, and an exposure or pin comes back
//!   only if what the flag does is unchanged since: its definition, its segments, its
//!   prerequisites' definitions.
//! - A kill is taken back only by its name. A bare undo means the actor's latest revision that can
//!   be undone at all, is not undone yet and is not itself an undo.
//! - An undo is a record like others, and can be undone by its name.

use leverframe_flags::{EnvironmentKey, FlagKey, Position, Segment};

use crate::access::Role;
use crate::event::Event;
use crate::limit::UNDO_REVISIONS_MAX;
use crate::position::{is_opening, latch, lifts_latch};
use crate::rejection::Rejection;
use crate::state::{Before, Flag, State, Touched};

use super::definition::demand_valid;
use super::flag::Seen;
use super::{Case, Decision, environment, flag, lever, segment, token};

pub(super) fn undo(case: &Case<'_>, revision: Option<u64>) -> Result<Decision, Rejection> {
    let touched = match revision {
        Some(revision) => named(case.state, revision)?,
        None => latest(case)?,
    };
    let mut events = vec![Event::Undone {
        revision: touched.revision,
    }];
    for before in &touched.before {
        let decision = inverse(case, touched.revision, before).map_err(|why| match why {
            // Who names no revision has not seen one.
            Rejection::Stale { given, current } if revision.is_none() => overtaken(given, current),
            why => why,
        })?;
        if let Decision::Append(inverse) = decision {
            events.extend(inverse);
        }
    }
    Ok(Decision::Append(events))
}

/// Whether an undo may be asked for by this revision's number at all; whether it is still the last
/// change of what it touched, and who may, is decided when it is.
///
/// # Errors
/// Why not, in the words of the refusal.
pub fn demand_undoable(state: &State, revision: u64) -> Result<(), Rejection> {
    named(state, revision).map(|_| ())
}

fn named(state: &State, revision: u64) -> Result<&Touched, Rejection> {
    if revision == 0 || revision > state.revision() {
        return Err(Rejection::NotFound {
            noun: "revision",
            key: format!("r{revision}"),
            similar: None,
        });
    }
    let touched = state.touched(revision).ok_or_else(|| {
        conflict(format!(
            "r{revision} is too far back: only about the last {UNDO_REVISIONS_MAX} revisions can \
             be undone; make the change by hand"
        ))
    })?;
    if let Some(by) = touched.undone_by {
        return Err(conflict(format!(
            "r{revision} was undone already, by r{by}; `lever undo r{by} -r \"…\"` brings it back"
        )));
    }
    match touched.why_final() {
        Some(why) => Err(conflict(format!("r{revision} cannot be undone: {why}"))),
        None if touched.before.is_empty() => Err(conflict(format!(
            "r{revision} changed nothing that an undo could take back"
        ))),
        None => Ok(touched),
    }
}

/// What a bare undo means.
fn latest<'a>(case: &Case<'a>) -> Result<&'a Touched, Rejection> {
    let actor = case.meta.actor.id();
    let touched = case
        .state
        .recent()
        .find(|touched| {
            *touched.actor == *actor
                && !touched.is_undo
                && touched.undone_by.is_none()
                && touched.why_final().is_none()
        })
        .ok_or_else(|| {
            conflict(
                "there is nothing of yours to undo; name a revision, as in `lever undo r57 -r \"…\"`"
                    .to_owned(),
            )
        })?;
    if touched.before.is_empty() {
        return Err(conflict(format!(
            "your last change, r{0}, moved no lever, so there is nothing to undo; a rollout is steered \
             with lever rollout, a freeze ends with lever thaw; to take an older change back name it",
            touched.revision
        )));
    }
    let is_kill = touched
        .before
        .iter()
        .any(|before| matches!(before, Before::Position { from, to, .. } if lifts_latch(to, from)));
    if is_kill {
        return Err(conflict(format!(
            "your last change, r{0}, is a close; to take a close back name it: `lever undo r{0} -r \"…\"`",
            touched.revision
        )));
    }
    Ok(touched)
}

/// A bare undo comes to a change that another one followed, such as the undo of it.
fn overtaken(revision: u64, by: u64) -> Rejection {
    conflict(format!(
        "your last change that is not undone, r{revision}, is not the last of what it changed any \
         more: r{by} came after it; to take that back name it: `lever undo r{by} -r \"…\"`"
    ))
}

/// What takes one thing back, by the same rules as the command that would do it.
fn inverse(case: &Case<'_>, revision: u64, before: &Before) -> Result<Decision, Rejection> {
    match before {
        Before::Position {
            flag,
            environment,
            from,
            ..
        } => move_back(case, revision, flag, environment, from),
        Before::NoFlag { flag } => {
            let flag = unchanged_flag(case, revision, flag)?;
            demand_unmoved(revision, flag)?;
            flag::archive_now(case, flag)
        }
        Before::Definition { definition } => {
            let flag = unchanged_flag(case, revision, &definition.key)?;
            flag::edit_to(case, flag, (**definition).clone(), Seen::Named)
        }
        Before::Archived { flag, was_archived } => {
            let flag = unchanged_flag(case, revision, flag)?;
            if *was_archived {
                demand_unmoved(revision, flag)?;
                return flag::archive_now(case, flag);
            }
            restore(case, flag)
        }
        Before::NoSegment { segment } => {
            demand_segment_untouched(case.state, revision, segment.as_str())?;
            segment::delete_now(case, segment)
        }
        Before::Segment { segment } => {
            demand_segment_untouched(case.state, revision, segment.key.as_str())?;
            let entry = case.segment(&segment.key)?;
            segment::edit_to(case, entry, segment, Seen::Named)
        }
        Before::DeletedSegment { segment } => {
            demand_segment_untouched(case.state, revision, segment.key.as_str())?;
            segment::create(case, segment)
        }
        Before::Guard {
            environment,
            was_guarded,
        } => {
            let current = case.environment(environment)?.guarded_revision;
            demand_current(revision, current)?;
            environment::guard(case, environment, *was_guarded)
        }
        Before::NoToken { id } => {
            let current = case.state.token(id).map_or(0, |entry| entry.revision);
            demand_current(revision, current)?;
            token::revoke(case, id)
        }
        Before::Final { why } => Err(conflict(why.to_string())),
    }
}

fn move_back(
    case: &Case<'_>,
    revision: u64,
    key: &FlagKey,
    environment: &EnvironmentKey,
    to: &Position,
) -> Result<Decision, Rejection> {
    let entry = case.environment(environment)?;
    case.demand_environment(environment.as_str())?;
    case.demand_key(key.as_str())?;
    let flag = case.flag(key)?;
    let moved = flag.lever(environment.as_str());
    demand_current(revision, moved.map_or(0, |lever| lever.moved_revision))?;
    let from = flag.position(environment.as_str());
    if is_opening(from, to, &flag.definition.closed) || lifts_latch(from, to) {
        case.demand_opening(entry, &format!("open {key} in {environment} again"))?;
        if !to.is_closed() {
            demand_same_behaviour(case, revision, flag, environment, to)?;
        }
    }
    demand_possible(case, flag, to)?;
    // Killed again, it closes to what closed means now: the old latch may be of another definition.
    let killed = latch(to).and_then(|_| lever::closing(flag, environment));
    let moved = killed.unwrap_or_else(|| Event::PositionMoved {
        flag: key.clone(),
        environment: environment.clone(),
        from: from.clone(),
        to: to.clone(),
    });
    Ok(Decision::Append(vec![moved]))
}

/// An exposure was meant for what the flag did then.
fn demand_same_behaviour(
    case: &Case<'_>,
    revision: u64,
    flag: &Flag,
    environment: &EnvironmentKey,
    to: &Position,
) -> Result<(), Rejection> {
    let (changed, what) = case
        .state
        .behaviour_revision(flag, to, environment.as_str());
    if changed <= revision {
        return Ok(());
    }
    Err(conflict(format!(
        "{what} changed at r{changed}, after r{revision}; open {} instead: lever open {} -e \
         {environment} --to 1% -r \"…\"",
        flag.key(),
        flag.key(),
    )))
}

/// What the old position names still exists.
fn demand_possible(case: &Case<'_>, flag: &Flag, to: &Position) -> Result<(), Rejection> {
    match to {
        Position::Closed { .. } => Ok(()),
        Position::Open { exposure } => {
            for cohort in &exposure.cohorts {
                case.segment(cohort)?;
            }
            Ok(())
        }
        Position::Pinned { variant } if flag.definition.variants.contains_key(variant) => Ok(()),
        Position::Pinned { variant } => Err(conflict(format!(
            "{} no longer has the variant {variant}",
            flag.key()
        ))),
    }
}

/// A flag comes back into use as it was, closed, if what it refers to is still there.
fn restore(case: &Case<'_>, flag: &Flag) -> Result<Decision, Rejection> {
    case.demand_role(Role::Operator, "take a flag back into use")?;
    case.demand_key(flag.key().as_str())?;
    flag::demand_room(case)?;
    demand_valid(case, &flag.definition)?;
    Ok(Decision::Append(vec![Event::FlagRestored {
        flag: flag.key().clone(),
    }]))
}

fn unchanged_flag<'a>(
    case: &Case<'a>,
    revision: u64,
    key: &FlagKey,
) -> Result<&'a Flag, Rejection> {
    let flag = case
        .state
        .flag(key.as_str())
        .ok_or_else(|| conflict(format!("there is no flag {key} any more")))?;
    demand_current(revision, flag.defined_revision)?;
    Ok(flag)
}

fn demand_unmoved(revision: u64, flag: &Flag) -> Result<(), Rejection> {
    let moved = flag.levers.values().map(|lever| lever.moved_revision).max();
    match moved {
        Some(current) if current > revision => Err(Rejection::Stale {
            given: revision,
            current,
        }),
        _ => Ok(()),
    }
}

/// No later revision touched the segment, not even by deleting it.
fn demand_segment_untouched(state: &State, revision: u64, key: &str) -> Result<(), Rejection> {
    let names = |segment: &Segment| segment.key == *key;
    let later = state
        .recent()
        .take_while(|touched| touched.revision > revision)
        .find(|touched| {
            touched.before.iter().any(|before| match before {
                Before::NoSegment { segment } => segment == key,
                Before::Segment { segment } | Before::DeletedSegment { segment } => names(segment),
                _ => false,
            })
        });
    match later {
        Some(touched) => Err(Rejection::Stale {
            given: revision,
            current: touched.revision,
        }),
        None => Ok(()),
    }
}

fn demand_current(given: u64, current: u64) -> Result<(), Rejection> {
    if given == current {
        return Ok(());
    }
    Err(Rejection::Stale { given, current })
}

fn conflict(why: String) -> Rejection {
    Rejection::Conflict { why }
}
