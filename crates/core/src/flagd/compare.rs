//! Comparisons of one attribute, each in two expressions: one that is true exactly when JsonLogic's
//! answer is truthy, and one that is true exactly when it is not.
//!
//! `not` could not do that: of an attribute that is missing it knows nothing, while JsonLogic
//! takes it for null and has an answer.

use leverframe_flags::{Comparison, Expr, Literal, Subject, Test};

use super::operand::Attribute;
use super::scalar::{Scalar, number_literal};

/// `is_wanted` with what a missing attribute answers. `present` knows nothing of a missing one.
pub(super) fn over(
    attribute: &Attribute,
    holds_when_missing: bool,
    is_wanted: bool,
    present: Vec<Expr>,
) -> Expr {
    let mut parts = Vec::with_capacity(present.len() + 1);
    if holds_when_missing == is_wanted {
        parts.push(missing(&attribute.subject));
    }
    parts.extend(present);
    Expr::any(parts)
}

pub(super) fn missing(subject: &Subject) -> Expr {
    Expr::test(subject.clone(), Test::Missing)
}

pub(super) fn present(subject: &Subject) -> Expr {
    Expr::not(missing(subject))
}

/// `==` and `===` with a constant.
pub(super) fn equality(
    attribute: &Attribute,
    constant: &Scalar,
    is_strict: bool,
    is_wanted: bool,
) -> Expr {
    let holds_when_missing = if is_strict {
        attribute.missing == *constant
    } else {
        attribute.missing.loosely_equals(constant)
    };
    if *constant == Scalar::Null {
        let rest = if is_wanted {
            Vec::new()
        } else {
            vec![present(&attribute.subject)]
        };
        return over(attribute, holds_when_missing, is_wanted, rest);
    }
    let equals = Equals::to(constant, is_strict);
    // Engines do not agree on `3 == "beta"`; that text is compared with texts alone.
    let is_about_every_type = is_strict || constant.to_number().is_some();
    let rest = equals
        .by_type()
        .into_iter()
        .filter_map(|(kind, items)| {
            if items.is_empty() {
                (!is_wanted && is_about_every_type).then(|| kind.test(&attribute.subject))
            } else {
                Some(one_of(&attribute.subject, items, is_wanted))
            }
        })
        .collect();
    over(attribute, holds_when_missing, is_wanted, rest)
}

/// Whether an attribute is one of several constants, without coercion.
pub(super) fn membership(attribute: &Attribute, list: &[Scalar], is_wanted: bool) -> Expr {
    let mut equals = Equals::default();
    for item in list {
        equals.push(item);
    }
    let mut rest: Vec<Expr> = equals
        .by_type()
        .into_iter()
        .filter(|(_, items)| !items.is_empty())
        .map(|(_, items)| one_of(&attribute.subject, items, is_wanted))
        .collect();
    if rest.is_empty() && !is_wanted {
        rest.push(present(&attribute.subject));
    }
    let holds_when_missing = list.contains(&attribute.missing);
    over(attribute, holds_when_missing, is_wanted, rest)
}

/// `<` and its like with a number; null counts as 0. `None` where the default is no number.
pub(super) fn order(
    attribute: &Attribute,
    comparison: Comparison,
    number: f64,
    is_wanted: bool,
) -> Option<Expr> {
    let missing = attribute.missing.to_number()?;
    let holds_when_missing = comparison.holds(missing.partial_cmp(&number)?);
    let comparison = if is_wanted {
        comparison
    } else {
        opposite(comparison)
    };
    let test = Test::Compare(comparison, number_literal(number));
    let rest = vec![Expr::test(attribute.subject.clone(), test)];
    Some(over(attribute, holds_when_missing, is_wanted, rest))
}

/// A test that JsonLogic answers with false where there is nothing to test.
pub(super) fn test(
    attribute: &Attribute,
    holds_when_missing: bool,
    test: Test,
    is_wanted: bool,
) -> Expr {
    let subject = &attribute.subject;
    let is_about_type = test == Test::StartsWith("".into());
    let expr = Expr::test(subject.clone(), test);
    let rest = match (is_wanted, is_about_type) {
        (true, _) => vec![expr],
        (false, false) => vec![Expr::not(expr)],
        // Every text starts with nothing, so this asks for any other type.
        (false, true) => vec![Kind::Number.test(subject), Kind::Boolean.test(subject)],
    };
    over(attribute, holds_when_missing, is_wanted, rest)
}

/// Whether an attribute is truthy.
pub(super) fn truthiness(attribute: &Attribute, is_wanted: bool) -> Expr {
    let subject = &attribute.subject;
    let rest = if *subject == Subject::Unit {
        // A text, and one that is empty counts as missing.
        if is_wanted {
            vec![present(subject)]
        } else {
            Vec::new()
        }
    } else {
        let compare =
            |comparison, literal| Expr::test(subject.clone(), Test::Compare(comparison, literal));
        let comparison = if is_wanted {
            Comparison::NotEqual
        } else {
            Comparison::Equal
        };
        vec![
            compare(Comparison::Equal, Literal::Boolean(is_wanted)),
            compare(comparison, Literal::Integer(0)),
            compare(comparison, Literal::String("".into())),
        ]
    };
    over(attribute, attribute.missing.is_truthy(), is_wanted, rest)
}

/// `a < b` said the other way round.
pub(super) fn flipped(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        same @ (Comparison::Equal | Comparison::NotEqual) => same,
    }
}

pub(super) fn opposite(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::GreaterOrEqual,
        Comparison::LessOrEqual => Comparison::Greater,
        Comparison::Greater => Comparison::LessOrEqual,
        Comparison::GreaterOrEqual => Comparison::Less,
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
    }
}

/// The types that an attribute is compared as.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Number,
    Boolean,
}

impl Kind {
    /// True for every value of this type, and unknown for others.
    pub(super) fn test(self, subject: &Subject) -> Expr {
        let test = |test| Expr::test(subject.clone(), test);
        match self {
            Self::Text => test(Test::StartsWith("".into())),
            Self::Number => Expr::any(vec![
                test(Test::Compare(Comparison::Less, Literal::Integer(0))),
                test(Test::Compare(
                    Comparison::GreaterOrEqual,
                    Literal::Integer(0),
                )),
            ]),
            Self::Boolean => test(Test::In(vec![
                Literal::Boolean(false),
                Literal::Boolean(true),
            ])),
        }
    }
}

/// The values that are equal to a constant, by type.
#[derive(Default)]
struct Equals {
    texts: Vec<Literal>,
    numbers: Vec<Literal>,
    booleans: Vec<Literal>,
}

impl Equals {
    /// With coercion, a text counts as a number only as the engines all write that number: `"18"`.
    fn to(constant: &Scalar, is_strict: bool) -> Self {
        let mut equals = Self::default();
        equals.push(constant);
        let Some(number) = constant.to_number().filter(|_| !is_strict) else {
            return equals;
        };
        let as_number = Scalar::Number(number);
        equals.push(&as_number);
        for value in [false, true] {
            if Scalar::Boolean(value).loosely_equals(&as_number) {
                equals.push(&Scalar::Boolean(value));
            }
        }
        if !matches!(constant, Scalar::Text(_)) {
            // Two texts are compared as texts.
            if number == 0.0 {
                equals.push(&Scalar::Text(String::new()));
            }
            if let Some(text) = as_number.to_text() {
                equals.push(&Scalar::Text(text));
            }
        }
        equals
    }

    fn push(&mut self, scalar: &Scalar) {
        let (items, literal) = match (scalar, scalar.literal()) {
            (Scalar::Text(_), Some(literal)) => (&mut self.texts, literal),
            (Scalar::Number(_), Some(literal)) => (&mut self.numbers, literal),
            (Scalar::Boolean(_), Some(literal)) => (&mut self.booleans, literal),
            _ => return,
        };
        if !items.contains(&literal) {
            items.push(literal);
        }
    }

    fn by_type(self) -> [(Kind, Vec<Literal>); 3] {
        [
            (Kind::Text, self.texts),
            (Kind::Number, self.numbers),
            (Kind::Boolean, self.booleans),
        ]
    }
}

fn one_of(subject: &Subject, mut items: Vec<Literal>, is_wanted: bool) -> Expr {
    if items.len() > 1 {
        let among = Expr::test(subject.clone(), Test::In(items));
        return if is_wanted { among } else { Expr::not(among) };
    }
    let comparison = if is_wanted {
        Comparison::Equal
    } else {
        Comparison::NotEqual
    };
    items.pop().map_or(Expr::Constant(!is_wanted), |only| {
        Expr::test(subject.clone(), Test::Compare(comparison, only))
    })
}
