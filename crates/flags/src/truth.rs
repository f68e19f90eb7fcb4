//! Three-valued logic (Kleene's): what is not known stays unknown until something else decides.

use std::fmt;

use serde::Serialize;

/// The answer to a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// An attribute it needs is missing or of another type. Does not match, and its opposite does
    /// not match either.
    Unknown,
}

impl Truth {
    /// Whether it holds for certain, which is what matching means.
    #[must_use]
    pub fn is_true(self) -> bool {
        self == Self::True
    }

    /// Both hold; false as soon as one is false.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, Self::True) => Self::True,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
        }
    }

    /// At least one holds; true as soon as one is true.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::True, _) | (_, Self::True) => Self::True,
            (Self::False, Self::False) => Self::False,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
        }
    }

    /// The opposite; unknown stays unknown.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "beside `and` and `or`, which are no operators either"
    )]
    pub fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }

    /// The word used in messages and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
            Self::Unknown => "unknown",
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{False, True, Unknown};

    #[test]
    fn and_or_and_not_follow_kleenes_tables() {
        // left, right, and, or
        let table = [
            (True, True, True, True),
            (True, False, False, True),
            (True, Unknown, Unknown, True),
            (False, False, False, False),
            (False, Unknown, False, Unknown),
            (Unknown, Unknown, Unknown, Unknown),
        ];
        for (left, right, and, or) in table {
            assert_eq!(left.and(right), and, "{left} and {right}");
            assert_eq!(right.and(left), and, "{right} and {left}");
            assert_eq!(left.or(right), or, "{left} or {right}");
            assert_eq!(right.or(left), or, "{right} or {left}");
        }
        assert_eq!(
            [True, False, Unknown].map(super::Truth::not),
            [False, True, Unknown]
        );
    }

    #[test]
    fn only_true_matches() {
        assert_eq!(
            [True, False, Unknown].map(super::Truth::is_true),
            [true, false, false]
        );
    }
}
