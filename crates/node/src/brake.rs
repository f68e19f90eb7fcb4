//! Kills that are out and not in the journal: the brake works while the store does not.
//!
//! A close that the store refuses, or does not answer in time, goes out all the same, numbered. It is
//! kept beside the journal, so that a restart does not forget it, and the writer tries to store it
//! until it can.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use leverframe_core::access::Actor;
use leverframe_core::command::Idempotency;
use leverframe_core::{Command, Selection, State, Timestamp, Why};
use leverframe_flags::{EnvironmentKey, FlagKey};
use leverframe_store::{Beside, Fence};
use serde::{Deserialize, Serialize};

use crate::request::Request;

/// How many numbers of stored kills are remembered, for those who still wait for one.
const SETTLED_MAX: usize = 1_024;

/// How many bits of a number are for the kills of one leadership.
const NUMBERS_BITS: u32 = 32;

/// A kill that is out and not in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brake {
    /// Its number; later kills have higher ones.
    pub number: u64,
    /// Where.
    pub environment: EnvironmentKey,
    /// The flags that were not closed there.
    pub flags: BTreeSet<FlagKey>,
    /// The revision of the journal it was decided on.
    pub decided_on: u64,
    /// When.
    pub at: Timestamp,
    /// Who, by token id; the node itself when absent.
    pub actor: Option<Box<str>>,
    /// Through what.
    pub via: Box<str>,
    /// Why.
    pub why: Why,
    /// The key under which a repeat is recognised.
    pub idempotency: Option<Idempotency>,
}

/// Every kill that is out and not in the journal.
pub(crate) struct Brakes {
    beside: Arc<dyn Beside>,
    inner: Mutex<Inner>,
    /// Held by who writes to the disk, so that the last word is written last.
    saving: Mutex<()>,
}

#[derive(Default, Serialize, Deserialize)]
struct Inner {
    /// Numbers are beyond this.
    last_number: u64,
    outstanding: BTreeMap<u64, Brake>,
    /// Numbers of kills that were stored since the start, and the revisions they became.
    #[serde(skip)]
    settled: VecDeque<(u64, u64)>,
}

impl Brakes {
    /// What was outstanding when the node stopped. Every leadership numbers beyond those before it,
    /// so that a number which was lost with a process is never given again: an evaluator is not sent
    /// a kill whose number it has. (Neither the clock nor what is kept here can promise that.)
    pub(crate) fn load(beside: Arc<dyn Beside>, fence: Fence) -> Self {
        let mut inner = beside.load_brakes().map_or_else(Inner::default, |bytes| {
            serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::error!(%error, "kills that were not stored cannot be read; pull them again");
                Inner::default()
            })
        });
        inner.last_number = inner.last_number.max(fence.number() << NUMBERS_BITS);
        Self {
            beside,
            inner: Mutex::new(inner),
            saving: Mutex::new(()),
        }
    }

    /// Numbers a kill. [`Brakes::save_aside`] keeps it, once it is out.
    pub(crate) fn add(&self, brake: impl FnOnce(u64) -> Brake) -> Brake {
        let mut inner = self.lock();
        inner.last_number = inner.last_number.saturating_add(1);
        let brake = brake(inner.last_number);
        inner.outstanding.insert(brake.number, brake.clone());
        brake
    }

    /// Notes that a kill is in the journal as `revision`.
    pub(crate) fn settle(&self, number: u64, revision: u64) {
        let mut inner = self.lock();
        if inner.outstanding.remove(&number).is_none() {
            return;
        }
        if inner.settled.len() >= SETTLED_MAX {
            inner.settled.pop_front();
        }
        inner.settled.push_back((number, revision));
    }

    /// The revision that a kill became, once it is stored.
    pub(crate) fn settled_as(&self, number: u64) -> Option<u64> {
        let inner = self.lock();
        inner
            .settled
            .iter()
            .rev()
            .find(|(settled, _)| *settled == number)
            .map(|(_, revision)| *revision)
    }

    /// Every one, the oldest first.
    pub(crate) fn all(&self) -> Vec<Brake> {
        self.lock().outstanding.values().cloned().collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().outstanding.is_empty()
    }

    /// Keeps what is outstanding beside the journal, on a thread of its own: a disk that hangs holds
    /// up neither a kill nor its answer.
    pub(crate) fn save_aside(self: &Arc<Self>) {
        let brakes = Arc::clone(self);
        let spawned = std::thread::Builder::new()
            .name("lever-brakes".to_owned())
            .spawn(move || brakes.save());
        if let Err(error) = spawned {
            tracing::error!(%error, "no thread to keep a kill that is not stored; a restart would forget it");
        }
    }

    fn save(&self) {
        let _last = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let saved = serde_json::to_vec(&*self.lock())
            .map_err(|error| error.to_string())
            .and_then(|bytes| {
                self.beside
                    .save_brakes(&bytes)
                    .map_err(|error| error.to_string())
            });
        if let Err(error) = saved {
            tracing::error!(
                error,
                "a kill that is not stored cannot be kept beside the journal either; a restart would forget it"
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Brake {
    /// For people.
    #[must_use]
    pub fn sentence(&self) -> String {
        let flags: Vec<&str> = self.flags.iter().map(FlagKey::as_str).collect();
        format!(
            "{} is closed in {} and NOT STORED; it is stored as soon as the store takes it",
            flags.join(", "),
            self.environment,
        )
    }

    /// The command that stores it, for those of its flags that there still are: one that a restore
    /// took away must not keep the others from being stored.
    pub(crate) fn request(&self, state: &State) -> Request {
        let is_there = |flag: &&FlagKey| state.flag(flag.as_str()).is_some();
        let flags = self.flags.iter().filter(is_there).cloned().collect();
        Request {
            command: Command::Close {
                flags: Selection::Flags(flags),
                environment: self.environment.clone(),
            },
            actor: self
                .actor
                .clone()
                .map_or(Actor::System, |id| Actor::Token { id }),
            via: self.via.clone(),
            why: self.why.clone(),
            if_match: None,
            idempotency: self.idempotency.clone(),
            dry_run: false,
            received: Instant::now(),
        }
    }
}
