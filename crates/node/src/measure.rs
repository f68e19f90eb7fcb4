//! What the node counts about itself, for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets of every duration, in seconds.
const BOUNDS_S: [f64; 14] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0,
];

/// Counters of the node; all of them only grow.
#[derive(Debug, Default)]
pub struct Measurements {
    /// Durable appends.
    pub commits: AtomicU64,
    /// Records in them.
    pub records: AtomicU64,
    /// Appends that failed.
    pub commit_failures: AtomicU64,
    /// Kills that went out ahead of the journal.
    pub brakes: AtomicU64,
    /// Frames put into rings.
    pub frames: AtomicU64,
    /// Snapshots encoded for joiners.
    pub snapshots: AtomicU64,
    /// How long durable appends took.
    pub commit_seconds: Durations,
    /// From a request to its last acknowledgement.
    pub confirm_seconds: Durations,
    /// How late a tick of the rollouts began.
    pub tick_lag_seconds: Durations,
    /// How long a tick took.
    pub tick_seconds: Durations,
    /// The same for the canaries' closes.
    pub canary_seconds: Durations,
    /// Canaries that were not confirmed in time, or could not be pulled.
    pub canary_failures: AtomicU64,
}

/// A histogram of durations with fixed bounds.
#[derive(Debug, Default)]
pub struct Durations {
    buckets: [AtomicU64; BOUNDS_S.len()],
    count: AtomicU64,
    sum_ns: AtomicU64,
}

/// A [`Durations`] at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct DurationsSnapshot {
    /// For each upper bound in seconds, how many were at most that long; cumulative.
    pub buckets: Vec<(f64, u64)>,
    /// How many there were.
    pub count: u64,
    /// Their sum, in seconds.
    pub sum_s: f64,
}

impl Durations {
    /// Counts one duration.
    pub fn observe(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        if let Some(bucket) = BOUNDS_S
            .iter()
            .position(|bound| seconds <= *bound)
            .and_then(|i| self.buckets.get(i))
        {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum_ns.fetch_add(
            u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX),
            Ordering::Relaxed,
        );
    }

    /// The histogram now.
    #[must_use]
    pub fn snapshot(&self) -> DurationsSnapshot {
        let mut at_most = 0;
        let buckets = BOUNDS_S
            .iter()
            .zip(&self.buckets)
            .map(|(bound, bucket)| {
                at_most += bucket.load(Ordering::Relaxed);
                (*bound, at_most)
            })
            .collect();
        DurationsSnapshot {
            buckets,
            count: self.count.load(Ordering::Relaxed),
            sum_s: Duration::from_nanos(self.sum_ns.load(Ordering::Relaxed)).as_secs_f64(),
        }
    }
}
