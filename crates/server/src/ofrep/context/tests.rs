use leverframe_flags::Context;
use leverframe_flags::limit::{CONTEXT_ATTRIBUTES_MAX, CONTEXT_DEPTH_MAX};
use leverframe_wire::ofrep::ErrorCode;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{NoAnswer, parse};

fn failure(text: impl AsRef<[u8]>) -> Option<(ErrorCode, String)> {
    match parse(text.as_ref()) {
        Ok(_) => None,
        Err(NoAnswer::Request { code, details }) => Some((code, details)),
        Err(other) => panic!("{other:?}"),
    }
}

fn code(text: impl AsRef<[u8]>) -> Option<ErrorCode> {
    failure(text).map(|(code, _)| code)
}

fn nested(depth: usize) -> String {
    let (open, close) = ("[".repeat(depth), "]".repeat(depth));
    format!(r#"{{"context":{{"a":{open}1{close}}}}}"#)
}

#[test]
fn every_way_of_sending_no_context_is_the_empty_context() {
    for text in ["{}", r#"{"context":{}}"#, r#"{"context":null}"#, " {} "] {
        assert_eq!(
            parse(text.as_bytes()).unwrap(),
            Context::anonymous(),
            "{text}"
        );
    }
}

#[test]
fn what_is_not_json_is_a_parse_error() {
    let texts: [&[u8]; 14] = [
        b"",
        b"[]",
        b"[{}]",
        b"{",
        b"nonsense",
        b"\xef\xbb\xbf{}",
        b"{} {}",
        br#"{"context":{"a":1e999}}"#,
        br#"{"context":{"a":01}}"#,
        b"{\"context\":{\"a\":\"\xff\"}}",
        // Found by fuzzing: also where nobody looks.
        b"{\"surprise\":\"\xff\"}",
        b"{\"surprise\":[{\"\xff\":1}]}",
        b"{\"context\":{\"a\":\"\0\"}}",
        br#"{"context":{"a":"\ud800"}}"#,
    ];
    for text in texts {
        let shown = String::from_utf8_lossy(text);
        assert_eq!(code(text), Some(ErrorCode::ParseError), "{shown}");
    }
}

#[test]
fn what_is_json_and_no_context_is_an_invalid_context() {
    for text in [
        r#"{"context":[]}"#,
        r#"{"context":"u"}"#,
        r#"{"context":1}"#,
        r#"{"context":true}"#,
        r#"{"context":{"targetingKey":1}}"#,
        r#"{"context":{"targetingKey":["u"]}}"#,
    ] {
        assert_eq!(code(text), Some(ErrorCode::InvalidContext), "{text}");
    }
    // Both at once: it cannot be read, so nothing is said of what it would mean.
    assert_eq!(code(r#"{"context":[}"#), Some(ErrorCode::ParseError));
    assert_eq!(
        code(r#"{"context":{"targetingKey":1}"#),
        Some(ErrorCode::ParseError)
    );
}

#[test]
fn a_name_that_comes_twice_is_refused_wherever_it_is() {
    for (text, name) in [
        (r#"{"context":{},"context":{}}"#, "context"),
        (r#"{"context":{"a":1,"b":2,"a":3}}"#, "a"),
        (r#"{"context":{"a":null,"a":1}}"#, "a"),
        (r#"{"context":{"a":1,"\u0061":1}}"#, "a"),
        (
            r#"{"context":{"targetingKey":"u","targetingKey":"v"}}"#,
            "targetingKey",
        ),
        (r#"{"context":{"o":{"x":1,"y":{"z":1,"z":2}}}}"#, "z"),
        (r#"{"context":{"o":[{"x":null,"x":null}]}}"#, "x"),
        (r#"{"other":1,"context":{},"other":2}"#, "other"),
        (r#"{"other":[{"x":1,"x":2}],"context":{}}"#, "x"),
    ] {
        let (code, details) = failure(text).unwrap_or_else(|| panic!("accepted: {text}"));
        assert_eq!(code, ErrorCode::ParseError, "{text}");
        assert!(details.contains(&format!("{name:?}")), "{details}");
    }
    assert_eq!(code(r#"{"context":{"a":{"x":1},"b":{"x":1}}}"#), None);
}

#[test]
fn depth_and_count_are_bounded_and_cost_no_stack() {
    assert_eq!(code(nested(CONTEXT_DEPTH_MAX)), None);
    for depth in [CONTEXT_DEPTH_MAX + 1, 127, 129, 100_000] {
        let (code, details) = failure(nested(depth)).unwrap();
        assert!(
            matches!(code, ErrorCode::InvalidContext | ErrorCode::ParseError),
            "{depth}: {code:?}"
        );
        assert!(
            details.contains("deeper") || details.contains("recursion"),
            "{details}"
        );
    }
    let objects = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    assert!(code(format!(r#"{{"context":{objects}}}"#)).is_some());
    assert!(
        code(format!(r#"{{"other":{objects}}}"#)).is_none_or(|code| code == ErrorCode::ParseError)
    );
    let many = |count: usize| {
        let names: Vec<_> = (0..count)
            .map(|number| format!("\"a{number}\":1"))
            .collect();
        format!(r#"{{"context":{{{}}}}}"#, names.join(","))
    };
    assert_eq!(code(many(CONTEXT_ATTRIBUTES_MAX)), None);
    assert_eq!(
        code(many(CONTEXT_ATTRIBUTES_MAX + 1)),
        Some(ErrorCode::InvalidContext)
    );
}

#[test]
fn what_nobody_asked_for_is_passed_over() {
    assert_eq!(
        code(r#"{"context":{},"extra":{"deep":[[[1]]]},"more":null}"#),
        None
    );
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "[a-z\"\\\\\u{0}ä\u{1f600}]{0,6}".prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map("[a-c.\"ä]{0,2}", inner, 0..4)
                .prop_map(|members| json!(members)),
        ]
    })
}

proptest! {
    #[test]
    fn it_is_read_as_the_engine_reads_a_tree_of_json(
        members in prop::collection::btree_map("[a-e]{1,2}|targetingKey", json(), 0..20)
    ) {
        let context = json!(members);
        let read = parse(json!({"context": context}).to_string().as_bytes());
        match (read, Context::from_json(&context)) {
            (Ok(read), Ok(expected)) => prop_assert_eq!(read, expected),
            (Err(_), Err(_)) => {}
            (read, expected) => prop_assert!(false, "{read:?} {expected:?}"),
        }
    }
}
