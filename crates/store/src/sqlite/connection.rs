//! Connections and the meaning of their errors.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::StoreError;

/// How long a connection waits for an operator's `sqlite3` to let go, in milliseconds.
const BUSY_MS_MAX: u64 = 5_000;
/// The log is cut back to this after it was written into the database, in bytes.
const WAL_BYTES_KEPT: i64 = 16 * 1024 * 1024;

/// What was tried on which file, to say so when it fails.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failing<'a> {
    action: &'static str,
    file: &'a Path,
}

/// A connection that writes durably: `commit` returns after the log is on the disk.
pub(super) fn open_writer(file: &Path) -> Result<Connection, StoreError> {
    let failing = Failing::to("open", file);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(Duration::from_millis(BUSY_MS_MAX))?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
        Ok(connection)
    };
    open().map_err(|error| failing.because(error))
}

/// A connection that cannot write.
pub(super) fn open_reader(file: &Path) -> Result<Connection, StoreError> {
    if !file.exists() {
        return Err(StoreError::Missing {
            file: file.to_owned(),
        });
    }
    let failing = Failing::to("open", file);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(Duration::from_millis(BUSY_MS_MAX))?;
        Ok(connection)
    };
    open().map_err(|error| failing.because(error))
}

impl<'a> Failing<'a> {
    pub(super) fn to(action: &'static str, file: &'a Path) -> Self {
        Self { action, file }
    }

    pub(super) fn because(self, error: rusqlite::Error) -> StoreError {
        use rusqlite::Error::{FromSqlConversionFailure, InvalidColumnType, Utf8Error};
        let is_corrupt = matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        );
        // What was stored has the right types; what is read with wrong ones was not stored by us.
        let is_mistyped = matches!(
            error,
            FromSqlConversionFailure(..) | InvalidColumnType(..) | Utf8Error(..)
        );
        if is_corrupt || is_mistyped {
            return StoreError::Corrupt {
                data: data(self.file).to_owned(),
                revision: None,
                what: error.to_string(),
            };
        }
        if error.sqlite_error_code() == Some(ErrorCode::DiskFull) {
            return StoreError::DiskFull {
                file: self.file.to_owned(),
            };
        }
        StoreError::unavailable(self.action, self.file, error)
    }
}

/// Writes the log back into the database and empties it, so that the one file holds everything.
pub(super) fn empty_log(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    let failing = Failing::to("write the log into", file);
    let is_busy: bool = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0))
        .map_err(|error| failing.because(error))?;
    if is_busy {
        let source = "somebody still reads it";
        return Err(StoreError::unavailable(failing.action, file, source));
    }
    Ok(())
}

/// The data directory that a database lies in.
pub(super) fn data(file: &Path) -> &Path {
    file.parent().unwrap_or(file)
}
