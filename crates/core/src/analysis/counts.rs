//! What was counted of a metric.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// The units of one arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Distinct units that were answered by this arm.
    pub units: u64,
    /// Those of them for which something went wrong; never more than `units`.
    pub bad: u64,
}

/// The units of both arms in one closed interval, or in several. Only units whose arm was decided by
/// the percentage: nobody who was assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// The arm that got the open side.
    pub exposed: Tally,
    /// The arm that was left at the closed side.
    pub held_back: Tally,
}

impl Tally {
    /// Bad units for each unit, from 0 to 1; none without units.
    #[must_use]
    pub fn rate(self) -> Option<f64> {
        (self.units > 0).then(|| as_f64(self.bad) / as_f64(self.units))
    }

    /// As if only one of `size` had been counted, rounded down.
    #[must_use]
    pub fn over(self, size: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count divided by at least 1 is a count"
        )]
        let part = |count: u64| (as_f64(count) / size.max(1.0)) as u64;
        Self {
            units: part(self.units),
            bad: part(self.bad),
        }
    }

    pub(super) fn good(self) -> u64 {
        self.units.saturating_sub(self.bad)
    }
}

impl Counts {
    /// The exposed arm's share of the units, above 0 and below 1; none when an arm has no units, and
    /// then there is nothing to compare.
    #[must_use]
    pub fn exposed_share(self) -> Option<f64> {
        let (exposed, held_back) = (self.exposed.units, self.held_back.units);
        (exposed > 0 && held_back > 0)
            .then(|| as_f64(exposed) / (as_f64(exposed) + as_f64(held_back)))
    }

    /// How many times the held back arm's bad rate the exposed arm's is; none when that cannot be said.
    #[must_use]
    pub fn ratio(self) -> Option<f64> {
        let held_back = self.held_back.rate().filter(|rate| *rate > 0.0)?;
        Some(self.exposed.rate()? / held_back)
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.units = self.units.saturating_add(other.units);
        self.bad = self.bad.saturating_add(other.bad);
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.exposed += other.exposed;
        self.held_back += other.held_back;
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts stay far below 2^53, where every integer is a float"
)]
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}
