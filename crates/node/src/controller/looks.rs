//! What was seen at the last tick, for those who ask.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use leverframe_core::rollout::Observation;

/// What is seen of a rollout that runs.
#[derive(Debug, Clone)]
pub struct Look {
    /// It.
    pub observation: Arc<Observation>,
}

/// Every rollout that runs, as it was seen at the last tick.
#[derive(Debug, Default)]
pub struct Looks {
    seen: ArcSwap<BTreeMap<Box<str>, Look>>,
    /// Steps that could not be stored, in words.
    failed: Mutex<BTreeMap<Box<str>, String>>,
}

impl Looks {
    /// What is seen of one; nothing before its first tick and after its end.
    #[must_use]
    pub fn of(&self, rollout: &str) -> Option<Look> {
        self.seen.load().get(rollout).cloned()
    }

    /// What is wrong with the steps of rollouts, in sentences.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        self.lock().values().cloned().collect()
    }

    pub(super) fn set(&self, seen: BTreeMap<Box<str>, Look>) {
        self.lock().retain(|rollout, _| seen.contains_key(rollout));
        self.seen.store(Arc::new(seen));
    }

    pub(super) fn made(&self, rollout: &str) {
        self.lock().remove(rollout);
    }

    /// Whether this is news.
    pub(super) fn failed(&self, rollout: &str, why: String) -> bool {
        self.lock().insert(rollout.into(), why).is_none()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Box<str>, String>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
