//! The alternatives that a test is averaged over.

use serde::{Deserialize, Serialize};

/// How many alternatives.
pub(super) const POINTS: usize = 24;

/// For each alternative the logarithm of its likelihood over the null's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct LogRatios(pub(super) [f64; POINTS]);

/// Alternatives from `low` to `high`, each as many times the one before.
pub(super) fn log_spaced(low: f64, high: f64) -> [f64; POINTS] {
    let step = (high / low).ln() / (POINTS - 1) as f64;
    std::array::from_fn(|index| low * (step * index as f64).exp())
}

impl LogRatios {
    pub(super) const NOTHING: Self = Self([0.0; POINTS]);

    pub(super) fn add(&mut self, increment: impl Fn(usize) -> f64) {
        for (index, ratio) in self.0.iter_mut().enumerate() {
            *ratio += increment(index);
        }
    }

    /// What came since `before`.
    pub(super) fn since(&self, before: &Self) -> Self {
        Self(std::array::from_fn(|index| self.0[index] - before.0[index]))
    }

    /// As if only every so many-th unit had been counted.
    pub(super) fn over(&self, size: f64) -> Self {
        Self(self.0.map(|ratio| ratio / size))
    }

    /// The logarithm of the mean of the ratios.
    pub(super) fn ln_mean(&self) -> f64 {
        ln_sum(&self.0) - (POINTS as f64).ln()
    }
}

/// The logarithm of the sum of what these are the logarithms of, without overflow.
pub(super) fn ln_sum(terms: &[f64]) -> f64 {
    let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest.is_infinite() {
        return largest;
    }
    let sum: f64 = terms.iter().map(|term| (term - largest).exp()).sum();
    largest + sum.ln()
}
