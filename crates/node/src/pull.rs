//! How long each change takes to reach the evaluators.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many of the last changes are timed.
const PULLS_MAX: usize = 256;

/// How many of the last changes are in the histogram.
const HISTOGRAM_PULLS: usize = 20;

/// Bounds of the histogram's groups, in milliseconds; the last group has none.
const BOUNDS_MS: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000];

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// A revision.
    Revision(u64),
    /// A kill that went out ahead of the journal, by its number.
    Brake(u64),
}

impl From<u64> for Wanted {
    fn from(revision: u64) -> Self {
        Self::Revision(revision)
    }
}

/// How times are spread, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantiles {
    /// Half of them took at most this.
    pub p50: f64,
    /// 99 % of them took at most this.
    pub p99: f64,
    /// None took longer.
    pub max: f64,
}

/// How many acknowledgements took so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Propagated {
    /// At most this long, in milliseconds, and longer than the group before; absent for the last.
    pub within_ms: Option<u64>,
    /// How many.
    pub acknowledgements: u64,
}

/// How far an evaluator has come: its revision and its brake number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Reached {
    pub(crate) revision: u64,
    pub(crate) brake: u64,
}

/// The last changes that went out.
#[derive(Debug, Default)]
pub(crate) struct Pulls {
    revisions: Track,
    brakes: Track,
}

/// Changes of one numbering, the oldest first. Who has one has every older one.
#[derive(Debug, Default)]
struct Track {
    pulls: VecDeque<Pull>,
    /// Those before this are not looked at any more: everybody had them.
    open: usize,
}

#[derive(Debug)]
struct Pull {
    number: u64,
    received: Instant,
    latencies: Vec<Duration>,
    completed: Option<Duration>,
}

/// How long one change took.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Times {
    /// To the acknowledgement that completed it, in milliseconds.
    pub(crate) elapsed_ms: Option<f64>,
    /// To each acknowledgement.
    pub(crate) each: Option<Quantiles>,
}

impl Pulls {
    /// A change is about to go out; its request was received at `received`.
    pub(crate) fn begin(&mut self, wanted: Wanted, received: Instant) {
        match wanted {
            Wanted::Revision(revision) => self.revisions.begin(revision, received),
            Wanted::Brake(number) => self.brakes.begin(number, received),
        }
    }

    /// An acknowledgement came in of an evaluator that had acknowledged before; who joins is not
    /// timed for what was there before.
    pub(crate) fn acknowledged(&mut self, had: Reached, has: Reached, arrived: Instant) {
        self.revisions
            .acknowledged(had.revision, has.revision, arrived);
        self.brakes.acknowledged(had.brake, has.brake, arrived);
    }

    /// Looks which changes everybody has now. Asks `is_had` of those that reached somebody, the oldest
    /// first, until one is not: who is behind a change is behind every newer one. Tells how long each
    /// took.
    pub(crate) fn complete(
        &mut self,
        mut is_had: impl FnMut(Wanted) -> bool,
        mut took: impl FnMut(Duration),
    ) {
        self.revisions
            .complete(|revision| is_had(Wanted::Revision(revision)), &mut took);
        self.brakes
            .complete(|number| is_had(Wanted::Brake(number)), &mut took);
    }

    /// How the acknowledgements of the last changes are spread over time, the shortest first.
    pub(crate) fn histogram(&self) -> Vec<Propagated> {
        let mut groups = [0_u64; BOUNDS_MS.len() + 1];
        let last = self.revisions.pulls.iter().rev().take(HISTOGRAM_PULLS);
        for latency in last.flat_map(|pull| &pull.latencies) {
            let group = BOUNDS_MS.partition_point(|bound| Duration::from_millis(*bound) < *latency);
            if let Some(count) = groups.get_mut(group) {
                *count += 1;
            }
        }
        let bounds = BOUNDS_MS.iter().copied().map(Some).chain([None]);
        bounds
            .zip(groups)
            .map(|(within_ms, acknowledgements)| Propagated {
                within_ms,
                acknowledgements,
            })
            .collect()
    }

    /// How long a change took; nothing is known of one from before the node's start.
    pub(crate) fn times(&self, wanted: Wanted) -> Times {
        match wanted {
            Wanted::Revision(revision) => self.revisions.times(revision),
            Wanted::Brake(number) => self.brakes.times(number),
        }
    }
}

impl Track {
    fn begin(&mut self, number: u64, received: Instant) {
        let is_new_history = self.pulls.back().is_some_and(|last| number <= last.number);
        if is_new_history {
            *self = Self::default();
        }
        if self.pulls.len() >= PULLS_MAX {
            self.pulls.pop_front();
            self.open = self.open.saturating_sub(1);
        }
        self.pulls.push_back(Pull {
            number,
            received,
            latencies: Vec::new(),
            completed: None,
        });
    }

    /// From the newest back, because an acknowledgement is nearly always of the last.
    fn acknowledged(&mut self, had: u64, has: u64, arrived: Instant) {
        for pull in self.pulls.iter_mut().skip(self.open).rev() {
            if pull.number <= had {
                break;
            }
            if pull.number <= has {
                pull.latencies
                    .push(arrived.saturating_duration_since(pull.received));
            }
        }
    }

    fn complete(&mut self, mut is_had: impl FnMut(u64) -> bool, took: &mut impl FnMut(Duration)) {
        let open = self.open;
        for (index, pull) in self.pulls.iter_mut().enumerate().skip(open) {
            if pull.latencies.is_empty() {
                continue;
            }
            if !is_had(pull.number) {
                break;
            }
            let elapsed = pull.received.elapsed();
            pull.completed = Some(elapsed);
            took(elapsed);
            self.open = index + 1;
        }
    }

    fn times(&self, number: u64) -> Times {
        self.pulls
            .iter()
            .rev()
            .find(|pull| pull.number == number)
            .map_or_else(Times::default, |pull| Times {
                elapsed_ms: pull.completed.map(ms),
                each: quantiles(&pull.latencies),
            })
    }
}

fn quantiles(latencies: &[Duration]) -> Option<Quantiles> {
    let mut sorted: Vec<f64> = latencies.iter().map(|latency| ms(*latency)).collect();
    sorted.sort_by(f64::total_cmp);
    // The nearest rank: the smallest value that at least this share of the others do not exceed.
    let at = |percent: usize| {
        sorted
            .get((sorted.len() * percent).div_ceil(100).saturating_sub(1))
            .copied()
    };
    Some(Quantiles {
        p50: at(50)?,
        p99: at(99)?,
        max: *sorted.last()?,
    })
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn quantiles_are_the_nearest_rank() {
        let latencies: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        let spread = quantiles(&latencies).unwrap();
        assert_eq!((spread.p50, spread.p99, spread.max), (100.0, 198.0, 200.0));
        assert_eq!(quantiles(&[]), None);
    }

    #[test]
    fn each_acknowledgement_of_the_last_changes_is_in_one_group() {
        let mut pulls = Pulls::default();
        let now = Instant::now();
        let reached = |revision| Reached { revision, brake: 0 };
        pulls.begin(Wanted::Revision(1), now);
        for ms in [0, 1, 3, 70_000] {
            let arrived = now + Duration::from_millis(ms);
            pulls.acknowledged(reached(0), reached(1), arrived);
        }
        let groups = pulls.histogram();
        let of = |within_ms| {
            let group = groups.iter().find(|group| group.within_ms == within_ms);
            group.map(|group| group.acknowledgements)
        };
        assert_eq!(
            [of(Some(1)), of(Some(2)), of(Some(5)), of(None)],
            [Some(2), Some(0), Some(1), Some(1)]
        );
        let all: u64 = groups.iter().map(|group| group.acknowledgements).sum();
        assert_eq!(all, 4);
    }

    #[test]
    fn an_evaluator_is_timed_once_for_each_change_it_gets_to() {
        let mut pulls = Pulls::default();
        let now = Instant::now();
        pulls.begin(Wanted::Revision(5), now);
        pulls.begin(Wanted::Brake(1), now);
        let reached = |revision, brake| Reached { revision, brake };
        pulls.acknowledged(reached(4, 0), reached(5, 0), now);
        pulls.acknowledged(reached(5, 0), reached(5, 0), now);
        let at = |pulls: &Pulls, wanted| pulls.times(wanted).each.is_some();
        assert!(at(&pulls, Wanted::Revision(5)));
        assert!(!at(&pulls, Wanted::Brake(1)));
        pulls.acknowledged(reached(5, 0), reached(5, 1), now);
        assert!(at(&pulls, Wanted::Brake(1)));
        assert_eq!(
            pulls.times(Wanted::Revision(5)).elapsed_ms,
            None,
            "not complete"
        );
        let mut completed = 0;
        pulls.complete(|_| true, |_| completed += 1);
        pulls.complete(|_| true, |_| completed += 1);
        assert_eq!(completed, 2, "each is told once");
        assert!(pulls.times(Wanted::Revision(5)).elapsed_ms.is_some());
        assert_eq!(pulls.times(Wanted::Revision(9)), Times::default());
    }

    #[test]
    fn one_that_lags_keeps_open_what_it_lacks_and_nothing_older() {
        let mut pulls = Pulls::default();
        let now = Instant::now();
        for revision in 1..=2 * PULLS_MAX as u64 {
            pulls.begin(Wanted::Revision(revision), now);
            let reached = |revision| Reached { revision, brake: 0 };
            pulls.acknowledged(reached(revision - 1), reached(revision), now);
            let lagging = 400;
            pulls.complete(
                |wanted| wanted < Wanted::Revision(lagging),
                |_| assert!(revision < lagging),
            );
        }
        let elapsed = |revision| pulls.times(Wanted::Revision(revision)).elapsed_ms;
        assert!(elapsed(399).is_some());
        assert_eq!(elapsed(400), None);
        assert_eq!(elapsed(500), None);
    }
}
