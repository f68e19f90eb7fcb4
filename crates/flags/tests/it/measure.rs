//! Input without measure: refused by its size, or decided within a bounded amount of work.
#![expect(
    clippy::disallowed_methods,
    reason = "a bound on work shows as a bound on time"
)]

use std::time::{Duration, Instant};

use leverframe_flags::limit::MATCHED_TEXT_BYTES_MAX;
use leverframe_flags::{Expression, Pattern};
use serde_json::json;

use crate::shop;

/// Many times what any of it takes, and nothing like what going back over the text would.
const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn a_pattern_of_a_megabyte_is_refused_before_it_is_compiled() {
    let started = Instant::now();
    for pattern in ["x", "(a|b)", "[a-z]{1,9}", "\\pL"] {
        let pattern = pattern.repeat(1024 * 1024 / pattern.len());
        assert!(Pattern::new(&pattern).is_err());
        let when = format!("a matches \"{}\"", pattern.replace('\\', "\\\\"));
        assert!(when.parse::<Expression>().is_err());
    }
    assert!(started.elapsed() < PATIENCE);
}

#[test]
fn a_pattern_that_grows_when_it_is_compiled_is_refused() {
    for pattern in [
        "(x{1000}){1000}",
        "(((x{100}){100}){100}){100}",
        "\\pL{1000}",
        "(?i)(\\w{200}){200}",
        "((((((((((a?){9}){9}){9}){9}){9}){9}){9}){9}){9}){9}",
    ] {
        assert!(Pattern::new(pattern).is_err(), "{pattern}");
    }
}

#[test]
fn patterns_that_make_others_go_back_and_forth_decide_in_a_moment() {
    let mut text = "a".repeat(MATCHED_TEXT_BYTES_MAX - 1);
    text.push('!');
    for pattern in [
        "^(a+)+$",
        "^(a|aa)+$",
        "^(a*)*b",
        "(a|a?)+$",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
        "(.*a){12}b",
    ] {
        let when = format!("text matches \"{pattern}\"");
        let rules = json!([{"id": "r", "when": when, "serve": "on"}]);
        let set = shop::only(
            shop::boolean("f", &json!({"rules": rules})),
            shop::open("0"),
        );
        let started = Instant::now();
        let context = shop::user("u-1").with("text", text.as_str());
        set.evaluate("f", &context).unwrap();
        assert!(started.elapsed() < PATIENCE, "{pattern}");
        // A longer text is not looked at.
        let context = shop::user("u-1").with("text", format!("{text}aa"));
        let explanation = set.explain("f", &context).unwrap();
        let steps = serde_json::to_value(explanation.steps).unwrap();
        let truth = steps
            .as_array()
            .unwrap()
            .iter()
            .find_map(|step| step.get("truth"));
        assert_eq!(truth, Some(&json!("unknown")), "{pattern}");
    }
}
