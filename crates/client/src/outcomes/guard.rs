//! Guards: held from a flag's answer to the outcome of what was done with it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::recorder::{Observed, Recorder};

/// The bit of `errors`, under which every failure counts.
const ERRORS: u64 = 1;
/// What a guard that nobody finished counts as, besides an error.
const UNFINISHED: &str = "unfinished";

/// Says how it went, once: [`Guard::ok`], [`Guard::fail`] or [`Guard::fail_as`]. Measures the time from
/// the flag's answer until then.
///
/// **Dropped without a word it counts as failed**, in `errors` and in `unfinished`: an early return by
/// `?`, a panic, and a future that was cancelled are all ways of not having done it. Who neither
/// succeeded nor failed says [`Guard::discard`].
///
/// What is counted is the unit (the targeting key, or the attribute that the flag's definition names):
/// once in an interval, however often it asks. Contexts without one, and answers that a rule gave, are
/// no evidence and are not counted.
#[must_use = "say how it went: dropped, it counts as failed"]
pub struct Guard(Option<Held>);

struct Held {
    recorder: Arc<Recorder>,
    flag: u32,
    observed: Observed,
    began: Instant,
}

/// How something went, for [`Client::report`](crate::Client::report).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome<'a> {
    name: Option<&'a str>,
    is_bad: bool,
    took: Option<Duration>,
    asked_at: Option<Instant>,
}

/// What was observed of an evaluation that may be counted; without it the guard counts nothing.
pub(crate) fn observed(recorder: &Arc<Recorder>, flag: &str, observed: Option<Observed>) -> Guard {
    Guard(observed.and_then(|observed| {
        Some(Held {
            flag: recorder.names.flag(flag)?,
            recorder: Arc::clone(recorder),
            observed,
            began: Instant::now(),
        })
    }))
}

impl Guard {
    /// It went well.
    #[inline]
    pub fn ok(mut self) {
        if let Some(held) = self.0.take() {
            held.finish(0);
        }
    }

    /// It failed.
    pub fn fail(mut self) {
        if let Some(held) = self.0.take() {
            held.finish(ERRORS);
        }
    }

    /// It failed in a way that is counted under a name of its own, too: 1 to 64 of `a-z 0-9 _ . -`;
    /// another name is left out. Of one flag the server counts eight names apart.
    pub fn fail_as(mut self, name: &str) {
        if let Some(held) = self.0.take() {
            held.finish_as(name);
        }
    }

    /// It neither succeeded nor failed, such as when the person left; nothing is counted.
    pub fn discard(mut self) {
        self.0 = None;
    }

    /// By whether a result is one; gives it back.
    ///
    /// # Errors
    /// Those of the result.
    pub fn result<T, E>(self, result: Result<T, E>) -> Result<T, E> {
        match &result {
            Ok(_) => self.ok(),
            Err(_) => self.fail(),
        }
        result
    }

    /// It went as this says, for who measures the time elsewhere: how long it took is what the outcome
    /// says, and not said when that says nothing.
    pub fn report(mut self, outcome: Outcome<'_>) {
        let Some(held) = self.0.take() else {
            return;
        };
        let Held {
            recorder,
            flag,
            observed,
            began,
        } = held;
        let name = outcome
            .name
            .map_or(ERRORS, |name| recorder.names.outcome(name));
        let bad = if outcome.is_bad { name } else { 0 };
        let asked_at = outcome.asked_at.unwrap_or(began);
        recorder.record(flag, observed, asked_at, bad, outcome.took);
    }
}

impl Held {
    #[inline]
    fn finish(self, bad: u64) {
        let took = self.began.elapsed();
        self.recorder
            .record(self.flag, self.observed, self.began, bad, Some(took));
    }

    #[cold]
    fn finish_as(self, name: &str) {
        let bad = ERRORS | self.recorder.names.outcome(name);
        self.finish(bad);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(held) = self.0.take() {
            held.finish_as(UNFINISHED);
        }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guard")
            .field(&self.0.as_ref().map(|held| held.observed))
            .finish()
    }
}

impl<'a> Outcome<'a> {
    /// It went well.
    #[must_use]
    pub const fn ok() -> Self {
        Self {
            name: None,
            is_bad: false,
            took: None,
            asked_at: None,
        }
    }

    /// It failed: counted in `errors`.
    #[must_use]
    pub const fn bad() -> Self {
        Self {
            is_bad: true,
            ..Self::ok()
        }
    }

    /// It failed in a way that has a name, such as `refund`, and is counted under that alone: 1 to 64
    /// of `a-z 0-9 _ . -`.
    #[must_use]
    pub const fn bad_as(name: &'a str) -> Self {
        Self {
            name: Some(name),
            ..Self::bad()
        }
    }

    /// How long it took.
    #[must_use]
    pub const fn taking(mut self, time: Duration) -> Self {
        self.took = Some(time);
        self
    }

    /// When the flag was asked, which is when it counts; now, when nobody says. What is of longer ago
    /// than the server's watermark (15 seconds) counts as late.
    #[must_use]
    pub const fn asked_at(mut self, when: Instant) -> Self {
        self.asked_at = Some(when);
        self
    }
}
