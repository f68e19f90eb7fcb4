//! Traffic of ten seconds at a time.

use leverframe_core::analysis::{Counts, Tally};

use super::chance::Chance;
use super::situation::Situation;

/// How long an interval is, in milliseconds.
pub(super) const INTERVAL_MS: i64 = 10_000;
const INTERVALS_PER_MINUTE: f64 = 6.0;
/// A broken user comes about once a minute.
const BROKEN_USER_COMES: f64 = 1.0 / INTERVALS_PER_MINUTE;
/// As many answers are slow as a limit of 1.2 times the 95th centile leaves.
pub(super) const SLOW_RATE: f64 = 0.03;

/// The traffic of one run.
pub(super) struct Traffic<'a> {
    situation: &'a Situation,
    chance: Chance,
    /// Where each broken user falls: exposed when the share is above it. And whether it has been
    /// counted at this position of the lever.
    broken: Vec<(f64, bool)>,
    share: f64,
}

/// What came in one interval.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Interval {
    /// Units, each bad once at a position of the lever.
    pub(super) units: Counts,
    /// Requests, as others count them.
    pub(super) requests: Counts,
    /// Units that were not answered in time.
    pub(super) slow: (u64, u64),
}

impl<'a> Traffic<'a> {
    pub(super) fn of(situation: &'a Situation, seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let broken = (0..situation.broken_users)
            .map(|_| (chance.fraction(), false))
            .collect();
        Self {
            situation,
            chance,
            broken,
            share: 0.0,
        }
    }

    /// The next interval, which begins at this minute, while `share` is exposed.
    pub(super) fn next(&mut self, minute: f64, share: f64) -> Interval {
        if (share - self.share).abs() > f64::EPSILON {
            self.share = share;
            for (_, is_counted) in &mut self.broken {
                *is_counted = false;
            }
        }
        let Situation {
            requests_per_minute,
            times,
            burst,
            ..
        } = *self.situation;
        let rate = self.situation.rate(minute);
        #[expect(clippy::cast_precision_loss, reason = "bursts are small")]
        let units = requests_per_minute / INTERVALS_PER_MINUTE / burst as f64;
        let exposed = self.arm(units * share, (rate * times).min(0.95));
        let held_back = self.arm(units * (1.0 - share), rate);
        let many = |tally: Tally| Tally {
            units: tally.units * burst,
            bad: tally.bad * burst,
        };
        let mut interval = Interval {
            units: Counts { exposed, held_back },
            requests: Counts {
                exposed: many(exposed),
                held_back: many(held_back),
            },
            slow: (0, 0),
        };
        self.broken_users(&mut interval);
        let mut slow = |tally: Tally| {
            #[expect(clippy::cast_precision_loss, reason = "units of ten seconds")]
            let mean = tally.units as f64 * SLOW_RATE;
            self.chance.count(mean).min(tally.units)
        };
        interval.slow = (slow(interval.units.exposed), slow(interval.units.held_back));
        interval
    }

    fn arm(&mut self, mean: f64, rate: f64) -> Tally {
        let bad = self.chance.count(mean * rate);
        Tally {
            units: bad + self.chance.count(mean * (1.0 - rate)),
            bad,
        }
    }

    fn broken_users(&mut self, interval: &mut Interval) {
        for (place, is_counted) in &mut self.broken {
            if self.chance.fraction() >= BROKEN_USER_COMES {
                continue;
            }
            let bad = Tally { units: 1, bad: 1 };
            let again = Tally {
                units: 1,
                bad: u64::from(!*is_counted),
            };
            *is_counted = true;
            if *place < self.share {
                interval.units.exposed += again;
                interval.requests.exposed += bad;
            } else {
                interval.units.held_back += again;
                interval.requests.held_back += bad;
            }
        }
    }
}
