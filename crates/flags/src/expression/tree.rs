//! The tree of an expression: what every format that describes conditions is read into and
//! printed from.

use ipnet::IpNet;
use jiff::Timestamp;

use super::TreeError;
use super::pattern::Pattern;
use crate::context::TARGETING_KEY;
use crate::key::SegmentKey;
use crate::limit::LIST_ITEMS_MAX;

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// `true` or `false`, whatever the context.
    Constant(bool),
    /// True when every part is true; false as soon as one is false.
    All(Vec<Expr>),
    /// True as soon as one part is true; false when every part is false.
    Any(Vec<Expr>),
    /// True when the part is false, and the reverse; unknown stays unknown.
    Not(Box<Expr>),
    /// A single question.
    Test(Predicate),
}

/// A single question about a context.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// A test of one attribute; unknown when the attribute is missing or of another type.
    Attribute {
        /// What is tested.
        subject: Subject,
        /// The test.
        test: Test,
    },
    /// Whether the context belongs to at least one of these segments.
    Segment {
        /// The segments.
        any_of: Vec<SegmentKey>,
    },
}

/// What a test looks at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The context's unit, written `targetingKey`.
    Unit,
    /// The time of the question, written `now`: a date, or milliseconds since 1970 as a number.
    Now,
    /// An attribute by its whole name or, with dots, by its path into nested objects.
    Named(Box<str>),
}

/// What is asked of one attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Equality with any literal, or order with a number. Integers and floats compare by value.
    Compare(Comparison, Literal),
    /// Equality with one of several literals of one type.
    In(Vec<Literal>),
    /// The text starts with this.
    StartsWith(Box<str>),
    /// The text ends with this.
    EndsWith(Box<str>),
    /// The text contains this text, or the list contains this literal.
    Contains(Literal),
    /// The text matches this regular expression somewhere.
    Matches(Pattern),
    /// The text is a semantic version in this relation to the version; build metadata is ignored.
    Version(Comparison, semver::Version),
    /// The text is an IP address within one of these networks.
    Network(Vec<IpNet>),
    /// The date is before this instant.
    Before(Timestamp),
    /// The date is after this instant.
    After(Timestamp),
    /// The attribute is not there. Never unknown.
    Missing,
}

/// A relation between two values of one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A value written in an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `true` or `false`.
    Boolean(bool),
    /// A signed 64-bit integer.
    Integer(i64),
    /// A finite float.
    Float(f64),
    /// UTF-8 text.
    String(Box<str>),
}

impl Subject {
    /// The subject that `name` stands for when it is written without quotes.
    #[must_use]
    pub fn from_plain(name: &str) -> Self {
        match name {
            TARGETING_KEY => Self::Unit,
            "now" => Self::Now,
            other => Self::Named(other.into()),
        }
    }
}

impl Comparison {
    /// The sign.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Whether two values in this order are in this relation.
    #[must_use]
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// The types that one list may hold.
#[derive(PartialEq)]
pub(super) enum LiteralKind {
    Boolean,
    Number,
    Text,
}

impl Literal {
    pub(super) fn kind(&self) -> LiteralKind {
        match self {
            Self::Boolean(_) => LiteralKind::Boolean,
            Self::Integer(_) | Self::Float(_) => LiteralKind::Number,
            Self::String(_) => LiteralKind::Text,
        }
    }

    fn check(&self) -> Result<(), TreeError> {
        match self {
            Self::Float(number) if !number.is_finite() => Err(TreeError::NotFinite),
            _ => Ok(()),
        }
    }
}

impl Predicate {
    /// What parsing cannot see to in a tree that was built by hand.
    pub(super) fn check(&self) -> Result<(), TreeError> {
        match self {
            Self::Segment { any_of } => check_count(any_of.len()),
            Self::Attribute { subject, test } => {
                if matches!(subject, Subject::Named(name) if name.is_empty()) {
                    return Err(TreeError::EmptyName);
                }
                test.check()
            }
        }
    }
}

impl Test {
    fn check(&self) -> Result<(), TreeError> {
        match self {
            Self::Compare(comparison, literal) => {
                if !comparison.is_equality() && literal.kind() != LiteralKind::Number {
                    return Err(TreeError::OrderWithoutNumber);
                }
                literal.check()
            }
            Self::In(items) => {
                check_count(items.len())?;
                let kind = items.first().map(Literal::kind);
                if items.iter().any(|item| Some(item.kind()) != kind) {
                    return Err(TreeError::ListMixed);
                }
                items.iter().try_for_each(Literal::check)
            }
            Self::Contains(literal) => literal.check(),
            Self::Network(networks) => check_count(networks.len()),
            Self::StartsWith(_)
            | Self::EndsWith(_)
            | Self::Matches(_)
            | Self::Version(..)
            | Self::Before(_)
            | Self::After(_)
            | Self::Missing => Ok(()),
        }
    }
}

fn check_count(count: usize) -> Result<(), TreeError> {
    match count {
        0 => Err(TreeError::ListEmpty),
        1..=LIST_ITEMS_MAX => Ok(()),
        _ => Err(TreeError::ListTooLong),
    }
}

impl Expr {
    /// All of `parts`, flattened; `true` when there are none.
    #[must_use]
    pub fn all(parts: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::All(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::Constant(true),
            1 => flat.pop().unwrap_or(Self::Constant(true)),
            _ => Self::All(flat),
        }
    }

    /// Any of `parts`, flattened; `false` when there are none.
    #[must_use]
    pub fn any(parts: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::Any(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::Constant(false),
            1 => flat.pop().unwrap_or(Self::Constant(false)),
            _ => Self::Any(flat),
        }
    }

    /// The reverse of `part`.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "named beside `all` and `any`; it takes the part, not self"
    )]
    pub fn not(part: Self) -> Self {
        Self::Not(Box::new(part))
    }

    /// A test of one attribute.
    #[must_use]
    pub fn test(subject: Subject, test: Test) -> Self {
        Self::Test(Predicate::Attribute { subject, test })
    }

    pub(super) fn flattened(self) -> Self {
        match self {
            Self::All(parts) => Self::all(parts.into_iter().map(Self::flattened).collect()),
            Self::Any(parts) => Self::any(parts.into_iter().map(Self::flattened).collect()),
            Self::Not(part) => Self::not(part.flattened()),
            leaf @ (Self::Constant(_) | Self::Test(_)) => leaf,
        }
    }

    pub(super) fn depth_exceeds(&self, left: usize) -> bool {
        let Some(left) = left.checked_sub(1) else {
            return true;
        };
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().any(|part| part.depth_exceeds(left))
            }
            Self::Not(part) => part.depth_exceeds(left),
            Self::Constant(_) | Self::Test(_) => false,
        }
    }

    pub(super) fn try_for_each_predicate<'a, E>(
        &'a self,
        visit: &mut impl FnMut(&'a Predicate) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts
                .iter()
                .try_for_each(|part| part.try_for_each_predicate(visit)),
            Self::Not(part) => part.try_for_each_predicate(visit),
            Self::Test(predicate) => visit(predicate),
            Self::Constant(_) => Ok(()),
        }
    }

    pub(super) fn for_each_predicate<'a>(&'a self, visit: &mut impl FnMut(&'a Predicate)) {
        let all: Result<(), std::convert::Infallible> = self.try_for_each_predicate(&mut |found| {
            visit(found);
            Ok(())
        });
        match all {
            Ok(()) => {}
        }
    }
}
