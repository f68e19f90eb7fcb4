//! Comparing integers and floats by value, without rounding either.

use std::cmp::Ordering;

/// An integer or a float.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number {
    Integer(i64),
    Float(f64),
}

impl Number {
    /// The order of two numbers by value; `None` when one is not a number.
    pub(crate) fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => Some(left.cmp(&right)),
            (Self::Float(left), Self::Float(right)) => left.partial_cmp(&right),
            (Self::Integer(left), Self::Float(right)) => order_mixed(left, right),
            (Self::Float(left), Self::Integer(right)) => {
                order_mixed(right, left).map(Ordering::reverse)
            }
        }
    }
}

/// 2^63, the first float above every `i64`; its negative is the least `i64`.
const ABOVE_INTEGERS: f64 = 9_223_372_036_854_775_808.0;

fn order_mixed(integer: i64, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    if float >= ABOVE_INTEGERS {
        return Some(Ordering::Less);
    }
    if float < -ABOVE_INTEGERS {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a whole number within the range of i64, by the two checks above"
    )]
    let truncated = whole as i64;
    // Equal whole parts: the fraction decides, which points away from zero.
    Some(
        integer
            .cmp(&truncated)
            .then_with(|| whole.partial_cmp(&float).unwrap_or(Ordering::Equal)),
    )
}

#[cfg(test)]
mod tests {
    use super::Number::{Float, Integer};
    use super::*;

    #[test]
    fn integers_and_floats_compare_by_value() {
        let table = [
            (Integer(3), Float(3.0), Some(Ordering::Equal)),
            (Integer(3), Float(3.5), Some(Ordering::Less)),
            (Integer(-3), Float(-3.5), Some(Ordering::Greater)),
            (Integer(0), Float(-0.0), Some(Ordering::Equal)),
            // 2^53 + 1 has no float of its own: rounding it would make these equal.
            (
                Integer(9_007_199_254_740_993),
                Float(9_007_199_254_740_992.0),
                Some(Ordering::Greater),
            ),
            (
                Integer(i64::MAX),
                Float(ABOVE_INTEGERS),
                Some(Ordering::Less),
            ),
            (
                Integer(i64::MIN),
                Float(-ABOVE_INTEGERS),
                Some(Ordering::Equal),
            ),
            (
                Integer(i64::MIN),
                Float(f64::NEG_INFINITY),
                Some(Ordering::Greater),
            ),
            (Integer(0), Float(f64::NAN), None),
        ];
        for (left, right, order) in table {
            assert_eq!(left.order(right), order, "{left:?} {right:?}");
            assert_eq!(
                right.order(left),
                order.map(Ordering::reverse),
                "{right:?} {left:?}"
            );
        }
    }
}
