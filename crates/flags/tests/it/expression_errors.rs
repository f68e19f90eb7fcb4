//! Errors of the language: the character they point at and what they say.

use leverframe_flags::Expression;

/// The character pointed at and a part of the message.
#[track_caller]
fn check(source: &str, position: usize, part: &str) {
    let error = source.parse::<Expression>().unwrap_err();
    assert_eq!(error.position, position, "{}", error.render(source));
    assert!(error.message.contains(part), "{}", error.render(source));
}

#[test]
fn signs_of_other_languages_are_answered_with_ours() {
    check("plan = \"a\"", 6, "`==`");
    check("plan === \"a\"", 6, "`==`");
    check("plan !== \"a\"", 6, "`!=`");
    check("plan <> \"a\"", 6, "`!=`");
    check("plan =~ \"a\"", 6, "`matches`");
    check("a == 1 && b == 1", 8, "`and`");
    check("a == 1 || b == 1", 8, "`or`");
    check("!a missing", 1, "`not`");
    check("a == 1 AND b == 1", 8, "small letters");
    check("a == 1 and NOT b == 1", 12, "small letters");
    check("v semver = \"1.0.0\"", 10, "`==`");
}

#[test]
fn misspelt_operators_are_guessed() {
    check("email startsWith \"a\"", 7, "`starts_with`");
    check("email endswith \"a\"", 7, "`ends_with`");
    check("email contain \"a\"", 7, "`contains`");
    check("email matchs \"a\"", 7, "`matches`");
    check("email like \"a\"", 7, "`matches`");
    check("email exists", 7, "`present`");
    check("email is \"a\"", 7, "`==`");
    check("v sem_ver >= \"1.0.0\"", 3, "`semver`");
    check("a befor \"2026-01-01\"", 3, "`before`");
}

#[test]
fn quotes_are_explained() {
    check("plan == 'a'", 9, "double quotes");
    check("plan == beta", 9, "double quotes: \"beta\"");
    check("plan in [a]", 10, "double quotes");
    check("\"plan\" == 1", 1, "back quotes");
    check("'plan' == 1", 1, "back quotes");
    check("plan == \"a", 9, "not closed");
    check("`plan == 1", 1, "not closed");
    check("größe == 1", 3, "expected an operator");
    check("`` == 1", 1, "needs a name");
    check("segment == 1", 9, "name of a segment");
    check("missing == 1", 1, "back quotes");
    check("plan == null", 9, "`missing`");
}

#[test]
fn escapes_are_explained() {
    check("a == \"\\d\"", 7, "\\\\");
    check("a == \"\\u00e9\"", 7, "\\u{");
    check("a == \"\\u{110000}\"", 7, "\\u{");
    check("a == \"x\ty\"", 8, "\\u{9}");
    check("a == \"é\\q\"", 8, "unknown escape");
}

#[test]
fn wrong_values_are_explained() {
    check("v > \"2.0.0\"", 5, "`semver >");
    check("v >= true", 6, "numbers");
    check("v semver \"2.0.0\"", 10, "after `semver`");
    check("v semver >= 2", 13, "double quotes");
    check("v semver >= \"2\"", 13, "semantic version");
    check("a before \"soon\"", 10, "2026-01-31");
    check("a before \"2026-13-01\"", 10, "2026-01-31");
    check("a before \"2026-01-01T00:00:00\"", 10, "offset");
    check("a before 2026-01-01", 10, "double quotes");
    check("a matches \"(\"", 11, "not a regular expression");
    check("a == 99999999999999999999", 6, "64-bit");
    check("a == 1e999", 6, "finite");
    check("a == 10.0.0.0/8", 6, "`in`");
    check("ip in 10.0.0.0/33", 7, "network");
    check("ip in 10.0.0", 7, "network");
    check("ip in \"10.0.0.0/8\"", 7, "network such as");
    check("ip in 5", 7, "list such as");
    check("a in []", 7, "needs an item");
    check("a in [1,]", 9, "needs an item");
    check("a in [1 2]", 9, "`,` or `]`");
    check("a in [1, \"x\"]", 10, "one type");
    check("a in [10.0.0.0/8, 1]", 19, "one type");
}

#[test]
fn what_is_missing_or_left_over_is_named() {
    check("", 1, "expected an attribute");
    check("   ", 4, "expected an attribute");
    check("a", 2, "a == true");
    check("(a) or b == 1", 3, "a == true");
    check("a and b == 1", 3, "expected an operator after `a`");
    check("a == ", 6, "expected a text");
    check("a == 1 and", 11, "expected an attribute");
    check("a == 1 b == 1", 8, "`and`, `or` or the end");
    check("(a == 1", 1, "not closed");
    check("(a == 1 b", 9, "`and`, `or` or the end");
    check("a == 1)", 7, "closes nothing");
    check("a not == 1", 3, "`!=`");
    check("a not < 1", 3, "`not a <");
    check("a == !b", 6, "expected a text");
    check("a not missing", 3, "before the attribute");
    check("segment", 8, "name of a segment");
    check("segment in staff", 12, "list of segments");
    check("segment not staff", 13, "`not segment name`");
    check("segment in []", 13, "needs an item");
    check("1 == a", 1, "expected an attribute");
}

#[test]
fn positions_count_characters_and_the_caret_stands_under_them() {
    let source = "`größe` == \"é\"\n  and plan = 1";
    let error = source.parse::<Expression>().unwrap_err();
    assert_eq!(error.position, 27);
    assert_eq!(
        error.render(source),
        "  and plan = 1\n           ^\nwrite `==` to compare"
    );
}

#[test]
fn the_rendered_line_does_nothing_to_a_terminal_and_stays_short() {
    let source = format!("a == \"{}\u{1b}[31m\u{202e}", "x".repeat(200));
    let error = source.parse::<Expression>().unwrap_err();
    let rendered = error.render(&source);
    assert!(!rendered.contains(['\u{1b}', '\u{202e}']), "{rendered:?}");
    let line = rendered.lines().next().unwrap();
    let caret = rendered.lines().nth(1).unwrap();
    assert!(line.chars().count() <= 121, "{line}");
    assert_eq!(line.chars().nth(caret.chars().count() - 1), Some('·'));
}
