//! A `when` and, on the last line, a context. What can be read prints to text that reads back as
//! the same, keeps its bounds, and decides as its parts do by Kleene's tables.

use leverframe_flags::limit::{EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX, MATCHED_TEXT_BYTES_MAX};
use leverframe_flags::{
    Context, Definition, Exposure, Expr, Expression, FlagUpdate, Percentage, Position, RuleSet,
    Segment, SegmentKey, SegmentUpdate, Truth,
};
use serde_json::json;

/// Above this many questions the second way costs more than it finds.
const QUESTIONS_MAX: usize = 24;

pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (when, context) = text.rsplit_once('\n').unwrap_or((text, "{}"));
    let expression: Expression = match when.parse() {
        Ok(expression) => expression,
        Err(error) => {
            assert!(!error.message.is_empty());
            assert!(
                (1..=when.chars().count() + 1).contains(&error.position),
                "{when:?}: {error:?}"
            );
            return;
        }
    };
    let printed = expression.to_string();
    assert!(when.len() <= EXPRESSION_BYTES_MAX && printed.len() <= EXPRESSION_BYTES_MAX);
    assert_eq!(
        printed.parse().as_ref(),
        Ok(&expression),
        "{when:?} prints as {printed:?}"
    );
    assert_eq!(
        Expression::new(expression.tree().clone()).as_ref(),
        Ok(&expression),
        "a tree in its final form stays as it is"
    );
    assert!(depth(expression.tree()) <= 2 * EXPRESSION_DEPTH_MAX + 1);

    let context = serde_json::from_str(context)
        .ok()
        .filter(|_| context.len() <= 4 * MATCHED_TEXT_BYTES_MAX)
        .and_then(|json| Context::from_json(&json).ok())
        .unwrap_or_default()
        .at(1_800_000_000_000);
    let whole = asked(expression.tree(), &context);
    if questions(expression.tree()) <= QUESTIONS_MAX {
        assert_eq!(
            whole,
            part_by_part(expression.tree(), &context),
            "{printed} of {context:?}"
        );
    }
}

/// What the engine says of a condition: two rules of a flag that nobody else gets through.
fn asked(tree: &Expr, context: &Context) -> Truth {
    let Ok(holds) = Expression::new(tree.clone()) else {
        panic!("a part of an expression is an expression: {tree:?}");
    };
    let mut definition: Definition = serde_json::from_value(json!({
        "key": "f", "type": "string", "variants": {"unknown": "u", "true": "t", "false": "f"},
        "closed": "unknown", "open": "true", "salt": "f",
        "rules": [
            {"id": "holds", "when": "true", "serve": "true"},
            {"id": "does-not", "when": "false", "serve": "false"},
        ],
    }))
    .expect("a definition");
    // Whatever segment is asked about is there, and `u-1` is in it.
    let segment = |key: &SegmentKey| SegmentUpdate {
        key: key.clone(),
        definition: Ok(Box::new(Segment {
            key: key.clone(),
            when: None,
            include: vec!["u-1".into()],
            exclude: Vec::new(),
        })),
    };
    let segments = holds.segments().into_iter().map(segment).collect();
    definition.rules[0].when = holds;
    match Expression::new(Expr::Not(Box::new(tree.clone()))) {
        Ok(opposite) => definition.rules[1].when = opposite,
        // One `not` more than fits.
        Err(_) => {
            definition.rules.pop();
        }
    }
    let has_opposite = definition.rules.len() == 2;
    let closed = definition.closed.clone();
    let update = FlagUpdate {
        key: definition.key.clone(),
        position: Position::Open {
            exposure: Exposure::of(Percentage::ZERO),
        },
        closed: (closed.clone(), definition.variants[&closed].clone()),
        definition: Ok(Box::new(definition)),
    };
    let set = RuleSet::compile(1, vec![update], segments);
    assert_eq!(set.refused().next(), None, "what can be read can be served");
    let outcome = set.evaluate("f", context).expect("the flag is there");
    let explained = set.explain("f", context).expect("the flag is there");
    assert_eq!(explained.variant.as_str(), outcome.variant);
    match outcome.variant {
        "true" => Truth::True,
        "false" => Truth::False,
        _ if has_opposite => Truth::Unknown,
        _ => part_by_part(tree, context),
    }
}

/// The same from the answers to single questions.
fn part_by_part(tree: &Expr, context: &Context) -> Truth {
    match tree {
        Expr::Constant(holds) => (*holds).into(),
        Expr::All(parts) => parts.iter().fold(Truth::True, |so_far, part| {
            so_far.and(part_by_part(part, context))
        }),
        Expr::Any(parts) => parts.iter().fold(Truth::False, |so_far, part| {
            so_far.or(part_by_part(part, context))
        }),
        Expr::Not(part) => part_by_part(part, context).not(),
        Expr::Test(_) => asked(tree, context),
    }
}

fn questions(tree: &Expr) -> usize {
    match tree {
        Expr::Constant(_) => 0,
        Expr::All(parts) | Expr::Any(parts) => parts.iter().map(questions).sum(),
        Expr::Not(part) => questions(part),
        Expr::Test(_) => 1,
    }
}

fn depth(tree: &Expr) -> usize {
    match tree {
        Expr::Constant(_) | Expr::Test(_) => 1,
        Expr::All(parts) | Expr::Any(parts) => 1 + parts.iter().map(depth).max().unwrap_or(0),
        Expr::Not(part) => 1 + depth(part),
    }
}
