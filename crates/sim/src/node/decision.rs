//! Deciding one request against the speculative state, with the plants that spoil decisions.

use std::sync::Arc;

use leverframe_core::access::Actor;
use leverframe_core::decide::{Decision, decide};
use leverframe_core::rejection::Rejection;
use leverframe_core::{Command, Entry, Event, Meta, State, Why};
use leverframe_flags::{Exposure, Percentage, Position};

use crate::chance::Chance;
use crate::operator::Request;
use crate::plant::Plant;

/// What was decided of a request, with everything that the decision saw.
pub(crate) struct Ruling {
    pub(crate) before: Arc<State>,
    pub(crate) command: Command,
    pub(crate) meta: Meta,
    pub(crate) ruling: Result<Decision, Rejection>,
}

/// One entry and the states on both sides of it.
pub(super) struct Step {
    pub(super) before: Arc<State>,
    pub(super) after: Arc<State>,
    pub(super) entry: Entry,
}

pub(super) fn rule(
    state: &Arc<State>,
    request: &Request,
    now: leverframe_core::Timestamp,
    chance: &mut Chance,
    plant: Option<Plant>,
) -> Ruling {
    let meta = Meta {
        // A record is never dated before the one in front of it.
        now: now.max(state.at()),
        steady: now,
        actor: request.actor.clone(),
        via: request.via(),
        why: request.why.clone(),
        if_match: request.if_match,
        idempotency: request.idempotency.clone(),
        entropy: chance.bits(),
    };
    let ruling = match plant {
        Some(plant) => spoiled(state, &request.command, &meta, plant),
        None => decide(state, &request.command, &meta),
    };
    Ruling {
        before: Arc::clone(state),
        command: request.command.clone(),
        meta,
        ruling,
    }
}

/// The same for a kill that is out already. If its own request made it into the journal after all,
/// it is that; else it was allowed when it went out, and a token that was revoked since takes nothing
/// back.
pub(super) fn rule_allowed(
    state: &Arc<State>,
    request: &Request,
    now: leverframe_core::Timestamp,
    chance: &mut Chance,
    plant: Option<Plant>,
) -> Ruling {
    let mut ruling = rule(state, request, now, chance, plant);
    if matches!(ruling.ruling, Ok(Decision::Repeat { .. }))
        && plant != Some(Plant::BrakesStoredTwice)
    {
        return ruling;
    }
    let allowed = Meta {
        actor: Actor::System,
        idempotency: None,
        ..ruling.meta.clone()
    };
    ruling.ruling = decide(state, &ruling.command, &allowed);
    if plant == Some(Plant::BrakesStoredByNobody) {
        ruling.meta = allowed;
    }
    ruling
}

/// Makes the entry, and the state behind it.
pub(super) fn step(before: &Arc<State>, events: Vec<Event>, meta: &Meta) -> Result<Step, String> {
    let record = before.next_record(events, meta);
    let entry = Entry::seal(record, before.head()).map_err(|error| error.to_string())?;
    let mut after = State::clone(before);
    after.apply(&entry).map_err(|error| error.to_string())?;
    Ok(Step {
        before: Arc::clone(before),
        after: Arc::new(after),
        entry,
    })
}

fn spoiled(
    state: &State,
    command: &Command,
    meta: &Meta,
    plant: Plant,
) -> Result<Decision, Rejection> {
    match (plant, command) {
        (Plant::BrakeAsksForAReason, Command::Close { environment, .. })
            if meta.why.tidied().reason.is_none() =>
        {
            Err(Rejection::ReasonRequired {
                environment: environment.to_string(),
            })
        }
        (Plant::RepeatsAreNew, _) => {
            let anew = Meta {
                idempotency: None,
                ..meta.clone()
            };
            decide(state, command, &anew)
        }
        (Plant::GuardIsAsleep, _) => match decide(state, command, meta) {
            Err(Rejection::ReasonRequired { .. }) => {
                let why = Why {
                    reason: Some("a reason".into()),
                    incident: None,
                };
                decide(
                    state,
                    command,
                    &Meta {
                        why,
                        ..meta.clone()
                    },
                )
            }
            ruling => ruling,
        },
        (Plant::LatchForgottenOnEdit, Command::EditFlag { definition }) => {
            let mut decision = decide(state, command, meta)?;
            if let (Decision::Append(events), Some(flag)) =
                (&mut decision, state.flag(definition.key.as_str()))
            {
                events.extend(flag.levers.iter().filter_map(|(environment, lever)| {
                    let Position::Closed { latch: Some(_) } = lever.position else {
                        return None;
                    };
                    Some(Event::PositionMoved {
                        flag: definition.key.clone(),
                        environment: environment.clone(),
                        from: lever.position.clone(),
                        to: Position::Open {
                            exposure: Exposure::of(Percentage::FULL),
                        },
                    })
                }));
            }
            Ok(decision)
        }
        (Plant::RampMovesPeople, Command::Ramp { flag, .. }) => {
            let mut decision = decide(state, command, meta)?;
            if let (Decision::Append(events), Some(flag)) =
                (&mut decision, state.flag(flag.as_str()))
            {
                let mut definition = (*flag.definition).clone();
                definition.salt = format!("{}/{}", definition.key, meta.entropy).into();
                events.push(Event::FlagEdited {
                    definition: Arc::new(definition),
                });
            }
            Ok(decision)
        }
        _ => decide(state, command, meta),
    }
}
