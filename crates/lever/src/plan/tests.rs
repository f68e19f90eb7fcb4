use serde_json::{Value, json};

use super::*;

fn flag(more: &Value) -> Value {
    let mut flag = json!({
        "key": "a", "kind": "ops", "type": "boolean", "variants": {"on": true, "off": false},
        "closed": "off", "open": "on", "owner": "o",
    });
    for (name, value) in more.as_object().unwrap() {
        flag[name] = value.clone();
    }
    flag
}

fn there(definition: &Value, position: &Value) -> Flag {
    let key = definition["key"].clone();
    serde_json::from_value(json!({
        "definition": definition, "defined_revision": 7, "created_at": "", "archived": false,
        "levers": [{
            "flag": key, "environment": "prod", "position": position, "sentence": "", "revision": 7,
        }],
    }))
    .unwrap()
}

fn closed() -> Value {
    json!({"state": "closed", "latched": false, "variant": "off", "value": false})
}

fn open() -> Value {
    json!({"state": "open", "exposure": {"percentage": 1.0}})
}

fn segment(key: &str, when: &str) -> Value {
    json!({"key": key, "when": when})
}

fn wanted(flags: &[Value], segments: &[Value]) -> Definitions {
    Definitions {
        flags: flags
            .iter()
            .map(|flag| serde_json::from_value(flag.clone()).unwrap())
            .map(|flag: leverframe_wire::admin::FlagDefinition| (flag.key.clone(), flag))
            .collect(),
        segments: segments
            .iter()
            .map(|segment| serde_json::from_value(segment.clone()).unwrap())
            .map(|segment: leverframe_wire::admin::SegmentDefinition| {
                (segment.key.clone(), segment)
            })
            .collect(),
        plans: std::collections::BTreeMap::new(),
    }
}

fn steps(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| {
            format!(
                "{:?} {} {}",
                step.action,
                step.definition.noun(),
                step.definition.key()
            )
        })
        .collect()
}

#[test]
fn a_file_that_leaves_out_what_the_server_made_is_no_difference() {
    let present = Present {
        flags: vec![there(
            &flag(&json!({
                "salt": "a", "hash": "native",
                "open": {"split": [{"variant": "on", "weight": 50.0}, {"variant": "off", "weight": 50.0}],
                    "salt": "s1"},
                "environments": {"prod": {"rules": [
                    {"id": "r1", "when": "x == 1", "serve": "on"},
                    {"id": "r2", "when": "plan == \"beta\"",
                        "serve": {"split": [{"variant": "on", "weight": 100.0}], "salt": "s2"}},
                ]}},
            })),
            &closed(),
        )],
        segments: vec![],
        plans: vec![],
    };
    let file = flag(&json!({
        "open": {"split": [{"variant": "on", "weight": 50}, {"variant": "off", "weight": 50}]},
        "environments": {
            "dev": {},
            "prod": {"rules": [
                {"when": "x  ==  1", "serve": "on"},
                {"when": "plan==\"beta\"", "serve": {"split": [{"variant": "on", "weight": 100}]}},
            ]},
        },
    }));
    let plan = Plan::between(&present, &wanted(&[file], &[]), false);
    assert_eq!(plan, Plan::default());
}

#[test]
fn a_rule_that_moves_keeps_its_name_and_its_salt() {
    let split = |salt: &str| json!({"split": [{"variant": "on", "weight": 100.0}], "salt": salt});
    let rule =
        |id: &str, when: &str, salt: &str| json!({"id": id, "when": when, "serve": split(salt)});
    let present = Present {
        flags: vec![there(
            &flag(&json!({"environments": {"prod": {"rules": [
                rule("r1", "x == 1", "s1"), rule("r2", "x == 2", "s2"),
            ]}}})),
            &closed(),
        )],
        segments: vec![],
        plans: vec![],
    };
    let file = flag(&json!({"environments": {"prod": {"rules": [
        {"when": "x == 3", "serve": "on"},
        {"when": "x == 2", "serve": {"split": [{"variant": "on", "weight": 100}]}},
        {"when": "x == 1", "serve": {"split": [{"variant": "on", "weight": 100}]}},
    ]}}}));
    let plan = Plan::between(&present, &wanted(&[file], &[]), false);
    let [step] = plan.steps.as_slice() else {
        panic!("one edit: {plan:?}");
    };
    let Definition::Flag(flag) = &step.definition else {
        panic!("a flag");
    };
    let rules = &flag.environments["prod"].rules;
    let ids: Vec<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["", "r2", "r1"]);
    assert_eq!(json!(rules[1].serve)["salt"], "s2");
    assert_eq!(json!(rules[2].serve)["salt"], "s1");
}

#[test]
fn a_difference_names_the_path_and_both_sides() {
    let present = Present {
        flags: vec![there(&flag(&json!({"runbook": "old"})), &closed())],
        segments: vec![],
        plans: vec![],
    };
    let plan = Plan::between(
        &present,
        &wanted(&[flag(&json!({"owner": "p"}))], &[]),
        false,
    );
    let differences = &plan.steps[0].differences;
    assert_eq!(
        json!(differences),
        json!([
            {"path": "owner", "from": "o", "to": "p"},
            {"path": "runbook", "from": "old", "to": null},
        ])
    );
}

#[test]
fn what_others_need_is_made_first_and_removed_last() {
    let uses = |segment: &str, needs: Value| {
        json!({"prod": {
            "rules": [{"when": format!("segment {segment}"), "serve": "on"}], "prerequisites": needs,
        }})
    };
    let files = wanted(
        &[
            flag(&json!({"environments": uses("one", json!([{"flag": "b"}]))})),
            flag(&json!({"key": "b"})),
        ],
        &[segment("one", "segment two"), segment("two", "x == 1")],
    );
    let plan = Plan::between(&Present::default(), &files, false);
    assert_eq!(
        steps(&plan),
        [
            "Create segment two",
            "Create segment one",
            "Create flag b",
            "Create flag a"
        ]
    );

    let present = Present {
        flags: files
            .flags
            .values()
            .map(|flag| there(&json!(flag), &closed()))
            .collect(),
        segments: files
            .segments
            .values()
            .map(|segment| {
                serde_json::from_value(json!({"definition": segment, "revision": 3, "used_by": []}))
                    .unwrap()
            })
            .collect(),
        plans: vec![],
    };
    let plan = Plan::between(&present, &Definitions::default(), true);
    assert_eq!(
        steps(&plan),
        [
            "Remove flag a",
            "Remove flag b",
            "Remove segment one",
            "Remove segment two"
        ]
    );
}

#[test]
fn nothing_is_taken_away_unless_asked_and_never_what_is_not_closed() {
    let present = Present {
        flags: vec![
            there(&flag(&json!({"key": "quiet"})), &closed()),
            there(&flag(&json!({"key": "busy"})), &open()),
        ],
        segments: vec![],
        plans: vec![],
    };
    let files = wanted(&[], &[]);
    let plan = Plan::between(&present, &files, false);
    assert_eq!((plan.steps.len(), plan.kept.len()), (0, 2));
    let plan = Plan::between(&present, &files, true);
    assert_eq!(steps(&plan), ["Remove flag quiet"]);
    assert_eq!(
        plan.kept,
        ["flag busy is only on the server and not closed in prod"]
    );
}

#[test]
fn a_circle_ends() {
    let files = wanted(
        &[],
        &[segment("one", "segment two"), segment("two", "segment one")],
    );
    assert_eq!(
        Plan::between(&Present::default(), &files, false)
            .steps
            .len(),
        2
    );
}
