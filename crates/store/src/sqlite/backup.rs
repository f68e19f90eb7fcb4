//! Copies a journal into one file that is verified before it gets its name.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::connection::Failing;
use super::directory;
use super::reader::SqliteReader;
use crate::error::StoreError;
use crate::port::{BackupReport, Head, Reader};

/// Writes a backup of what this connection reads.
pub(super) fn write(from: &Connection, to: &Path) -> Result<BackupReport, StoreError> {
    if to.exists() {
        return Err(StoreError::Exists {
            file: to.to_owned(),
        });
    }
    let partial = directory::with_suffix(to, ".partial");
    directory::remove(&partial)?;
    let finish = || {
        let head = copy(from, &partial)?;
        let bytes = partial
            .metadata()
            .and_then(|metadata| std::fs::rename(&partial, to).map(|()| metadata.len()))
            .map_err(|error| StoreError::unavailable("name the backup", to, error))?;
        directory::sync_directory(parent(to))?;
        Ok(BackupReport {
            path: to.to_owned(),
            head,
            bytes,
        })
    };
    finish().inspect_err(|_| {
        // The error that counts is the one already met.
        let _ = directory::remove(&partial);
    })
}

/// Copies a database into a single private file without a log, verifies it and makes it durable.
pub(super) fn copy(from: &Connection, to: &Path) -> Result<Head, StoreError> {
    let failing = Failing::to("write", to);
    directory::make_private_file(to)?;
    copy_pages(from, to).map_err(|error| failing.because(error))?;
    // A backup that was never read is a hope.
    let head = SqliteReader::open_file(to.to_owned())?.verify(None, &mut |_| {})?;
    // SQLite has no descriptor of it open any more, so this closes none of its locks.
    std::fs::File::open(to)
        .and_then(|file| file.sync_all())
        .map_err(|error| StoreError::unavailable("sync", to, error))?;
    Ok(head)
}

fn copy_pages(from: &Connection, to: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut copy = Connection::open_with_flags(to, flags)?;
    // All pages in one step: one consistent view, and appends go on meanwhile.
    let step = Backup::new(from, &mut copy)?.step(-1)?;
    if step != StepResult::Done {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
            None,
        ));
    }
    // Without a log beside it, the one file is everything.
    copy.pragma_update(None, "journal_mode", "delete")?;
    copy.close().map_err(|(_, error)| error)
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
