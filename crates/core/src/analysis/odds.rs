//! In which arm a bad unit falls.

use super::counts::{Counts, as_f64};

/// The bad units of one interval and the exposed arm's share of all its units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Odds {
    share: f64,
    exposed_bad: f64,
    bad: f64,
}

impl Odds {
    /// None when the interval says nothing: no bad unit, or only one arm.
    pub(super) fn of(counts: Counts) -> Option<Self> {
        let bad = counts.exposed.bad.saturating_add(counts.held_back.bad);
        if bad == 0 {
            return None;
        }
        Some(Self {
            share: counts.exposed_share()?,
            exposed_bad: as_f64(counts.exposed.bad),
            bad: as_f64(bad),
        })
    }

    /// The logarithm of the likelihood of `ratio` over that of `null`, both ratios of the exposed arm's
    /// bad rate to the other's.
    ///
    /// A bad unit is in the exposed arm with the probability θ(ρ) = wρ / (wρ + 1 − w), w being that
    /// arm's share. So ln θ(ρ)/θ(ρ0) = ln ρ/ρ0 + ln D(ρ0)/D(ρ) and ln (1−θ(ρ))/(1−θ(ρ0)) = ln D(ρ0)/D(ρ),
    /// with D(ρ) = wρ + 1 − w.
    pub(super) fn ln_likelihood_ratio(&self, ratio: f64, null: f64) -> f64 {
        let denominator = |ratio: f64| self.share * (ratio - 1.0) + 1.0;
        self.exposed_bad * (ratio / null).ln()
            + self.bad * (denominator(null) / denominator(ratio)).ln()
    }
}
