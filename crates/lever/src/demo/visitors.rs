//! Who comes to the shop: no visitor comes twice, and the same seed brings the same ones.

use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// What every visit takes at least.
const TOOK_MS_MIN: f64 = 40.0;
/// What it takes on top of that on average; few take long.
const TOOK_MS_MEAN: f64 = 40.0;
/// Nobody waits for longer than this.
const TOOK_MS_MAX: f64 = 600.0;

/// An odd number, so that multiplying by it loses nobody.
const STRIDE: u32 = 0x9e37_79b1;

/// One visit, before anything was decided about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Visit {
    /// Whose; each number is one visitor, who never comes again.
    pub(crate) visitor: u32,
    /// When, in milliseconds since the shop opened, by the clock of the traffic.
    pub(crate) arrives_ms: u64,
    /// Which of the shop's processes answers, as a number to be divided by how many there are.
    pub(crate) draw: u32,
    /// How lucky the visitor is, from 0, for whom every bank declines, to 9 999.
    pub(crate) luck: u32,
    /// How long it takes when nothing is in the way, in milliseconds.
    pub(crate) took_ms: u32,
}

/// The visits of a seed at a rate, in the order of time.
#[derive(Debug, Clone)]
pub(crate) struct Visitors {
    seed: u64,
    rate: u32,
    next: u32,
}

impl Visitors {
    /// `rate` visits a second, one after the other at the same distance.
    pub(crate) fn of(seed: u64, rate: u32) -> Self {
        Self {
            seed,
            rate: rate.max(1),
            next: 0,
        }
    }

    /// The next visit, if it comes within `elapsed_ms` since the shop opened.
    pub(crate) fn until(&mut self, elapsed_ms: u64) -> Option<Visit> {
        let arrives_ms = u64::from(self.next) * 1_000 / u64::from(self.rate);
        if arrives_ms > elapsed_ms {
            return None;
        }
        let number = self.next;
        self.next = self.next.checked_add(1)?;
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        // A stream of its own: what one visit draws moves nobody else's.
        random.set_stream(u64::from(number));
        #[expect(clippy::cast_possible_truncation, reason = "the low half of a seed")]
        let first = self.seed as u32;
        Some(Visit {
            visitor: number
                .wrapping_mul(STRIDE)
                .wrapping_add(first.wrapping_mul(0x85eb_ca6b)),
            arrives_ms,
            draw: random.next_u32(),
            luck: random.random_range(0..10_000),
            took_ms: took_ms(random.random::<f64>()),
        })
    }
}

impl Visit {
    /// What the shop calls the visitor.
    pub(crate) fn user(&self) -> String {
        format!("u-{:08x}", self.visitor)
    }

    /// Which of these answers the visitor.
    pub(crate) fn one_of<'a, T>(&self, all: &'a [T]) -> Option<&'a T> {
        let index = usize::try_from(self.draw).ok()?.checked_rem(all.len())?;
        all.get(index)
    }
}

/// Exponential on top of a constant, from a number of [0, 1).
fn took_ms(uniform: f64) -> u32 {
    let took = TOOK_MS_MIN - TOOK_MS_MEAN * (1.0 - uniform).ln();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and a second at most"
    )]
    let took = took.min(TOOK_MS_MAX) as u32;
    took
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn visits(seed: u64, count: usize) -> Vec<Visit> {
        let mut visitors = Visitors::of(seed, 200);
        std::iter::from_fn(|| visitors.until(u64::MAX))
            .take(count)
            .collect()
    }

    #[test]
    fn the_same_seed_brings_the_same_visitors_and_another_one_others() {
        assert_eq!(visits(7, 1_000), visits(7, 1_000));
        assert_ne!(visits(7, 1_000), visits(8, 1_000));
    }

    #[test]
    fn nobody_comes_twice() {
        let seen: BTreeSet<u32> = visits(3, 50_000).iter().map(|one| one.visitor).collect();
        assert_eq!(seen.len(), 50_000);
    }

    #[test]
    fn they_come_at_their_rate_and_few_are_unlucky_or_slow() {
        let mut visitors = Visitors::of(5, 200);
        let mut second = 0;
        while visitors.until(999).is_some() {
            second += 1;
        }
        assert_eq!(second, 200, "visits of the first second");
        let all = visits(5, 20_000);
        let unlucky = all.iter().filter(|one| one.luck < 100).count();
        assert!((150..=250).contains(&unlucky), "{unlucky} of 20 000");
        let slow = all.iter().filter(|one| one.took_ms > 160).count();
        assert!((800..=1_200).contains(&slow), "{slow} of 20 000");
    }
}
