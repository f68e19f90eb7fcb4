//! What the tests are about: a few flags of a shop, and short ways to say them.

use leverframe_flags::{
    Context, Definition, EnvironmentKey, Exposure, FlagKey, FlagUpdate, Percentage, Position,
    RuleSet, Segment, SegmentKey, SegmentUpdate, VariantKey,
};
use serde_json::{Value as Json, json};

pub(crate) fn key(text: &str) -> FlagKey {
    FlagKey::new(text).unwrap()
}

pub(crate) fn environment() -> EnvironmentKey {
    EnvironmentKey::new("prod").unwrap()
}

/// A boolean flag `off`/`on` with these further fields.
pub(crate) fn boolean(flag: &str, fields: &Json) -> Definition {
    let mut all = json!({
        "key": flag, "type": "boolean", "variants": {"off": false, "on": true},
        "closed": "off", "open": "on", "salt": flag,
    });
    for (name, value) in fields.as_object().unwrap() {
        all[name] = value.clone();
    }
    serde_json::from_value(all).unwrap()
}

/// A flag of three qualities with these further fields.
pub(crate) fn quality(flag: &str, fields: &Json) -> Definition {
    let mut all = json!({
        "type": "integer", "variants": {"low": 40, "normal": 70, "high": 90},
        "closed": "low", "open": "normal",
    });
    for (name, value) in fields.as_object().unwrap() {
        all[name] = value.clone();
    }
    boolean(flag, &all)
}

pub(crate) fn update(definition: Definition, position: Position) -> FlagUpdate {
    let closed = definition.closed.clone();
    let value = definition.variants[&closed].clone();
    FlagUpdate {
        key: definition.key.clone(),
        position,
        closed: (closed, value),
        definition: Ok(Box::new(definition)),
    }
}

pub(crate) fn segment(name: &str, fields: &Json) -> SegmentUpdate {
    let mut all = json!({"key": name});
    for (field, value) in fields.as_object().unwrap() {
        all[field] = value.clone();
    }
    SegmentUpdate {
        key: SegmentKey::new(name).unwrap(),
        definition: Ok(Box::new(serde_json::from_value::<Segment>(all).unwrap())),
    }
}

pub(crate) fn closed() -> Position {
    Position::start()
}

pub(crate) fn open(percentage: &str) -> Position {
    Position::Open {
        exposure: Exposure::of(percentage.parse::<Percentage>().unwrap()),
    }
}

pub(crate) fn open_to(cohorts: &[&str], percentage: &str) -> Position {
    Position::Open {
        exposure: Exposure {
            cohorts: cohorts
                .iter()
                .map(|cohort| SegmentKey::new(cohort).unwrap())
                .collect(),
            percentage: percentage.parse().unwrap(),
        },
    }
}

pub(crate) fn pinned(variant: &str) -> Position {
    Position::Pinned {
        variant: VariantKey::new(variant).unwrap(),
    }
}

/// A rule set of one flag.
pub(crate) fn only(definition: Definition, position: Position) -> RuleSet {
    RuleSet::compile(7, vec![update(definition, position)], Vec::new())
}

pub(crate) fn user(unit: &str) -> Context {
    Context::new(unit)
}

pub(crate) fn context(json: &Json) -> Context {
    Context::from_json(json).unwrap()
}
