use leverframe_core::flagd::{ImportOptions, import};
use leverframe_flags::{FlagKey, Serve, ValueType, VariantKey};
use serde_json::{Value as Json, json};

use super::{imported, options, ours, rule_set};

fn document(variants: &Json, default: &str, more: &Json) -> Json {
    let mut flag = json!({"state": "ENABLED", "variants": variants, "defaultVariant": default});
    for (field, value) in more.as_object().unwrap() {
        flag[field] = value.clone();
    }
    json!({"flags": {"f": flag}})
}

fn variant(name: &str) -> VariantKey {
    VariantKey::new(name).unwrap()
}

#[test]
fn a_boolean_flag_closes_to_false_and_any_other_to_its_default() {
    let closed = |variants: Json, default: &str| {
        let import = imported(&document(&variants, default, &json!({})));
        import.flags[0].definition.closed.to_string()
    };
    assert_eq!(closed(json!({"on": true, "off": false}), "on"), "off");
    assert_eq!(closed(json!({"on": true, "off": false}), "off"), "off");
    assert_eq!(
        closed(json!({"no": false, "never": false, "on": true}), "no"),
        "no"
    );
    assert_eq!(closed(json!({"on": true}), "on"), "on");
    assert_eq!(closed(json!({"red": "r", "blue": "b"}), "red"), "red");
}

#[test]
fn the_closed_variant_can_be_named_and_must_exist() {
    let named = |flag: &str, variant_name: &str| {
        let closed = [(FlagKey::new(flag).unwrap(), variant(variant_name))];
        let options = ImportOptions {
            closed: closed.into(),
            ..options()
        };
        let variants = json!({"red": "r", "blue": "b"});
        import(&document(&variants, "red", &json!({})), &options).unwrap()
    };
    let import = named("f", "blue");
    assert_eq!(import.flags[0].definition.closed, variant("blue"));
    assert_eq!(
        import.flags[0].definition.open,
        Serve::Variant(variant("red"))
    );
    assert!(named("f", "green").refusals[0].why.contains("green"));
    assert!(named("g", "blue").refusals[0].why.contains("no such flag"));
}

#[test]
fn the_type_is_that_of_all_values_and_whole_numbers_among_floats_are_floats() {
    let of = |variants: Json| {
        imported(&document(&variants, "a", &json!({}))).flags[0]
            .definition
            .value_type
    };
    assert_eq!(of(json!({"a": true})), ValueType::Boolean);
    assert_eq!(of(json!({"a": "x", "b": "y"})), ValueType::String);
    assert_eq!(of(json!({"a": 1, "b": -2})), ValueType::Integer);
    assert_eq!(of(json!({"a": 1, "b": 2.5})), ValueType::Float);
    assert_eq!(of(json!({"a": {"x": 1}, "b": []})), ValueType::Object);
}

#[test]
fn a_chain_of_conditions_becomes_rules_in_its_order_and_the_rest_is_open() {
    let targeting = json!({"targeting": {"if": [
        {"==": [{"var": "plan"}, "beta"]}, "b",
        {"ends_with": [{"var": "email"}, "@acme.test"]}, {"if": [{"<": [{"var": "age"}, 18]}, "a", "b"]},
        "a",
    ]}});
    let import = imported(&document(&json!({"a": 1, "b": 2}), "a", &targeting));
    let definition = &import.flags[0].definition;
    let rules: Vec<String> = definition
        .rules_in("prod")
        .iter()
        .map(|rule| format!("{} {} {:?}", rule.id, rule.when, rule.serve))
        .collect();
    assert_eq!(
        rules,
        [
            r#"flagd-1 plan == "beta" Variant("b")"#,
            r#"flagd-2 email ends_with "@acme.test" and (age missing or age < 18) Variant("a")"#,
            r#"flagd-3 email ends_with "@acme.test" Variant("b")"#,
        ]
    );
    assert_eq!(definition.open, Serve::Variant(variant("a")));
}

#[test]
fn a_disabled_flag_stays_closed_and_says_so() {
    let disabled = json!({"state": "DISABLED", "targeting": {"if": [true, "on"]}});
    let document = document(&json!({"on": true, "off": false}), "on", &disabled);
    let import = imported(&document);
    assert!(!import.flags[0].is_enabled);
    assert!(
        import.remarks[0].what.contains("DISABLED"),
        "{:?}",
        import.remarks
    );
    assert_eq!(ours(&rule_set(&document), &json!({})), "off");
}

#[test]
fn an_empty_targeting_is_none() {
    for targeting in [json!({}), json!(null)] {
        let document = document(
            &json!({"on": true, "off": false}),
            "on",
            &json!({"targeting": targeting}),
        );
        assert_eq!(ours(&rule_set(&document), &json!({})), "on");
    }
}

#[test]
fn metadata_give_owner_and_description_and_what_is_lost_is_said() {
    let metadata =
        json!({"metadata": {"owner": "team-pay", "description": "the new one", "version": "v7"}});
    let document = document(&json!({"on": true}), "on", &metadata);
    let import = imported(&document);
    let definition = &import.flags[0].definition;
    assert_eq!(
        (definition.owner.as_str(), definition.description.as_str()),
        ("team-pay", "the new one")
    );
    assert!(
        import.remarks[0].what.contains("version"),
        "{:?}",
        import.remarks
    );

    let nobody = ImportOptions {
        owner: None,
        ..options()
    };
    let mut unowned = document;
    unowned["flags"]["f"]["metadata"] = json!({});
    let refusals = leverframe_core::flagd::import(&unowned, &nobody)
        .unwrap()
        .refusals;
    assert!(refusals[0].why.contains("--owner"), "{refusals:?}");
    unowned["metadata"] = json!({"owner": "web"});
    assert_eq!(
        leverframe_core::flagd::import(&unowned, &nobody)
            .unwrap()
            .flags
            .len(),
        1
    );
}

#[test]
fn flags_may_come_as_a_list() {
    let document = json!({"flags": [
        {"key": "f", "state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
    ]});
    assert_eq!(ours(&rule_set(&document), &json!({})), "on");
}

#[test]
fn a_comparison_that_engines_disagree_about_is_remarked_on() {
    let targeting = json!({"targeting": {"if": [{"==": [{"var": "vip"}, false]}, "off", "on"]}});
    let import = imported(&document(
        &json!({"on": true, "off": false}),
        "on",
        &targeting,
    ));
    assert!(
        import.remarks[0].what.contains("disagree"),
        "{:?}",
        import.remarks
    );
}

#[test]
fn the_conditions_of_the_reference_page_become_the_rules_it_shows() {
    let page = include_str!("../../../../../docs/reference/flagd-files.md");
    let mut checked = 0;
    for line in page.lines().filter(|line| line.starts_with("| `{")) {
        let cells: Vec<&str> = line.split('`').collect();
        let [_, logic, _, rule, ..] = cells.as_slice() else {
            continue;
        };
        let logic: Json = serde_json::from_str(logic).unwrap();
        if logic.get("cat").is_some() || logic.get("var").is_some() {
            continue;
        }
        let import = imported(&super::with_targeting(&json!({"if": [logic, "a"]})));
        let rules = import.flags[0].definition.rules_in("prod");
        assert_eq!(rules[0].when.to_string(), *rule, "{logic}");
        checked += 1;
    }
    assert_eq!(checked, 11);
}
