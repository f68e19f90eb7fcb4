//! The `when` language: what people write, the tree it means, and the text it prints back to.
//!
//! `docs/reference/when-language.md` is its reference for people; its examples are tests here.

mod cursor;
mod error;
mod literal;
mod parser;
mod pattern;
mod print;
mod suggestion;
mod tree;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::key::SegmentKey;
use crate::limit::{
    EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX, EXPRESSION_PREDICATES_MAX, LIST_ITEMS_MAX,
};

pub use error::ExpressionError;
pub(crate) use literal::instant;
pub use pattern::{Pattern, PatternError};
pub use tree::{Comparison, Expr, Literal, Predicate, Subject, Test};

/// A checked `when` expression. Prints back to text that parses to the same tree; cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression(Arc<Expr>);

/// No text prints back more than so many times as long. What grows most are floats (`1e15`, which
/// prints as 18 characters) and characters that print as their numbers; this leaves room.
const PRINTED_LONGER_MAX: usize = 16;

/// Why a tree that was not parsed from text is not an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// Deeper than [`EXPRESSION_DEPTH_MAX`].
    #[error("parentheses and `not` nest deeper than {EXPRESSION_DEPTH_MAX}")]
    TooDeep,
    /// More predicates than [`EXPRESSION_PREDICATES_MAX`].
    #[error("more than {EXPRESSION_PREDICATES_MAX} predicates; put some into a segment")]
    TooManyPredicates,
    /// More list items than [`LIST_ITEMS_MAX`].
    #[error("a list of more than {LIST_ITEMS_MAX} items; list units in a segment instead")]
    ListTooLong,
    /// A list without items.
    #[error("an empty list matches nothing; leave the predicate out")]
    ListEmpty,
    /// A list of several types.
    #[error("a list holds items of one type: texts, numbers or booleans")]
    ListMixed,
    /// `<` and its like on something else than a number.
    #[error("only numbers can be ordered with < <= > >=")]
    OrderWithoutNumber,
    /// A float that is not finite.
    #[error("a number must be finite")]
    NotFinite,
    /// An attribute without a name.
    #[error("an attribute needs a name")]
    EmptyName,
    /// The text it prints to is longer than [`EXPRESSION_BYTES_MAX`].
    #[error(
        "written out it takes {bytes} bytes, more than {EXPRESSION_BYTES_MAX}; \
         put a part of it into a segment"
    )]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
}

impl Expression {
    /// Checks a tree from another format against the bounds of the language and brings it into
    /// the form that parsing its text gives (nested `and` in `and` flattened, lists of one
    /// unwrapped).
    ///
    /// # Errors
    /// [`TreeError`] says which bound it breaks.
    pub fn new(tree: Expr) -> Result<Self, TreeError> {
        let expression = Self::within_shape(tree)?;
        let bytes = print::length(&expression);
        if bytes > EXPRESSION_BYTES_MAX {
            return Err(TreeError::TooLong { bytes });
        }
        Ok(expression)
    }

    /// [`Expression::new`] without the length of the text, which is the dearest to find out.
    fn within_shape(tree: Expr) -> Result<Self, TreeError> {
        // Depth first, so that nothing below recurses deeper than it says.
        if tree.depth_exceeds(EXPRESSION_DEPTH_MAX.saturating_mul(2)) {
            return Err(TreeError::TooDeep);
        }
        let tree = tree.flattened();
        if print::nesting(&tree) > EXPRESSION_DEPTH_MAX {
            return Err(TreeError::TooDeep);
        }
        let mut predicates = 0_usize;
        tree.try_for_each_predicate(&mut |predicate| {
            predicates = predicates.saturating_add(1);
            if predicates > EXPRESSION_PREDICATES_MAX {
                return Err(TreeError::TooManyPredicates);
            }
            predicate.check()
        })?;
        Ok(Self(Arc::new(tree)))
    }

    /// The tree.
    #[must_use]
    pub fn tree(&self) -> &Expr {
        &self.0
    }

    /// The segments it asks about.
    #[must_use]
    pub fn segments(&self) -> BTreeSet<&SegmentKey> {
        let mut found = BTreeSet::new();
        self.0.for_each_predicate(&mut |predicate| {
            if let Predicate::Segment { any_of } = predicate {
                found.extend(any_of);
            }
        });
        found
    }

    /// Whether it asks about any segment.
    pub(crate) fn asks_segments(&self) -> bool {
        let mut asks = false;
        self.0.for_each_predicate(&mut |predicate| {
            asks |= matches!(predicate, Predicate::Segment { .. });
        });
        asks
    }

    /// The attributes it asks about, as they are written.
    #[must_use]
    pub fn subjects(&self) -> Vec<&Subject> {
        let mut found = Vec::new();
        self.0.for_each_predicate(&mut |predicate| {
            if let Predicate::Attribute { subject, .. } = predicate
                && !found.contains(&subject)
            {
                found.push(subject);
            }
        });
        found
    }
}

impl FromStr for Expression {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, ExpressionError> {
        let tree = parser::parse(text)?;
        let checked = if text.len() <= EXPRESSION_BYTES_MAX / PRINTED_LONGER_MAX {
            Self::within_shape(tree)
        } else {
            Self::new(tree)
        };
        // What is left to go wrong concerns the whole text.
        checked.map_err(|error| ExpressionError {
            position: 1,
            message: error.to_string(),
        })
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
