//! How many requests go wrong together, where units are not known.

use serde::{Deserialize, Serialize};

use super::counts::{Counts, as_f64};

/// Fewer intervals than this say nothing of how requests clump.
const INTERVALS_MIN: u32 = 10;

/// How the bad requests of an interval are split between the arms, against how they would be if each
/// fell by itself: Pearson's dispersion. An outage of both arms does not show in it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Clumps {
    counts: Counts,
    intervals: u32,
    surprise: f64,
}

impl Clumps {
    /// Takes the next closed interval.
    pub fn observe(&mut self, counts: Counts) {
        let bad = as_f64(counts.exposed.bad) + as_f64(counts.held_back.bad);
        if bad > 0.0
            && let Some(share) = counts.exposed_share()
        {
            // What was seen before is what the split is held against: one more bad unit in each arm
            // keeps the first intervals from being certain.
            let rate =
                |tally: super::Tally| (as_f64(tally.bad) + 1.0) / (as_f64(tally.units) + 1.0);
            let odds = share * rate(self.counts.exposed);
            let expected = odds / (odds + (1.0 - share) * rate(self.counts.held_back));
            if self.counts.held_back.units > 0 && self.counts.exposed.units > 0 {
                let miss = as_f64(counts.exposed.bad) - expected * bad;
                self.surprise += miss * miss / (expected * (1.0 - expected) * bad);
                self.intervals += 1;
            }
        }
        self.counts += counts;
    }

    /// How many requests go wrong together: 1 when each does by itself, and never less. None before
    /// enough was seen.
    #[must_use]
    pub fn size(&self) -> Option<f64> {
        (self.intervals >= INTERVALS_MIN)
            .then(|| (self.surprise / f64::from(self.intervals)).max(1.0))
    }
}
