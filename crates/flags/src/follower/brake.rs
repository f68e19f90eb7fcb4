//! Kills that are out ahead of the journal.
//!
//! [`crate::Update::Brake`] closes flags at once, outside the chain of revisions. A braked flag stays
//! closed until the journal has spoken about that kill, which is told by
//! - a change with a `positions` entry for the flag, at a revision above the one the brake was
//!   decided on, that either closes it (the kill is stored; what comes later in the chain decides
//!   again) or comes with `brake` 0 (no kill is outstanding at that revision),
//! - a snapshot above that revision with `brake` 0, or
//! - the removal of the flag.
//!
//! A smaller `brake` alone does not release: it says that some kill was stored, not which.
//!
//! This asks of the sender: `brake` in a frame is the number of the last kill that is outstanding
//! *at that frame's revision*, 0 when none is; storing a kill comes as a `positions` entry; and a
//! snapshot shows the flags of outstanding kills as closed, so that who joins during an outage of
//! the store never sees them open. The acknowledged `brake` is that of the brakes that came in:
//! it never rises by a change, so a lost brake is noticed.

use std::collections::BTreeSet;

use super::{Acknowledgement, Follower, Step, WhyRefused};
use crate::key::FlagKey;
use crate::rule_set::Revision;
use crate::update::Cursor;

impl Follower {
    pub(super) fn brake_came(&mut self, cursor: &Cursor, closed: Vec<FlagKey>) -> Step {
        let Some(have) = &mut self.cursor else {
            return Step::Gap {
                have: 0,
                previous: cursor.revision,
            };
        };
        if have.journal == cursor.journal && cursor.epoch < have.epoch {
            return Step::Refused {
                why: WhyRefused::older(have, cursor),
            };
        }
        if !have.is_same_history(cursor) {
            return Step::Gap {
                have: have.revision,
                previous: cursor.revision,
            };
        }
        let mut is_late = true;
        let mut held = BTreeSet::new();
        for flag in closed {
            let settled = self.settled.get(&flag).copied().unwrap_or(0);
            if settled.max(self.settled_all) > cursor.revision {
                // The journal has decided this flag since.
                continue;
            }
            is_late = false;
            match self.holds.braked.get_mut(&flag) {
                Some(decided_on) => *decided_on = cursor.revision.max(*decided_on),
                None => {
                    self.holds.braked.insert(flag.clone(), cursor.revision);
                    held.insert(flag);
                }
            }
        }
        if !is_late {
            have.brake = have.brake.max(cursor.brake);
        }
        let acknowledgement = Acknowledgement::new(have, &self.rules);
        if held.is_empty() {
            return Step::Duplicate { acknowledgement };
        }
        self.rehold(held);
        Step::Applied {
            acknowledgement,
            new_history: None,
        }
    }

    /// Releases the brakes that a snapshot says are settled.
    pub(super) fn settle_by_snapshot(&mut self, cursor: &Cursor) {
        if cursor.brake == 0 {
            self.holds
                .braked
                .retain(|_, decided_on| *decided_on >= cursor.revision);
            self.settled_all = self.settled_all.max(cursor.revision);
            self.settled.clear();
        }
    }

    /// Releases the brakes that a change says are settled.
    pub(super) fn settle_by_change(&mut self, cursor: &Cursor, change: &Revision) {
        for (flag, position) in &change.positions {
            if !position.is_closed() && cursor.brake != 0 {
                continue;
            }
            if self
                .holds
                .braked
                .get(flag)
                .is_some_and(|decided_on| *decided_on < cursor.revision)
            {
                self.holds.braked.remove(flag);
            }
            self.settled.insert(flag.clone(), cursor.revision);
        }
        for flag in &change.removed_flags {
            self.holds.braked.remove(flag);
            self.settled.remove(flag);
        }
    }
}
