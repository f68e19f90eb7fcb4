//! One test of one attribute, compiled.

use std::cmp::Ordering;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use semver::Version;

use super::number::Number;
use super::operand::Operand;
use crate::context::Attribute;
use crate::expression::{Comparison, Literal, Pattern, Test, instant};
use crate::limit::MATCHED_TEXT_BYTES_MAX;
use crate::truth::Truth;

/// A [`Test`] with its list sorted.
#[derive(Debug)]
pub(crate) enum CompiledTest {
    EqualBoolean {
        is_negated: bool,
        wanted: bool,
    },
    EqualText {
        is_negated: bool,
        wanted: Box<str>,
    },
    Number {
        comparison: Comparison,
        wanted: Number,
    },
    InBooleans {
        has_true: bool,
        has_false: bool,
    },
    /// Sorted.
    InTexts(Box<[Box<str>]>),
    /// Sorted by value.
    InNumbers(Box<[Number]>),
    StartsWith(Box<str>),
    EndsWith(Box<str>),
    Contains(Literal),
    Matches(Pattern),
    Version(Comparison, Box<Version>),
    Network(Box<[IpNet]>),
    Before(Timestamp),
    After(Timestamp),
    Missing,
    /// A tree that [`crate::Expression`] does not let through.
    Never,
}

impl CompiledTest {
    pub(super) fn new(test: &Test) -> Self {
        match test {
            Test::Compare(comparison, literal) => Self::comparison(*comparison, literal),
            Test::In(items) => Self::membership(items),
            Test::StartsWith(text) => Self::StartsWith(text.clone()),
            Test::EndsWith(text) => Self::EndsWith(text.clone()),
            Test::Contains(item) => Self::Contains(item.clone()),
            Test::Matches(pattern) => Self::Matches(pattern.clone()),
            Test::Version(comparison, version) => {
                Self::Version(*comparison, Box::new(version.clone()))
            }
            Test::Network(networks) => Self::Network(networks.as_slice().into()),
            Test::Before(at) => Self::Before(*at),
            Test::After(at) => Self::After(*at),
            Test::Missing => Self::Missing,
        }
    }

    fn comparison(comparison: Comparison, literal: &Literal) -> Self {
        let is_negated = comparison == Comparison::NotEqual;
        match literal {
            Literal::Integer(_) | Literal::Float(_) => {
                number(literal).map_or(Self::Never, |wanted| Self::Number { comparison, wanted })
            }
            _ if !is_negated && comparison != Comparison::Equal => Self::Never,
            Literal::Boolean(wanted) => Self::EqualBoolean {
                is_negated,
                wanted: *wanted,
            },
            Literal::String(wanted) => Self::EqualText {
                is_negated,
                wanted: wanted.clone(),
            },
        }
    }

    fn membership(items: &[Literal]) -> Self {
        match items.first() {
            Some(Literal::String(_)) => {
                let mut texts: Vec<Box<str>> = items
                    .iter()
                    .filter_map(|item| match item {
                        Literal::String(text) => Some(text.clone()),
                        _ => None,
                    })
                    .collect();
                texts.sort_unstable();
                Self::InTexts(texts.into())
            }
            Some(Literal::Integer(_) | Literal::Float(_)) => {
                let mut numbers: Vec<Number> = items.iter().filter_map(number).collect();
                numbers.sort_by(|left, right| left.order(*right).unwrap_or(Ordering::Equal));
                Self::InNumbers(numbers.into())
            }
            Some(Literal::Boolean(_)) => Self::InBooleans {
                has_true: items.contains(&Literal::Boolean(true)),
                has_false: items.contains(&Literal::Boolean(false)),
            },
            None => Self::Never,
        }
    }

    /// Asks the test about what was read; unknown where that is missing or of another type.
    pub(super) fn ask(&self, operand: Option<Operand<'_>>) -> Truth {
        if let Self::Missing = self {
            return Truth::from(operand.is_none());
        }
        operand
            .and_then(|operand| self.holds(operand))
            .map_or(Truth::Unknown, Truth::from)
    }

    /// `None` where the operand is of another type than the test is about.
    fn holds(&self, operand: Operand<'_>) -> Option<bool> {
        match (self, operand) {
            (Self::EqualText { is_negated, wanted }, Operand::Text(text)) => {
                Some((text == &**wanted) != *is_negated)
            }
            (Self::EqualBoolean { is_negated, wanted }, Operand::Boolean(value)) => {
                Some((value == *wanted) != *is_negated)
            }
            (Self::Number { comparison, wanted }, operand) => {
                Some(comparison.holds(operand_number(operand)?.order(*wanted)?))
            }
            (Self::InTexts(texts), Operand::Text(text)) => {
                Some(texts.binary_search_by(|item| (**item).cmp(text)).is_ok())
            }
            (Self::InNumbers(numbers), operand) => {
                let wanted = operand_number(operand)?;
                // Not a number is in no order with anything, so it is unknown before the search.
                wanted.order(wanted)?;
                Some(
                    numbers
                        .binary_search_by(|item| item.order(wanted).unwrap_or(Ordering::Less))
                        .is_ok(),
                )
            }
            (
                Self::InBooleans {
                    has_true,
                    has_false,
                },
                Operand::Boolean(value),
            ) => Some(if value { *has_true } else { *has_false }),
            (Self::StartsWith(wanted), Operand::Text(text)) => Some(text.starts_with(&**wanted)),
            (Self::EndsWith(wanted), Operand::Text(text)) => Some(text.ends_with(&**wanted)),
            (Self::Contains(Literal::String(wanted)), Operand::Text(text)) => {
                Some(text.contains(&**wanted))
            }
            (Self::Contains(wanted), Operand::List(items)) => {
                Some(items.iter().any(|item| equals(item, wanted)))
            }
            (Self::Matches(pattern), Operand::Text(text)) => {
                bounded(text).map(|text| pattern.is_match(text))
            }
            (Self::Version(comparison, wanted), Operand::Text(text)) => {
                let version = version(bounded(text)?)?;
                Some(comparison.holds(version.cmp_precedence(wanted)))
            }
            (Self::Network(networks), Operand::Text(text)) => {
                // An IPv4 address that came through an IPv6 socket is still that IPv4 address.
                let address = text.parse::<IpAddr>().ok()?.to_canonical();
                Some(networks.iter().any(|network| network.contains(&address)))
            }
            (Self::Before(at), operand) => Some(operand_instant(operand)? < *at),
            (Self::After(at), operand) => Some(operand_instant(operand)? > *at),
            _ => None,
        }
    }
}

fn number(literal: &Literal) -> Option<Number> {
    match literal {
        Literal::Integer(value) => Some(Number::Integer(*value)),
        Literal::Float(value) if value.is_finite() => Some(Number::Float(*value)),
        Literal::Float(_) | Literal::Boolean(_) | Literal::String(_) => None,
    }
}

fn operand_number(operand: Operand<'_>) -> Option<Number> {
    match operand {
        Operand::Integer(value) => Some(Number::Integer(value)),
        Operand::Float(value) => Some(Number::Float(value)),
        _ => None,
    }
}

/// A text is an RFC 3339 time or a date, an integer is milliseconds since 1970-01-01 UTC.
fn operand_instant(operand: Operand<'_>) -> Option<Timestamp> {
    match operand {
        Operand::Text(text) => instant(bounded(text)?),
        Operand::Integer(milliseconds) => Timestamp::from_millisecond(milliseconds).ok(),
        _ => None,
    }
}

fn bounded(text: &str) -> Option<&str> {
    (text.len() <= MATCHED_TEXT_BYTES_MAX).then_some(text)
}

/// Applications say `v2.1.0` and `2.1` too; what is left out counts as 0.
fn version(text: &str) -> Option<Version> {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    if let Ok(version) = Version::parse(text) {
        return Some(version);
    }
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    let part = |digits: &str| {
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse::<u64>().ok())
            .flatten()
    };
    Some(Version::new(part(major)?, part(minor)?, 0))
}

fn equals(item: &Attribute, wanted: &Literal) -> bool {
    match (item, wanted) {
        (Attribute::Boolean(item), Literal::Boolean(wanted)) => item == wanted,
        (Attribute::String(item), Literal::String(wanted)) => item == wanted,
        (item, wanted) => operand_number(Operand::from(item))
            .zip(number(wanted))
            .and_then(|(item, wanted)| item.order(wanted))
            .is_some_and(Ordering::is_eq),
    }
}
