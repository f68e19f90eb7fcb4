//! What rollouts do about commands that are not theirs: a person's move always stands, and the rollout
//! gives way in the same record. Only a move that would open further is refused, because the rollout's
//! evidence would be of something else.

use std::collections::BTreeSet;

use leverframe_flags::{EnvironmentKey, FlagKey, Position};

use crate::event::Event;
use crate::position::is_opening;
use crate::rejection::Rejection;
use crate::rollout::{Interruption, Rollout, interrupted};

use super::authority::Case;
use super::rollout::moved;

/// The events of other commands, with what the rollouts do about them.
pub(super) fn react(case: &Case<'_>, mut events: Vec<Event>) -> Result<Vec<Event>, Rejection> {
    if case.state.running().next().is_none() {
        return Ok(events);
    }
    let mut reactions = Vec::new();
    let mut told: BTreeSet<Box<str>> = BTreeSet::new();
    for event in &events {
        for (rollout, interruption) in interruptions(case, event)? {
            if told.contains(&rollout.id) {
                continue;
            }
            if let Some(transition) = interrupted(rollout, &interruption) {
                told.insert(rollout.id.clone());
                reactions.extend(moved(case, rollout, &transition, None));
            }
        }
    }
    events.extend(reactions);
    Ok(events)
}

fn interruptions<'a>(
    case: &Case<'a>,
    event: &Event,
) -> Result<Vec<(&'a Rollout, Interruption)>, Rejection> {
    let running = || case.state.running().map(|rollout| &**rollout);
    Ok(match event {
        Event::PositionMoved {
            flag,
            environment,
            from,
            to,
        } => by_move(case, flag, environment, (from, to))?,
        Event::FlagEdited { definition } => running()
            .filter(|rollout| rollout.flag == definition.key)
            .filter(|rollout| {
                let environment = rollout.environment.as_str();
                let before = case.state.flag(definition.key.as_str());
                before.map(|flag| flag.definition.in_environment(environment))
                    != Some(definition.in_environment(environment))
            })
            .map(|rollout| (rollout, Interruption::Edited))
            .collect(),
        Event::FlagArchived { flag } => running()
            .filter(|rollout| rollout.flag == *flag)
            .map(|rollout| (rollout, Interruption::Archived))
            .collect(),
        Event::SegmentEdited { segment } => {
            let reached = case.state.flags_reached_by_segment(&segment.key);
            let is_reached = |rollout: &&Rollout| {
                reached.contains(&(rollout.flag.clone(), rollout.environment.clone()))
            };
            running()
                .filter(is_reached)
                .map(|rollout| (rollout, Interruption::Edited))
                .collect()
        }
        _ => Vec::new(),
    })
}

fn by_move<'a>(
    case: &Case<'a>,
    flag: &FlagKey,
    environment: &EnvironmentKey,
    (from, to): (&Position, &Position),
) -> Result<Vec<(&'a Rollout, Interruption)>, Rejection> {
    let mut found = Vec::new();
    let entry = case.state.flag(flag.as_str());
    if let (Some(rollout), Some(entry)) = (case.state.running_of(flag, environment), entry) {
        if to.is_closed() {
            found.push((&**rollout, Interruption::Killed));
        } else if is_opening(from, to, &entry.definition.closed) {
            return Err(Rejection::Conflict {
                why: format!(
                    "{} takes {flag} through its stages in {environment}; to open it further: lever \
                     rollout advance {flag} -e {environment} -r \"…\", or take it back first: lever \
                     rollback {flag} -e {environment}",
                    rollout.id
                ),
            });
        } else {
            found.push((&**rollout, Interruption::Moved));
        }
    }
    if to.is_closed() {
        let dependents = case.state.running().filter(|rollout| {
            let needs = case.state.flag(rollout.flag.as_str()).is_some_and(|other| {
                let needed = other.definition.prerequisites_in(environment.as_str());
                needed.iter().any(|prerequisite| prerequisite.flag == *flag)
            });
            rollout.environment == *environment && needs
        });
        let closed = |rollout| {
            (
                rollout,
                Interruption::PrerequisiteClosed { flag: flag.clone() },
            )
        };
        found.extend(dependents.map(|rollout| closed(&**rollout)));
    }
    Ok(found)
}
