//! What the journal says of drills, for those who ask.

use std::collections::BTreeSet;
use std::sync::Arc;

use leverframe_flags::{EnvironmentKey, FlagKey};

use super::{Flag, State};
use crate::drill::Drill;
use crate::limit::UNDRILLED_MS_MAX;
use crate::time::Timestamp;

impl State {
    /// Whether a drill that this revision started has not ended.
    #[must_use]
    pub fn is_drilling(&self, revision: u64) -> bool {
        self.drill(revision)
            .is_some_and(|drill| drill.result.is_none())
    }

    /// The last drill of a lever, as long as it is kept.
    #[must_use]
    pub fn last_drill(&self, flag: &FlagKey, environment: &EnvironmentKey) -> Option<&Arc<Drill>> {
        let is_of_lever =
            |drill: &&Arc<Drill>| drill.flag == *flag && drill.environment == *environment;
        self.drills().rev().find(is_of_lever)
    }

    /// The levers of an environment that are open and have not been drilled for
    /// [`UNDRILLED_MS_MAX`], nor made since, sorted by flag.
    #[must_use]
    pub fn undrilled(&self, environment: &EnvironmentKey, now: Timestamp) -> Vec<&FlagKey> {
        let since = now.plus_ms(-UNDRILLED_MS_MAX);
        let drilled: BTreeSet<&FlagKey> = self
            .drills()
            .filter(|drill| drill.environment == *environment && drill.at >= since)
            .map(|drill| &drill.flag)
            .collect();
        self.flags()
            .filter(|flag| !flag.is_archived && !flag.is_internal() && flag.created_at < since)
            .filter(|flag| !flag.position(environment.as_str()).is_closed())
            .map(|flag| Flag::key(flag))
            .filter(|key| !drilled.contains(key))
            .collect()
    }
}
