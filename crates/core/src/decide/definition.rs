//! Whether a completed definition may be: its labels, its values, and what it refers to.

use std::collections::BTreeSet;

use leverframe_flags::{FlagKey, Serve, VariantKey};

use crate::flag::{FlagDefinition, Kind};
use crate::limit::{LABEL_BYTES_MAX, PROSE_BYTES_MAX, TAGS_MAX};
use crate::rejection::Rejection;

use super::at_most;
use super::authority::{Case, missing};
use super::reference::{demand_no_prerequisite_cycle, demand_segments};

/// Refuses a definition that could not be served, or that names what does not exist.
pub(super) fn demand_valid(case: &Case<'_>, definition: &FlagDefinition) -> Result<(), Rejection> {
    demand_labels(definition)?;
    demand_values(definition)?;
    for (environment, rules) in &definition.environments {
        case.environment(environment)?;
        let field = |part: &str| format!("environments.{environment}.{part}");
        let mut ids = BTreeSet::new();
        for rule in &rules.rules {
            if !ids.insert(&rule.id) {
                return Err(invalid(
                    &field("rules"),
                    &format!("the rule id {:?} stands there twice", rule.id),
                ));
            }
        }
        demand_segments(case, definition.segments_in(environment.as_str()))?;
        demand_prerequisites(case, definition, environment.as_str())?;
    }
    demand_no_prerequisite_cycle(case.state, definition)
}

fn demand_labels(definition: &FlagDefinition) -> Result<(), Rejection> {
    if definition.owner.trim().is_empty() {
        return Err(invalid("owner", "a flag needs an owner who answers for it"));
    }
    at_most("owner", &definition.owner, LABEL_BYTES_MAX)?;
    at_most("description", &definition.description, PROSE_BYTES_MAX)?;
    at_most("runbook", &definition.runbook, PROSE_BYTES_MAX)?;
    at_most("salt", &definition.salt, LABEL_BYTES_MAX * 2)?;
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

fn demand_values(definition: &FlagDefinition) -> Result<(), Rejection> {
    if definition.closed_value().is_none() {
        return Err(unknown_variant(definition, "closed", &definition.closed));
    }
    if let Serve::Variant(open) = &definition.open
        && !definition.variants.contains_key(open)
    {
        return Err(unknown_variant(definition, "open", open));
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
        if prerequisite.flag == definition.key {
            return Err(invalid(&field, "a flag cannot be its own prerequisite"));
        }
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

fn unknown_variant(definition: &FlagDefinition, field: &str, variant: &VariantKey) -> Rejection {
    let names: Vec<&str> = definition.variants.keys().map(VariantKey::as_str).collect();
    invalid(
        field,
        &format!(
            "{variant} is not one of the variants ({})",
            names.join(", ")
        ),
    )
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
