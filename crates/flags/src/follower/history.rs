//! Histories: which updates can be compared, and what happens when the history changes.
//!
//! A newer epoch of the same journal (a restore) and another journal are other histories. They
//! come only by snapshot; anything else from them is a gap. Another journal is accepted, because
//! an evaluator that refused it would follow a server that is gone and never hear a kill again;
//! but it is reported as `new_history` of [`crate::Step::Applied`], which the caller logs loudly, and a
//! history that was left is never gone back to at an older point than it was left at.

use super::{Follower, NewHistory, WhyRefused};
use crate::limit::HISTORIES_LEFT_MAX;
use crate::update::Cursor;

impl Follower {
    /// Notes that a history is left when `cursor` is of another one.
    pub(super) fn enter(&mut self, cursor: &Cursor) -> Option<NewHistory> {
        let have = self.cursor.take_if(|have| !have.is_same_history(cursor))?;
        // What was out in the other history says nothing about this one.
        self.holds.braked.clear();
        self.settled.clear();
        self.settled_all = 0;
        self.left.retain(|left| left.journal != have.journal);
        if self.left.len() >= HISTORIES_LEFT_MAX {
            self.left.remove(0);
        }
        self.left.push(have.clone());
        Some(NewHistory {
            left: have,
            entered: cursor.clone(),
        })
    }
}

impl Cursor {
    /// Whether revisions of both can be compared.
    pub(super) fn is_same_history(&self, other: &Self) -> bool {
        self.journal == other.journal && self.epoch == other.epoch
    }

    /// Whether going from here to `other` would be going back.
    pub(super) fn is_ahead_of(&self, other: &Self) -> bool {
        self.journal == other.journal && (self.epoch, self.revision) > (other.epoch, other.revision)
    }

    /// The same revision of the same history with another head: the journal was rewritten.
    pub(super) fn contradiction(&self, other: &Self) -> Option<WhyRefused> {
        let contradicts = self.is_same_history(other)
            && self.revision == other.revision
            && self.head != other.head;
        contradicts.then(|| WhyRefused::HeadDiffers {
            revision: self.revision,
            have: self.head.clone(),
            told: other.head.clone(),
        })
    }
}
