//! The sessions on the imaginary disk.

use std::collections::BTreeMap;

use leverframe_core::Timestamp;

use crate::limit::SESSIONS_MAX;
use crate::port::StoredSession;

#[derive(Debug, Default)]
pub(super) struct Sessions(BTreeMap<[u8; 32], StoredSession>);

impl Sessions {
    pub(super) fn save(&mut self, session: StoredSession) {
        self.0.insert(session.secret_sha256, session);
        while self.0.len() as u64 > SESSIONS_MAX {
            let ends_first = |session: &&StoredSession| session.expires_at;
            let Some(first) = self.0.values().min_by_key(ends_first) else {
                return;
            };
            let first = first.secret_sha256;
            self.0.remove(&first);
        }
    }

    pub(super) fn not_over(&self, now: Timestamp) -> Vec<StoredSession> {
        let sessions = self.0.values();
        let mut left: Vec<_> = sessions
            .filter(|one| one.expires_at > now)
            .cloned()
            .collect();
        left.sort_by_key(|one| (one.expires_at, one.secret_sha256));
        left
    }

    pub(super) fn drop_one(&mut self, secret_sha256: &[u8; 32]) {
        self.0.remove(secret_sha256);
    }

    pub(super) fn drop_over(&mut self, now: Timestamp) -> u64 {
        let count = self.0.len();
        self.0.retain(|_, one| one.expires_at > now);
        (count - self.0.len()) as u64
    }
}
