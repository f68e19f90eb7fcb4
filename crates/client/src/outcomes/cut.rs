//! How time is cut: the server's intervals, by this process' clock.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use leverframe_wire::outcome::Grid;

/// Of so many tellings the one that was least delayed counts.
const TELLINGS: usize = 8;

/// The server's grid. Reading it takes no lock.
#[derive(Debug)]
pub(super) struct Cut {
    began: Instant,
    /// 0 until a server has said it.
    interval_ms: AtomicI64,
    watermark_ms: AtomicI64,
    /// The server's clock when ours began, in milliseconds.
    offset_ms: AtomicI64,
    tellings: Mutex<VecDeque<i64>>,
}

impl Cut {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            interval_ms: AtomicI64::new(0),
            watermark_ms: AtomicI64::new(0),
            offset_ms: AtomicI64::new(0),
            tellings: Mutex::default(),
        }
    }

    /// Takes over what a server says. True when intervals are cut otherwise than before, so that what
    /// was kept is of no use.
    pub(super) fn tell(&self, grid: &Grid, is_first_of_connection: bool) -> bool {
        let offset = grid.now_ms.saturating_sub(self.elapsed_ms(Instant::now()));
        let mut tellings = self.tellings.lock().unwrap_or_else(PoisonError::into_inner);
        if is_first_of_connection {
            // Another server, or the same with another clock.
            tellings.clear();
        }
        tellings.push_back(offset);
        if tellings.len() > TELLINGS {
            tellings.pop_front();
        }
        // What is told late makes the server's clock seem behind, never ahead.
        let offset = tellings.iter().copied().max().unwrap_or(offset);
        self.offset_ms.store(offset, Ordering::Relaxed);
        self.watermark_ms
            .store(grid.watermark_ms.max(1), Ordering::Relaxed);
        let interval = grid.interval_ms.max(1);
        let before = self.interval_ms.swap(interval, Ordering::Relaxed);
        before != 0 && before != interval
    }

    /// The begin of the interval that something happened in; none while no server has said how time
    /// is cut.
    #[inline]
    pub(super) fn interval_of(&self, when: Instant) -> Option<i64> {
        let interval = self.interval_ms.load(Ordering::Relaxed);
        if interval == 0 {
            return None;
        }
        Some(self.server_ms(when).div_euclid(interval) * interval)
    }

    /// The server's clock.
    pub(super) fn server_ms(&self, when: Instant) -> i64 {
        self.elapsed_ms(when)
            .saturating_add(self.offset_ms.load(Ordering::Relaxed))
    }

    /// Up to which begin intervals are to be sent now, where `jitter` from 0 to 1 spreads the
    /// evaluators.
    pub(super) fn due_until(&self, now: Instant, jitter: f64) -> i64 {
        let watermark = self.watermark_ms.load(Ordering::Relaxed);
        // Within the first half of the watermark, so that what is on its way still arrives in time.
        #[expect(clippy::cast_possible_truncation, reason = "a part of a few seconds")]
        #[expect(clippy::cast_precision_loss, reason = "a few seconds in milliseconds")]
        let lag = watermark / 4 + (watermark as f64 / 4.0 * jitter) as i64;
        let interval = self.interval_ms.load(Ordering::Relaxed).max(1);
        self.server_ms(now)
            .saturating_sub(lag)
            .saturating_sub(interval)
    }

    /// How often to look whether something is to be sent; none while nothing can be.
    pub(super) fn look_every(&self) -> Option<Duration> {
        let is_told = self.interval_ms.load(Ordering::Relaxed) != 0;
        let watermark = self.watermark_ms.load(Ordering::Relaxed).unsigned_abs();
        is_told.then(|| Duration::from_millis((watermark / 8).clamp(10, 1_000)))
    }

    /// Nanoseconds since this process began, as a die.
    pub(super) fn die(&self, when: Instant) -> u64 {
        let since = when.saturating_duration_since(self.began);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    fn elapsed_ms(&self, when: Instant) -> i64 {
        let since = when.saturating_duration_since(self.began);
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}
