//! Evidence that there is no harm to speak of, without which nothing goes forward.

use serde::{Deserialize, Serialize};

use super::ceiling::below;
use super::counts::{Counts, Tally};
use super::evalue::EValue;
use super::grid::{LogRatios, log_spaced};
use super::odds::Odds;

/// The alternatives: from less than a third of the other arm's bad rate up to just under the margin.
const LOWEST: f64 = 0.3;
const HIGHEST_OF_MARGIN: f64 = 0.95;

/// The evidence that the exposed arm's bad rate is less than `margin` times the other's, from one
/// stage's and one build's intervals. It is read when a decision is due, and never kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Harmless {
    margin: f64,
    counts: Counts,
    total: LogRatios,
}

impl Harmless {
    /// Nothing was seen yet. `margin` is the ratio that would be harm: a finite number above 1, such
    /// as 2; what is not can never be proved.
    #[must_use]
    pub fn within(margin: f64) -> Self {
        Self {
            margin,
            counts: Counts::default(),
            total: LogRatios::NOTHING,
        }
    }

    /// Takes the next closed interval of the stage.
    pub fn observe(&mut self, counts: Counts) {
        self.counts += counts;
        let is_ratio = self.margin.is_finite() && self.margin > 1.0;
        if is_ratio && let Some(odds) = Odds::of(counts) {
            let alternatives = log_spaced(LOWEST, HIGHEST_OF_MARGIN * self.margin);
            self.total
                .add(|index| odds.ln_likelihood_ratio(alternatives[index], self.margin));
        }
    }

    /// How strong the evidence is that the ratio is under the margin.
    #[must_use]
    pub fn relative(&self) -> EValue {
        self.relative_of_clumps(1.0)
    }

    /// The same of units that come in clumps of `size`, at least 1.
    #[must_use]
    pub fn relative_of_clumps(&self, size: f64) -> EValue {
        EValue::from_ln(self.total.over(size.max(1.0)).ln_mean())
    }

    /// How strong the evidence is that the exposed arm's bad rate is under `tolerable`, from 0 to 1.
    /// A service that never fails has no other proof.
    #[must_use]
    pub fn absolute(&self, tolerable: f64) -> EValue {
        below(self.counts.exposed, tolerable)
    }

    /// Whether harm is ruled out at the level `alpha`: harm being a ratio of at least the margin *and*
    /// a bad rate of at least `tolerable`, it is enough to rule out either.
    #[must_use]
    pub fn proves(&self, alpha: f64, tolerable: f64) -> bool {
        self.relative().rejects(alpha) || self.absolute(tolerable).rejects(alpha)
    }

    /// Everything that was taken, summed.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The exposed arm's part of it.
    #[must_use]
    pub fn exposed(&self) -> Tally {
        self.counts.exposed
    }
}
