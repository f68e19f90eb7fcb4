//! How often what was answered, as evaluators report it. Kept in memory, bounded.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Most flag and variant pairs counted in one environment; further ones go uncounted.
const PAIRS_MAX: usize = 100_000;
/// Most instances whose last sequence number is remembered.
const INSTANCES_MAX: usize = 50_000;

/// Evaluations of one environment, by flag and variant, since the node started.
#[derive(Debug, Default)]
pub struct EvaluationCounts {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The last flush of each instance, so that one sent twice is counted once.
    sequences: BTreeMap<Box<str>, u64>,
    pairs: BTreeMap<(Box<str>, Box<str>), u64>,
}

/// How often one variant of one flag was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationCount {
    /// The flag.
    pub flag: Box<str>,
    /// The variant.
    pub variant: Box<str>,
    /// How often.
    pub count: u64,
}

impl EvaluationCounts {
    /// Adds one flush of an instance, unless it came before.
    pub fn add<'a>(
        &self,
        instance: &str,
        sequence: u64,
        evaluations: impl IntoIterator<Item = (&'a str, &'a str, u64)>,
    ) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new_instance = !inner.sequences.contains_key(instance);
        if is_new_instance && inner.sequences.len() >= INSTANCES_MAX {
            inner.sequences.pop_first();
        }
        let last = inner.sequences.entry(instance.into()).or_insert(0);
        if !is_new_instance && sequence <= *last {
            return;
        }
        *last = sequence;
        for (flag, variant, count) in evaluations {
            let is_full = inner.pairs.len() >= PAIRS_MAX;
            let pair = (flag.into(), variant.into());
            match inner.pairs.get_mut(&pair) {
                Some(sum) => *sum = sum.saturating_add(count),
                None if is_full => {}
                None => {
                    inner.pairs.insert(pair, count);
                }
            }
        }
    }

    /// Every pair, sorted by flag and variant.
    #[must_use]
    pub fn all(&self) -> Vec<EvaluationCount> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner
            .pairs
            .iter()
            .map(|((flag, variant), count)| EvaluationCount {
                flag: flag.clone(),
                variant: variant.clone(),
                count: *count,
            })
            .collect()
    }
}
