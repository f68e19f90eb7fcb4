//! Acknowledged: what an observer is told.

use std::sync::Arc;
use std::time::Instant;

/// One acknowledgement that went out. Told on the following task, so an observer must be quick.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acknowledged {
    /// The revision it says we are at.
    pub revision: u64,
    /// The journal's epoch.
    pub epoch: u64,
    /// How many kills it says we have seen that the journal has not stored yet.
    pub brake: u64,
    /// The flags it refuses, which are closed here.
    pub refused: Vec<String>,
    /// When the rule set was in place: every evaluation begun at or after this uses it. Never later
    /// than `sent_at`.
    pub published_at: Instant,
    /// When the acknowledgement had been handed to the connection.
    pub sent_at: Instant,
}

/// Is told of every acknowledgement.
pub(crate) type Observer = Arc<dyn Fn(&Acknowledged) + Send + Sync>;
