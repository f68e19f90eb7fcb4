//! The clocks: one that only goes on, and the wall clock, which somebody may set.

use leverframe_core::Timestamp;

/// 2026-11-21, about when the first world began.
const BEGAN_MS: i64 = 1_795_219_200_000;

/// The time in a world.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    now_ms: u64,
    set_by_ms: i64,
}

impl Clock {
    /// Milliseconds since the world began.
    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    pub(crate) fn go_on_to(&mut self, ms: u64) {
        self.now_ms = self.now_ms.max(ms);
    }

    /// What the wall clock says.
    pub(crate) fn wall(&self) -> Timestamp {
        let now_ms = i64::try_from(self.now_ms).unwrap_or(i64::MAX);
        Timestamp::from_ms(BEGAN_MS)
            .plus_ms(now_ms)
            .plus_ms(self.set_by_ms)
    }

    /// Somebody sets the wall clock.
    pub(crate) fn set_by(&mut self, ms: i64) {
        self.set_by_ms = self.set_by_ms.saturating_add(ms);
    }

    /// The wall clock is right again.
    pub(crate) fn set_right(&mut self) {
        self.set_by_ms = 0;
    }
}
