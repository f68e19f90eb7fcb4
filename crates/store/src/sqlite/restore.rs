//! Puts a backup in the place of a journal, whole or not at all.
//!
//! 1. [`Restore::prepare`] takes the lock and copies the backup to `lever.db.incoming`, verified.
//! 2. The caller reads both journals and appends to the incoming one what a restore must say: the
//!    new epoch, and what was closed since the backup. The journal that is in place is untouched.
//! 3. [`Restore::install`] keeps the present journal aside under another name and decides: one
//!    rename to `lever.db.restoring`. From then on the restore is finished by whoever opens the
//!    directory next, so that no crash can leave a journal without the entries of step 2.

use std::path::{Path, PathBuf};

use leverframe_core::Timestamp;

use super::SqliteStore;
use super::backup;
use super::connection::{self, Failing};
use super::directory::{self, Directory};
use super::reader::SqliteReader;
use crate::error::StoreError;
use crate::port::{Head, Reader};

/// A restore that is prepared and not yet decided. Dropping it leaves everything as it was.
#[derive(Debug)]
pub struct Restore {
    // Dropped first, while the lock is still held.
    copy: Copy,
    directory: Directory,
    incoming: SqliteStore,
    backup: Head,
    current: Result<Option<SqliteReader>, StoreError>,
}

/// The incoming file, which goes away with a restore that is not decided.
#[derive(Debug)]
struct Copy(PathBuf);

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The last entry of the journal that is in place now.
    pub head: Head,
    /// Where the journal that was there before is kept.
    pub aside: Option<PathBuf>,
}

impl Restore {
    /// Checks a backup and copies it next to the journal of this data directory.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when a server works there, [`StoreError::BadBackup`] when the backup
    /// is not whole, not ours or newer than we are.
    pub fn prepare(backup: &Path, data: &Path) -> Result<Self, StoreError> {
        let source =
            SqliteReader::open_file(backup.to_owned()).map_err(|error| error.in_backup(backup))?;
        let directory = Directory::make(data)?;
        let lock = directory.lock()?;
        finish(&directory)?;
        let incoming = directory.incoming();
        let copy = Copy(incoming.clone());
        copy.remove()?;
        let head = source
            .with(|connection| backup::copy(connection, &incoming))
            .map_err(|error| error.in_backup(backup))?;
        let current = match SqliteReader::open(data) {
            Err(StoreError::Missing { .. }) => Ok(None),
            other => other.map(Some),
        };
        Ok(Self {
            incoming: SqliteStore::open_locked(&directory, incoming, lock)?,
            copy,
            directory,
            backup: head,
            current,
        })
    }

    /// The last entry of the backup.
    #[must_use]
    pub fn backup(&self) -> Head {
        self.backup
    }

    /// The journal that will be in place: the backup, to be read and appended to.
    pub fn incoming(&mut self) -> &mut SqliteStore {
        &mut self.incoming
    }

    /// The journal that is in place now, if there is one.
    ///
    /// # Errors
    /// When it is too damaged to be opened, or newer than we are. It is kept aside all the same.
    pub fn current(&self) -> Result<Option<&SqliteReader>, &StoreError> {
        self.current.as_ref().map(Option::as_ref)
    }

    /// Puts the incoming journal in place and keeps the present one aside as
    /// `lever.db.before-restore-<ms>`.
    ///
    /// # Errors
    /// When the disk fails. An error before the decision leaves everything as it was; after it, the
    /// next opening finishes.
    pub fn install(self, now: Timestamp) -> Result<Restored, StoreError> {
        let Self {
            copy: _copy,
            directory,
            incoming,
            current,
            backup,
        } = self;
        drop(current);
        let head = incoming.reader.head()?;
        let SqliteStore {
            connection,
            file,
            beside,
            _lock: lock,
            ..
        } = incoming;
        connection::empty_log(&connection, &file)?;
        connection
            .close()
            .map_err(|(_, error)| Failing::to("close", &file).because(error))?;
        beside.forget_snapshots()?;
        beside.forget_measurements_after(backup.revision)?;
        let aside = keep_aside(&directory, now)?;
        rename(&file, &directory.restoring())?;
        directory.sync()?;
        finish(&directory)?;
        drop(lock);
        Ok(Restored { head, aside })
    }
}

impl Copy {
    fn remove(&self) -> Result<(), StoreError> {
        let [log, index] = directory::companions(&self.0);
        [&self.0, &log, &index]
            .into_iter()
            .try_for_each(|file| directory::remove(file))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            tracing::warn!(%error, "a copy that is not needed was left behind");
        }
    }
}

/// Finishes a restore that was decided, if there is one. The directory is locked.
pub(super) fn finish(directory: &Directory) -> Result<(), StoreError> {
    let restoring = directory.restoring();
    if !restoring.exists() {
        return Ok(());
    }
    let journal = directory.journal();
    // The log of the old journal must be gone before the new one has its name, or it would be
    // replayed into it. Its copy is aside.
    for companion in directory::companions(&journal) {
        directory::remove(&companion)?;
    }
    directory.sync()?;
    rename(&restoring, &journal)?;
    directory.sync()?;
    tracing::info!(file = %journal.display(), "the restored journal is in place");
    Ok(())
}

/// Gives the present journal a second name, with its log when that cannot be written back.
fn keep_aside(directory: &Directory, now: Timestamp) -> Result<Option<PathBuf>, StoreError> {
    let journal = directory.journal();
    if !journal.exists() {
        return Ok(None);
    }
    let written_back = connection::open_writer(&journal)
        .and_then(|connection| connection::empty_log(&connection, &journal));
    if let Err(error) = written_back {
        tracing::warn!(%error, "the present journal is kept aside as it is, with its log");
    }
    let aside = directory::with_suffix(&journal, &format!(".before-restore-{}", now.as_ms()));
    second_name(&journal, &aside)?;
    for (from, to) in directory::companions(&journal)
        .iter()
        .zip(directory::companions(&aside))
    {
        if from.exists() {
            second_name(from, &to)?;
        }
    }
    directory.sync()?;
    Ok(Some(aside))
}

fn second_name(from: &Path, to: &Path) -> Result<(), StoreError> {
    if to.exists() {
        return Err(StoreError::Exists {
            file: to.to_owned(),
        });
    }
    std::fs::hard_link(from, to).map_err(|error| StoreError::unavailable("keep aside", from, error))
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    std::fs::rename(from, to).map_err(|error| StoreError::unavailable("rename", from, error))
}
