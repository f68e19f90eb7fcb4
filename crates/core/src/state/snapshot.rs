//! Snapshots: the state as a store keeps it, so that a start need not fold the whole journal.
//!
//! A snapshot is a cache. It carries the head link, so that one that belongs to another or a
//! rewritten journal is noticed; when in doubt the journal is folded again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::journeys::KeptJourneys;
use super::{Answered, EnvironmentEntry, Flag, SegmentEntry, State, TokenEntry, Touched};
use crate::record::Link;
use crate::time::Timestamp;

/// The format this version writes and reads. Raised whenever the meaning of a field changes.
pub const SNAPSHOT_FORMAT: u32 = 3;

/// The state in a form that can be stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// [`SNAPSHOT_FORMAT`] of the version that wrote it.
    pub format: u32,
    /// The journal it belongs to.
    pub journal: Arc<str>,
    /// The epoch.
    pub epoch: u64,
    /// The revision it was taken at.
    pub revision: u64,
    /// The link of that revision's record.
    pub head: Link,
    /// When that record was decided.
    pub at: Timestamp,
    environments: Vec<EnvironmentEntry>,
    flags: Vec<Arc<Flag>>,
    segments: Vec<Arc<SegmentEntry>>,
    tokens: Vec<Arc<TokenEntry>>,
    answered: Vec<Answered>,
    touched: Vec<Arc<Touched>>,
    journeys: KeptJourneys,
}

/// Why a snapshot cannot be used; the journal has to be folded instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Another version wrote it.
    #[error("the snapshot has format {found}; this version reads {SNAPSHOT_FORMAT}")]
    Format {
        /// Its format.
        found: u32,
    },
    /// It is not what was written.
    #[error("the snapshot cannot be read: {why}")]
    Unreadable {
        /// What is wrong with it.
        why: String,
    },
}

impl From<serde_json::Error> for SnapshotError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable {
            why: error.to_string(),
        }
    }
}

impl State {
    /// The state in a form that can be stored. Shares what it can.
    #[must_use]
    pub fn to_snapshot(&self) -> Snapshot {
        Snapshot {
            format: SNAPSHOT_FORMAT,
            journal: Arc::clone(&self.journal),
            epoch: self.epoch,
            revision: self.revision,
            head: self.head,
            at: self.at,
            environments: self.environments.values().cloned().collect(),
            flags: self.flags.values().cloned().collect(),
            segments: self.segments.values().cloned().collect(),
            tokens: self.tokens.values().cloned().collect(),
            answered: self.repeats.iter().cloned().collect(),
            touched: self.history.iter().cloned().collect(),
            journeys: self.journeys.kept(),
        }
    }

    /// The state a snapshot was taken of.
    ///
    /// # Errors
    /// [`SnapshotError`] when another version wrote it.
    pub fn from_snapshot(snapshot: Snapshot) -> Result<Self, SnapshotError> {
        if snapshot.format != SNAPSHOT_FORMAT {
            return Err(SnapshotError::Format {
                found: snapshot.format,
            });
        }
        let mut state = Self {
            journal: snapshot.journal,
            epoch: snapshot.epoch,
            revision: snapshot.revision,
            head: snapshot.head,
            at: snapshot.at,
            environments: snapshot
                .environments
                .into_iter()
                .map(|entry| (entry.environment.key.clone(), entry))
                .collect(),
            flags: snapshot
                .flags
                .into_iter()
                .map(|flag| (flag.key().clone(), flag))
                .collect(),
            segments: snapshot
                .segments
                .into_iter()
                .map(|entry| (entry.segment.key.clone(), entry))
                .collect(),
            tokens: snapshot
                .tokens
                .into_iter()
                .map(|entry| (entry.token.id.clone(), entry))
                .collect(),
            journeys: snapshot.journeys.into(),
            ..Self::new()
        };
        for answered in snapshot.answered {
            state.repeats.insert(answered);
        }
        for touched in snapshot.touched {
            state.history.push(touched);
        }
        Ok(state)
    }
}
