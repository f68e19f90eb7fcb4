//! What a follower leaves behind: all that it knows, for a disk cache, and a follower that starts
//! from it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Follower;
use crate::key::FlagKey;
use crate::rule_set::RuleSet;
use crate::update::Cursor;

/// All that a follower knows. Cheap to make; packing it is work for another thread.
#[derive(Debug, Clone)]
pub struct Keepsake {
    cursor: Cursor,
    rules: Arc<RuleSet>,
    braked: BTreeSet<FlagKey>,
}

impl Keepsake {
    /// Where the follower stands, as a snapshot of it would say.
    #[must_use]
    pub fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// The rule set as [`RuleSet::unpack`] reads it. A flag that a brake keeps closed is written
    /// as closed, so that a restart does not open it.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        self.rules.packed(&|flag| self.braked.contains(flag))
    }
}

impl Follower {
    /// All that is known, to be packed elsewhere; `None` before the first snapshot. The same as
    /// [`Follower::snapshot`], at a fraction of its cost.
    #[must_use]
    pub fn keepsake(&self) -> Option<Keepsake> {
        let mut cursor = self.cursor.clone()?;
        cursor.previous = 0;
        Some(Keepsake {
            cursor,
            rules: Arc::clone(&self.rules),
            braked: self.holds.braked.keys().cloned().collect(),
        })
    }

    /// A follower that knows what another one left behind, as if it had been told by a snapshot.
    #[must_use]
    pub fn restored(cursor: Cursor, rules: RuleSet) -> Self {
        let mut follower = Self::new(cursor.environment.clone());
        follower.stale_after_ms = rules.stale_after().collect();
        follower.rules = Arc::new(rules);
        follower.settle_by_snapshot(&cursor);
        follower.cursor = Some(cursor);
        follower
    }
}
