//! The SQLite adapter: the journal of one node in a directory of its own.
//!
//! ```text
//! <data>/                 0700
//!   lever.lock            held by the process that writes; says its process id
//!   lever.db (-wal -shm)  the journal and the fence
//!   lever-beside.db       two snapshots, the rolls and the sessions; may be deleted while nobody runs
//!   lever-measurements.db what was measured of rollouts; may be deleted likewise
//!   lever.db.incoming     a restore being prepared; harmless
//!   lever.db.restoring    a restore that is decided; the next opening finishes it
//!   lever.db.before-restore-<ms>   the journal that a restore replaced
//! ```
//!
//! - The journal is in WAL mode with `synchronous=FULL`: a commit is one write and one fsync of
//!   the log, and readers on their own connections never wait for it.
//! - The lock is on a file of its own: SQLite's own locks on `lever.db` end when any other descriptor
//!   of that file is closed in this process. For the same reason nothing here opens `lever.db` but
//!   SQLite itself.
//! - Snapshots lie in another database: megabytes of them must not hold up an append, and damage to
//!   them must not be damage to the journal. There are two slots, and a save spares the newest one
//!   that is whole.
//! - Opening checks the schema, not the chain: [`Reader::read`] checks what it reads, and
//!   [`Reader::verify`] everything.

mod backup;
mod beside;
mod connection;
mod directory;
mod journal;
mod measurements;
mod migration;
mod reader;
mod restore;
mod sessions;
mod slots;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use leverframe_core::{Entry, Timestamp};
use rusqlite::{Connection, TransactionBehavior};

use self::beside::SqliteBeside;
use self::connection::Failing;
use self::directory::{Directory, Lock};
pub use self::reader::SqliteReader;
pub use self::restore::{Restore, Restored};
use crate::chain;
use crate::error::{AppendError, StoreError};
use crate::port::{Beside, Fence, Reader, Store};

/// The store of one node, in a data directory that nobody else may write while it is open.
pub struct SqliteStore {
    // Dropped before the writing connection: the last one to close tidies the log away, and one
    // that cannot write leaves it.
    reader: Arc<SqliteReader>,
    connection: Connection,
    file: PathBuf,
    beside: Arc<SqliteBeside>,
    _lock: Lock,
}

impl SqliteStore {
    /// Opens the store in this directory, and makes both when they do not exist. Recovers what a
    /// killed process left, finishes a restore that was decided, and brings the schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it open, [`StoreError::UnknownSchema`] when a
    /// newer version made it, [`StoreError::Corrupt`] when it is damaged.
    pub fn open(data: &Path) -> Result<Self, StoreError> {
        let directory = Directory::make(data)?;
        let lock = directory.lock()?;
        restore::finish(&directory)?;
        Self::open_locked(&directory, directory.journal(), lock)
    }

    /// Opens one journal file of a directory that is locked already.
    fn open_locked(directory: &Directory, file: PathBuf, lock: Lock) -> Result<Self, StoreError> {
        directory.make_private_file(&file)?;
        let mut connection = connection::open_writer(&file)?;
        migration::migrate(&mut connection, &file)?;
        Ok(Self {
            reader: Arc::new(SqliteReader::of(file.clone())),
            beside: Arc::new(SqliteBeside::open(directory)?),
            connection,
            file,
            _lock: lock,
        })
    }
}

impl Store for SqliteStore {
    fn append(
        &mut self,
        expected_revision: u64,
        fence: Fence,
        entries: &[Entry],
    ) -> Result<(), AppendError> {
        let failing = Failing::to("append to", &self.file);
        // Immediate: it takes the write lock first, so that the head it reads is the one it extends.
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| failing.because(error))?;
        let head = journal::head(&transaction).map_err(|error| failing.because(error))?;
        let current = journal::fence(&transaction).map_err(|error| failing.because(error))?;
        chain::admit(head, current, expected_revision, fence, entries)?;
        journal::insert(&transaction, entries).map_err(|error| failing.because(error))?;
        transaction
            .commit()
            .map_err(|error| failing.because(error))?;
        Ok(())
    }

    fn take_leadership(&mut self, now: Timestamp) -> Result<Fence, StoreError> {
        journal::take_fence(&self.connection, now)
            .map_err(|error| Failing::to("take the leadership of", &self.file).because(error))
    }

    fn reader(&self) -> Arc<dyn Reader> {
        self.reader.clone()
    }

    fn beside(&self) -> Arc<dyn Beside> {
        self.beside.clone()
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SqliteStore").field(&self.file).finish()
    }
}
