//! What a definition or a segment must be, and what is said when it is not.

use leverframe_flags::{Definition, Segment, Serve, Value, limit};
use serde_json::{Value as Json, json};

use crate::shop;

/// The sentences about what is wrong.
fn errors(definition: &Definition) -> Vec<String> {
    definition
        .validate()
        .err()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[track_caller]
fn check(fields: &Json, parts: &[&str]) {
    let errors = errors(&shop::quality("f", fields));
    assert_eq!(errors.len(), parts.len(), "{errors:?}");
    for (error, part) in errors.iter().zip(parts) {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_sound_definition_has_no_errors() {
    check(
        &json!({
            "open": {"split": [{"variant": "normal", "weight": 33.333}, {"variant": "high", "weight": 66.667}]},
            "rules": [{"id": "r1", "when": "plan == \"beta\"", "serve": "high"}],
            "prerequisites": [{"flag": "other", "variants": ["on"]}],
            "unit": "account.id",
            "stale_after_s": 60,
        }),
        &[],
    );
}

#[test]
fn every_error_names_what_and_which() {
    check(&json!({"closed": "none"}), &["closed names variant none"]);
    check(&json!({"open": "none"}), &["high, low, normal"]);
    check(
        &json!({"variants": {"low": "40", "normal": 70}}),
        &["variant low is of type string"],
    );
    check(
        &json!({"variants": {}}),
        &["needs variants", "closed names", "open names"],
    );
    let split = |weights: [f64; 2]| {
        json!({"split": [
            {"variant": "normal", "weight": weights[0]}, {"variant": "high", "weight": weights[1]}
        ]})
    };
    check(
        &json!({"open": split([50.0, 49.999])}),
        &["add up to 99.999 %"],
    );
    check(
        &json!({"open": split([50.0, 50.001])}),
        &["add up to 100.001 %"],
    );
    check(
        &json!({"open": {"split": []}}),
        &["the split of open has no arms"],
    );
    let rule = |id: &str| json!({"id": id, "when": "true", "serve": "low"});
    check(
        &json!({"rules": [rule("a"), rule("a")]}),
        &["two rules have the id \"a\""],
    );
    check(&json!({"rules": [rule("a"), rule("")]}), &["rule number 2"]);
    check(&json!({"rules": [rule("a\u{1b}")]}), &["rule number 1"]);
    check(
        &json!({"rules": [{"id": "r", "when": "true", "serve": split([1.0, 1.0])}]}),
        &["the weights of rule \"r\" add up to 2 %"],
    );
    check(
        &json!({"prerequisites": [{"flag": "f"}]}),
        &["its own prerequisite"],
    );
    check(
        &json!({"prerequisites": [{"flag": "g"}, {"flag": "g"}]}),
        &["flag g is a prerequisite twice"],
    );
    check(&json!({"salt": "s".repeat(300)}), &["a salt has at most"]);
    check(
        &json!({"unit": ""}),
        &["`unit` is the name of an attribute"],
    );
    check(
        &json!({"stale_after_s": 0}),
        &["stale_after_s must be at least 1"],
    );
}

#[test]
fn counts_and_sizes_are_bounded() {
    let rules: Vec<Json> = (0..=limit::RULES_MAX)
        .map(|id| json!({"id": id.to_string(), "when": "true", "serve": "low"}))
        .collect();
    check(&json!({"rules": rules}), &["at most 500 rules"]);
    let flags: Vec<Json> = (0..=limit::PREREQUISITES_MAX)
        .map(|flag| json!({"flag": format!("p{flag}")}))
        .collect();
    check(
        &json!({"prerequisites": flags}),
        &["at most 20 prerequisites"],
    );
    let mut variants: serde_json::Map<String, Json> = (0..=limit::VARIANTS_MAX)
        .map(|number| (format!("v{number}"), json!(number)))
        .collect();
    check(
        &json!({"variants": variants, "closed": "v0", "open": "v1"}),
        &["at most 100 variants"],
    );
    variants = serde_json::Map::new();
    variants.insert("low".into(), json!("x".repeat(limit::VALUE_BYTES_MAX - 2)));
    check(
        &json!({"type": "string", "variants": variants, "open": "low"}),
        &[],
    );
    variants.insert("low".into(), json!("x".repeat(limit::VALUE_BYTES_MAX - 1)));
    check(
        &json!({"type": "string", "variants": variants, "open": "low"}),
        &["variant low takes more than 65536 bytes"],
    );
}

#[test]
fn whole_numbers_of_a_float_flag_become_floats_and_never_lose_a_digit() {
    let float = json!({"type": "float", "variants": {"low": 1, "normal": 2.5}});
    let mut definition = shop::quality("f", &float);
    assert_eq!(errors(&definition), [""; 0]);
    definition.normalise();
    assert_eq!(definition.variants["low"], Value::Float(1.0));

    let inexact =
        json!({"type": "float", "variants": {"low": 9_007_199_254_740_993_i64, "normal": 1}});
    let mut definition = shop::quality("f", &inexact);
    assert!(errors(&definition)[0].contains("variant low"));
    definition.normalise();
    assert_eq!(
        definition.variants["low"],
        Value::Integer(9_007_199_254_740_993)
    );

    definition
        .variants
        .insert("low".parse().unwrap(), Value::Float(f64::NAN));
    assert!(errors(&definition)[0].contains("variant low"));
}

#[test]
fn absent_salts_are_filled_in_so_that_split_and_exposure_are_independent() {
    let split = json!({"split": [{"variant": "low", "weight": 100}]});
    let mut definition = shop::quality(
        "f",
        &json!({
            "salt": "", "open": split, "rules": [{"id": "r", "when": "true", "serve": split}],
        }),
    );
    definition.normalise();
    let Serve::Split(open) = &definition.open else {
        panic!()
    };
    let Serve::Split(rule) = &definition.rules[0].serve else {
        panic!()
    };
    assert_eq!(
        (&*definition.salt, &*open.salt, &*rule.salt),
        ("f", "f/open", "f")
    );
    let once = definition.clone();
    definition.normalise();
    assert_eq!(definition, once);
}

#[test]
fn a_prerequisite_is_never_met_by_the_closed_variant() {
    let other = shop::boolean("other", &json!({}));
    let asked = |variants: Json| {
        let flag = shop::boolean(
            "f",
            &json!({"prerequisites": [{"flag": "other", "variants": variants}]}),
        );
        flag.validate_prerequisites(|key| (key.as_str() == "other").then_some(&other))
            .map_err(|errors| errors[0].to_string())
    };
    assert_eq!(asked(json!([])), Ok(()));
    assert_eq!(asked(json!(["on"])), Ok(()));
    assert!(
        asked(json!(["off"]))
            .unwrap_err()
            .contains("must never open another")
    );
    assert!(
        asked(json!(["blue"]))
            .unwrap_err()
            .contains("its variants are off, on")
    );
    let stray = shop::boolean("f", &json!({"prerequisites": [{"flag": "gone"}]}));
    let error = &stray.validate_prerequisites(|_| None).unwrap_err()[0];
    assert!(
        error
            .to_string()
            .contains("prerequisite gone does not exist")
    );
}

#[test]
fn a_segment_must_not_ask_about_itself_and_lists_only_units() {
    let check = |fields: Json, part: &str| {
        let segment: Segment = serde_json::from_value(fields).unwrap();
        let errors = segment.validate().unwrap_err();
        assert!(errors[0].to_string().contains(part), "{errors:?}");
    };
    check(
        json!({"key": "a", "when": "not segment a"}),
        "segment a asks about itself",
    );
    check(json!({"key": "a", "include": [""]}), "cannot be listed");
    check(
        json!({"key": "a", "exclude": ["x".repeat(1_025)]}),
        "cannot be listed",
    );
    let many = vec!["u"; limit::SEGMENT_UNITS_MAX + 1];
    check(json!({"key": "a", "include": many}), "at most 100000 units");
}

#[test]
fn a_definition_and_a_segment_tell_what_they_use() {
    let definition = shop::boolean(
        "f",
        &json!({
            "rules": [
                {"id": "a", "when": "segment staff or segment beta", "serve": "on"},
                {"id": "b", "when": "not segment staff", "serve": "on"},
            ],
            "prerequisites": [{"flag": "p"}],
        }),
    );
    let names = |found: Vec<String>| found.join(" ");
    assert_eq!(
        names(
            definition
                .segments()
                .iter()
                .map(ToString::to_string)
                .collect()
        ),
        "beta staff"
    );
    assert_eq!(
        names(
            definition
                .prerequisite_flags()
                .iter()
                .map(ToString::to_string)
                .collect()
        ),
        "p"
    );
    assert_eq!(
        names(
            shop::open_to(&["x", "y"], "1")
                .cohorts()
                .map(ToString::to_string)
                .collect()
        ),
        "x y"
    );
}
