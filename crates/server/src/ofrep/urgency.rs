//! Whether a change is one that nobody may be made to wait for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use leverframe_core::State;
use leverframe_flags::EnvironmentKey;

/// The last revision of each environment that closed a lever, worked out once for each revision
/// however many streams ask.
#[derive(Debug, Default)]
pub(crate) struct Closings {
    known: Mutex<HashMap<EnvironmentKey, Known>>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    at: u64,
    closed: u64,
}

impl Closings {
    /// The last revision up to now that closed a lever which is still closed; 0 when none is.
    pub(super) fn last(&self, state: &State, environment: &EnvironmentKey) -> u64 {
        let at = state.revision();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(environment)
            && known.at == at
        {
            return known.closed;
        }
        let closed = state
            .flags()
            .filter_map(|flag| flag.lever(environment.as_str()))
            .filter(|lever| lever.position.is_closed())
            .map(|lever| lever.moved_revision)
            .max()
            .unwrap_or(0);
        known.insert(environment.clone(), Known { at, closed });
        closed
    }
}
