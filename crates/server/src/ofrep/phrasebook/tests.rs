use std::sync::Arc;

use leverframe_flags::{Context, FlagUpdate, RuleSet, SegmentUpdate};
use serde_json::{Value as Json, json};

use super::{Phrasebook, Phrasebooks, write_answer};

fn update(definition: &Json, position: &Json) -> FlagUpdate {
    let definition: leverframe_flags::Definition =
        serde_json::from_value(definition.clone()).unwrap();
    let closed = definition.closed.clone();
    FlagUpdate {
        key: definition.key.clone(),
        position: serde_json::from_value(position.clone()).unwrap(),
        closed: (closed.clone(), definition.variants[&closed].clone()),
        definition: Ok(Box::new(definition)),
    }
}

fn flag(key: &str, fields: &Json, position: &Json) -> FlagUpdate {
    let mut definition = json!({
        "key": key, "type": "string", "variants": {"a": "ä\"<\u{0}", "b": "b"},
        "closed": "b", "open": "a",
        "salt": key, "hash": "native",
    });
    for (name, value) in fields.as_object().unwrap() {
        definition[name] = value.clone();
    }
    update(&definition, position)
}

fn open(percentage: u32) -> Json {
    json!({"state": "open", "exposure": {"percentage": percentage}})
}

/// One flag for every way of answering.
fn rules(revision: u64) -> Arc<RuleSet> {
    let rule = |when: &str, serve: Json| json!({"rules": [{"id": "a \"rule\"", "when": when, "serve": serve}]});
    let mut unreadable = flag("unreadable", &json!({}), &open(100));
    unreadable.definition = Err("written for a later build".to_owned());
    let mut latched = flag("latched", &json!({}), &open(100));
    latched.position = serde_json::from_value(json!({
        "state": "closed", "latch": {"variant": "old", "value": "what it was then"},
    }))
    .unwrap();
    let flags = vec![
        flag("closed", &json!({}), &json!({"state": "closed"})),
        latched,
        flag(
            "pinned",
            &json!({}),
            &json!({"state": "pinned", "variant": "a"}),
        ),
        flag("everybody", &json!({}), &open(100)),
        flag("some", &json!({}), &open(50)),
        flag("ruled", &rule("plan == \"beta\"", json!("a")), &open(50)),
        flag(
            "split",
            &rule(
                "plan == \"beta\"",
                json!({"split": [{"variant": "a", "weight": 50}, {"variant": "b", "weight": 50}], "salt": "x"}),
            ),
            &open(0),
        ),
        flag(
            "needs",
            &json!({"prerequisites": [{"flag": "closed"}]}),
            &open(100),
        ),
        flag(
            "float",
            &json!({"type": "float", "variants": {"a": 10, "b": 0.5}}),
            &open(50),
        ),
        flag(
            "object",
            &json!({"type": "object", "variants": {"a": {"x": [1, null]}, "b": {}}}),
            &open(50),
        ),
        unreadable,
    ];
    Arc::new(RuleSet::compile(
        revision,
        flags,
        Vec::<SegmentUpdate>::new(),
    ))
}

fn contexts() -> impl Iterator<Item = Context> {
    let people = (0..50).map(|number| Context::new(&format!("u-{number}")));
    let staff = people.clone().map(|person| person.with("plan", "beta"));
    people.chain(staff).chain([
        Context::anonymous(),
        Context::anonymous().with("plan", "beta"),
    ])
}

fn written(book: &Phrasebook, rules: &RuleSet, context: &Context) -> String {
    let mut bytes = b"[".to_vec();
    book.write_all(&mut bytes, rules, context, None);
    bytes.push(b']');
    String::from_utf8(bytes).unwrap()
}

#[test]
fn what_is_copied_is_what_would_have_been_written() {
    let rules = rules(57);
    let book = Phrasebook::new(&rules);
    for context in contexts() {
        let mut singly = b"[".to_vec();
        for flag in rules.flags() {
            if singly.len() > 1 {
                singly.push(b',');
            }
            let outcome = rules.evaluate(flag.key.as_str(), &context).unwrap();
            write_answer(&mut singly, flag.key.as_str(), &outcome);
        }
        singly.push(b']');
        assert_eq!(
            written(&book, &rules, &context),
            String::from_utf8(singly).unwrap(),
            "{context:?}"
        );
    }
}

#[test]
fn only_what_the_caller_sees_is_written() {
    let rules = rules(1);
    let book = Phrasebook::new(&rules);
    let mut bytes = b"[".to_vec();
    let sees = |flag: &leverframe_flags::FlagView<'_>| flag.key.as_str().starts_with('s');
    book.write_all(&mut bytes, &rules, &Context::new("u"), Some(&sees));
    bytes.push(b']');
    let answers: Vec<Json> = serde_json::from_slice(&bytes).unwrap();
    let keys: Vec<_> = answers.iter().map(|answer| &answer["key"]).collect();
    assert_eq!(keys, ["some", "split"]);
}

#[test]
fn a_book_serves_its_own_rule_set_and_no_other() {
    let books = Phrasebooks::default();
    let environment = "prod".parse().unwrap();
    let (one, other) = (rules(1), rules(2));
    let first = books.of(&environment, &one);
    assert!(Arc::ptr_eq(&first, &books.of(&environment, &one)));
    let second = books.of(&environment, &other);
    assert!(!Arc::ptr_eq(&first, &second));
    let text = written(&second, &other, &Context::new("u"));
    assert!(text.contains("\"revision\":2,") && !text.contains("\"revision\":1,"));
}

#[test]
fn a_set_that_looks_at_the_time_says_so() {
    let fields = json!({"rules": [{"id": "later", "when": "now > 1", "serve": "a"}]});
    let of = |position: &Json| {
        let set = RuleSet::compile(1, vec![flag("f", &fields, position)], Vec::new());
        Phrasebook::new(&Arc::new(set)).asks_the_time()
    };
    assert!(of(&open(50)));
    assert!(
        !of(&json!({"state": "closed"})),
        "a closed flag asks nothing"
    );
    assert!(!Phrasebook::new(&rules(1)).asks_the_time());
}
