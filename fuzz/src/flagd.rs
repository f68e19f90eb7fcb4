//! A flagd file. What is imported can be served as it is, and what is exported of it and imported
//! again decides the same.

use std::collections::BTreeMap;

use leverframe_core::flag::{FlagDefinition, Kind};
use leverframe_core::flagd::{ExportedFlag, ImportOptions, export, import};
use leverframe_flags::{
    Context, EnvironmentKey, Exposure, FlagKey, FlagUpdate, Percentage, Position, RuleSet,
    VariantKey,
};
use serde_json::{Value as Json, json};

pub fn check(bytes: &[u8]) {
    let Ok(document) = serde_json::from_slice::<Json>(bytes) else {
        return;
    };
    let Ok(imported) = import(&document, &options(BTreeMap::new())) else {
        return;
    };
    for refusal in &imported.refusals {
        assert!(!refusal.why.is_empty() && refusal.path.starts_with('$'));
        let _ = refusal.to_string();
    }
    let definitions: Vec<&FlagDefinition> =
        imported.flags.iter().map(|flag| &flag.definition).collect();
    let before = served(&definitions);
    let flags: Vec<ExportedFlag> = imported
        .flags
        .iter()
        .map(|flag| ExportedFlag {
            definition: flag.definition.in_environment("prod"),
            position: open(),
            owner: flag.definition.owner.clone(),
        })
        .collect();
    let exported = export("prod", &flags, &[]);
    let closed: BTreeMap<FlagKey, VariantKey> = imported
        .flags
        .iter()
        .map(|flag| (flag.definition.key.clone(), flag.definition.closed.clone()))
        .filter(|(key, _)| exported.document["flags"].get(key.as_str()).is_some())
        .collect();
    let back = import(&exported.document, &options(closed)).expect("a flagd document");
    // What grows too long on the way is refused by name.
    let definitions: Vec<&FlagDefinition> =
        back.flags.iter().map(|flag| &flag.definition).collect();
    let after = served(&definitions);
    for flag in after.flags() {
        let key = flag.key.as_str();
        for context in contexts() {
            let variant = |set: &RuleSet| {
                let outcome = set.evaluate(key, &context);
                outcome.map(|outcome| outcome.variant.to_owned())
            };
            assert_eq!(
                variant(&before),
                variant(&after),
                "{key} for {context:?}\n{document}\nbecame\n{}",
                exported.document
            );
        }
    }
}

fn options(closed: BTreeMap<FlagKey, VariantKey>) -> ImportOptions {
    ImportOptions {
        environments: vec![EnvironmentKey::new("prod").expect("a key")],
        owner: Some("web".to_owned()),
        kind: Kind::Ops,
        sunset: None,
        closed,
    }
}

fn open() -> Position {
    Position::Open {
        exposure: Exposure::of(Percentage::FULL),
    }
}

fn served(definitions: &[&FlagDefinition]) -> RuleSet {
    let update = |definition: &&FlagDefinition| {
        let definition = definition.in_environment("prod");
        let closed = definition.closed.clone();
        FlagUpdate {
            key: definition.key.clone(),
            position: open(),
            closed: (closed.clone(), definition.variants[&closed].clone()),
            definition: Ok(Box::new(definition)),
        }
    };
    let set = RuleSet::compile(1, definitions.iter().map(update).collect(), Vec::new());
    assert_eq!(set.refused().next(), None, "what is imported can be served");
    set
}

fn contexts() -> impl Iterator<Item = Context> {
    [
        json!({}),
        json!({"targetingKey": "u-1", "plan": "beta", "age": 18, "version": "2.0.0", "email": "a@b.c"}),
        json!({"targetingKey": "u-2", "plan": "", "age": 17.5, "version": "1.9", "roles": ["admin"]}),
        json!({"targetingKey": "u-3", "plan": true, "age": "18", "version": 2, "a": {"b": "beta"}}),
        json!({"targetingKey": "u-4", "plan": 0, "age": false, "email": "", "roles": []}),
    ]
    .into_iter()
    .filter_map(|json| Context::from_json(&json).ok())
    .map(|context| context.at(1_800_000_000_000))
}
