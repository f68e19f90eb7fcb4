//! The outbox: counts on their way to the server, each batch until it is known to have arrived.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use leverframe_flags::{FlagKey, VariantKey};
use leverframe_wire::frame::{Count, Counts, MESSAGE_BYTES_MAX};
use tokio::time::Instant;

use crate::tally::Tally;

/// How often counts are flushed.
const FLUSH: Duration = Duration::from_secs(10);
/// Most batches under way; further counts wait in the tally.
const BATCHES_MAX: usize = 256;
/// What a count needs in JSON besides its names.
const COUNT_BYTES: usize = 64;

/// Counts on their way.
pub(crate) struct Outbox {
    sequence: u64,
    /// Batches that have not been confirmed, oldest first.
    under_way: VecDeque<Counts>,
    flushed_at: Instant,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self {
            sequence: 0,
            under_way: VecDeque::new(),
            flushed_at: Instant::now(),
        }
    }

    /// New batches, if it is time for them.
    pub(crate) fn due(&mut self, tally: &Tally) -> Vec<Counts> {
        if self.flushed_at.elapsed() < FLUSH {
            return Vec::new();
        }
        self.flush(tally)
    }

    /// New batches of everything counted. None while earlier ones have not been confirmed, so that
    /// memory stays bounded: until then counts add up in the tally.
    pub(crate) fn flush(&mut self, tally: &Tally) -> Vec<Counts> {
        self.flushed_at = Instant::now();
        if !self.under_way.is_empty() {
            return Vec::new();
        }
        let batches = self.batches(tally.take());
        self.under_way.extend(batches.iter().cloned());
        batches
    }

    /// What must be sent again on a new connection; the server counts a sequence once.
    pub(crate) fn unconfirmed(&self) -> Vec<Counts> {
        self.under_way.iter().cloned().collect()
    }

    /// The oldest of them.
    pub(crate) fn next_unconfirmed(&self) -> Option<Counts> {
        self.under_way.front().cloned()
    }

    /// The server has everything up to `sequence`.
    pub(crate) fn confirm(&mut self, sequence: u64) {
        while self
            .under_way
            .front()
            .is_some_and(|batch| batch.sequence <= sequence)
        {
            self.under_way.pop_front();
        }
    }

    fn batches(&mut self, counted: BTreeMap<(FlagKey, VariantKey), u64>) -> Vec<Counts> {
        let mut batches = Vec::new();
        let mut evaluations = Vec::new();
        let mut bytes = 0;
        for ((flag, variant), count) in counted {
            let more = flag.as_str().len() + variant.as_str().len() + COUNT_BYTES;
            if bytes + more > MESSAGE_BYTES_MAX / 2 {
                batches.push(self.batch(std::mem::take(&mut evaluations)));
                bytes = 0;
            }
            bytes += more;
            evaluations.push(Count {
                flag: flag.to_string(),
                variant: variant.to_string(),
                count,
            });
        }
        if !evaluations.is_empty() {
            batches.push(self.batch(evaluations));
        }
        if batches.len() > BATCHES_MAX {
            tracing::warn!("more counts than can be sent; some are lost");
            batches.truncate(BATCHES_MAX);
        }
        batches
    }

    fn batch(&mut self, evaluations: Vec<Count>) -> Counts {
        self.sequence += 1;
        Counts {
            sequence: self.sequence,
            evaluations,
        }
    }
}
