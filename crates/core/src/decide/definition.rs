//! Whether a completed definition may be: its labels, its values, and what it refers to.

use leverframe_flags::{Definition, FlagKey, VariantKey};

use crate::flag::{FlagDefinition, Kind};
use crate::limit::{LABEL_BYTES_MAX, NAMES_IN_MESSAGE_MAX, PROSE_BYTES_MAX, TAGS_MAX};
use crate::rejection::Rejection;

use super::at_most;
use super::authority::{Case, missing};
use super::reference::{demand_no_prerequisite_cycle, demand_segments};

/// Refuses a definition that could not be served, or that names what does not exist.
pub(super) fn demand_valid(case: &Case<'_>, definition: &FlagDefinition) -> Result<(), Rejection> {
    demand_labels(definition)?;
    // Without rules first, so that what is wrong everywhere is not blamed on one environment.
    let mut everywhere = definition.clone();
    everywhere.environments.clear();
    demand_served("definition", &everywhere.in_environment(""))?;
    for environment in definition.environments.keys() {
        case.environment(environment)?;
        let name = environment.as_str();
        demand_served(
            &format!("environments.{name}"),
            &definition.in_environment(name),
        )?;
        demand_segments(case, definition.segments_in(name))?;
        demand_prerequisites(case, definition, name)?;
    }
    demand_no_prerequisite_cycle(case.state, definition)
}

fn demand_served(field: &str, definition: &Definition) -> Result<(), Rejection> {
    definition.validate().map_err(|errors| {
        let why: Vec<String> = errors
            .iter()
            .take(NAMES_IN_MESSAGE_MAX)
            .map(ToString::to_string)
            .collect();
        invalid(field, &why.join("; "))
    })
}

fn demand_labels(definition: &FlagDefinition) -> Result<(), Rejection> {
    if definition.owner.trim().is_empty() {
        return Err(invalid("owner", "a flag needs an owner who answers for it"));
    }
    at_most("owner", &definition.owner, LABEL_BYTES_MAX)?;
    at_most("description", &definition.description, PROSE_BYTES_MAX)?;
    at_most("runbook", &definition.runbook, PROSE_BYTES_MAX)?;
    if definition.tags.len() > TAGS_MAX {
        return Err(invalid("tags", &format!("{TAGS_MAX} tags are the most")));
    }
    for tag in &definition.tags {
        if tag.trim().is_empty() {
            return Err(invalid("tags", "a tag must not be empty"));
        }
        at_most("tags", tag, LABEL_BYTES_MAX)?;
    }
    if definition.kind == Kind::Release && definition.sunset.is_none() {
        return Err(invalid(
            "sunset",
            "a release flag needs a date by which it will be gone, such as 2026-12-31",
        ));
    }
    Ok(())
}

fn demand_prerequisites(
    case: &Case<'_>,
    definition: &FlagDefinition,
    environment: &str,
) -> Result<(), Rejection> {
    let field = format!("environments.{environment}.prerequisites");
    for prerequisite in definition.prerequisites_in(environment) {
        let target = &case.flag(&prerequisite.flag)?.definition;
        for variant in &prerequisite.variants {
            if !target.variants.contains_key(variant) {
                let names = target.variants.keys().map(VariantKey::as_str);
                return Err(missing("variant", variant.as_str(), names));
            }
            if *variant == target.closed {
                return Err(invalid(
                    &field,
                    &format!(
                        "{variant} is the closed variant of {}: closing a flag must never open \
                         another",
                        prerequisite.flag
                    ),
                ));
            }
        }
    }
    Ok(())
}

/// Refuses what would pull the ground from under others: their prerequisites on this flag.
pub(super) fn demand_dependents_served(
    case: &Case<'_>,
    old: &FlagKey,
    new: &FlagDefinition,
) -> Result<(), Rejection> {
    for (dependent, environment) in case.state.dependents(old.as_str()) {
        let Some(flag) = case.state.flag(dependent.as_str()) else {
            continue;
        };
        let wanted = flag.definition.prerequisites_in(environment.as_str());
        let lost = wanted
            .iter()
            .filter(|prerequisite| prerequisite.flag == *old)
            .flat_map(|prerequisite| &prerequisite.variants)
            .find(|variant| !new.variants.contains_key(*variant) || **variant == new.closed);
        if let Some(variant) = lost {
            return Err(Rejection::Conflict {
                why: format!(
                    "{dependent} needs the variant {variant} of {old} in {environment}; edit {dependent} first"
                ),
            });
        }
    }
    Ok(())
}

pub(super) fn invalid(field: &str, why: &str) -> Rejection {
    Rejection::Invalid {
        field: field.to_owned(),
        why: why.to_owned(),
    }
}
