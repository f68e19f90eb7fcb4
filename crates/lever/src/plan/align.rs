//! Fills in what a file may leave out because the server made it: salts, rule names, the hash. So
//! a file written by hand is no difference once it is applied, and applying it again moves nobody.

use leverframe_flags::Expression;
use leverframe_wire::admin::{FlagDefinition, Kind, Rule, SegmentDefinition, Serve, ValueType};
use serde_json::Value;

/// Fills in what `wanted` leaves out, from what the server has.
pub(super) fn flag(wanted: &mut FlagDefinition, current: &FlagDefinition) {
    fill(&mut wanted.salt, &current.salt);
    fill(&mut wanted.hash, &current.hash);
    if wanted.kind == Kind::Kill {
        // On by default for this kind.
        fill(&mut wanted.stale_after_s, &current.stale_after_s);
    }
    serve(&mut wanted.open, &current.open);
    if wanted.value_type == ValueType::Float {
        for value in wanted.variants.values_mut() {
            if let Some(float) = value.as_f64().and_then(serde_json::Number::from_f64) {
                *value = Value::Number(float);
            }
        }
    }
    for (environment, wanted) in &mut wanted.environments {
        if let Some(current) = current.environments.get(environment) {
            rules(&mut wanted.rules, &current.rules);
        }
    }
}

/// Brings a definition into the form in which it is compared: without environments that say
/// nothing, and with conditions as they are printed.
pub(super) fn settle(definition: &mut FlagDefinition) {
    definition
        .environments
        .retain(|_, rules| !rules.rules.is_empty() || !rules.prerequisites.is_empty());
    for rule in definition
        .environments
        .values_mut()
        .flat_map(|rules| &mut rules.rules)
    {
        rule.when = printed(&rule.when);
    }
}

/// The same for a segment.
pub(super) fn settle_segment(definition: &mut SegmentDefinition) {
    if let Some(when) = &mut definition.when {
        *when = printed(when);
    }
}

/// A condition as it prints; what is not one stays, and the server says what is wrong with it.
fn printed(when: &str) -> String {
    when.parse::<Expression>()
        .map_or_else(|_| when.to_owned(), |expression| expression.to_string())
}

fn fill<T: Clone>(wanted: &mut Option<T>, current: &Option<T>) {
    if wanted.is_none() {
        wanted.clone_from(current);
    }
}

/// Gives a split without a salt the salt of the split it was.
fn serve(wanted: &mut Serve, current: &Serve) {
    if let (Serve::Split { salt, .. }, Serve::Split { salt: there, .. }) = (wanted, current)
        && salt.is_empty()
    {
        salt.clone_from(there);
    }
}

/// Gives rules without a name the name of the rule they were: the same condition, the nearest
/// place first.
fn rules(wanted: &mut [Rule], current: &[Rule]) {
    let mut taken: Vec<bool> = current
        .iter()
        .map(|there| wanted.iter().any(|rule| rule.id == there.id))
        .collect();
    for (index, rule) in wanted.iter_mut().enumerate() {
        let found = if rule.id.is_empty() {
            (0..current.len())
                .filter(|place| taken.get(*place) == Some(&false))
                .filter(|place| {
                    current
                        .get(*place)
                        .is_some_and(|there| there.when == rule.when)
                })
                .min_by_key(|place| place.abs_diff(index))
        } else {
            current.iter().position(|there| there.id == rule.id)
        };
        let Some((place, there)) = found.and_then(|place| Some((place, current.get(place)?)))
        else {
            continue;
        };
        if let Some(taken) = taken.get_mut(place) {
            *taken = true;
        }
        rule.id.clone_from(&there.id);
        serve(&mut rule.serve, &there.serve);
    }
}
