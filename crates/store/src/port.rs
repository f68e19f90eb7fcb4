//! The port: what the node asks of a store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use leverframe_core::rollout::{Measurement, Seen};
use leverframe_core::{Entry, Link, Timestamp};

use crate::error::{AppendError, StoreError};
use crate::limit::{MEASUREMENT_NAME_BYTES_MAX, MEASUREMENT_NOTE_BYTES_MAX};

/// Adds to the journal. Blocking; owned by one thread, which waits for the disk.
pub trait Store: Send {
    /// Adds a group of entries in one durable transaction: all of them or none.
    ///
    /// # Errors
    /// [`AppendError::Fenced`] when somebody took the leadership after `fence` was given,
    /// [`AppendError::Conflict`] when the journal's head is not `expected_revision` or the first
    /// entry does not continue it, [`AppendError::NotNext`] when the entries do not follow one
    /// another. Nothing was stored then. [`AppendError::Failed`] when the disk failed: nothing is
    /// acknowledged, and the head must be read again before the next append.
    fn append(
        &mut self,
        expected_revision: u64,
        fence: Fence,
        entries: &[Entry],
    ) -> Result<(), AppendError>;

    /// Gives out the next fence; from now on every older one is refused.
    ///
    /// # Errors
    /// When it cannot be stored.
    fn take_leadership(&mut self, now: Timestamp) -> Result<Fence, StoreError>;

    /// Reads the same journal, from any thread.
    fn reader(&self) -> Arc<dyn Reader>;

    /// What is kept beside the journal, from any thread.
    fn beside(&self) -> Arc<dyn Beside>;
}

/// Reads the journal. Sees what is durable; never waits for the writer nor holds it up.
pub trait Reader: Send + Sync {
    /// The last revision and its link; [`Head::START`] when the journal is empty.
    ///
    /// # Errors
    /// When the journal cannot be read.
    fn head(&self) -> Result<Head, StoreError>;

    /// At most `limit` entries after the revision `after`, in order, each one checked to continue
    /// the one before it. Empty at and beyond the head.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] names the first bad revision; [`StoreError::UnknownRecord`] the first
    /// that a newer version wrote.
    fn read(&self, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// Checks that the journal still has the revision that somebody else knows (a snapshot, an
    /// acknowledgement) and that it is the same one. Cheap: looks at one entry.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the journal ends before it or says something else there.
    fn check(&self, known: Head) -> Result<(), StoreError>;

    /// Checks the whole chain from the first entry, trusting nothing kept in memory, and that it
    /// contains `known`, without which a cut-off tail cannot be noticed. `progress` is told how far
    /// it has come, in revisions. Returns the head it came to.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] names the first bad revision.
    fn verify(
        &self,
        known: Option<Head>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Head, StoreError>;

    /// Writes the journal to a new file that appears whole, verified and durable, or not at all.
    ///
    /// # Errors
    /// When the file exists, cannot be written, or the journal does not verify.
    fn backup(&self, to: &Path) -> Result<BackupReport, StoreError>;
}

/// What is kept beside the journal: losing it costs time, never a stored change. Separate from the journal,
/// so that a large snapshot is never in the way of an append.
pub trait Beside: Send + Sync {
    /// Keeps a snapshot in one of two slots: never in that of the newest one that is whole, so that
    /// whatever happens on the way leaves one to start from.
    ///
    /// # Errors
    /// When it cannot be stored; the one before it is still there.
    fn save_snapshot(&self, snapshot: &StoredSnapshot) -> Result<(), StoreError>;

    /// Offers the snapshots that are whole, the newest first, until one is taken: `take` says
    /// whether it is of use. One that is damaged is left out and logged.
    ///
    /// Whoever takes one asks [`Reader::check`] whether the journal still has the revision it was
    /// made at.
    fn offer_snapshots(&self, take: &mut dyn FnMut(StoredSnapshot) -> bool);

    /// The newest snapshot that is whole, if there is one.
    fn load_snapshot(&self) -> Option<StoredSnapshot> {
        let mut newest = None;
        self.offer_snapshots(&mut |snapshot| {
            newest = Some(snapshot);
            true
        });
        newest
    }

    /// Replaces the kills that are out and not in the journal yet.
    ///
    /// # Errors
    /// When it cannot be stored.
    fn save_brakes(&self, brakes: &[u8]) -> Result<(), StoreError>;

    /// The kills that were out and not in the journal; `None` when none ever were.
    fn load_brakes(&self) -> Option<Vec<u8>>;

    /// Replaces the roll of an environment.
    ///
    /// # Errors
    /// When it cannot be stored.
    fn save_roll(&self, environment: &str, roll: &[u8]) -> Result<(), StoreError>;

    /// Every roll, by the name of its environment. What cannot be read is left out and logged.
    fn load_rolls(&self) -> Vec<(Box<str>, Vec<u8>)>;

    /// Keeps a session. Beyond [`SESSIONS_MAX`](crate::limit::SESSIONS_MAX) those that would end
    /// first are dropped.
    ///
    /// # Errors
    /// When it cannot be stored.
    fn save_session(&self, session: &StoredSession) -> Result<(), StoreError>;

    /// The sessions that are not over at this time, those that end first first.
    ///
    /// # Errors
    /// When they cannot be read.
    fn sessions(&self, now: Timestamp) -> Result<Vec<StoredSession>, StoreError>;

    /// Drops the session of a secret; none is fine too.
    ///
    /// # Errors
    /// When it cannot be dropped.
    fn drop_session(&self, secret_sha256: &[u8; 32]) -> Result<(), StoreError>;

    /// Drops the sessions that are over at this time, and says how many.
    ///
    /// # Errors
    /// When they cannot be dropped.
    fn drop_sessions_over(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Keeps measurements, all of them or none. One whose interval has a measurement of the same
    /// metric already is left as it was: a closed interval never changes. Beyond
    /// [`MEASUREMENTS_MAX`](crate::limit::MEASUREMENTS_MAX) the oldest are dropped.
    ///
    /// # Errors
    /// When they cannot be stored, or one is larger than the limits say.
    fn save_measurements(&self, measurements: &[StoredMeasurement]) -> Result<(), StoreError>;

    /// The measurements of a metric whose intervals begin at `from` or later and before `until`,
    /// oldest first, at most `limit` and at most
    /// [`MEASUREMENTS_READ_MAX`](crate::limit::MEASUREMENTS_READ_MAX). One that is damaged is left
    /// out and logged: it is as if nothing had been seen.
    ///
    /// # Errors
    /// When they cannot be read.
    fn measurements(
        &self,
        series: &Series,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<StoredMeasurement>, StoreError>;

    /// What was measured in intervals that began at `since` or later, with the begin of the last
    /// one, in the order of names.
    ///
    /// # Errors
    /// When it cannot be read.
    fn measured_since(&self, since: Timestamp) -> Result<Vec<(Series, Timestamp)>, StoreError>;

    /// Drops the measurements of intervals that began before this, and says how many.
    ///
    /// # Errors
    /// When they cannot be dropped.
    fn drop_measurements_before(&self, before: Timestamp) -> Result<u64, StoreError>;
}

/// A person's session, by the hash of its secret: who reads the store can take part in none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSession {
    /// SHA-256 of the secret.
    pub secret_sha256: [u8; 32],
    /// The id of the token it was begun with, and whose rights it has.
    pub token: Box<str>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it is over.
    pub expires_at: Timestamp,
}

/// What a measurement is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Series {
    /// The environment.
    pub environment: Box<str>,
    /// The flag; `*` for what belongs to no flag.
    pub flag: Box<str>,
    /// The name of the row, as [`leverframe_core::rollout::row_key`] makes it.
    pub metric: Box<str>,
}

/// A measurement with what it is of.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredMeasurement {
    /// What it is of.
    pub series: Series,
    /// What was seen.
    pub measurement: Measurement,
    /// What the measurer needs to go on after a restart; opaque here.
    pub private: Option<Vec<u8>>,
}

/// The end of the journal, or any other place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The revision; 0 before the first.
    pub revision: u64,
    /// Its link.
    pub link: Link,
}

/// Proof of a leadership: a number that only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub(crate) u64);

/// A folded state, opaque here, and the place in the journal it was folded up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// The last entry it contains.
    pub head: Head,
    /// The state, in the caller's own form.
    pub bytes: Vec<u8>,
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupReport {
    /// The file.
    pub path: PathBuf,
    /// The last entry in it.
    pub head: Head,
    /// Its size in bytes.
    pub bytes: u64,
}

impl Head {
    /// Before the first entry.
    pub const START: Self = Self {
        revision: 0,
        link: Link::START,
    };

    /// The place of an entry.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        Self {
            revision: entry.record.revision,
            link: entry.link,
        }
    }
}

impl Series {
    /// Of these names.
    #[must_use]
    pub fn new(
        environment: impl Into<Box<str>>,
        flag: impl Into<Box<str>>,
        metric: impl Into<Box<str>>,
    ) -> Self {
        Self {
            environment: environment.into(),
            flag: flag.into(),
            metric: metric.into(),
        }
    }
}

impl StoredMeasurement {
    /// Refuses what is larger than the limits say.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let Series {
            environment,
            flag,
            metric,
        } = &self.series;
        let names = [environment, flag, metric];
        if names
            .iter()
            .any(|name| name.len() > MEASUREMENT_NAME_BYTES_MAX)
        {
            return Err("a name of a measurement is too long");
        }
        let why = match &self.measurement.seen {
            Seen::Error { why } | Seen::Untrusted { why } => why.len(),
            _ => 0,
        };
        let private = self.private.as_ref().map_or(0, Vec::len);
        if why.max(private) > MEASUREMENT_NOTE_BYTES_MAX {
            return Err("a note of a measurement is too long");
        }
        Ok(())
    }
}

impl Fence {
    /// The number, for logs and status.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}
