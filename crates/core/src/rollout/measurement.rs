//! What a source saw of one metric in one closed interval: what is kept beside the journal, and folded
//! into evidence in the order of time.

use serde::{Deserialize, Serialize};

use crate::analysis::Tally;
use crate::time::Timestamp;

/// Buckets of a [`Histogram`].
pub const LATENCY_BUCKETS: usize = 96;

/// One metric of one lever in one interval. Closed: it is never changed afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// The begin of the interval, by the node's steady clock.
    pub at: Timestamp,
    /// How long the interval is, in milliseconds.
    pub length_ms: i64,
    /// The revision that had last moved the lever when the interval began.
    pub lever_revision: u64,
    /// What was seen.
    pub seen: Seen,
}

/// What was seen in one interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "seen", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Seen {
    /// Units, and the bad ones among them; each unit is bad once in a stage.
    Units {
        /// Those exposed by the percentage.
        exposed: Tally,
        /// Those held back by it.
        held_back: Tally,
        /// Those that a cohort let through; they have nothing to be compared with.
        #[serde(default)]
        assigned: Tally,
        /// Exposed and held back units that reported too late, and are counted nowhere else.
        #[serde(default)]
        late: (u64, u64),
        /// Those that had not been seen in this stage before; none where units are not known. What is
        /// said of people, of a limit on a rate, and of the arms' shares is of distinct units: it rests
        /// on these where they are known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        arrivals: Option<Arrivals>,
        /// Whether these are requests of which units are not known: no level is guaranteed then.
        #[serde(default)]
        is_approximate: bool,
    },
    /// How long outcomes took, by unit and minute; those that failed are in the last bucket.
    Latency {
        /// Those exposed by the percentage.
        exposed: Histogram,
        /// Those held back by it.
        held_back: Histogram,
        /// Those that a cohort let through.
        #[serde(default)]
        assigned: Histogram,
        /// Exposed and held back units that reported too late.
        #[serde(default)]
        late: (u64, u64),
    },
    /// A number.
    Gauge {
        /// It.
        value: f64,
    },
    /// The source answered, and there was nothing.
    NoData,
    /// It did not answer, or not what can be read.
    Error {
        /// Why; never with a secret in it.
        why: Box<str>,
    },
    /// It contradicts itself.
    Untrusted {
        /// Why.
        why: Box<str>,
    },
}

/// Units that answered for the first time in a stage: since the lever was last moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrivals {
    /// Those exposed by the percentage.
    pub exposed: u64,
    /// Those held back by it.
    pub held_back: u64,
    /// Those that a cohort let through.
    pub assigned: u64,
}

/// Counts by time taken. Bucket `i` is below [`Histogram::limit_micros`]`(i)`, each about a tenth longer
/// than the one before it, from 1 ms up to 6 s and beyond; the last one is for what failed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Histogram {
    /// The counts; trailing zeros are left out.
    counts: Vec<u64>,
}

impl Histogram {
    /// The bucket of a time taken, in microseconds; failed outcomes go into the last.
    #[must_use]
    pub fn bucket(micros: u64, failed: bool) -> usize {
        if failed {
            return LATENCY_BUCKETS - 1;
        }
        (0..LATENCY_BUCKETS - 2)
            .find(|bucket| micros < Self::limit_micros(*bucket))
            .unwrap_or(LATENCY_BUCKETS - 2)
    }

    /// Where a bucket ends, in microseconds; that of the last two is endless.
    #[must_use]
    pub fn limit_micros(bucket: usize) -> u64 {
        if bucket >= LATENCY_BUCKETS - 2 {
            return u64::MAX;
        }
        // 1 ms · 1.1^bucket, rounded to whole microseconds and the same on every machine.
        let mut limit = 1_000_u64;
        for _ in 0..bucket {
            limit += limit.div_ceil(10);
        }
        limit
    }

    /// Counts one in a bucket; one that does not exist counts as failed.
    pub fn add(&mut self, bucket: usize, count: u64) {
        let bucket = bucket.min(LATENCY_BUCKETS - 1);
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        if let Some(sum) = self.counts.get_mut(bucket) {
            *sum = sum.saturating_add(count);
        }
    }

    /// All of them, and those that were not answered well within a limit. The limit counts as the
    /// end of the bucket that it is in.
    #[must_use]
    pub fn tally(&self, limit_ms: u32) -> Tally {
        let limit = Self::bucket(u64::from(limit_ms).saturating_mul(1_000), false);
        let sum = |counts: &[u64]| counts.iter().fold(0_u64, |sum, n| sum.saturating_add(*n));
        Tally {
            units: sum(&self.counts),
            bad: sum(self
                .counts
                .get(limit.saturating_add(1)..)
                .unwrap_or_default()),
        }
    }

    /// The counts by bucket; trailing zeros are left out.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The time within which this part of all was answered, in milliseconds, rounded up to the end of
    /// its bucket; none when there is nothing or that part failed.
    #[must_use]
    pub fn quantile_ms(&self, part: f64) -> Option<u32> {
        let all = self.tally(0).units;
        if all == 0 {
            return None;
        }
        let mut below = 0_u64;
        for (bucket, count) in self.counts.iter().enumerate() {
            below = below.saturating_add(*count);
            #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
            if below as f64 >= part * all as f64 {
                let micros = Self::limit_micros(bucket);
                return u32::try_from(micros.div_ceil(1_000)).ok();
            }
        }
        None
    }
}

impl std::ops::AddAssign<&Histogram> for Histogram {
    fn add_assign(&mut self, other: &Histogram) {
        for (bucket, count) in other.counts.iter().enumerate() {
            self.add(bucket, *count);
        }
    }
}
