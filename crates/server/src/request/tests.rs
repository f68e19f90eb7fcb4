use leverframe_wire::admin;
use serde_json::Value as Json;

use super::parse_json;

fn refused<T: serde::de::DeserializeOwned>(text: &str) -> (u16, Option<String>) {
    match parse_json::<T>(text.as_bytes()) {
        Ok(_) => panic!("accepted: {text}"),
        Err(failure) => (
            failure.status().as_u16(),
            failure.field().map(str::to_owned),
        ),
    }
}

#[test]
fn a_name_that_comes_twice_is_refused_wherever_it_is() {
    for text in [
        r#"{"a":1,"a":2}"#,
        r#"{"x":[{"b":1},{"a":1,"a":1}]}"#,
        r#"{"x":{"a":1,"\u0061":2}}"#,
    ] {
        assert_eq!(refused::<Json>(text), (422, Some("a".to_owned())), "{text}");
    }
    assert!(parse_json::<Json>(br#"{"x":[{"a":1},{"a":2}]}"#).is_ok());
}

#[test]
fn a_body_is_an_object_and_never_its_fields_in_their_order() {
    for text in [r#"[["new-checkout"]]"#, "[]", "null", "1", r#""kill""#] {
        assert_eq!(refused::<admin::Kill>(text), (422, None), "{text}");
    }
}

#[test]
fn what_is_wrong_is_named_by_its_path() {
    let text = r#"{"exposure":{"percentage":"all"},"why":{}}"#;
    assert_eq!(
        refused::<admin::Open>(text),
        (422, Some("exposure.percentage".to_owned()))
    );
    let text = r#"{"exposure":{"percentage":1},"if_match":3}"#;
    assert_eq!(
        refused::<admin::Open>(text),
        (422, Some("if_match".to_owned()))
    );
}

#[test]
fn what_is_not_json_is_a_bad_request_and_costs_no_stack() {
    for text in ["", "{", "nonsense", "{} {}", r#"{"a":1e999}"#, "\u{feff}{}"] {
        assert_eq!(refused::<Json>(text).0, 400, "{text}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(refused::<Json>(&deep).0, 400);
    assert_eq!(
        parse_json::<Json>(b"{\"a\":\"\xff\"}")
            .unwrap_err()
            .status(),
        400
    );
}
