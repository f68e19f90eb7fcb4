//! How long to wait for an answer and how often to ask again.

use std::time::Duration;

/// One request, from the first byte out to the last byte in.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The TCP and TLS handshakes of one request.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// All tries of one request together.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// Rounds over all servers when nobody answers.
pub(super) const UNREACHABLE_ROUNDS_MAX: u32 = 4;
/// Rounds over all servers when somebody answers "not now".
pub(super) const BUSY_ROUNDS_MAX: u32 = 8;
/// The longest `Retry-After` that is waited for.
pub(super) const RETRY_AFTER_MAX: Duration = Duration::from_secs(10);
/// The shortest time from one long poll to the next.
pub(super) const POLL_PAUSE: Duration = Duration::from_millis(100);
/// The longest wait one long poll may ask of the server.
pub(super) const LONG_POLL_MAX: Duration = Duration::from_secs(25);

const FIRST_PAUSE_MS: u64 = 100;
const LONGEST_PAUSE_MS: u64 = 2_000;

/// The pause after round `round` (from 0): doubling, and up to half of it left to chance, so that
/// many clients of one restarted server do not come back in step. `chance` is 0 to 1.
pub(super) fn pause(round: u32, chance: f64) -> Duration {
    let full = FIRST_PAUSE_MS
        .saturating_mul(1_u64 << round.min(16))
        .min(LONGEST_PAUSE_MS);
    Duration::from_millis(full).mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_never_reach_zero() {
        assert_eq!(pause(0, 0.0), Duration::from_millis(100));
        assert_eq!(pause(1, 0.0), Duration::from_millis(200));
        assert_eq!(pause(60, 0.0), Duration::from_secs(2));
        assert_eq!(pause(0, 1.0), Duration::from_millis(50));
    }
}
