use leverframe_core::flagd::{Export, ExportedFlag, export};
use leverframe_flags::{
    Context, Definition, Exposure, FlagUpdate, Latch, Position, RuleSet, Segment, SegmentKey,
    SegmentUpdate, Value, VariantKey,
};
use serde_json::{Value as Json, json};

use super::{NOW_MS, engine, imported, open};

/// A boolean flag `off`/`on` with these further fields.
pub(crate) fn flag(key: &str, fields: &Json, position: Position) -> ExportedFlag {
    let mut all = json!({
        "key": key, "type": "boolean", "variants": {"off": false, "on": true},
        "closed": "off", "open": "on", "salt": key,
    });
    for (name, value) in fields.as_object().unwrap() {
        all[name] = value.clone();
    }
    let mut definition: Definition = serde_json::from_value(all).unwrap();
    definition.normalise();
    ExportedFlag {
        definition,
        position,
        owner: "web".to_owned(),
    }
}

pub(crate) fn segment(key: &str, fields: &Json) -> Segment {
    let mut all = json!({"key": key});
    for (name, value) in fields.as_object().unwrap() {
        all[name] = value.clone();
    }
    serde_json::from_value(all).unwrap()
}

pub(crate) fn own_rule_set(flags: &[ExportedFlag], segments: &[Segment]) -> RuleSet {
    let flags = flags.iter().map(|flag| FlagUpdate {
        key: flag.definition.key.clone(),
        position: flag.position.clone(),
        closed: (
            flag.definition.closed.clone(),
            flag.definition.variants[&flag.definition.closed].clone(),
        ),
        definition: Ok(Box::new(flag.definition.clone())),
    });
    let segments = segments.iter().map(|segment| SegmentUpdate {
        key: segment.key.clone(),
        definition: Ok(Box::new(segment.clone())),
    });
    let set = RuleSet::compile(1, flags.collect(), segments.collect());
    assert_eq!(set.refused().collect::<Vec<_>>(), []);
    set
}

fn percent(percentage: &str, cohorts: &[&str]) -> Position {
    Position::Open {
        exposure: Exposure {
            cohorts: cohorts
                .iter()
                .map(|key| SegmentKey::new(key).unwrap())
                .collect(),
            percentage: percentage.parse().unwrap(),
        },
    }
}

fn done(export: Export) -> Json {
    assert_eq!(export.refusals, []);
    export.document
}

fn contexts() -> Vec<Json> {
    let mut contexts = vec![
        json!({}),
        json!({"plan": "beta"}),
        json!({"age": 7}),
        json!({"roles": "administrator", "email": ["acme", "else"]}),
        json!({"roles": "dev", "email": []}),
        json!({"roles": 3, "email": true}),
        json!({"roles": [], "email": {"acme": "acme"}}),
    ];
    for number in 0..300 {
        let plan = ["beta", "free", "team"][number % 3];
        let roles = if number % 2 == 0 {
            json!(["dev"])
        } else {
            json!(["dev", "admin"])
        };
        contexts.push(json!({
            "targetingKey": format!("u-{number}"), "plan": plan, "age": number % 40,
            "email": format!("{number}@{}.test", ["acme", "else"][number % 2]),
            "vip": number % 5 == 0, "app": format!("{}.{}.0", number % 4, number % 7),
            "roles": roles,
        }));
    }
    contexts
}

/// Both flagd and we answer the same, and so does what is read back.
fn agree(flags: &[ExportedFlag], segments: &[Segment]) -> Json {
    let document = done(export("prod", flags, segments));
    let set = own_rule_set(flags, segments);
    for context in contexts() {
        for flag in flags {
            let key = flag.definition.key.as_str();
            let asked = Context::from_json(&context).unwrap().at(NOW_MS);
            let ours = set.evaluate(key, &asked).unwrap().variant;
            let flagd = engine::answer(&document, key, &context);
            assert_eq!(
                flagd, ours,
                "{key} of {context}: {}",
                document["flags"][key]
            );
        }
    }
    document
}

#[test]
fn a_closed_flag_is_enabled_and_its_default_is_what_it_was_closed_to() {
    let latched = Position::Closed {
        latch: Some(Latch {
            variant: VariantKey::new("off").unwrap(),
            value: Value::Boolean(false),
        }),
    };
    for position in [Position::start(), latched] {
        let rules = json!({"rules": [{"id": "r", "when": "true", "serve": "on"}]});
        let document = agree(&[flag("f", &rules, position)], &[]);
        let printed = &document["flags"]["f"];
        assert_eq!(printed["state"], "ENABLED");
        assert_eq!(printed["defaultVariant"], "off");
        assert_eq!(printed.get("targeting"), None);
        assert_eq!(printed["variants"], json!({"off": false, "on": true}));
    }
}

#[test]
fn a_pin_and_a_full_exposure_need_no_targeting() {
    let pinned = Position::Pinned {
        variant: VariantKey::new("on").unwrap(),
    };
    for position in [pinned, open()] {
        let document = agree(&[flag("f", &json!({}), position)], &[]);
        assert_eq!(document["flags"]["f"]["defaultVariant"], "on");
        assert_eq!(document["flags"]["f"].get("targeting"), None);
    }
    let document = agree(&[flag("f", &json!({}), percent("0", &[]))], &[]);
    assert_eq!(document["flags"]["f"]["defaultVariant"], "off");
}

#[test]
fn exposures_and_splits_keep_everybody_where_they_are() {
    let split = json!({"split": [
        {"variant": "off", "weight": 12.5}, {"variant": "on", "weight": 87.5},
    ]});
    let flags = [
        flag("quarter", &json!({}), percent("25", &[])),
        flag(
            "salted",
            &json!({"salt": "an old one"}),
            percent("0.125", &[]),
        ),
        flag("split", &json!({"open": split}), open()),
        flag("part-of-split", &json!({"open": split}), percent("50", &[])),
        flag("by-email", &json!({"unit": "email"}), percent("50", &[])),
        flag("by-number", &json!({"unit": "age"}), percent("50", &[])),
        flag(
            "unsalted",
            &json!({"unit": "email", "hash": "unsalted", "open": split}),
            percent("50", &[]),
        ),
        flag(
            "rule",
            &json!({"rules": [{"id": "r", "when": "plan == \"beta\"", "serve": split}]}),
            percent("50", &[]),
        ),
    ];
    agree(&flags, &[]);
}

#[test]
fn cohorts_and_segments_become_evaluators_that_refer_to_nothing() {
    let segments = [
        segment(
            "staff",
            &json!({"when": "email ends_with \"@acme.test\"", "include": ["u-1", "u-3"], "exclude": ["u-2"]}),
        ),
        segment("named", &json!({"include": ["u-5", "u-6"]})),
        segment(
            "not-named",
            &json!({"when": "not segment named", "exclude": ["u-9"]}),
        ),
        segment("empty", &json!({})),
        segment(
            "dollar",
            &json!({"when": "plan in [\"$& $1 $$\", \"beta\"]"}),
        ),
    ];
    let rule = |when: &str| json!({"rules": [{"id": "r", "when": when, "serve": "on"}]});
    let flags = [
        flag("cohort", &json!({}), percent("10", &["staff"])),
        flag("cohorts", &json!({}), percent("0", &["named", "dollar"])),
        flag("in", &rule("segment in [staff, named]"), percent("0", &[])),
        flag("not-in", &rule("not segment staff"), percent("0", &[])),
        flag(
            "nested",
            &rule("segment not-named or not segment not-named and plan == \"beta\""),
            percent("0", &[]),
        ),
        flag(
            "none",
            &rule("segment empty or not segment empty and vip == true"),
            percent("0", &[]),
        ),
        flag("not-dollar", &rule("not segment dollar"), percent("0", &[])),
    ];
    let document = agree(&flags, &segments);
    let evaluators = document["$evaluators"].as_object().unwrap();
    assert!(evaluators.contains_key("segment.staff"), "{evaluators:?}");
    assert!(
        evaluators.contains_key("not-segment.staff"),
        "{evaluators:?}"
    );
    for (name, evaluator) in evaluators {
        let text = evaluator.to_string();
        assert!(
            !text.contains("$ref") && !text.contains("$&"),
            "{name}: {text}"
        );
    }
}

#[test]
fn every_condition_is_answered_alike_in_all_three_cases() {
    let conditions = [
        "plan == \"beta\"",
        "plan != \"beta\"",
        "age == 7",
        "age != 7",
        "vip == true",
        "vip != true",
        "age < 18",
        "age >= 18",
        "plan in [\"beta\", \"team\"]",
        "age in [1, 2.5, 3]",
        "vip in [true]",
        "email starts_with \"1\"",
        "email ends_with \"@acme.test\"",
        "app semver >= \"2.1.0\"",
        "app semver == \"1.1.0\"",
        "app semver != \"1.1.0\"",
        "plan missing",
        "plan present",
        "roles contains \"admin\"",
        "email contains \"acme\"",
        "roles contains 3",
        "targetingKey in [\"u-1\", \"u-2\"]",
        "now before \"2027-01-01\"",
        "now after \"2027-01-01\"",
        "now < 1900000000000",
        "true",
        "false",
    ];
    for condition in conditions {
        let rules = json!([
            {"id": "is", "when": condition, "serve": "on"},
            {"id": "not", "when": format!("not ({condition})"), "serve": "off"},
        ]);
        let fields = json!({"variants": {"off": false, "on": true, "unknown": true}, "open": "unknown", "rules": rules});
        agree(&[flag("f", &fields, open())], &[]);
    }
}

#[test]
fn a_prerequisite_that_gives_everybody_the_same_is_settled() {
    let needs =
        |variants: Json| json!({"prerequisites": [{"flag": "other", "variants": variants}]});
    let pinned = |variant: &str| Position::Pinned {
        variant: VariantKey::new(variant).unwrap(),
    };
    for (needs, position) in [
        (needs(json!([])), Position::start()),
        (needs(json!([])), pinned("on")),
        (needs(json!([])), pinned("off")),
        (needs(json!(["on"])), pinned("on")),
    ] {
        agree(
            &[
                flag("f", &needs, open()),
                flag("other", &json!({}), position),
            ],
            &[],
        );
    }
}

#[test]
fn what_flagd_cannot_say_is_named_and_left_out() {
    let rule = |when: &str| json!({"rules": [{"id": "by-path", "when": when, "serve": "on"}]});
    let table = [
        (rule("path matches \"^/api\""), "no regular expressions"),
        (rule("ip in 10.0.0.0/8"), "no networks"),
        (rule("signup before \"2026-01-01\""), "no dates"),
        (rule("id == 9007199254740993"), "some engines round it"),
        (rule("`a\\\\b` == 1"), "the attribute"),
        (rule("segment net"), "no networks"),
        (
            json!({"prerequisites": [{"flag": "open"}]}),
            "no prerequisites",
        ),
    ];
    let segments = [segment("net", &json!({"when": "ip in 10.0.0.0/8"}))];
    for (fields, why) in table {
        let flags = [flag("f", &fields, open()), flag("open", &json!({}), open())];
        let export = export("prod", &flags, &segments);
        assert_eq!(export.refusals.len(), 1, "{fields}");
        assert_eq!(export.refusals[0].flag, "f");
        assert!(
            export.refusals[0].why.contains(why),
            "{}",
            export.refusals[0]
        );
        assert!(export.document["flags"].get("f").is_none());
        assert!(export.document["flags"].get("open").is_some());
        // Closed, it can be said all the same: a kill is never refused.
        let closed = [flag("f", &fields, Position::start()), flags[1].clone()];
        assert_eq!(
            leverframe_core::flagd::export("prod", &closed, &segments).refusals,
            []
        );
    }
}

#[test]
fn a_clock_of_whole_seconds_and_stale_after_are_remarked_on() {
    let rule = json!({"rules": [{"id": "r", "when": "now after \"2027-01-01\"", "serve": "on"}], "stale_after_s": 60});
    let export = export("prod", &[flag("f", &rule, open())], &[]);
    let remarks: Vec<String> = export.remarks.iter().map(ToString::to_string).collect();
    assert!(
        remarks
            .iter()
            .any(|remark| remark.contains("to the second")),
        "{remarks:?}"
    );
    assert!(
        remarks.iter().any(|remark| remark.contains("stale_after")),
        "{remarks:?}"
    );
}

#[test]
fn every_value_is_written_as_its_type_is() {
    let fields = json!({"type": "float", "variants": {"short": 0.5, "long": 10}, "closed": "short", "open": "long"});
    let document = agree(&[flag("f", &fields, open())], &[]);
    assert_eq!(
        document["flags"]["f"]["variants"].to_string(),
        r#"{"long":10.0,"short":0.5}"#
    );
    let import = imported(&document);
    assert_eq!(import.refusals, []);
    assert_eq!(import.flags[0].definition.value_type.as_str(), "float");
}
