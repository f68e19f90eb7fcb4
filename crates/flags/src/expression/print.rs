//! The canonical text of a tree: one space, no needless parentheses, every text escaped so that
//! it is inert wherever it is shown.

use std::fmt::{self, Write};

use super::error::is_inert;
use super::parser::{is_keyword, is_plain_name};
use super::tree::{Expr, Literal, Predicate, Subject, Test};
use crate::key::SegmentKey;

/// How tightly the place binds in which an expression stands.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Place {
    Whole,
    InAny,
    InAll,
    InNot,
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_expr(f, self, Place::Whole)
    }
}

/// How deep the parentheses and prefix `not`s of the printed text nest.
pub(super) fn nesting(expr: &Expr) -> usize {
    nesting_in(expr, Place::Whole)
}

/// The number of bytes of the printed text.
pub(super) fn length(printed: &impl fmt::Display) -> usize {
    struct Counter(usize);
    impl Write for Counter {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 = self.0.saturating_add(text.len());
            Ok(())
        }
    }
    let mut counter = Counter(0);
    match write!(counter, "{printed}") {
        Ok(()) => counter.0,
        Err(fmt::Error) => usize::MAX,
    }
}

fn needs_parentheses(expr: &Expr, place: Place) -> bool {
    match expr {
        Expr::Any(_) => place > Place::InAny,
        Expr::All(_) => place > Place::InAll,
        Expr::Not(_) | Expr::Constant(_) | Expr::Test(_) => false,
    }
}

fn nesting_in(expr: &Expr, place: Place) -> usize {
    let own = usize::from(needs_parentheses(expr, place));
    let inner = match expr {
        Expr::Any(parts) => parts
            .iter()
            .map(|part| nesting_in(part, Place::InAny))
            .max(),
        Expr::All(parts) => parts
            .iter()
            .map(|part| nesting_in(part, Place::InAll))
            .max(),
        Expr::Not(part) if infix_negation(part).is_some() => None,
        Expr::Not(part) => Some(nesting_in(part, Place::InNot).saturating_add(1)),
        Expr::Constant(_) | Expr::Test(_) => None,
    };
    own.saturating_add(inner.unwrap_or(0))
}

/// A negated predicate that reads better with its `not` inside: `plan not in […]`.
fn infix_negation(part: &Expr) -> Option<(&Subject, &Test)> {
    let Expr::Test(Predicate::Attribute { subject, test }) = part else {
        return None;
    };
    matches!(
        test,
        Test::In(_)
            | Test::StartsWith(_)
            | Test::EndsWith(_)
            | Test::Contains(_)
            | Test::Matches(_)
            | Test::Network(_)
            | Test::Missing
    )
    .then_some((subject, test))
}

fn write_expr(f: &mut fmt::Formatter<'_>, expr: &Expr, place: Place) -> fmt::Result {
    let parenthesised = needs_parentheses(expr, place);
    if parenthesised {
        f.write_char('(')?;
    }
    match expr {
        Expr::Constant(value) => write!(f, "{value}")?,
        Expr::All(parts) => write_joined(f, parts, " and ", Place::InAll)?,
        Expr::Any(parts) => write_joined(f, parts, " or ", Place::InAny)?,
        Expr::Not(part) => match infix_negation(part) {
            Some((subject, Test::Missing)) => write!(f, "{subject} present")?,
            Some((subject, test)) => write!(f, "{subject} not {test}")?,
            None => {
                f.write_str("not ")?;
                write_expr(f, part, Place::InNot)?;
            }
        },
        Expr::Test(predicate) => write!(f, "{predicate}")?,
    }
    if parenthesised {
        f.write_char(')')?;
    }
    Ok(())
}

fn write_joined(
    f: &mut fmt::Formatter<'_>,
    parts: &[Expr],
    word: &str,
    place: Place,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        write_expr(f, part, place)?;
    }
    Ok(())
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute { subject, test } => write!(f, "{subject} {test}"),
            Self::Segment { any_of } => match any_of.as_slice() {
                [only] => {
                    f.write_str("segment ")?;
                    write_segment(f, only)
                }
                several => {
                    f.write_str("segment in [")?;
                    for (index, segment) in several.iter().enumerate() {
                        if index > 0 {
                            f.write_str(", ")?;
                        }
                        write_segment(f, segment)?;
                    }
                    f.write_char(']')
                }
            },
        }
    }
}

fn write_segment(f: &mut fmt::Formatter<'_>, segment: &SegmentKey) -> fmt::Result {
    if is_keyword(segment.as_str()) {
        write_quoted(f, segment.as_str(), '"')
    } else {
        f.write_str(segment.as_str())
    }
}

impl fmt::Display for Subject {
    /// As it is written in an expression: plain where that is possible, else in back quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit => f.write_str(crate::context::TARGETING_KEY),
            Self::Now => f.write_str("now"),
            Self::Named(name) => {
                let is_plain = is_plain_name(name)
                    && !is_keyword(name)
                    && matches!(Self::from_plain(name), Self::Named(_));
                if is_plain {
                    f.write_str(name)
                } else {
                    write_quoted(f, name, '`')
                }
            }
        }
    }
}

impl fmt::Display for Test {
    /// The operator and what follows it, as it is written in an expression.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(comparison, literal) => write!(f, "{} {literal}", comparison.as_str()),
            Self::In(items) => {
                f.write_str("in ")?;
                write_list(f, items)
            }
            Self::StartsWith(text) => {
                f.write_str("starts_with ")?;
                write_quoted(f, text, '"')
            }
            Self::EndsWith(text) => {
                f.write_str("ends_with ")?;
                write_quoted(f, text, '"')
            }
            Self::Contains(item) => write!(f, "contains {item}"),
            Self::Matches(pattern) => {
                f.write_str("matches ")?;
                write_quoted(f, pattern.as_str(), '"')
            }
            Self::Version(comparison, version) => {
                write!(f, "semver {} \"{version}\"", comparison.as_str())
            }
            Self::Network(networks) => match networks.as_slice() {
                [only] => write!(f, "in {only}"),
                several => {
                    f.write_str("in ")?;
                    write_list(f, several)
                }
            },
            Self::Before(at) => write!(f, "before \"{at}\""),
            Self::After(at) => write!(f, "after \"{at}\""),
            Self::Missing => f.write_str("missing"),
        }
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, items: &[impl fmt::Display]) -> fmt::Result {
    f.write_char('[')?;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{item}")?;
    }
    f.write_char(']')
}

impl fmt::Display for Literal {
    /// As it is written in an expression.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            // Debug keeps the fraction or the exponent, so that it is read back as a float.
            Self::Float(value) => write!(f, "{value:?}"),
            Self::String(value) => write_quoted(f, value, '"'),
        }
    }
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str, quote: char) -> fmt::Result {
    f.write_char(quote)?;
    for c in text.chars() {
        match c {
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c == quote => write!(f, "\\{c}")?,
            c if is_inert(c) => f.write_char(c)?,
            c => write!(f, "\\u{{{:x}}}", u32::from(c))?,
        }
    }
    f.write_char(quote)
}
