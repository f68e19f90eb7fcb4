//! Positions: how far a flag is let through in one environment.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::key::{SegmentKey, VariantKey};
use crate::percentage::Percentage;
use crate::value::Value;

/// How far a flag is let through in one environment. Operational and imperative: a position is
/// never part of a definition and never in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase", deny_unknown_fields)]
pub enum Position {
    /// Nobody is let through.
    Closed {
        /// What a kill closed to. `None` only where nobody has pulled the lever yet, as every flag
        /// starts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        latch: Option<Latch>,
    },
    /// The rules and the exposure decide.
    Open {
        /// Whom the open variant or split is given to when no rule matched.
        exposure: Exposure,
    },
    /// Everybody gets one variant.
    Pinned {
        /// The variant.
        variant: VariantKey,
    },
}

/// The variant and value a lever was closed to, so that it can be served even by an evaluator that
/// cannot read the definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latch {
    /// The closed variant at the time of the close.
    pub variant: VariantKey,
    /// Its value.
    pub value: Value,
}

/// Cohorts and a percentage: a context is exposed when it is in one of the cohorts, or when its
/// bucket is below the percentage.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exposure {
    /// Segments that are let through whole.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub cohorts: BTreeSet<SegmentKey>,
    /// The share of everybody else.
    pub percentage: Percentage,
}

impl Exposure {
    /// An exposure of `percentage` and no cohort.
    #[must_use]
    pub fn of(percentage: Percentage) -> Self {
        Self {
            cohorts: BTreeSet::new(),
            percentage,
        }
    }

    /// Whether everybody that `self` exposes is exposed by `other` too, whatever the contexts are.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        other.percentage == Percentage::FULL
            || (self.percentage <= other.percentage && self.cohorts.is_subset(&other.cohorts))
    }
}

impl Position {
    /// The position every flag starts with in every environment.
    #[must_use]
    pub fn start() -> Self {
        Self::Closed { latch: None }
    }

    /// Whether nobody is let through.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed { .. })
    }
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for cohort in &self.cohorts {
            write!(f, "{cohort} + ")?;
        }
        write!(f, "{} %", self.percentage)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed { .. } => f.write_str("closed"),
            Self::Open { exposure } => write!(f, "open to {exposure}"),
            Self::Pinned { variant } => write!(f, "pinned to {variant}"),
        }
    }
}
