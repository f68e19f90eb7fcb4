//! Idempotency keys: which commands came before, so that a repeat gets the same answer.
//!
//! Part of the state, and so stored in the same transaction as what they did. Kept for
//! [`IDEMPOTENCY_MS_MAX`] by the records' own times, and at most [`IDEMPOTENCY_KEYS_MAX`] of them.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::limit::{IDEMPOTENCY_KEYS_MAX, IDEMPOTENCY_MS_MAX};
use crate::record::Record;
use crate::time::Timestamp;

/// A command that was accepted under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answered {
    /// Whose key: the actor's id.
    pub(crate) actor: Box<str>,
    /// The key.
    pub(crate) key: Box<str>,
    /// SHA-256 of what was asked, in hexadecimal.
    pub(crate) body_sha256: Box<str>,
    /// The revision it became.
    pub(crate) revision: u64,
    /// When.
    pub(crate) at: Timestamp,
}

/// Two maps over the same entries: by key for finding, by revision for forgetting.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Repeats {
    by_key: OrdMap<(Box<str>, Box<str>), u64>,
    by_revision: OrdMap<u64, Answered>,
}

impl Repeats {
    /// The entry of a key that is still remembered at `now`.
    pub(super) fn find(&self, actor: &str, key: &str, now: Timestamp) -> Option<&Answered> {
        let revision = self.by_key.get(&(actor.into(), key.into()))?;
        self.by_revision
            .get(revision)
            .filter(|entry| now.ms_since(entry.at) <= IDEMPOTENCY_MS_MAX)
    }

    /// Remembers a record's key, if it has one, and forgets what is too old at its time.
    pub(super) fn note(&mut self, record: &Record) {
        if let Some(idempotency) = &record.idempotency {
            self.insert(Answered {
                actor: record.actor.clone(),
                key: idempotency.key.clone(),
                body_sha256: idempotency.body_sha256.clone(),
                revision: record.revision,
                at: record.at,
            });
        }
        while let Some((revision, oldest)) = self.by_revision.get_min() {
            let is_expired = record.at.ms_since(oldest.at) > IDEMPOTENCY_MS_MAX;
            if !is_expired && self.by_revision.len() <= IDEMPOTENCY_KEYS_MAX {
                break;
            }
            let revision = *revision;
            let key = (oldest.actor.clone(), oldest.key.clone());
            self.by_revision.remove(&revision);
            self.by_key.remove(&key);
        }
    }

    pub(super) fn insert(&mut self, entry: Answered) {
        let key = (entry.actor.clone(), entry.key.clone());
        // A key that expired may be used again: its old entry goes.
        if let Some(old) = self.by_key.insert(key, entry.revision) {
            self.by_revision.remove(&old);
        }
        self.by_revision.insert(entry.revision, entry);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Answered> {
        self.by_revision.values()
    }
}

impl super::State {
    /// The command that was accepted under this actor's key, while it is remembered.
    pub(crate) fn answered(&self, actor: &str, key: &str, now: Timestamp) -> Option<&Answered> {
        self.repeats.find(actor, key, now)
    }
}
