//! `docs/reference/when-language.md` says what is true.

use leverframe_flags::{Expression, Truth, limit};
use serde_json::json;

use crate::shop;

const PAGE: &str = include_str!("../../../../docs/reference/when-language.md");

/// The lines of every block fenced with this word.
fn blocks(word: &str) -> Vec<Vec<&'static str>> {
    let mut found = Vec::new();
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        if line.strip_prefix("```") == Some(word) {
            found.push(lines.by_ref().take_while(|line| *line != "```").collect());
        }
    }
    assert!(!found.is_empty(), "no block {word}");
    found
}

/// The truth of a condition, told apart by a rule of it and a rule of its opposite.
pub(crate) fn truth(when: &str, context: &serde_json::Value) -> Truth {
    let rule = |id: &str, when: String| json!({"id": id, "when": when, "serve": id});
    let definition = shop::quality(
        "f",
        &json!({"rules": [rule("high", when.to_owned()), rule("normal", format!("not ({when})"))]}),
    );
    let set = shop::only(definition, shop::open("0"));
    match set.evaluate("f", &shop::context(context)).unwrap().rule {
        Some("high") => Truth::True,
        Some("normal") => Truth::False,
        _ => Truth::Unknown,
    }
}

#[test]
fn the_examples_parse_and_are_printed_as_they_stand() {
    for line in blocks("when").concat() {
        let expression: Expression = line
            .parse()
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        let again: Expression = expression.to_string().parse().unwrap();
        assert_eq!(again, expression, "{line}");
    }
}

#[test]
fn the_printed_forms_are_those_on_the_page() {
    for pair in blocks("printed").concat().split(|line| line.is_empty()) {
        let [source, printed] = pair else {
            panic!("{pair:?}")
        };
        assert_eq!(source.parse::<Expression>().unwrap().to_string(), *printed);
    }
}

#[test]
fn the_answers_are_those_on_the_page() {
    let mut rows = 0;
    for line in PAGE.lines() {
        let Some(row) = line
            .strip_prefix("| `")
            .and_then(|row| row.strip_suffix(" |"))
        else {
            continue;
        };
        let parts: Vec<&str> = row.split("` | `").collect();
        let [when, rest] = parts.as_slice() else {
            continue;
        };
        let Some((context, answer)) = rest.split_once("` | ") else {
            continue;
        };
        let context = serde_json::from_str(context).unwrap();
        assert_eq!(truth(when, &context).as_str(), answer, "{line}");
        rows += 1;
    }
    assert!(rows > 25, "only {rows} rows found");
}

#[test]
fn the_errors_are_those_on_the_page() {
    for lines in blocks("error").concat().split(|line| line.is_empty()) {
        let [source, ..] = lines else {
            panic!("an empty example")
        };
        let error = source.parse::<Expression>().unwrap_err();
        assert_eq!(error.render(source), lines.join("\n"));
    }
}

#[test]
fn the_limits_are_those_on_the_page() {
    for number in [
        limit::EXPRESSION_BYTES_MAX,
        limit::EXPRESSION_DEPTH_MAX,
        limit::EXPRESSION_PREDICATES_MAX,
        limit::LIST_ITEMS_MAX,
        limit::REGEX_BYTES_MAX,
        limit::REGEX_COMPILED_BYTES_MAX,
        limit::MATCHED_TEXT_BYTES_MAX,
        limit::SEGMENT_DEPTH_MAX,
    ] {
        let (_, limits) = PAGE.split_once("## Limits").unwrap();
        let is_named = limits
            .split(|c: char| !c.is_ascii_digit())
            .any(|found| found == number.to_string());
        assert!(is_named, "{number} is not on the page");
    }
}
