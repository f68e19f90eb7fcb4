use serde_json::{Value as Json, json};

use super::{engine, ours, rule_set, with_targeting};

/// A condition, a context, and whether flagd documents it as true of it.
#[expect(clippy::too_many_lines, reason = "a table")]
fn conditions() -> Vec<(Json, Json, bool)> {
    let var = |name: &str| json!({"var": name});
    vec![
        // Equality, with coercion and without.
        (
            json!({"==": [var("plan"), "beta"]}),
            json!({"plan": "beta"}),
            true,
        ),
        (
            json!({"==": [var("plan"), "beta"]}),
            json!({"plan": "Beta"}),
            false,
        ),
        (json!({"==": [var("plan"), "beta"]}), json!({}), false),
        (
            json!({"==": ["beta", var("plan")]}),
            json!({"plan": "beta"}),
            true,
        ),
        (
            json!({"!=": [var("plan"), "beta"]}),
            json!({"plan": "free"}),
            true,
        ),
        (json!({"!=": [var("plan"), "beta"]}), json!({}), true),
        (
            json!({"!=": [var("plan"), "beta"]}),
            json!({"plan": null}),
            true,
        ),
        (json!({"==": [var("age"), 1]}), json!({"age": "1"}), true),
        (json!({"==": [var("age"), 1]}), json!({"age": true}), true),
        (json!({"==": [var("age"), 18]}), json!({"age": 18.0}), true),
        (json!({"!=": [var("age"), 18]}), json!({"age": "18"}), false),
        (json!({"!=": [var("age"), 18]}), json!({"age": true}), true),
        (json!({"===": [var("age"), 1]}), json!({"age": "1"}), false),
        (json!({"!==": [var("age"), 1]}), json!({"age": "1"}), true),
        (json!({"!==": [var("age"), 1]}), json!({}), true),
        (
            json!({"==": [var("vip"), true]}),
            json!({"vip": true}),
            true,
        ),
        (json!({"==": [var("vip"), true]}), json!({"vip": 1}), true),
        (json!({"==": [var("vip"), false]}), json!({"vip": ""}), true),
        (json!({"==": [var("vip"), false]}), json!({}), false),
        (json!({"==": [var("plan"), null]}), json!({}), true),
        (
            json!({"==": [var("plan"), null]}),
            json!({"plan": ""}),
            false,
        ),
        (
            json!({"!=": [var("plan"), null]}),
            json!({"plan": ""}),
            true,
        ),
        // Defaults.
        (
            json!({"==": [{"var": ["plan", "free"]}, "free"]}),
            json!({}),
            true,
        ),
        (
            json!({"!=": [{"var": ["plan", "free"]}, "free"]}),
            json!({}),
            false,
        ),
        (
            json!({"==": [{"var": ["plan", "free"]}, "free"]}),
            json!({"plan": "beta"}),
            false,
        ),
        (json!({"<": [{"var": ["age", 99]}, 18]}), json!({}), false),
        // Paths.
        (
            json!({"==": [var("account.tier"), "gold"]}),
            json!({"account": {"tier": "gold"}}),
            true,
        ),
        (
            json!({"==": [var("account.tier"), "gold"]}),
            json!({"account": "gold"}),
            false,
        ),
        // Order, where null counts as 0.
        (json!({"<": [var("age"), 18]}), json!({"age": 17.5}), true),
        (json!({"<": [var("age"), 18]}), json!({}), true),
        (json!({">=": [var("age"), 18]}), json!({}), false),
        (json!({">": [18, var("age")]}), json!({"age": 17}), true),
        (
            json!({"!": {"<": [var("age"), 18]}}),
            json!({"age": 18}),
            true,
        ),
        (json!({"!": {"<": [var("age"), 18]}}), json!({}), false),
        (json!({"<": [1, var("age"), 10]}), json!({"age": 5}), true),
        (json!({"<": [1, var("age"), 10]}), json!({"age": 11}), false),
        (json!({"<=": [1, var("age"), 10]}), json!({"age": 1}), true),
        (json!({"<": [1, var("age"), 10]}), json!({}), false),
        (json!({"!": {"<": [1, var("age"), 10]}}), json!({}), true),
        // Lists and parts of texts.
        (
            json!({"in": [var("plan"), ["beta", "staff"]]}),
            json!({"plan": "staff"}),
            true,
        ),
        (
            json!({"in": [var("plan"), ["beta", 3, null]]}),
            json!({"plan": 3}),
            true,
        ),
        (
            json!({"in": [var("plan"), ["beta", 3, null]]}),
            json!({}),
            true,
        ),
        (
            json!({"in": [var("plan"), []]}),
            json!({"plan": "beta"}),
            false,
        ),
        (
            json!({"!": {"in": [var("plan"), ["beta"]]}}),
            json!({}),
            true,
        ),
        (
            json!({"!": {"in": [var("plan"), ["beta"]]}}),
            json!({"plan": "beta"}),
            false,
        ),
        (
            json!({"in": ["@acme.test", var("email")]}),
            json!({"email": "ana@acme.test"}),
            true,
        ),
        (
            json!({"in": ["@acme.test", var("email")]}),
            json!({}),
            false,
        ),
        (
            json!({"!": {"in": ["@acme.test", var("email")]}}),
            json!({}),
            true,
        ),
        (
            json!({"in": ["admin", var("roles")]}),
            json!({"roles": ["dev", "admin"]}),
            true,
        ),
        (
            json!({"in": ["admin", var("roles")]}),
            json!({"roles": ["administrator"]}),
            false,
        ),
        (
            json!({"starts_with": [var("ip"), "192.168."]}),
            json!({"ip": "192.168.0.1"}),
            true,
        ),
        (
            json!({"starts_with": [var("ip"), "192.168."]}),
            json!({"ip": "10.0.0.1"}),
            false,
        ),
        (
            json!({"ends_with": [var("email"), "@acme.test"]}),
            json!({"email": "ana@acme.test"}),
            true,
        ),
        (
            json!({"!": {"ends_with": [var("email"), "@acme.test"]}}),
            json!({}),
            true,
        ),
        // Truth.
        (json!({"!!": [var("plan")]}), json!({"plan": "x"}), true),
        (json!({"!!": [var("plan")]}), json!({"plan": ""}), false),
        (json!({"!!": var("plan")}), json!({"plan": 0}), false),
        (json!({"!!": var("plan")}), json!({"plan": "0"}), true),
        (json!({"!": var("plan")}), json!({}), true),
        (json!({"!": var("plan")}), json!({"plan": false}), true),
        (var("plan"), json!({"plan": 7}), true),
        (
            json!({"!!": var("targetingKey")}),
            json!({"targetingKey": "ana"}),
            true,
        ),
        (json!({"!": var("targetingKey")}), json!({}), true),
        (
            json!({"and": [var("a"), {"!": var("b")}]}),
            json!({"a": true}),
            true,
        ),
        (
            json!({"and": [var("a"), var("b")]}),
            json!({"a": true}),
            false,
        ),
        (json!({"or": [var("a"), var("b")]}), json!({"b": 1}), true),
        (json!({"!": {"or": [var("a"), var("b")]}}), json!({}), true),
        (
            json!({"!": {"and": [var("a"), var("b")]}}),
            json!({"a": true}),
            true,
        ),
        (json!({"if": [var("a"), var("b"), true]}), json!({}), true),
        (
            json!({"if": [var("a"), var("b"), true]}),
            json!({"a": true}),
            false,
        ),
        // Versions.
        (
            json!({"sem_ver": [var("v"), ">=", "1.0.0"]}),
            json!({"v": "1.1.2"}),
            true,
        ),
        (
            json!({"sem_ver": [var("v"), ">", "1.0.0"]}),
            json!({"v": "1.0.0-rc.1"}),
            false,
        ),
        (
            json!({"sem_ver": [var("v"), "=", "v1.2"]}),
            json!({"v": "1.2.0"}),
            true,
        ),
        (
            json!({"sem_ver": [var("v"), "=", "1.2.0"]}),
            json!({"v": "1.2.0+build.7"}),
            true,
        ),
        (
            json!({"sem_ver": [var("v"), "!=", "1.2.0"]}),
            json!({"v": "1.2.1"}),
            true,
        ),
        (
            json!({"sem_ver": [var("v"), "!=", "1.2.0"]}),
            json!({"v": "not one"}),
            false,
        ),
        (
            json!({"sem_ver": ["1.0.0", "<", var("v")]}),
            json!({"v": "1.0.1"}),
            true,
        ),
        (
            json!({"sem_ver": [var("v"), "^", "1.4.0"]}),
            json!({"v": "1.0.0-alpha"}),
            true,
        ),
        (
            json!({"sem_ver": [var("v"), "^", "1.4.0"]}),
            json!({"v": "2.0.0-alpha"}),
            false,
        ),
        (
            json!({"sem_ver": [var("v"), "~", "1.4.2"]}),
            json!({"v": "1.4.9"}),
            true,
        ),
        (
            json!({"sem_ver": [var("v"), "~", "1.4.2"]}),
            json!({"v": "1.5.0"}),
            false,
        ),
        (
            json!({"!": {"sem_ver": [var("v"), "~", "1.4.2"]}}),
            json!({"v": "1.5.0"}),
            true,
        ),
        (
            json!({"!": {"sem_ver": [var("v"), "~", "1.4.2"]}}),
            json!({"v": "one"}),
            true,
        ),
        (
            json!({"!": {"sem_ver": [var("v"), "~", "1.4.2"]}}),
            json!({}),
            true,
        ),
        (
            json!({"!": {"sem_ver": [var("v"), "~", "1.4.2"]}}),
            json!({"v": "v1.4"}),
            false,
        ),
        // What flagd itself puts into the context.
        (json!({"==": [var("$flagd.flagKey"), "f"]}), json!({}), true),
        (
            json!({">": [var("$flagd.timestamp"), 1_799_999_999]}),
            json!({}),
            true,
        ),
        (
            json!({">": [var("$flagd.timestamp"), 1_800_000_000]}),
            json!({}),
            false,
        ),
        (
            json!({">=": [var("$flagd.timestamp"), 1_800_000_000]}),
            json!({}),
            true,
        ),
        (
            json!({"<": [var("$flagd.timestamp"), 1_800_000_000.5]}),
            json!({}),
            true,
        ),
        (
            json!({"!": {"<=": [var("$flagd.timestamp"), 1_800_000_000]}}),
            json!({}),
            false,
        ),
    ]
}

#[test]
fn every_condition_holds_for_whom_flagd_documents_it() {
    for (condition, context, holds) in conditions() {
        let document = with_targeting(&json!({"if": [condition, "a", "b"]}));
        let wanted = if holds { "a" } else { "b" };
        let what = format!("{condition} of {context}");
        assert_eq!(ours(&rule_set(&document), &context), wanted, "{what}");
        assert_eq!(
            engine::answer(&document, "f", &context),
            wanted,
            "engine: {what}"
        );
    }
}

#[test]
fn every_answer_is_the_one_flagd_documents() {
    let yes = json!({"var": "yes"});
    let table = [
        (json!("a"), json!({}), "a"),
        (json!({"if": [yes, "a"]}), json!({"yes": true}), "a"),
        // Null is the default.
        (json!({"if": [yes, "a"]}), json!({}), "c"),
        (json!({"if": [yes, "a", null]}), json!({}), "c"),
        (json!({"if": [yes, null, "a"]}), json!({"yes": true}), "c"),
        (json!({"if": [false, "a", false, "b", "c"]}), json!({}), "c"),
        (
            json!({"if": [yes, {"if": [{"var": "x"}, "a", "b"]}, "c"]}),
            json!({"yes": 1}),
            "b",
        ),
        (
            json!({"if": [yes, {"if": [{"var": "x"}, "a", "b"]}, "c"]}),
            json!({"yes": 1, "x": 1}),
            "a",
        ),
        (
            json!({"if": [yes, {"if": [{"var": "x"}, "a"]}, "b"]}),
            json!({"yes": 1}),
            "c",
        ),
        // The shorthand: variants that are called true and false.
        (
            json!({"in": ["@acme.test", {"var": "email"}]}),
            json!({"email": "ana@acme.test"}),
            "true",
        ),
        (
            json!({"in": ["@acme.test", {"var": "email"}]}),
            json!({}),
            "false",
        ),
        (json!({"if": [yes, true, false]}), json!({}), "false"),
        (
            json!({"starts_with": [{"var": "email"}, "ana"]}),
            json!({"email": "bob"}),
            "false",
        ),
        (
            json!({"starts_with": [{"var": "email"}, "ana"]}),
            json!({}),
            "c",
        ),
        (
            json!({"sem_ver": [{"var": "v"}, ">", "1.0.0"]}),
            json!({"v": "0.9.0"}),
            "false",
        ),
        (
            json!({"sem_ver": [{"var": "v"}, ">", "1.0.0"]}),
            json!({"v": "?"}),
            "c",
        ),
        // `and` and `or` answer the argument that decides.
        (
            json!({"and": [{"==": [{"var": "p"}, "x"]}, "a"]}),
            json!({"p": "x"}),
            "a",
        ),
        (
            json!({"and": [{"==": [{"var": "p"}, "x"]}, "a"]}),
            json!({}),
            "false",
        ),
        (
            json!({"or": [{"==": [{"var": "p"}, "x"]}, "b"]}),
            json!({"p": "x"}),
            "true",
        ),
        (
            json!({"or": [{"==": [{"var": "p"}, "x"]}, "b"]}),
            json!({}),
            "b",
        ),
        (json!({"cat": ["", "a"]}), json!({}), "a"),
    ];
    for (targeting, context, variant) in table {
        let document = with_targeting(&targeting);
        let what = format!("{targeting} of {context}");
        assert_eq!(
            engine::answer(&document, "f", &context),
            variant,
            "engine: {what}"
        );
        assert_eq!(ours(&rule_set(&document), &context), variant, "{what}");
    }
}

#[test]
fn evaluators_stand_for_what_they_refer_to_wherever_they_are() {
    let mut document = with_targeting(&json!({"if": [
        {"and": [{"$ref": "acme"}, {"!": {"$ref": "staff"}}]}, "a", {"$ref": "otherwise"},
    ]}));
    document["$evaluators"] = json!({
        "acme": {"ends_with": [{"var": "email"}, "@acme.test"]},
        "staff": {"and": [{"$ref": "acme"}, {"in": [{"var": "targetingKey"}, ["ana"]]}]},
        "otherwise": {"if": [{"$ref": "staff"}, "b"]},
    });
    let set = rule_set(&document);
    for (unit, email, variant) in [
        ("bob", "bob@acme.test", "a"),
        ("ana", "ana@acme.test", "b"),
        ("ana", "ana@else.test", "c"),
    ] {
        let context = json!({"targetingKey": unit, "email": email});
        assert_eq!(ours(&set, &context), variant, "{context}");
        assert_eq!(
            engine::answer(&document, "f", &context),
            variant,
            "{context}"
        );
    }
}
