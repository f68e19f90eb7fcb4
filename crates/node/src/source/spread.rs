//! How much more the bad requests of the baseline scatter between its instances than independent
//! ones would. Requests are not users: one that retries, or one broken page, makes many. Counts are
//! divided by this before anybody concludes from them.

use std::collections::BTreeMap;

use super::Counters;

/// The label that says which instance a series is of.
const INSTANCE: &str = "instance";
/// What is assumed before anything was seen, and how many observations that weighs.
const ASSUMED: f64 = 2.0;
const ASSUMED_WEIGHT: f64 = 10.0;
/// Beyond this nothing can be concluded anyway.
const SPREAD_MAX: f64 = 100.0;

/// The dispersion φ, pooled over intervals: χ² of how the bad ones split between instances, by the
/// degrees of freedom. At most the shares of the instances decide where an independent bad one falls,
/// and then φ is 1.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spread {
    chi_squared: f64,
    freedom: f64,
}

impl Spread {
    /// Adds what the instances of the baseline did in one interval: all requests, and the bad ones.
    pub(super) fn add(&mut self, all: &Counters, bad: &Counters) {
        let all = by_instance(all);
        let bad = by_instance(bad);
        let total: f64 = all.values().sum();
        let bads: f64 = bad.values().sum();
        let busy = all.iter().filter(|(_, count)| **count > 0.0);
        let instances = busy.clone().count();
        if instances < 2 || bads <= 0.0 || total <= 0.0 {
            return;
        }
        for (instance, count) in busy {
            let expected = bads * count / total;
            let found = bad.get(instance).copied().unwrap_or(0.0);
            self.chi_squared += (found - expected).powi(2) / expected;
        }
        #[expect(clippy::cast_precision_loss, reason = "a few thousand at most")]
        {
            self.freedom += (instances - 1) as f64;
        }
    }

    /// φ, at least 1.
    pub(super) fn factor(&self) -> f64 {
        let pooled =
            (self.chi_squared + ASSUMED * ASSUMED_WEIGHT) / (self.freedom + ASSUMED_WEIGHT);
        pooled.clamp(1.0, SPREAD_MAX)
    }
}

fn by_instance(counters: &Counters) -> BTreeMap<&str, f64> {
    let mut sums = BTreeMap::new();
    for (labels, count) in counters {
        let instance = labels.get(INSTANCE).map_or("", |name| name);
        *sums.entry(instance).or_insert(0.0) += count;
    }
    sums
}

/// Divides counts by φ, and keeps what does not make a whole one for the next time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Share {
    left: f64,
}

impl Share {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts are not negative, and far below 2^53"
    )]
    pub(super) fn of(&mut self, count: f64, factor: f64) -> u64 {
        let exact = self.left + count / factor;
        let whole = exact.floor().max(0.0);
        self.left = exact - whole;
        whole as u64
    }
}

#[cfg(test)]
mod tests {
    use super::super::Labels;
    use super::*;

    fn instances(counts: &[f64]) -> Counters {
        let one = |(at, count): (usize, &f64)| {
            let labels = Labels::from([(Box::from(INSTANCE), at.to_string().into())]);
            (labels, *count)
        };
        counts.iter().enumerate().map(one).collect()
    }

    #[test]
    fn bad_ones_that_fall_as_the_shares_say_have_no_spread() {
        let mut spread = Spread::default();
        for _ in 0..1_000 {
            spread.add(&instances(&[100.0, 300.0]), &instances(&[1.0, 3.0]));
        }
        assert!((spread.factor() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn bursts_on_one_instance_are_a_spread() {
        let mut spread = Spread::default();
        for round in 0..1_000 {
            let mut bad = [0.0; 4];
            bad[round % 4] = 20.0;
            spread.add(&instances(&[100.0; 4]), &instances(&bad));
        }
        // Twenty that always come together count about as one: χ² per degree of freedom is 20.
        assert!((spread.factor() - 20.0).abs() < 0.5, "{}", spread.factor());
    }

    #[test]
    fn before_anything_is_known_two_count_as_one() {
        assert!((Spread::default().factor() - ASSUMED).abs() < 1e-9);
        let mut alone = Spread::default();
        alone.add(&instances(&[100.0]), &instances(&[5.0]));
        assert!((alone.factor() - ASSUMED).abs() < 1e-9);
    }

    #[test]
    fn what_is_divided_adds_up_in_the_end() {
        let mut share = Share::default();
        let sum: u64 = (0..999).map(|_| share.of(1.0, 3.0)).sum();
        assert!((332..=333).contains(&sum), "{sum}");
    }
}
