//! How strong the evidence against a null hypothesis is.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// The value of an e-process: 1 says nothing, 100 has happened by chance at most once in a hundred
/// times. Kept as its natural logarithm, because it overflows otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EValue {
    ln: f64,
}

impl EValue {
    /// Nothing was seen.
    pub const NOTHING: Self = Self { ln: 0.0 };

    /// From a natural logarithm. What is not a number says nothing, and what is beyond all numbers is
    /// the largest or smallest one: JSON, and so the journal, has no word for infinity.
    #[must_use]
    pub fn from_ln(ln: f64) -> Self {
        if ln.is_nan() {
            Self::NOTHING
        } else {
            Self {
                ln: ln.clamp(f64::MIN, f64::MAX),
            }
        }
    }

    /// Its natural logarithm.
    #[must_use]
    pub fn ln(self) -> f64 {
        self.ln
    }

    /// Whether it rejects the null hypothesis at the level `alpha`, above 0 and at most 1. A level
    /// that is not one rejects nothing.
    #[must_use]
    pub fn rejects(self, alpha: f64) -> bool {
        alpha > 0.0 && self.ln >= -alpha.ln()
    }
}

impl PartialOrd for EValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.ln.partial_cmp(&other.ln)
    }
}
