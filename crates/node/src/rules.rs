//! The rule set that the node itself answers with: compiled when somebody first asks in its
//! environment, and followed from then on. Evaluators compile their own, so that an environment
//! where nobody asks the server costs it no rule set.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::{ArcSwap, Guard};
use leverframe_flags::{EnvironmentKey, Follower, RuleSet, Update};

/// The rule set of one environment, once it is needed.
pub(crate) struct Rules {
    environment: EnvironmentKey,
    /// The node follows its own frames, by the very code an application follows them with.
    follower: Mutex<Option<Follower>>,
    compiled: OnceLock<ArcSwap<RuleSet>>,
}

impl Rules {
    pub(crate) fn new(environment: EnvironmentKey) -> Self {
        Self {
            environment,
            follower: Mutex::new(None),
            compiled: OnceLock::new(),
        }
    }

    /// The rule set; lock-free but for the first time, when it is compiled from what `now` says.
    pub(crate) fn load(&self, now: impl FnOnce() -> Vec<Update>) -> Guard<Arc<RuleSet>> {
        if let Some(compiled) = self.compiled.get() {
            return compiled.load();
        }
        let mut follower = self.follower.lock().unwrap_or_else(PoisonError::into_inner);
        let compiled = self.compiled.get_or_init(|| {
            // Under the lock: whatever is put out after this was asked comes to `apply`.
            let mut first = Follower::new(self.environment.clone());
            for update in now() {
                first.apply(update);
            }
            let rules = Arc::clone(first.rule_set());
            *follower = Some(first);
            ArcSwap::new(rules)
        });
        compiled.load()
    }

    /// Follows what is put out, if anybody has asked yet.
    pub(crate) fn apply(&self, update: Update) {
        let mut follower = self.follower.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(follower), Some(compiled)) = (follower.as_mut(), self.compiled.get()) {
            follower.apply(update);
            compiled.store(Arc::clone(follower.rule_set()));
        }
    }
}
