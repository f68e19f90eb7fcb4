use leverframe_core::flagd::{DocumentError, import};
use leverframe_core::limit::TARGETING_DEPTH_MAX;
use serde_json::{Value as Json, json};

use super::{imported, options, with_targeting};

#[test]
fn what_cannot_be_said_is_named_with_its_place_and_why() {
    let var = |name: &str| json!({"var": name});
    let condition = |condition: Json| json!({"if": [condition, "a"]});
    let table = [
        // The operator, where below the targeting, and a word of why.
        (
            condition(json!({"==": [var("a"), var("b")]})),
            "==",
            ".if[0].==",
            "two attributes",
        ),
        (
            condition(json!({"<": [var("a"), "10"]})),
            "<",
            ".if[0].<",
            "only numbers",
        ),
        (
            condition(json!({">": [1, var("a"), 2]})),
            ">",
            ".if[0].>",
            "engines disagree",
        ),
        (
            condition(json!({">": [{"+": [var("a"), 1]}, 2]})),
            "+",
            ".if[0].>[0].+",
            "cannot be what",
        ),
        (
            condition(json!({"in": [var("a"), "abc"]})),
            "in",
            ".if[0].in",
            "part of a constant",
        ),
        (
            condition(json!({"some": [var("a"), true]})),
            "some",
            ".if[0].some",
            "cannot be walked",
        ),
        (
            condition(json!({"missing": ["a"]})),
            "missing",
            ".if[0].missing",
            "empty text",
        ),
        (
            condition(json!({"==": [var("list.0"), "a"]})),
            "var",
            ".if[0].==[0].var",
            "by its place",
        ),
        (
            condition(json!({"==": [var(""), "a"]})),
            "var",
            ".if[0].==[0].var",
            "whole context",
        ),
        (
            condition(json!({"==": [var("$flagd.other"), "a"]})),
            "var",
            ".if[0].==[0].var",
            "flagd puts no",
        ),
        (
            condition(json!({"==": [var("$flagd.timestamp"), 5]})),
            "==",
            ".if[0].==",
            "before or after",
        ),
        (
            condition(json!({"sem_ver": [var("v"), "<", "x"]})),
            "sem_ver",
            ".if[0].sem_ver",
            "semantic version",
        ),
        (
            condition(json!({"sem_ver": [var("v"), "=>", "1.0.0"]})),
            "sem_ver",
            ".if[0].sem_ver",
            "no version comparison",
        ),
        (
            condition(json!({"fractional": [["a", 1], ["b", 1]]})),
            "fractional",
            ".if[0].fractional",
            "by chance",
        ),
        (
            condition(json!({"$ref": "nowhere"})),
            "$ref",
            ".if[0]",
            "no evaluator",
        ),
        (
            condition(json!({"equals": [1, 1]})),
            "equals",
            ".if[0].equals",
            "not an operator",
        ),
        (
            json!({"var": "variant"}),
            "var",
            ".var",
            "rule for each variant",
        ),
        (
            json!({"cat": ["a", var("b")]}),
            "cat",
            ".cat",
            "rule for each variant",
        ),
        (
            json!({"fractionalEvaluation": ["email", ["a", 100]]}),
            "fractionalEvaluation",
            ".fractionalEvaluation",
            "hashes differently",
        ),
        (
            json!({"fractional": [["a", {"+": [1]}], ["b", 1]]}),
            "fractional",
            ".fractional",
            "computed",
        ),
        (
            json!({"fractional": [[{"fractional": [["a", 1], ["b", 1]]}, 1], ["b", 1]]}),
            "fractional",
            ".fractional[0][0].fractional",
            "inside an arm",
        ),
        (
            json!({"fractional": [{"cat": [var("a"), var("b")]}, ["a", 1], ["b", 1]]}),
            "cat",
            ".fractional[0].cat",
            "comes last",
        ),
        (
            json!({"if": [var("x"), {"fractional": [{"var": "email"}, ["a", 1], ["b", 1]]},
                {"fractional": [["a", 1], ["b", 1]]}]}),
            "fractional",
            ".if[2].fractional",
            "one unit",
        ),
    ];
    for (targeting, operator, place, why) in table {
        let import = imported(&with_targeting(&targeting));
        let [refusal] = import.refusals.as_slice() else {
            panic!("{targeting}: {import:?}");
        };
        assert_eq!(refusal.flag, "f");
        assert_eq!(refusal.operator.as_deref(), Some(operator), "{refusal}");
        assert_eq!(
            refusal.path,
            format!("$.flags.f.targeting{place}"),
            "{refusal}"
        );
        assert!(refusal.why.contains(why), "{refusal}");
    }
}

#[test]
fn a_flag_that_is_no_flag_is_refused_and_the_others_come_through() {
    let sound =
        json!({"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"});
    let with = |field: &str, value: Json| {
        let mut flag = sound.clone();
        flag[field] = value;
        flag
    };
    let document = json!({"flags": {
        "sound": sound,
        "no state": sound,
        "state": with("state", json!("PAUSED")),
        "none": with("variants", json!({})),
        "mixed": with("variants", json!({"on": true, "off": "no"})),
        "null": with("variants", json!({"on": null})),
        "space": with("variants", json!({"on it": true})),
        "default": with("defaultVariant", json!("blue")),
        "absent": with("defaultVariant", json!(null)),
        "unknown": with("targeting", json!({"if": [true, "blue"]})),
        "list": with("targeting", json!(["on"])),
    }});
    let import = imported(&document);
    let names: Vec<&str> = import
        .flags
        .iter()
        .map(|flag| flag.definition.key.as_str())
        .collect();
    assert_eq!(names, ["sound"]);
    let why = |flag: &str| {
        let refusal = import.refusals.iter().find(|refusal| refusal.flag == flag);
        refusal
            .unwrap_or_else(|| panic!("{flag}: {import:?}"))
            .why
            .clone()
    };
    for (flag, part) in [
        ("no state", "may hold only"),
        ("state", "neither ENABLED nor DISABLED"),
        ("none", "no variant"),
        ("mixed", "several types"),
        ("null", "null"),
        ("space", "may hold only"),
        ("default", "not one of the variants"),
        ("absent", "caller"),
        ("unknown", "\"blue\", which is no variant"),
        ("list", "list"),
    ] {
        assert!(why(flag).contains(part), "{flag}: {}", why(flag));
    }
}

#[test]
fn a_document_that_is_none_says_what_is_missing() {
    let refused = |document: Json| import(&document, &options()).unwrap_err();
    assert_eq!(refused(json!({})), DocumentError::NoFlags);
    for document in [
        json!([]),
        json!({"flags": 3}),
        json!({"flags": {}, "$evaluators": []}),
    ] {
        assert!(matches!(refused(document), DocumentError::NotA { .. }));
    }
}

#[test]
fn targetings_are_bounded_whatever_evaluators_do() {
    let refusal = |document: &Json| imported(document).refusals[0].why.clone();
    // One that refers to itself.
    let mut circle = with_targeting(&json!({"if": [{"$ref": "x"}, "a"]}));
    circle["$evaluators"] = json!({"x": {"!": {"$ref": "x"}}});
    assert!(refusal(&circle).contains("refers to itself"));
    // Ones that double at every step.
    let mut doubling = with_targeting(&json!({"if": [{"$ref": "e0"}, "a"]}));
    let mut evaluators = serde_json::Map::new();
    for step in 0..15 {
        let next = json!({"$ref": format!("e{}", step + 1)});
        evaluators.insert(format!("e{step}"), json!({"and": [next, next]}));
    }
    evaluators.insert("e15".to_owned(), json!({"var": "x"}));
    doubling["$evaluators"] = json!(evaluators);
    assert!(
        refusal(&doubling).contains("parts"),
        "{}",
        refusal(&doubling)
    );
    let mut deep = json!({"var": "x"});
    for _ in 0..TARGETING_DEPTH_MAX {
        deep = json!({"!": deep});
    }
    assert!(refusal(&with_targeting(&json!({"if": [deep, "a"]}))).contains("deeper"));
    // Arms that all choose: every choice doubles the rules.
    let arm = json!([{"if": [{"var": "x"}, "a", "b"]}, 10]);
    let arms: Vec<&Json> = std::iter::repeat_n(&arm, 40).collect();
    let why = refusal(&with_targeting(&json!({"fractional": arms})));
    assert!(why.contains("parts"), "{why}");
}
