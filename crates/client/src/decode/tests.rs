#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use leverframe_flags::{Position, Update, Value};

use super::{Decoded, frame, nothing};

fn snapshot(flag: &str) -> Decoded {
    let cursor =
        r#"{"journal":"j","epoch":1,"environment":"prod","previous":0,"revision":7,"head":"ab"}"#;
    frame(&format!(
        r#"{{"kind":"snapshot","cursor":{cursor},"flags":[{flag}]}}"#
    ))
    .unwrap()
}

const DEFINITION: &str = r#"{"key":"f","type":"boolean","variants":{"on":true,"off":false},"closed":"off","open":"on","salt":"f"}"#;

fn flag(key: &str, position: &str, closed_value: &str, definition: &str) -> String {
    format!(
        r#"{{"key":"{key}","position":{position},"closed_variant":"off","closed_value":{closed_value},"definition":{definition}}}"#
    )
}

fn only(decoded: Decoded) -> leverframe_flags::FlagUpdate {
    let Update::Snapshot { mut flags, .. } = decoded.update else {
        panic!("a snapshot")
    };
    assert_eq!(flags.len(), 1);
    flags.remove(0)
}

#[test]
fn a_whole_flag_is_read_whole() {
    let update = only(snapshot(&flag(
        "f",
        r#"{"state":"pinned","variant":"on"}"#,
        "false",
        DEFINITION,
    )));
    assert!(matches!(update.position, Position::Pinned { .. }));
    assert_eq!(update.closed.1, Value::Boolean(false));
    assert_eq!(update.definition.unwrap().key.as_str(), "f");
}

#[test]
fn a_position_that_cannot_be_read_is_closed() {
    for position in ["null", "7", r#"{"state":"ajar"}"#, "[[[[]]]]"] {
        let update = only(snapshot(&flag("f", position, "false", DEFINITION)));
        assert_eq!(update.position, Position::start(), "{position}");
        assert!(update.definition.is_ok());
    }
}

#[test]
fn a_definition_that_cannot_be_read_says_why_and_harms_only_its_flag() {
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    for definition in ["null", r#"{"key":"f"}"#, deep.as_str()] {
        let update = only(snapshot(&flag(
            "f",
            r#"{"state":"closed"}"#,
            "false",
            definition,
        )));
        assert!(!update.definition.unwrap_err().is_empty());
        assert_eq!(update.closed.0.as_str(), "off");
    }
    let update = only(snapshot(&flag("g", "null", "false", DEFINITION)));
    assert!(update.definition.unwrap_err().contains("that of f"));
}

#[test]
fn a_closed_value_that_cannot_be_read_refuses_the_flag() {
    let update = only(snapshot(&flag("f", "null", "null", DEFINITION)));
    assert!(update.definition.unwrap_err().contains("closed value"));
    assert_eq!(update.closed, nothing());
}

#[test]
fn a_flag_without_a_proper_name_is_refused_by_the_name_it_has() {
    let decoded = snapshot(&flag("no key!", "null", "false", DEFINITION));
    assert_eq!(decoded.refused.len(), 1);
    assert_eq!(decoded.refused[0].flag, "no key!");
}

#[test]
fn what_is_not_a_frame_is_an_error() {
    for text in [
        "",
        "{}",
        "null",
        "\u{0}",
        r#"{"kind":"snapshot","cursor":{}}"#,
    ] {
        assert!(frame(text).is_err(), "{text:?}");
    }
}
