//! Flags: creating, editing, archiving.

use std::sync::Arc;

use leverframe_flags::{EnvironmentKey, FlagKey, Position};

use crate::access::{Actor, Role};
use crate::event::Event;
use crate::flag::{FlagDefinition, INTERNAL_PREFIX, is_internal};
use crate::limit::FLAGS_MAX;
use crate::position::latch;
use crate::rejection::Rejection;
use crate::state::Flag;

use super::Decision;
use super::authority::{Case, append};
use super::completion::complete;
use super::definition::{demand_dependents_served, demand_valid};
use super::names::listed;

/// Whether `If-Match` still has to be checked, or an undo's named revision stands for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    IfMatch,
    Named,
}

pub(super) fn create(case: &Case<'_>, given: &FlagDefinition) -> Result<Decision, Rejection> {
    case.demand_role(Role::Operator, "create a flag")?;
    case.demand_key(given.key.as_str())?;
    if is_internal(&given.key) && case.meta.actor != Actor::System {
        return Err(Rejection::Invalid {
            field: "key".to_owned(),
            why: format!(
                "names that begin with {INTERNAL_PREFIX} are kept for the server's own flags"
            ),
        });
    }
    match case.state.flag(given.key.as_str()) {
        // Says that it is archived, and how to take it back.
        Some(flag) if flag.is_archived => case.flag(&given.key).map(drop)?,
        Some(_) => {
            return Err(Rejection::Exists {
                noun: "flag",
                key: given.key.to_string(),
            });
        }
        None => {}
    }
    demand_room(case)?;
    let definition = complete(given, None, case.meta.entropy);
    demand_valid(case, &definition)?;
    Ok(append(Event::FlagCreated {
        definition: Arc::new(definition),
    }))
}

/// There is room for one more flag in use.
pub(super) fn demand_room(case: &Case<'_>) -> Result<(), Rejection> {
    let in_use = || case.state.flags().filter(|flag| !flag.is_archived).count();
    if case.state.flags_len() >= FLAGS_MAX && in_use() >= FLAGS_MAX {
        return Err(Rejection::Full {
            noun: "flags",
            max: FLAGS_MAX,
        });
    }
    Ok(())
}

pub(super) fn edit(case: &Case<'_>, given: &FlagDefinition) -> Result<Decision, Rejection> {
    case.demand_role(Role::Operator, "edit a flag")?;
    let flag = case.flag(&given.key)?;
    let definition = complete(given, Some(&flag.definition), case.meta.entropy);
    edit_to(case, flag, definition, Seen::IfMatch)
}

/// Replaces a definition by a complete one.
pub(super) fn edit_to(
    case: &Case<'_>,
    flag: &Flag,
    definition: FlagDefinition,
    seen: Seen,
) -> Result<Decision, Rejection> {
    let key = flag.key();
    case.demand_role(Role::Operator, "edit a flag")?;
    case.demand_key(key.as_str())?;
    let old = &flag.definition;
    if **old == definition {
        return Ok(Decision::Unchanged {
            revision: flag.defined_revision,
        });
    }
    if seen == Seen::IfMatch {
        case.demand_match(flag.defined_revision, true)?;
    }
    demand_same_meaning(flag, &definition)?;
    demand_valid(case, &definition)?;
    demand_dependents_served(case, key, &definition)?;
    let closes_otherwise = means_otherwise(old, &definition);
    for entry in case.state.environments() {
        let environment = &entry.environment.key;
        let name = environment.as_str();
        if old.in_environment(name) == definition.in_environment(name) {
            continue;
        }
        case.demand_environment(name)?;
        if closes_otherwise || !flag.position(name).is_closed() {
            case.demand_opening(
                entry,
                &format!("edit {key} while it is open in {environment}"),
            )?;
        }
    }
    Ok(append(Event::FlagEdited {
        definition: Arc::new(definition),
    }))
}

fn means_otherwise(old: &FlagDefinition, new: &FlagDefinition) -> bool {
    old.closed != new.closed || old.closed_value() != new.closed_value()
}

/// Refuses what would change an answer that a lever holds: the type, what `closed` means while it
/// is latched somewhere, a variant that is pinned.
fn demand_same_meaning(flag: &Flag, new: &FlagDefinition) -> Result<(), Rejection> {
    let key = flag.key();
    let old = &flag.definition;
    if old.value_type != new.value_type {
        return Err(Rejection::Conflict {
            why: format!(
                "{key} is a {} flag and stays one, because applications ask for that type; create \
                 another flag for a {}",
                old.value_type, new.value_type
            ),
        });
    }
    let moved = |wanted: &dyn Fn(&Position) -> bool| -> Vec<EnvironmentKey> {
        flag.levers
            .iter()
            .filter(|(_, lever)| wanted(&lever.position))
            .map(|(environment, _)| environment.clone())
            .collect()
    };
    if means_otherwise(old, new) {
        let latched = moved(&|position| latch(position).is_some());
        if !latched.is_empty() {
            return Err(Rejection::Conflict {
                why: format!(
                    "{key} was closed in {}: what closed means cannot change there until it is \
                     opened",
                    listed(latched)
                ),
            });
        }
    }
    let lost = moved(&|position| match position {
        Position::Pinned { variant } => !new.variants.contains_key(variant),
        Position::Closed { .. } | Position::Open { .. } => false,
    });
    if !lost.is_empty() {
        return Err(Rejection::Conflict {
            why: format!(
                "{key} is pinned in {} to a variant that this would remove; move the lever first",
                listed(lost)
            ),
        });
    }
    Ok(())
}

pub(super) fn archive(case: &Case<'_>, key: &FlagKey) -> Result<Decision, Rejection> {
    case.demand_role(Role::Operator, "archive a flag")?;
    case.demand_key(key.as_str())?;
    if let Some(flag) = case.state.flag(key.as_str())
        && flag.is_archived
    {
        return Ok(Decision::Unchanged {
            revision: flag.defined_revision,
        });
    }
    let flag = case.flag(key)?;
    case.demand_match(flag.defined_revision, true)?;
    archive_now(case, flag)
}

/// Takes a flag out of use. Its levers stay as they are, closed, and with them their latches.
pub(super) fn archive_now(case: &Case<'_>, flag: &Flag) -> Result<Decision, Rejection> {
    let key = flag.key();
    case.demand_role(Role::Operator, "archive a flag")?;
    case.demand_key(key.as_str())?;
    for entry in case.state.environments() {
        case.demand_environment(entry.environment.key.as_str())?;
    }
    let open: Vec<&EnvironmentKey> = flag
        .levers
        .iter()
        .filter(|(_, lever)| !lever.position.is_closed())
        .map(|(environment, _)| environment)
        .collect();
    if !open.is_empty() {
        return Err(Rejection::Conflict {
            why: format!("{key} is not closed in {}; close it first", listed(open)),
        });
    }
    // Evaluators forget an archived flag, and callers fall back to their own defaults, which may be
    // open: where somebody has closed it, that is an opening.
    for entry in case.state.environments() {
        let environment = &entry.environment;
        let position = flag.position(environment.key.as_str());
        if matches!(position, Position::Closed { latch: Some(_) }) {
            let what = format!("archive {key}, which was closed in {}", environment.key);
            case.demand_opening(entry, &what)?;
        }
    }
    let dependents = case.state.dependents(key.as_str());
    if !dependents.is_empty() {
        let users = dependents
            .iter()
            .map(|(flag, environment)| format!("{flag} in {environment}"));
        return Err(Rejection::Conflict {
            why: format!("{key} is a prerequisite of {}", listed(users)),
        });
    }
    Ok(append(Event::FlagArchived { flag: key.clone() }))
}
