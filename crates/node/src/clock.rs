//! The node's clocks: one for people, one that never jumps.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use leverframe_core::Timestamp;

/// Tells the time in two ways. The wall clock dates records and ends tokens; the steady clock
/// decides who is on the roll, so that a wall clock set an hour back or forth moves nobody.
#[derive(Debug, Clone)]
pub struct Clock {
    started_steady_ms: i64,
    started: Instant,
}

impl Clock {
    /// Starts both clocks at the wall clock's time.
    #[must_use]
    pub fn start() -> Self {
        Self {
            started_steady_ms: wall_ms(),
            started: Instant::now(),
        }
    }

    /// The same, with a steady clock that is not behind `latest`: what a process before this one has
    /// timed stays in the past, wherever somebody has set the wall clock since.
    #[must_use]
    pub fn not_before(mut self, latest: Timestamp) -> Self {
        let behind_ms = latest.ms_since(self.steady()).max(0);
        self.started_steady_ms = self.started_steady_ms.saturating_add(behind_ms);
        self
    }

    /// The wall clock; may jump.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        Timestamp::from_ms(wall_ms())
    }

    /// Milliseconds since 1970 as they were at the start, counted on monotonically; never jumps, and
    /// never goes back, not even over a restart.
    #[must_use]
    pub fn steady(&self) -> Timestamp {
        let since_ms = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_ms(self.started_steady_ms.saturating_add(since_ms))
    }

    /// How long the node has been running.
    #[must_use]
    pub fn uptime(&self) -> std::time::Duration {
        self.started.elapsed()
    }
}

fn wall_ms() -> i64 {
    // A clock before 1970 reads as 1970: dates in records would be wrong, order would not.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
}
