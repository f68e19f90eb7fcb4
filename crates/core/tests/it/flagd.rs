//! flagd files: what is imported answers as flagd documents it, and what is exported answers as we
//! do. A small engine of our own, written from the documentation, stands for flagd.

mod bucketing;
mod documented;
mod engine;
mod exported;
mod generated;
mod mapping;
mod refused;

use std::collections::BTreeMap;

use leverframe_core::flag::Kind;
use leverframe_core::flagd::{Import, ImportOptions, import};
use leverframe_flags::{
    Context, EnvironmentKey, Exposure, FlagUpdate, Percentage, Position, RuleSet,
};
use serde_json::{Value as Json, json};

fn options() -> ImportOptions {
    ImportOptions {
        environments: vec![EnvironmentKey::new("prod").unwrap()],
        owner: Some("web".to_owned()),
        kind: Kind::Ops,
        sunset: None,
        closed: BTreeMap::new(),
    }
}

fn imported(document: &Json) -> Import {
    import(document, &options()).unwrap()
}

/// The rule set of a document that was imported with its positions.
fn rule_set(document: &Json) -> RuleSet {
    let import = imported(document);
    assert_eq!(import.refusals, [], "{document}");
    let flags = import
        .flags
        .into_iter()
        .map(|flag| {
            let definition = flag.definition.in_environment("prod");
            let closed = definition.closed.clone();
            let value = definition.variants[&closed].clone();
            FlagUpdate {
                key: definition.key.clone(),
                position: if flag.is_enabled {
                    open()
                } else {
                    Position::start()
                },
                closed: (closed, value),
                definition: Ok(Box::new(definition)),
            }
        })
        .collect();
    let set = RuleSet::compile(1, flags, Vec::new());
    assert_eq!(set.refused().collect::<Vec<_>>(), []);
    set
}

fn open() -> Position {
    Position::Open {
        exposure: Exposure::of(Percentage::FULL),
    }
}

/// A document of one flag `f` with the variants a, b, c, true and false.
fn with_targeting(targeting: &Json) -> Json {
    json!({"flags": {"f": {
        "state": "ENABLED",
        "variants": {"a": "A", "b": "B", "c": "C", "true": "T", "false": "F"},
        "defaultVariant": "c",
        "targeting": targeting,
    }}})
}

/// What we answer to flag `f`.
fn ours(set: &RuleSet, context: &Json) -> String {
    let context = Context::from_json(context).unwrap().at(NOW_MS);
    set.evaluate("f", &context).unwrap().variant.to_owned()
}

const NOW_MS: i64 = 1_800_000_000_000;
