//! Latencies: one a unit and minute, so that who asks often does not weigh more.

use std::collections::BTreeSet;

use leverframe_core::rollout::Histogram;

use super::interval::Interval;
use super::report::Arm;
use super::stage::place;

/// Intervals in a minute, whatever their length: what is compressed is compressed as a whole.
pub(super) const INTERVALS: i64 = 6;

/// The units whose latency counted in one minute already.
#[derive(Debug, Clone)]
pub(super) struct Minute {
    number: i64,
    threshold: u64,
    counted: BTreeSet<u64>,
}

impl Minute {
    pub(super) fn new(number: i64) -> Self {
        Self {
            number,
            threshold: u64::MAX,
            counted: BTreeSet::new(),
        }
    }

    /// Counts the units of an interval that have not been counted in its minute, by arm. Of units
    /// that more than one arm has answered nothing is counted.
    pub(super) fn add(
        &mut self,
        number: i64,
        interval: &Interval,
        threshold: u64,
        units_max: usize,
    ) -> [Histogram; 3] {
        if number != self.number {
            *self = Self::new(number);
        }
        let limit = self.threshold.min(threshold);
        let mut seen = Vec::new();
        for (hash, joined) in interval.units() {
            if hash >= limit {
                break;
            }
            let (Some(latency), Some(arm)) = (joined.latency, Arm::only(joined.arms)) else {
                continue;
            };
            if self.counted.insert(hash) {
                seen.push((hash, arm, latency));
            }
        }
        while self.counted.len() > units_max {
            let Some(largest) = self.counted.pop_last() else {
                break;
            };
            self.threshold = largest;
        }
        let mut histograms: [Histogram; 3] = Default::default();
        for (hash, arm, latency) in seen {
            if hash < self.threshold
                && let Some(histogram) = histograms.get_mut(place(arm))
            {
                histogram.add(usize::from(latency.bucket), 1);
            }
        }
        histograms
    }
}
