//! The language: what is parsed, printed and bounded.

use leverframe_flags::{
    Comparison, Expr, Expression, Literal, Predicate, Subject, Test, TreeError, limit,
};
use proptest::prelude::*;

use crate::strategy;

fn parsed(text: &str) -> Expression {
    text.parse()
        .unwrap_or_else(|error: leverframe_flags::ExpressionError| panic!("{}", error.render(text)))
}

fn named(name: &str) -> Subject {
    Subject::Named(name.into())
}

#[test]
fn and_binds_tighter_than_or_and_not_tighter_than_and() {
    let is = |name: &str| {
        Expr::test(
            named(name),
            Test::Compare(Comparison::Equal, Literal::Integer(1)),
        )
    };
    assert_eq!(
        *parsed("not a == 1 and b == 1 or c == 1").tree(),
        Expr::Any(vec![Expr::All(vec![Expr::not(is("a")), is("b")]), is("c")])
    );
    assert_eq!(
        *parsed("not (a == 1 and (b == 1 or c == 1))").tree(),
        Expr::not(Expr::All(vec![is("a"), Expr::Any(vec![is("b"), is("c")])]))
    );
}

#[test]
fn the_canonical_text_of_every_operator_is_stable() {
    let texts = [
        "true",
        "false",
        "not true",
        "a == \"x\"",
        "a != true",
        "a < 1",
        "a <= -1",
        "a > 1.5",
        "a >= 1e300",
        "a in [1, 2.5]",
        "a not in [\"x\"]",
        "a in 10.0.0.0/8",
        "a not in [10.0.0.0/8, ::1/128]",
        "a starts_with \"x\"",
        "a not ends_with \"x\"",
        "a contains false",
        "a matches \"^\\\\d+$\"",
        "a semver >= \"1.0.0-rc.1+5\"",
        "not a semver == \"1.0.0\"",
        "a before \"2026-01-01T00:00:00Z\"",
        "a after \"2026-01-01T00:00:00.5Z\"",
        "a missing",
        "a present",
        "segment staff",
        "not segment in [a, b~1]",
        "segment \"in\"",
        "targetingKey == \"u\"",
        "now > 5",
        "`now` == \"x\"",
        "`missing` missing",
        "`a\\`b\\\\` == 1",
        "(a == 1 or b == 1) and not (c == 1 and d == 1)",
    ];
    for text in texts {
        assert_eq!(parsed(text).to_string(), text);
    }
}

#[test]
fn other_ways_to_write_the_same_are_understood() {
    let pairs = [
        ("a  ==\n\t1", "a == 1"),
        ("a==1 and b!=2", "a == 1 and b != 2"),
        ("not a in [1]", "a not in [1]"),
        ("not a missing", "a present"),
        ("not not a missing", "not a present"),
        ("segment not in [a, b]", "not segment in [a, b]"),
        ("segment in [a]", "segment a"),
        ("segment \"a\"", "segment a"),
        ("`plan` == 1", "plan == 1"),
        ("a in 10.0.0.1", "a in 10.0.0.1/32"),
        ("a in [::1]", "a in ::1/128"),
        (
            "a == 1 and (b == 1 and c == 1)",
            "a == 1 and b == 1 and c == 1",
        ),
        (
            "a before \"2026-01-01\"",
            "a before \"2026-01-01T00:00:00Z\"",
        ),
        (
            "a before \"2026-01-01T02:00:00+02:00\"",
            "a before \"2026-01-01T00:00:00Z\"",
        ),
    ];
    for (text, canonical) in pairs {
        assert_eq!(parsed(text).to_string(), canonical);
    }
}

#[test]
fn text_that_could_hide_itself_is_printed_inert() {
    let expression = parsed(
        "a == \"\u{202e}\u{200b}é\u{7f}\""
            .replace('\u{7f}', "\\u{7f}")
            .as_str(),
    );
    assert_eq!(
        expression.to_string(),
        "a == \"\\u{202e}\\u{200b}é\\u{7f}\""
    );
}

#[test]
fn bounds_are_kept_when_parsing() {
    let depth = limit::EXPRESSION_DEPTH_MAX;
    let nested = |depth| format!("{}a == 1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(nested(depth).parse::<Expression>().is_ok());
    assert!(nested(depth + 1).parse::<Expression>().is_err());
    assert!(nested(7_000).parse::<Expression>().is_err());
    assert!(
        format!("{}true", "not ".repeat(depth + 1))
            .parse::<Expression>()
            .is_err()
    );

    let predicates = |count| vec!["a == 1"; count].join(" or ");
    assert!(
        predicates(limit::EXPRESSION_PREDICATES_MAX)
            .parse::<Expression>()
            .is_ok()
    );
    assert!(
        predicates(limit::EXPRESSION_PREDICATES_MAX + 1)
            .parse::<Expression>()
            .is_err()
    );

    let list = |count| format!("a in [{}]", vec!["1"; count].join(","));
    assert!(list(limit::LIST_ITEMS_MAX).parse::<Expression>().is_ok());
    assert!(
        list(limit::LIST_ITEMS_MAX + 1)
            .parse::<Expression>()
            .is_err()
    );

    let long = format!("a == \"{}\"", "x".repeat(limit::EXPRESSION_BYTES_MAX));
    assert!(long.parse::<Expression>().is_err());
    let regex = |bytes| format!("a matches \"{}\"", "x".repeat(bytes));
    assert!(regex(limit::REGEX_BYTES_MAX).parse::<Expression>().is_ok());
    assert!(
        regex(limit::REGEX_BYTES_MAX + 1)
            .parse::<Expression>()
            .is_err()
    );
    assert!(
        "a matches \"(x{1000}){1000}\""
            .parse::<Expression>()
            .is_err()
    );
}

#[test]
fn an_expression_whose_printed_form_would_be_too_long_is_refused() {
    // Each of these takes three bytes, and eight when it is printed.
    let text = format!(
        "a == \"{}\"",
        "\u{202e}".repeat(limit::EXPRESSION_BYTES_MAX / 4)
    );
    let error = text.parse::<Expression>().unwrap_err();
    assert!(error.message.contains("written out"), "{error}");
}

#[test]
fn trees_from_elsewhere_are_held_to_the_same_bounds() {
    let test = |test| Expr::test(named("a"), test);
    let refused = [
        (test(Test::In(Vec::new())), TreeError::ListEmpty),
        (
            test(Test::In(vec![Literal::Integer(1), Literal::Boolean(true)])),
            TreeError::ListMixed,
        ),
        (
            test(Test::Compare(Comparison::Less, Literal::Boolean(true))),
            TreeError::OrderWithoutNumber,
        ),
        (
            test(Test::Compare(Comparison::Less, Literal::Float(f64::NAN))),
            TreeError::NotFinite,
        ),
        (Expr::test(named(""), Test::Missing), TreeError::EmptyName),
        (
            Expr::Test(Predicate::Segment { any_of: Vec::new() }),
            TreeError::ListEmpty,
        ),
        (
            (0..100).fold(test(Test::Missing), |tree, _| Expr::not(tree)),
            TreeError::TooDeep,
        ),
        (
            Expr::All(vec![test(Test::Missing); 600]),
            TreeError::TooManyPredicates,
        ),
    ];
    for (tree, error) in refused {
        assert_eq!(Expression::new(tree), Err(error));
    }
}

#[test]
fn an_expression_names_its_segments_and_attributes() {
    let expression = parsed("segment b or not segment in [a, b] and plan == 1 and plan missing");
    let segments: Vec<String> = expression
        .segments()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(segments, ["a", "b"]);
    assert_eq!(expression.subjects(), [&named("plan")]);
}

#[test]
fn an_expression_is_a_text_in_json() {
    let expression = parsed("plan  == \"beta\"");
    let json = serde_json::to_string(&expression).unwrap();
    assert_eq!(json, r#""plan == \"beta\"""#);
    assert_eq!(
        serde_json::from_str::<Expression>(&json).unwrap(),
        expression
    );
    let error = serde_json::from_str::<Expression>(r#""plan = 1""#).unwrap_err();
    assert!(error.to_string().contains("at character 6"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_printed_parses_to_the_same_tree(tree in strategy::tree(true)) {
        let expression = Expression::new(tree).unwrap();
        let text = expression.to_string();
        let again: Expression = text.parse().map_err(
            |error: leverframe_flags::ExpressionError| TestCaseError::fail(error.render(&text)),
        )?;
        prop_assert_eq!(&again, &expression);
        prop_assert_eq!(again.to_string(), text);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        if let Err(error) = text.parse::<Expression>() {
            prop_assert!(error.position >= 1);
            prop_assert!(error.position <= text.chars().count() + 1);
            prop_assert!(error.render(&text).ends_with(&error.message));
        }
    }

    #[test]
    fn no_mixture_of_its_own_words_makes_the_parser_panic(
        words in proptest::collection::vec(
            prop::sample::select(vec![
                "a", "in", "not", "and", "or", "(", ")", "[", "]", ",", "==", "<", "!", "=",
                "\"x\"", "\"", "`", "1", "-", "1.5", "10.0.0.0/8", "segment", "semver", "before",
                "missing", "present", "matches", "\"(\"", "\\", "'", "&&", "\n", "é",
            ]),
            0..12,
        )
    ) {
        let text = words.join(" ");
        match text.parse::<Expression>() {
            Ok(expression) => prop_assert_eq!(
                expression.to_string().parse::<Expression>().unwrap(),
                expression
            ),
            Err(error) => {
                prop_assert!(error.position <= text.chars().count() + 1);
                prop_assert!(error.render(&text).ends_with(&error.message));
            }
        }
    }
}
