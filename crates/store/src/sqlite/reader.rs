//! Reads a journal on connections of its own.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use leverframe_core::Entry;
use rusqlite::Connection;

use super::backup;
use super::connection::{self, Failing};
use super::directory::Directory;
use super::{journal, migration};
use crate::chain::{self, Row, Walk};
use crate::error::StoreError;
use crate::port::{BackupReport, Head, Reader};

/// Rows in one reading of a long walk: short, so that the log can be written back in between.
const ROWS_AT_ONCE: usize = 1_000;
/// Connections kept open for the next reader.
const IDLE_MAX: usize = 4;

/// Reads a journal without writing to it; needs no lock, so it also reads that of a running server.
pub struct SqliteReader {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl SqliteReader {
    /// Reads the journal in this data directory.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is none; as for a store when it is not ours, newer or
    /// damaged.
    pub fn open(data: &Path) -> Result<Self, StoreError> {
        Self::open_file(Directory::at(data).journal())
    }

    /// Reads a single journal file, such as a backup.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_file(file: PathBuf) -> Result<Self, StoreError> {
        let reader = Self::of(file);
        reader.with(|connection| migration::check(connection, &reader.file))?;
        Ok(reader)
    }

    /// Of a file that a store has checked.
    pub(super) fn of(file: PathBuf) -> Self {
        Self {
            file,
            idle: Mutex::default(),
        }
    }

    /// Lends a connection; opens one when all are in use.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => connection::open_reader(&self.file)?,
        };
        let answer = work(&connection)?;
        // One that failed is not kept.
        let mut idle = idle();
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
        Ok(answer)
    }

    fn rows(&self, first: u64, limit: usize) -> Result<Vec<rusqlite::Result<Row>>, StoreError> {
        self.with(|connection| {
            journal::rows(connection, first, limit).map_err(|error| self.damage(error, first))
        })
    }

    fn believe(
        &self,
        before: Head,
        rows: impl IntoIterator<Item = rusqlite::Result<Row>>,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut walk = Walk::from(before, self.data());
        rows.into_iter()
            .map(|row| {
                let next = walk.head().revision + 1;
                walk.step(row.map_err(|error| self.damage(error, next))?)
            })
            .collect()
    }

    /// What an error means that was met on the way to `revision`.
    fn damage(&self, error: rusqlite::Error, revision: u64) -> StoreError {
        self.failing().because(error).at_revision(revision)
    }

    fn data(&self) -> &Path {
        connection::data(&self.file)
    }

    fn failing(&self) -> Failing<'_> {
        Failing::to("read", &self.file)
    }
}

impl Reader for SqliteReader {
    fn head(&self) -> Result<Head, StoreError> {
        self.with(|connection| {
            journal::head(connection).map_err(|error| self.failing().because(error))
        })
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        if after == 0 {
            let rows = self.rows(1, limit)?;
            return self.believe(Head::START, rows);
        }
        // The entry before is read too, for its link.
        let mut rows = self.rows(after, limit.saturating_add(1))?.into_iter();
        let before = match rows.next() {
            None => return Ok(Vec::new()),
            Some(row) => row.map_err(|error| self.damage(error, after))?,
        };
        if before.revision != after {
            return Err(chain::missing(after, self.data()));
        }
        let before = Head {
            revision: after,
            link: before.link,
        };
        self.believe(before, rows)
    }

    fn check(&self, known: Head) -> Result<(), StoreError> {
        let (found, end) = self.with(|connection| {
            let found = journal::link_at(connection, known.revision)
                .map_err(|error| self.failing().because(error))?;
            let end = journal::head(connection).map_err(|error| self.failing().because(error))?;
            Ok((found, end))
        })?;
        chain::compare(known, found, end, self.data())
    }

    fn verify(
        &self,
        known: Option<Head>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Head, StoreError> {
        let mut walk = Walk::from(Head::START, self.data());
        loop {
            let next = walk.head().revision + 1;
            let rows = self.rows(next, ROWS_AT_ONCE)?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let next = walk.head().revision + 1;
                walk.step(row.map_err(|error| self.damage(error, next))?)?;
            }
            progress(walk.head().revision);
        }
        if let Some(known) = known {
            self.check(known)?;
        }
        Ok(walk.head())
    }

    fn backup(&self, to: &Path) -> Result<BackupReport, StoreError> {
        self.with(|connection| backup::write(connection, to))
    }
}

impl std::fmt::Debug for SqliteReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SqliteReader").field(&self.file).finish()
    }
}
