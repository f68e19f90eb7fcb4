//! Clients that keep answers and cannot acknowledge (OFREP bulk): counted by the evidence they do
//! give, apart from the roll.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use leverframe_core::Timestamp;
use leverframe_core::limit::ROLL_MS;

use crate::clock::Clock;

/// Most clients remembered in one environment.
const CLIENTS_MAX: usize = 20_000;

/// The caching clients of one environment.
#[derive(Debug)]
pub struct Caches {
    clock: Clock,
    clients: Mutex<HashMap<u64, Client>>,
}

#[derive(Debug, Clone, Copy)]
struct Client {
    fetched_revision: u64,
    applied_revision: u64,
    last_seen: Timestamp,
}

/// How many caching clients there are and how many have a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheEvidence {
    /// Seen in the last ten minutes.
    pub seen: usize,
    /// Of those, how many fetched the revision or a later one.
    pub fetched: usize,
    /// Of those, how many have since shown that they use it.
    pub applied: usize,
}

impl Caches {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            clients: Mutex::default(),
        }
    }

    /// A client (a hash of its token and context) was answered with the state at `revision`.
    pub fn fetched(&self, client: u64, revision: u64) {
        self.note(client, |known| {
            known.fetched_revision = known.fetched_revision.max(revision);
        });
    }

    /// A client showed by its ETag that it uses the state at `revision`.
    pub fn applied(&self, client: u64, revision: u64) {
        self.note(client, |known| {
            known.fetched_revision = known.fetched_revision.max(revision);
            known.applied_revision = known.applied_revision.max(revision);
        });
    }

    /// How many have `revision`.
    #[must_use]
    pub fn evidence(&self, revision: u64) -> CacheEvidence {
        let now = self.clock.steady();
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients
            .values()
            .filter(|client| is_recent(client, now))
            .fold(CacheEvidence::default(), |evidence, client| CacheEvidence {
                seen: evidence.seen + 1,
                fetched: evidence.fetched + usize::from(client.fetched_revision >= revision),
                applied: evidence.applied + usize::from(client.applied_revision >= revision),
            })
    }

    fn note(&self, client: u64, change: impl FnOnce(&mut Client)) {
        let now = self.clock.steady();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= CLIENTS_MAX && !clients.contains_key(&client) {
            clients.retain(|_, known| is_recent(known, now));
            if clients.len() >= CLIENTS_MAX {
                return;
            }
        }
        let known = clients.entry(client).or_insert(Client {
            fetched_revision: 0,
            applied_revision: 0,
            last_seen: now,
        });
        known.last_seen = now;
        change(known);
    }
}

fn is_recent(client: &Client, now: Timestamp) -> bool {
    now.ms_since(client.last_seen) <= ROLL_MS
}
