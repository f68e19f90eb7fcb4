//! Freshness: how far what is served can be trusted to be what the server says.

use std::sync::{Mutex, PoisonError};

use leverframe_flags::Cursor;
use tokio::time::Instant;

/// Where the rule set in use came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// Nothing has come yet: every flag is closed, or the caller's default.
    Nothing,
    /// This process's disk cache, from an earlier run.
    Disk,
    /// The server.
    Server,
    /// Values given by the program, as tests do.
    Fixed,
    /// A file given by the program.
    File,
}

/// How far what is served can be trusted to be what the server says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Freshness {
    /// Whether there is a connection to a server.
    pub connected: bool,
    /// Milliseconds since the server last said that this is current, by the monotonic clock. `None`
    /// when it never did in this process.
    pub age_ms: Option<u64>,
    /// Where the rule set came from.
    pub source: Source,
    /// The environment that is followed.
    pub environment: Option<String>,
    /// The journal that is followed.
    pub journal: Option<String>,
    /// The journal's epoch; raised by a restore.
    pub epoch: u64,
    /// The revision in use; 0 before the first.
    pub revision: u64,
}

/// What [`Freshness`] is read from. Locked for moments, and never by an evaluation.
pub(crate) struct Standing(Mutex<Inner>);

struct Inner {
    is_connected: bool,
    confirmed_at: Option<Instant>,
    source: Source,
    cursor: Option<Cursor>,
}

impl Standing {
    pub(crate) fn new(source: Source) -> Self {
        Self(Mutex::new(Inner {
            is_connected: false,
            confirmed_at: None,
            source,
            cursor: None,
        }))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_connected(&self, is_connected: bool) {
        self.lock().is_connected = is_connected;
    }

    /// The server says, now, that what we have is current.
    pub(crate) fn confirm(&self) {
        self.lock().confirmed_at = Some(Instant::now());
    }

    pub(crate) fn set_rules(&self, source: Source, cursor: Option<Cursor>) {
        let mut inner = self.lock();
        inner.source = source;
        inner.cursor = cursor;
    }

    pub(crate) fn age_ms(&self) -> Option<u64> {
        self.lock().age_ms()
    }

    pub(crate) fn freshness(&self) -> Freshness {
        let inner = self.lock();
        let cursor = inner.cursor.as_ref();
        Freshness {
            connected: inner.is_connected,
            age_ms: inner.age_ms(),
            source: inner.source,
            environment: cursor.map(|cursor| cursor.environment.to_string()),
            journal: cursor.map(|cursor| cursor.journal.to_string()),
            epoch: cursor.map_or(0, |cursor| cursor.epoch),
            revision: cursor.map_or(0, |cursor| cursor.revision),
        }
    }
}

impl Inner {
    fn age_ms(&self) -> Option<u64> {
        let age = self.confirmed_at?.elapsed();
        Some(u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
    }
}
