use leverframe::{Client, Context, Source, Value};
use serde_json::json;
use tempfile::TempDir;

use crate::frames::{boolean, cursor, open, snapshot};

fn anybody() -> Context {
    Context::new("u-1")
}

#[test]
fn fixed_values_are_answered_and_everything_else_is_unknown() {
    let client = Client::fixed([("on", true), ("off", false)]);
    assert!(client.is_on("on", &anybody()));
    assert!(!client.boolean("off", &anybody(), true));
    assert!(client.boolean("other", &anybody(), true));
    assert_eq!(client.freshness().source, Source::Fixed);
    assert_eq!(client.evaluate("off", &anybody()).unwrap().variant, "off");
}

#[test]
fn fixed_values_may_be_of_every_type() {
    let client = Client::fixed([
        ("b", Value::Boolean(true)),
        ("i", Value::Integer(70)),
        ("f", Value::Float(0.5)),
        ("s", Value::String("blue".into())),
        ("o", Value::Object(json!({"limit": 3}))),
    ]);
    assert!(client.is_on("b", &anybody()));
    assert_eq!(client.integer("i", &anybody(), 0), 70);
    assert!((client.float("f", &anybody(), 0.0) - 0.5).abs() < f64::EPSILON);
    assert_eq!(client.string("s", &anybody(), ""), "blue");
    assert_eq!(
        client.object("o", &anybody(), json!(null)),
        json!({"limit": 3})
    );
}

#[test]
fn names_that_cannot_be_flags_are_left_out() {
    let client = Client::fixed([("no flag!", true)]);
    assert!(!client.is_on("no flag!", &anybody()));
}

#[test]
fn a_snapshot_file_is_served_offline() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("flags.json");
    let mut odd = boolean("odd", &open());
    odd["definition"] = json!({});
    let frame = snapshot(7, &[boolean("a", &open()), odd]);
    std::fs::write(&file, frame.to_string()).unwrap();
    let client = Client::offline(&file).unwrap();
    assert!(client.is_on("a", &anybody()));
    assert!(!client.is_on("odd", &anybody()));
    assert_eq!(client.freshness().source, Source::File);
    assert_eq!(client.freshness().revision, 7);
}

#[test]
fn a_file_that_cannot_be_served_is_named_in_the_error() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("flags.json");
    assert!(Client::offline(&file).is_err());
    let change = json!({"kind": "change", "cursor": cursor(1, 2)}).to_string();
    for text in [
        "",
        "[]",
        "{}",
        change.as_str(),
        "leverframe-snapshot 1 00\n{}",
    ] {
        std::fs::write(&file, text).unwrap();
        let error = Client::offline(&file).unwrap_err();
        assert!(error.to_string().contains("flags.json"), "{error}");
    }
}

#[tokio::test]
async fn a_client_that_follows_nobody_can_be_shut_down_and_waited_for() {
    let client = Client::fixed([("a", true)]);
    let waited = client
        .wait_for_revision(1, std::time::Duration::from_millis(1))
        .await;
    assert!(waited.is_err());
    client.shutdown().await;
    assert!(client.is_on("a", &anybody()));
}
