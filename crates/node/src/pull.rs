//! How long each change takes to reach the evaluators.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many of the last changes are timed.
const PULLS_MAX: usize = 256;

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// How far an evaluator has come: its revision and its brake number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Reached {
    pub(crate) revision: u64,
    pub(crate) brake: u64,
}

impl Reached {
    fn has(self, wanted: Wanted) -> bool {
        match wanted {
            Wanted::Revision(revision) => self.revision >= revision,
            Wanted::Brake(number) => self.brake >= number,
        }
    }
}

/// The last changes that went out, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Pulls(VecDeque<Pull>);

#[derive(Debug)]
struct Pull {
    wanted: Wanted,
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
        if self.0.len() >= PULLS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Pull {
            wanted,
            received,
            latencies: Vec::new(),
            completed: None,
        });
    }

    /// An acknowledgement came in of an evaluator that had acknowledged before; who joins is not
    /// timed for what was there before.
    pub(crate) fn acknowledged(&mut self, had: Reached, has: Reached, arrived: Instant) {
        for pull in &mut self.0 {
            if has.has(pull.wanted) && !had.has(pull.wanted) {
                pull.latencies
                    .push(arrived.saturating_duration_since(pull.received));
            }
        }
    }

    /// Looks which changes everybody has now. Asks `is_had` of those that reached somebody, the oldest
    /// first, until one is not: who is behind a change is behind every newer one. Tells how long each
    /// took.
    pub(crate) fn complete(
        &mut self,
        is_had: impl Fn(Wanted) -> bool,
        mut took: impl FnMut(Duration),
    ) {
        let is_awaited = |pull: &&mut Pull| pull.completed.is_none() && !pull.latencies.is_empty();
        for pull in self.0.iter_mut().filter(is_awaited) {
            if !is_had(pull.wanted) {
                break;
            }
            let elapsed = pull.received.elapsed();
            pull.completed = Some(elapsed);
            took(elapsed);
        }
    }

    /// How long a change took; nothing is known of one from before the node's start.
    pub(crate) fn times(&self, wanted: Wanted) -> Times {
        self.0
            .iter()
            .rev()
            .find(|pull| pull.wanted == wanted)
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
        assert_eq!(completed, 2);
        assert!(pulls.times(Wanted::Revision(5)).elapsed_ms.is_some());
        assert_eq!(pulls.times(Wanted::Revision(9)), Times::default());
    }
}
