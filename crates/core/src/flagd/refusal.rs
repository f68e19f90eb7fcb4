//! What is refused, and what is only remarked on.

use std::fmt;

use serde::Serialize;

/// A flag that cannot be said on the other side with the same answers, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The flag, as its document calls it.
    pub flag: String,
    /// Where in the document, such as `$.flags.banner.targeting.if[0]`.
    pub path: String,
    /// The operator that is in the way, if one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// What is wrong and what to do, in words.
    pub why: String,
}

/// What came through and should be known all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// The flag, or nothing where it is about the document.
    pub flag: String,
    /// In words.
    pub what: String,
}

/// Why a JSON value is not a flagd document at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// There is no `flags`.
    #[error("there is no \"flags\" object in it, so it is not a flagd file")]
    NoFlags,
    /// A part of the document is not of the type it should be.
    #[error("{path} is not {wanted}")]
    NotA {
        /// Where.
        path: String,
        /// What it should be, with its article.
        wanted: &'static str,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.flag)?;
        if let Some(operator) = &self.operator {
            write!(f, "`{operator}` ")?;
        }
        write!(f, "at {}: {}", self.path, self.why)
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.flag.is_empty() {
            write!(f, "{}: ", self.flag)?;
        }
        f.write_str(&self.what)
    }
}

/// A [`Refusal`] before it is known whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) path: String,
    pub(super) operator: Option<String>,
    pub(super) why: String,
}

impl Refused {
    pub(super) fn at(path: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            operator: None,
            why: why.into(),
        }
    }

    pub(super) fn about(mut self, operator: &str) -> Self {
        self.operator = Some(operator.to_owned());
        self
    }

    pub(super) fn of(self, flag: &str) -> Refusal {
        Refusal {
            flag: flag.to_owned(),
            path: self.path,
            operator: self.operator,
            why: self.why,
        }
    }
}
