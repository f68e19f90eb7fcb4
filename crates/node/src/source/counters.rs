//! How far counters went between two moments, series by series: resets are seen where they happen,
//! which a sum over all instances would hide.

use std::collections::BTreeMap;

use leverframe_core::Timestamp;

use super::{Counters, Labels};
use crate::limit::{SERIES_REMEMBERED_MAX, SERIES_REMEMBERED_MS};

/// The series that were there, and when they were last seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    seen: BTreeMap<Labels, Timestamp>,
}

impl Known {
    /// How far each series of `after` went since `before`.
    ///
    /// A counter that fell was reset, and counts from zero. A series that was never there counts from
    /// zero, too, or the first error of a kind would be lost; one that comes back after a gap does
    /// not, because what it says is older than the interval.
    pub(super) fn growth(&self, before: &Counters, after: &Counters) -> Counters {
        let is_empty = self.seen.is_empty();
        let grown = |(labels, now): (&Labels, &f64)| {
            let by = match before.get(labels) {
                Some(then) if now >= then => now - then,
                Some(_) => *now,
                None if is_empty || self.seen.contains_key(labels) => 0.0,
                None => *now,
            };
            (labels.clone(), by)
        };
        after.iter().map(grown).collect()
    }

    /// Remembers what is there, and forgets what is long gone.
    pub(super) fn remember(&mut self, counters: &Counters, at: Timestamp) {
        for labels in counters.keys() {
            self.seen.insert(labels.clone(), at);
        }
        self.seen
            .retain(|_, seen| at.ms_since(*seen) <= SERIES_REMEMBERED_MS);
        if self.seen.len() > SERIES_REMEMBERED_MAX {
            // Labels that never come back fill it; those seen longest ago are given up.
            let mut times: Vec<Timestamp> = self.seen.values().copied().collect();
            times.sort_unstable();
            let excess = self.seen.len() - SERIES_REMEMBERED_MAX;
            if let Some(oldest_kept) = times.get(excess) {
                self.seen.retain(|_, seen| *seen >= *oldest_kept);
            }
        }
    }
}

/// The sum of all series.
pub(super) fn sum(counters: &Counters) -> f64 {
    counters.values().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(list: &[(&str, f64)]) -> Counters {
        let one = |(instance, value): &(&str, f64)| {
            let labels = Labels::from([(Box::from("instance"), Box::from(*instance))]);
            (labels, *value)
        };
        list.iter().map(one).collect()
    }

    fn known(list: &[(&str, f64)]) -> Known {
        let mut known = Known::default();
        known.remember(&counters(list), Timestamp::from_ms(0));
        known
    }

    #[test]
    fn a_reset_of_one_instance_is_seen_though_the_sum_grows() {
        let before = counters(&[("a", 1_000.0), ("b", 10.0)]);
        let after = counters(&[("a", 7.0), ("b", 2_000.0)]);
        let growth = known(&[("a", 0.0), ("b", 0.0)]).growth(&before, &after);
        assert!((sum(&growth) - 1_997.0).abs() < 1e-9);
    }

    #[test]
    fn a_new_series_counts_from_zero_and_one_that_comes_back_does_not() {
        let known = known(&[("a", 0.0), ("gone", 0.0)]);
        let before = counters(&[("a", 5.0)]);
        let after = counters(&[("a", 6.0), ("new", 3.0), ("gone", 90_000.0)]);
        assert!((sum(&known.growth(&before, &after)) - 4.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_is_new_in_the_first_interval_after_a_start() {
        let before = counters(&[("a", 5.0)]);
        let after = counters(&[("a", 6.0), ("b", 90_000.0)]);
        let growth = Known::default().growth(&before, &after);
        assert!((sum(&growth) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn labels_that_never_come_back_do_not_fill_the_memory() {
        let mut known = Known::default();
        for at in 0..30_i64 {
            let names: Vec<String> = (0..1_000).map(|n| format!("{at}-{n}")).collect();
            let series: Vec<(&str, f64)> = names.iter().map(|name| (&**name, 1.0)).collect();
            known.remember(&counters(&series), Timestamp::from_ms(at));
        }
        assert_eq!(known.seen.len(), SERIES_REMEMBERED_MAX);
        assert!(known.seen.values().all(|seen| seen.as_ms() >= 20));
    }

    #[test]
    fn what_is_long_gone_is_forgotten() {
        let mut known = known(&[("a", 0.0)]);
        known.remember(
            &counters(&[("b", 1.0)]),
            Timestamp::from_ms(SERIES_REMEMBERED_MS + 1),
        );
        assert_eq!(known.seen.len(), 1);
    }
}
