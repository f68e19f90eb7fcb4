//! Who reports outcomes over HTTP: what each has said last, and how much client-side tokens may say.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::limit::{CLIENT_OUTCOMES_MAX, OUTCOME_INSTANCES_MAX, OUTCOMES_WINDOW};

#[derive(Debug, Default)]
pub(crate) struct Reporters(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// By token and instance: the last sequence, and when it came in the order of all.
    last: HashMap<(Box<str>, Box<str>), (u64, u64)>,
    by_turn: BTreeMap<u64, (Box<str>, Box<str>)>,
    turn: u64,
    /// Of client-side tokens: since when is counted, and how many came.
    windows: HashMap<Box<str>, (Instant, usize)>,
}

impl Reporters {
    /// Whether a request is the first with its number; a later one must have a larger one.
    pub(super) fn is_first(&self, token: &str, instance: &str, sequence: u64) -> bool {
        let mut inner = self.lock();
        let key: (Box<str>, Box<str>) = (token.into(), instance.into());
        let known = inner.last.get(&key).copied();
        if known.is_some_and(|(last, _)| sequence <= last) {
            return false;
        }
        inner.turn += 1;
        let turn = inner.turn;
        if let Some((_, before)) = known {
            inner.by_turn.remove(&before);
        } else if inner.last.len() >= OUTCOME_INSTANCES_MAX
            && let Some((_, longest_silent)) = inner.by_turn.pop_first()
        {
            inner.last.remove(&longest_silent);
        }
        inner.by_turn.insert(turn, key.clone());
        inner.last.insert(key, (sequence, turn));
        true
    }

    /// Counts what a client-side token reports. `Err` says after how many seconds there is room again.
    pub(super) fn spend(&self, token: &str, count: usize, now: Instant) -> Result<(), u32> {
        let mut inner = self.lock();
        inner
            .windows
            .retain(|_, (since, _)| now.duration_since(*since) < OUTCOMES_WINDOW);
        let (since, spent) = inner.windows.entry(token.into()).or_insert((now, 0));
        if *spent + count > CLIENT_OUTCOMES_MAX {
            let left = OUTCOMES_WINDOW.saturating_sub(now.duration_since(*since));
            return Err(u32::try_from(left.as_secs()).unwrap_or(0) + 1);
        }
        *spent += count;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_taken_once_and_only_upwards_and_each_instance_has_its_own() {
        let reporters = Reporters::default();
        let taken = [1, 1, 3, 2, 3, 4].map(|number| reporters.is_first("t", "a", number));
        assert_eq!(taken, [true, false, true, false, false, true]);
        assert!(reporters.is_first("t", "b", 1));
        assert!(reporters.is_first("other", "a", 1));
    }

    #[test]
    fn of_too_many_instances_the_longest_silent_is_forgotten() {
        let reporters = Reporters::default();
        assert!(reporters.is_first("t", "old", 5));
        assert!(reporters.is_first("t", "silent", 5));
        assert!(reporters.is_first("t", "old", 6));
        for number in 0..OUTCOME_INSTANCES_MAX - 1 {
            assert!(reporters.is_first("t", &number.to_string(), 1));
        }
        assert!(!reporters.is_first("t", "old", 6), "heard later");
        assert!(reporters.is_first("t", "silent", 5), "forgotten");
        assert!(reporters.lock().last.len() <= OUTCOME_INSTANCES_MAX);
    }

    #[test]
    fn a_token_may_say_so_much_in_a_window_and_then_again() {
        let reporters = Reporters::default();
        let now = Instant::now();
        assert_eq!(reporters.spend("t", CLIENT_OUTCOMES_MAX, now), Ok(()));
        assert_eq!(reporters.spend("t", 1, now), Err(11));
        assert_eq!(reporters.spend("other", 1, now), Ok(()));
        assert_eq!(reporters.spend("t", 1, now + OUTCOMES_WINDOW), Ok(()));
    }
}
