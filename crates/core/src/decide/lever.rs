//! Pulling levers: close, open, ramp, pin. Only an open, or an undo by name, leads out of a latch.

use leverframe_flags::{
    EnvironmentKey, Exposure, FlagKey, Latch, Percentage, Position, VariantKey,
};

use crate::command::Selection;
use crate::event::Event;
use crate::limit::COHORTS_MAX;
use crate::position::{is_opening, latch, lifts_latch};
use crate::rejection::Rejection;
use crate::state::Flag;

use super::authority::{Case, append, missing};
use super::names::listed;
use super::{Decision, drill};

/// One record for all of them; levers that are latched already stay as they are. One that a rollout or
/// a drill has in its hand is latched once more, by whoever closes it now: it is theirs from then on,
/// and is not put back.
pub(super) fn close(
    case: &Case<'_>,
    selection: &Selection,
    environment: &EnvironmentKey,
) -> Result<Decision, Rejection> {
    case.environment(environment)?;
    case.demand_environment(environment.as_str())?;
    let flags = selected(case, selection)?;
    // A kill never silently does less than was asked.
    let outside: Vec<&FlagKey> = flags
        .iter()
        .map(|flag| flag.key())
        .filter(|key| !case.allows_key(key.as_str()))
        .collect();
    if !outside.is_empty() {
        return Err(Rejection::Denied {
            why: format!(
                "this token is not for {}; nothing was closed. Name only flags it is for, or use \
                 another token",
                listed(outside)
            ),
        });
    }
    let mut events = Vec::new();
    let mut latched_revision = 0;
    for flag in flags {
        match flag.lever(environment.as_str()) {
            Some(lever)
                if latch(&lever.position).is_some() && !is_in_hand(case, flag, environment) =>
            {
                latched_revision = latched_revision.max(lever.moved_revision);
            }
            _ => events.extend(closing(flag, environment)),
        }
    }
    if events.is_empty() {
        return Ok(Decision::Unchanged {
            revision: latched_revision,
        });
    }
    Ok(Decision::Append(events))
}

/// A rollout or a drill would still move the lever.
fn is_in_hand(case: &Case<'_>, flag: &Flag, environment: &EnvironmentKey) -> bool {
    let key = flag.key();
    case.state.running_of(key, environment).is_some() || drill::running(case, key, environment)
}

/// The move of a lever to latched closed. `None` only without a closed value, which no accepted
/// definition lacks.
pub(super) fn closing(flag: &Flag, environment: &EnvironmentKey) -> Option<Event> {
    let definition = &flag.definition;
    Some(Event::PositionMoved {
        flag: definition.key.clone(),
        environment: environment.clone(),
        from: flag.position(environment.as_str()).clone(),
        to: Position::Closed {
            latch: Some(Latch {
                variant: definition.closed.clone(),
                value: definition.closed_value()?.clone(),
            }),
        },
    })
}

fn selected<'a>(case: &Case<'a>, selection: &Selection) -> Result<Vec<&'a Flag>, Rejection> {
    let in_use = || case.state.flags().filter(|flag| !flag.is_archived);
    let (noun, name, found): (_, _, Vec<&Flag>) = match selection {
        Selection::Flags(keys) if keys.is_empty() => {
            return Err(Rejection::Invalid {
                field: "flags".to_owned(),
                why: "name at least one flag".to_owned(),
            });
        }
        Selection::Flags(keys) => {
            // One that is out of use answers nobody any more, and must not hold up the others.
            let is_archived = |key: &FlagKey| {
                let flag = case.state.flag(key.as_str());
                flag.is_some_and(|flag| flag.is_archived)
            };
            let is_only_archived = keys.iter().all(is_archived);
            return keys
                .iter()
                .filter(|key| is_only_archived || !is_archived(key))
                .map(|key| case.flag(key).map(|flag| &**flag))
                .collect();
        }
        Selection::Owner(owner) => (
            "flag of owner",
            owner,
            in_use()
                .filter(|flag| flag.definition.owner == *owner)
                .map(|flag| &**flag)
                .collect(),
        ),
        Selection::Tag(tag) => (
            "flag with tag",
            tag,
            in_use()
                .filter(|flag| flag.definition.tags.contains(tag))
                .map(|flag| &**flag)
                .collect(),
        ),
    };
    if !found.is_empty() {
        return Ok(found);
    }
    let names = in_use().flat_map(|flag| {
        let (owner, tags) = match selection {
            Selection::Owner(_) => (Some(&flag.definition.owner), None),
            _ => (None, Some(&flag.definition.tags)),
        };
        owner.into_iter().chain(tags.into_iter().flatten())
    });
    Err(missing(noun, name, names.map(String::as_str)))
}

pub(super) fn open(
    case: &Case<'_>,
    flag: &FlagKey,
    environment: &EnvironmentKey,
    exposure: &Exposure,
) -> Result<Decision, Rejection> {
    if exposure.cohorts.len() > COHORTS_MAX {
        return Err(Rejection::Invalid {
            field: "cohorts".to_owned(),
            why: format!("{COHORTS_MAX} cohorts are the most; join some in one segment"),
        });
    }
    for cohort in &exposure.cohorts {
        case.segment(cohort)?;
    }
    move_to(case, flag, environment, |_, _| {
        Ok(Position::Open {
            exposure: exposure.clone(),
        })
    })
}

pub(super) fn ramp(
    case: &Case<'_>,
    flag: &FlagKey,
    environment: &EnvironmentKey,
    percentage: Percentage,
) -> Result<Decision, Rejection> {
    move_to(case, flag, environment, |_, position| match position {
        Position::Open { exposure } => Ok(Position::Open {
            exposure: Exposure {
                cohorts: exposure.cohorts.clone(),
                percentage,
            },
        }),
        Position::Closed { .. } | Position::Pinned { .. } => Err(Rejection::Conflict {
            why: format!(
                "{flag} is {position} in {environment}, so there is nothing to ramp; open it: \
                 lever open {flag} -e {environment} --to {percentage}% -r \"…\""
            ),
        }),
    })
}

pub(super) fn pin(
    case: &Case<'_>,
    flag: &FlagKey,
    environment: &EnvironmentKey,
    variant: &VariantKey,
) -> Result<Decision, Rejection> {
    move_to(case, flag, environment, |flag, position| {
        let definition = &flag.definition;
        if !definition.variants.contains_key(variant) {
            let names = definition.variants.keys().map(VariantKey::as_str);
            return Err(missing("variant", variant.as_str(), names));
        }
        if latch(position).is_some() {
            let key = flag.key();
            let why = if *variant == definition.closed {
                format!("{key} is closed in {environment} already, and stays killed until opened")
            } else {
                format!(
                    "{key} was killed in {environment}; only an open leads out of that. Open it \
                     first: lever open {key} -e {environment} --to 0% -r \"…\""
                )
            };
            return Err(Rejection::Conflict { why });
        }
        Ok(Position::Pinned {
            variant: variant.clone(),
        })
    })
}

/// Moves one lever, under an opening's policy if it is one.
fn move_to(
    case: &Case<'_>,
    key: &FlagKey,
    environment: &EnvironmentKey,
    target: impl FnOnce(&Flag, &Position) -> Result<Position, Rejection>,
) -> Result<Decision, Rejection> {
    let entry = case.environment(environment)?;
    case.demand_environment(environment.as_str())?;
    case.demand_key(key.as_str())?;
    let flag = case.flag(key)?;
    let current = case.state.lever_revision(flag, environment.as_str());
    let from = flag.position(environment.as_str());
    let to = target(flag, from)?;
    if *from == to {
        return Ok(Decision::Unchanged { revision: current });
    }
    if is_opening(from, &to, &flag.definition.closed) || lifts_latch(from, &to) {
        case.demand_opening(entry, &format!("open {key} in {environment}"))?;
        case.demand_match(current, entry.environment.guarded)?;
    }
    Ok(append(Event::PositionMoved {
        flag: key.clone(),
        environment: environment.clone(),
        from: from.clone(),
        to,
    }))
}
