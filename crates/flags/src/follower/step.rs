//! What came of an update, and what to tell the server.

use std::fmt;

use crate::key::{EnvironmentKey, FlagKey};
use crate::rule_set::RuleSet;
use crate::update::Cursor;

/// What came of an update.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// It is what is answered by now.
    Applied {
        /// To be sent to the server.
        acknowledgement: Acknowledgement,
        /// Present when the update belongs to another history than the one before; to be logged
        /// loudly, because outside of a restore it means that a server is not the one it was.
        new_history: Option<NewHistory>,
    },
    /// It was known already. Nothing changed; the acknowledgement may have been lost, so it is
    /// sent again.
    Duplicate {
        /// To be sent to the server.
        acknowledgement: Acknowledgement,
    },
    /// Something in between is missing. Nothing changed; the caller asks for a snapshot.
    Gap {
        /// The revision that is known; 0 before the first snapshot.
        have: u64,
        /// The revision that the update builds on.
        previous: u64,
    },
    /// It must not be applied. Nothing changed; the caller logs why.
    Refused {
        /// Why.
        why: WhyRefused,
    },
}

/// What an evaluator answers by now, as told to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The revision.
    pub revision: u64,
    /// The number of the last brake that came in and is not settled; 0 when there is none.
    pub brake: u64,
    /// The journal's head hash at that revision, as it was told.
    pub head: Box<str>,
    /// Every flag that is closed because it cannot be read, not only those of the last update, so
    /// that an acknowledgement that is lost loses nothing.
    pub refused: Vec<Refusal>,
}

/// A flag that is closed because it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The flag.
    pub flag: FlagKey,
    /// Why.
    pub why: Box<str>,
}

/// A change from one history to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHistory {
    /// Where the other history was left.
    pub left: Cursor,
    /// Where the new one was entered.
    pub entered: Cursor,
}

/// Why an update must not be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhyRefused {
    /// It is about another environment.
    #[error("the update is about environment {told}, but {followed} is followed; check the token")]
    Environment {
        /// The environment that is followed.
        followed: EnvironmentKey,
        /// The one the update is about.
        told: EnvironmentKey,
    },
    /// It is older than what is known of the same journal.
    #[error(
        "the update is at revision {told_revision} of epoch {told_epoch}, older than revision \
         {have_revision} of epoch {have_epoch} that was applied; the last known is kept"
    )]
    Older {
        /// The epoch that is known.
        have_epoch: u64,
        /// The revision that is known.
        have_revision: u64,
        /// The epoch of the update.
        told_epoch: u64,
        /// The revision of the update.
        told_revision: u64,
    },
    /// One revision has two heads.
    #[error(
        "the journal's head at revision {revision} was {have} and is now said to be {told}: \
         the journal was rewritten; the last known is kept"
    )]
    HeadDiffers {
        /// The revision.
        revision: u64,
        /// The head that is known.
        have: Box<str>,
        /// The head of the update.
        told: Box<str>,
    },
}

impl WhyRefused {
    pub(super) fn older(have: &Cursor, told: &Cursor) -> Self {
        Self::Older {
            have_epoch: have.epoch,
            have_revision: have.revision,
            told_epoch: told.epoch,
            told_revision: told.revision,
        }
    }
}

impl Acknowledgement {
    pub(super) fn new(cursor: &Cursor, rules: &RuleSet) -> Self {
        Self {
            revision: cursor.revision,
            brake: cursor.brake,
            head: cursor.head.clone(),
            refused: rules
                .refused()
                .map(|(flag, why)| Refusal {
                    flag: flag.clone(),
                    why: why.into(),
                })
                .collect(),
        }
    }
}

impl fmt::Display for NewHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { left, entered } = self;
        if left.journal == entered.journal {
            write!(
                f,
                "the journal was restored: epoch {} at revision {} follows epoch {} at revision {}",
                entered.epoch, entered.revision, left.epoch, left.revision
            )
        } else {
            write!(
                f,
                "the server tells another history: journal {} at revision {} instead of journal \
                 {} at revision {}",
                entered.journal, entered.revision, left.journal, left.revision
            )
        }
    }
}
