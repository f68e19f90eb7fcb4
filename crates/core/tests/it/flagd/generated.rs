//! Targetings, definitions and contexts at random.

use leverframe_core::flagd::{export, import};
use leverframe_flags::{Context, Exposure, Percentage, Position};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::exported::{flag, own_rule_set};
use super::{NOW_MS, engine, options, ours, rule_set, with_targeting};

/// A context whose attributes have the types that the operators below are documented for; `any` has
/// any scalar.
fn context() -> impl Strategy<Value = Json> {
    let maybe = |values: Vec<Json>| prop::sample::select(values);
    let scalars = vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(18),
        json!(-2.5),
        json!(""),
        json!("0"),
        json!("1"),
        json!("18"),
    ];
    (
        prop::option::weighted(0.9, "[a-z]{1,6}"),
        maybe(vec![
            json!(null),
            json!(""),
            json!("beta"),
            json!("free"),
            json!("bet"),
        ]),
        maybe(vec![
            json!(null),
            json!(0),
            json!(-1),
            json!(17),
            json!(18),
            json!(18.5),
            json!(99),
        ]),
        maybe(vec![
            json!(null),
            json!("1.0.0"),
            json!("v1.2"),
            json!("2"),
            json!("2.0.0-rc.1"),
            json!("2.0.1+b"),
            json!("two"),
            json!(""),
            json!("1.2.3.4"),
            json!("01.2.3"),
        ]),
        maybe(vec![
            json!(null),
            json!([]),
            json!(["admin"]),
            json!("administrator"),
            json!("x"),
        ]),
        maybe(scalars),
    )
        .prop_map(|(unit, plan, age, version, roles, any)| {
            let mut context =
                json!({"plan": plan, "age": age, "version": version, "roles": roles, "any": any});
            if let Some(unit) = unit {
                context["targetingKey"] = json!(unit);
            }
            context
        })
}

fn leaf() -> impl Strategy<Value = Json> {
    let name = |name: &'static str, default: Json| {
        prop_oneof![
            4 => Just(json!({"var": name})),
            1 => Just(json!({"var": [name, default]})),
        ]
    };
    let plan = || prop::sample::select(vec!["beta", "free", "be", "", "t"]);
    let constant = prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(18),
        json!("1"),
        json!("18"),
        json!(""),
    ]);
    let sign = prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">=", "^", "~"]);
    let version = prop::sample::select(vec!["1.0.0", "v1.2", "2.0.0-rc.1", "2.0.0"]);
    let order = || prop::sample::select(vec!["<", "<=", ">", ">="]);
    let number = || prop::sample::select(vec![json!(0), json!(18), json!(-1), json!(17.5)]);
    prop_oneof![
        (name("plan", json!("beta")), plan(), any::<bool>()).prop_map(|(var, text, strict)| {
            json!({if strict { "===" } else { "==" }: [var, text]})
        }),
        (
            name("any", json!(18)),
            constant,
            prop::sample::select(vec!["==", "!=", "===", "!=="])
        )
            .prop_map(|(var, constant, sign)| json!({sign: [constant, var]}))
            // Of a text that is no number, engines disagree.
            .prop_filter("comparable", |logic| !logic.to_string().contains("\"\"")),
        name("any", json!("x")),
        (name("age", json!(18)), order(), number(), any::<bool>()).prop_map(
            |(var, sign, number, flip)| {
                if flip {
                    json!({sign: [number, var]})
                } else {
                    json!({sign: [var, number]})
                }
            }
        ),
        (name("age", json!(18)), number(), number())
            .prop_map(|(var, low, high)| json!({"<=": [low, var, high]})),
        (
            name("plan", json!("free")),
            prop::collection::vec(plan(), 0..3)
        )
            .prop_map(|(var, list)| json!({"in": [var, list]})),
        (name("plan", json!("free")), plan()).prop_map(|(var, text)| json!({"in": [text, var]})),
        Just(json!({"in": ["admin", {"var": "roles"}]})),
        (name("plan", json!("beta")), plan(), any::<bool>()).prop_map(|(var, text, start)| {
            json!({if start { "starts_with" } else { "ends_with" }: [var, text]})
        }),
        (sign, version, any::<bool>()).prop_map(|(sign, version, flip)| {
            let var = json!({"var": "version"});
            if flip {
                json!({"sem_ver": [version, sign, var]})
            } else {
                json!({"sem_ver": [var, sign, version]})
            }
        }),
        prop::sample::select(vec![
            json!({"!!": {"var": "targetingKey"}}),
            json!(true),
            json!(false)
        ]),
    ]
}

fn condition() -> impl Strategy<Value = Json> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        let several = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            several.clone().prop_map(|parts| json!({"and": parts})),
            several.clone().prop_map(|parts| json!({"or": parts})),
            several.prop_map(|parts| json!({"if": parts})),
            inner.clone().prop_map(|part| json!({"!": part})),
            inner.prop_map(|part| json!({"!!": [part]})),
        ]
    })
}

fn targeting() -> impl Strategy<Value = Json> {
    let answer = prop_oneof![
        3 => prop::sample::select(vec![json!("a"), json!("b"), json!(true), json!(false), json!(null)]),
        1 => Just(json!({"fractional": [["a", 1], ["b", 3]]})),
        1 => Just(json!({"fractional": [{"cat": [{"var": "$flagd.flagKey"}, {"var": "targetingKey"}]}, ["c", 20], ["b", 5]]})),
        2 => condition().prop_filter("answers true or false", |logic| {
            let name = logic.as_object().map(|object| object.keys().next().cloned().unwrap_or_default());
            // A default in an answer is refused by name; `refused` has the case.
            let has_default = logic.to_string().contains(r#""var":["#);
            !has_default
                && name.is_none_or(|name| !matches!(name.as_str(), "var" | "and" | "or" | "if"))
        }),
    ];
    answer.prop_recursive(3, 12, 5, |inner| {
        let branch = (condition(), inner.clone());
        (prop::collection::vec(branch, 1..3), prop::option::of(inner)).prop_map(
            |(branches, otherwise)| {
                let mut args: Vec<Json> = branches
                    .into_iter()
                    .flat_map(|(condition, answer)| [condition, answer])
                    .collect();
                args.extend(otherwise);
                json!({"if": args})
            },
        )
    })
}

/// A `when` that flagd can say.
fn when() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "plan == \"beta\"",
        "plan != \"beta\"",
        "any == 18",
        "any != 1",
        "any == true",
        "any != \"1\"",
        "any < 18",
        "age >= 18",
        "plan in [\"beta\", \"free\"]",
        "any in [1, 18]",
        "any in [true]",
        "plan starts_with \"be\"",
        "any ends_with \"8\"",
        "version semver >= \"2.0.0-rc.1\"",
        "version semver != \"1.2.0\"",
        "any missing",
        "targetingKey missing",
    ]);
    let leaf = leaf.prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 3, |inner| {
        let several = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            several
                .clone()
                .prop_map(|parts| format!("({})", parts.join(" and "))),
            several.prop_map(|parts| format!("({})", parts.join(" or "))),
            inner.prop_map(|part| format!("not ({part})")),
        ]
    })
}

fn serve() -> impl Strategy<Value = Json> {
    prop_oneof![
        prop::sample::select(vec![json!("on"), json!("off")]),
        Just(
            json!({"split": [{"variant": "on", "weight": 37.5}, {"variant": "off", "weight": 62.5}]})
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_is_imported_answers_as_flagd_does(
        targeting in targeting(),
        contexts in prop::collection::vec(context(), 12),
    ) {
        let document = with_targeting(&targeting);
        let set = rule_set(&document);
        for context in contexts {
            let wanted = engine::answer(&document, "f", &context);
            prop_assert_eq!(ours(&set, &context), wanted, "{} of {}", targeting, context);
        }
    }

    #[test]
    fn whatever_is_exported_answers_as_we_do_and_so_does_what_is_read_back(
        rules in prop::collection::vec((when(), serve()), 0..4),
        open in prop::sample::select(vec!["on", "off"]),
        percentage in prop::sample::select(vec![0_u32, 1, 12_500, 50_000, 99_999, 100_000]),
        contexts in prop::collection::vec(context(), 12),
    ) {
        let rules: Vec<Json> = (0..)
            .zip(&rules)
            .map(|(id, (when, serve))| json!({"id": format!("r{id}"), "when": when, "serve": serve}))
            .collect();
        let position = Position::Open {
            exposure: Exposure::of(Percentage::from_thousandths(percentage).unwrap()),
        };
        let flags = [flag("f", &json!({"rules": rules, "open": open}), position)];
        let ours_before = own_rule_set(&flags, &[]);
        let exported = export("prod", &flags, &[]);
        prop_assert_eq!(&exported.refusals, &[]);
        let document = exported.document;
        let back = import(&document, &options()).unwrap();
        // What grows too long as a rule is refused by name; all else comes back.
        let back = back.refusals.is_empty().then(|| rule_set(&document));
        for context in contexts {
            let asked = Context::from_json(&context).unwrap().at(NOW_MS);
            let wanted = ours_before.evaluate("f", &asked).unwrap().variant;
            let flagd = engine::answer(&document, "f", &context);
            prop_assert_eq!(&flagd, wanted, "flagd: {} of {}", document, context);
            if let Some(back) = &back {
                prop_assert_eq!(&ours(back, &context), wanted, "back: {} of {}", document, context);
            }
        }
    }

    #[test]
    fn no_json_makes_the_import_panic(text in "\\PC{0,40}", number in any::<f64>(), list in any::<Vec<u8>>()) {
        for targeting in [json!(text), json!(number), json!(list), json!({&text: [list, text]}), json!({"if": [{&text: number}, text]})] {
            let _ = import(&with_targeting(&targeting), &options());
        }
    }
}
