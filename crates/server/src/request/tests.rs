use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use leverframe_wire::admin;
use serde_json::Value as Json;

use super::{parse_json, read_body};

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

/// A body of one byte a second.
fn dripping(bytes: usize) -> Body {
    let drops = futures_util::stream::unfold(bytes, |left| async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let left = left.checked_sub(1)?;
        Some((Ok::<_, Infallible>(Bytes::from_static(b" ")), left))
    });
    Body::from_stream(drops)
}

#[tokio::test(start_paused = true)]
async fn a_body_that_drips_in_is_waited_for_ten_seconds_and_no_longer() {
    let headers = HeaderMap::new();
    let read = read_body(&headers, dripping(8), 100).await.unwrap();
    assert_eq!(read, "        ");
    let failure = read_body(&headers, dripping(1_000), 10_000).await;
    assert_eq!(failure.unwrap_err().status().as_u16(), 408);
}

#[tokio::test(start_paused = true)]
async fn a_body_is_refused_at_the_first_byte_too_many_and_not_waited_for() {
    let started = tokio::time::Instant::now();
    let failure = read_body(&HeaderMap::new(), dripping(1_000), 3).await;
    assert_eq!(failure.unwrap_err().status().as_u16(), 413);
    assert_eq!(started.elapsed(), Duration::from_secs(4));
}
