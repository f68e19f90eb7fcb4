//! Constants, as JsonLogic (and so JavaScript) compares them.

use leverframe_flags::Literal;
use serde_json::Value as Json;

/// A constant of a targeting.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Null,
    Boolean(bool),
    Number(f64),
    Text(String),
}

/// Above this, neighbouring integers are one number to JavaScript.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

impl Scalar {
    /// `None` for lists, objects, and numbers that JavaScript would round.
    pub(super) fn from_json(json: &Json) -> Option<Self> {
        Some(match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Boolean(*value),
            Json::Number(number) => {
                let float = number.as_f64().filter(|float| float.is_finite())?;
                if number.is_f64() || float.abs() < EXACT_MAX {
                    Self::Number(float)
                } else {
                    return None;
                }
            }
            Json::String(text) => Self::Text(text.clone()),
            Json::Array(_) | Json::Object(_) => return None,
        })
    }

    /// JavaScript's `Number(…)`; `None` is not a number.
    pub(super) fn to_number(&self) -> Option<f64> {
        match self {
            Self::Null => Some(0.0),
            Self::Boolean(value) => Some(f64::from(u8::from(*value))),
            Self::Number(number) => Some(*number),
            Self::Text(text) => text_to_number(text),
        }
    }

    /// JavaScript's `String(…)`, except that `null` is nothing, as `cat` has it. `None` for a
    /// number that it would write with an exponent.
    pub(super) fn to_text(&self) -> Option<String> {
        match self {
            Self::Null => Some(String::new()),
            Self::Boolean(value) => Some(value.to_string()),
            Self::Number(number) => number_to_text(*number),
            Self::Text(text) => Some(text.clone()),
        }
    }

    pub(super) fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Boolean(value) => *value,
            Self::Number(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
        }
    }

    /// `==`
    pub(super) fn loosely_equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Null, _) | (_, Self::Null) => false,
            (Self::Text(one), Self::Text(other)) => one == other,
            _ => match (self.to_number(), other.to_number()) {
                (Some(one), Some(other)) => one == other,
                _ => false,
            },
        }
    }

    /// As a literal of the `when` language; `None` for null.
    pub(super) fn literal(&self) -> Option<Literal> {
        Some(match self {
            Self::Null => return None,
            Self::Boolean(value) => Literal::Boolean(*value),
            Self::Number(number) => number_literal(*number),
            Self::Text(text) => Literal::String(text.as_str().into()),
        })
    }
}

/// A whole number as an integer, which reads better; both compare by value.
pub(super) fn number_literal(number: f64) -> Literal {
    if number.fract() == 0.0 && number.abs() < EXACT_MAX {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole and below 2^53, so exact"
        )]
        let integer = number as i64;
        Literal::Integer(integer)
    } else {
        Literal::Float(number)
    }
}

fn number_to_text(number: f64) -> Option<String> {
    let is_plain = number == 0.0 || (1e-6..1e21).contains(&number.abs());
    // Minus zero is written without its sign.
    is_plain.then(|| (number + 0.0).to_string())
}

fn text_to_number(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.is_empty() {
        return Some(0.0);
    }
    // Rust reads words such as `inf`, too.
    let is_decimal = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    is_decimal
        .then(|| text.parse().ok())?
        .filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::json;

    use super::*;

    fn scalar(json: &Json) -> Scalar {
        Scalar::from_json(json).unwrap()
    }

    #[test]
    fn constants_are_loosely_equal_as_in_javascript() {
        let table = [
            (json!(1), json!("1"), true),
            (json!(1), json!(" 1.0 "), true),
            (json!(1), json!(true), true),
            (json!("1"), json!(true), true),
            (json!("1"), json!("1.0"), false),
            (json!(0), json!(""), true),
            (json!(false), json!(""), true),
            (json!(null), json!(0), false),
            (json!(null), json!(false), false),
            (json!(null), json!(null), true),
            (json!("beta"), json!(0), false),
            (json!("inf"), json!(1), false),
        ];
        for (one, other, is_equal) in table {
            let (left, right) = (scalar(&one), scalar(&other));
            assert_eq!(left.loosely_equals(&right), is_equal, "{one} == {other}");
            assert_eq!(right.loosely_equals(&left), is_equal, "{other} == {one}");
        }
    }

    #[test]
    fn numbers_are_written_as_javascript_writes_them_or_not_at_all() {
        let table = [
            (json!(18), Some("18")),
            (json!(-0.0), Some("0")),
            (json!(2.50), Some("2.5")),
            (json!(1e21), None),
            (json!(1e-7), None),
        ];
        for (number, text) in table {
            assert_eq!(scalar(&number).to_text().as_deref(), text, "{number}");
        }
        assert_eq!(Scalar::from_json(&json!(9_007_199_254_740_993_i64)), None);
    }
}
