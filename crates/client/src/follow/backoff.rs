//! Backoff: how long to wait before the next attempt, with jitter, so that ten thousand clients do
//! not come back in the same instant.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
/// Short, because a client must catch up within two seconds of its server's return. A server with
/// too many at its door says so with a 503 and a `Retry-After`.
const LONGEST: Duration = Duration::from_millis(1_500);
/// Longest wait a `Retry-After` can ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);
/// A refused token does not heal by asking; it is asked for all the same, because tokens are
/// sometimes made after the process that uses them.
const UNAUTHORISED: Duration = Duration::from_secs(30);

/// Counts failures in a row.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The wait after one more failure. `dice` is uniform in 0..=1.
    pub(crate) fn next(&mut self, dice: f64) -> Duration {
        let ceiling = FIRST
            .saturating_mul(1 << self.failures.min(10))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        // Half is certain, half is chance.
        ceiling.mul_f64(0.5 + dice.clamp(0.0, 1.0) / 2.0)
    }

    /// The wait after the server said when to come again, spread over half as much again.
    pub(crate) fn after(&mut self, retry_after: Option<Duration>, dice: f64) -> Duration {
        match retry_after {
            Some(wait) => wait
                .min(RETRY_AFTER_MAX)
                .mul_f64(1.0 + dice.clamp(0.0, 1.0) / 2.0),
            None => self.next(dice),
        }
    }

    /// The wait after a 401 or 403.
    pub(crate) fn unauthorised(dice: f64) -> Duration {
        UNAUTHORISED.mul_f64(1.0 + dice.clamp(0.0, 1.0))
    }
}

/// Chance, for jitter only. Without a source of it, the middle.
pub(crate) fn dice() -> f64 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_never_exceed_what_catching_up_allows() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..40).map(|_| backoff.next(1.0)).collect();
        assert_eq!(waits.first(), Some(&FIRST));
        assert!(waits.is_sorted());
        assert_eq!(waits.last(), Some(&LONGEST));
        assert!(backoff.next(0.0) >= LONGEST / 2);
        backoff.reset();
        assert_eq!(backoff.next(0.0), FIRST / 2);
    }

    #[test]
    fn a_retry_after_is_honoured_and_bounded() {
        let mut backoff = Backoff::default();
        let wait =
            |backoff: &mut Backoff, s, dice| backoff.after(Some(Duration::from_secs(s)), dice);
        assert_eq!(wait(&mut backoff, 4, 0.0), Duration::from_secs(4));
        assert_eq!(wait(&mut backoff, 4, 1.0), Duration::from_secs(6));
        assert_eq!(wait(&mut backoff, 1_000_000, 0.0), RETRY_AFTER_MAX);
        assert_eq!(backoff.after(None, 1.0), FIRST);
    }
}
