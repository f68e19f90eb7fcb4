//! The data directory: names, permissions, the lock.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::StoreError;

const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_DIRECTORY: u32 = 0o700;

/// A data directory that exists.
#[derive(Debug, Clone)]
pub(super) struct Directory(PathBuf);

/// The right to write in a data directory; given back when it is dropped or the process dies.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Directory {
    /// Makes the directory, readable by its owner alone, or uses the one that is there.
    pub(super) fn make(data: &Path) -> Result<Self, StoreError> {
        let failed = |error| StoreError::unavailable("make the directory", data, error);
        DirBuilder::new()
            .recursive(true)
            .mode(PRIVATE_DIRECTORY)
            .create(data)
            .map_err(failed)?;
        let mode = data.metadata().map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            tracing::warn!(
                directory = %data.display(),
                "others on this machine can list the data directory; chmod 700 stops that"
            );
        }
        Ok(Self(data.to_owned()))
    }

    /// Uses the directory that is there, or is not.
    pub(super) fn at(data: &Path) -> Self {
        Self(data.to_owned())
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.0.join("lever.db")
    }

    pub(super) fn beside(&self) -> PathBuf {
        self.0.join("lever-beside.db")
    }

    pub(super) fn measurements(&self) -> PathBuf {
        self.0.join("lever-measurements.db")
    }

    pub(super) fn incoming(&self) -> PathBuf {
        self.0.join("lever.db.incoming")
    }

    pub(super) fn restoring(&self) -> PathBuf {
        self.0.join("lever.db.restoring")
    }

    /// Takes the lock without waiting.
    pub(super) fn lock(&self) -> Result<Lock, StoreError> {
        let path = self.0.join("lever.lock");
        let failed = |error| StoreError::unavailable("lock", &path, error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(PRIVATE_FILE)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let is_read = file.read_to_string(&mut holder).is_ok();
                let holder = holder.trim();
                return Err(StoreError::Locked {
                    holder: (is_read && !holder.is_empty()).then(|| holder.to_owned()),
                    lock: path,
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Lock(file))
    }

    /// Makes an empty file that only its owner can read, or takes others' rights to the one that is
    /// there. SQLite gives its log the same rights.
    pub(super) fn make_private_file(&self, path: &Path) -> Result<(), StoreError> {
        make_private_file(path)?;
        self.sync()
    }

    /// Makes names durable that were made, changed or removed in it.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        sync_directory(&self.0)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone leaves it with a child that was forked in this moment, until its exec.
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the lock is given back only when the process ends");
        }
    }
}

/// As [`Directory::make_private_file`], anywhere, without making the name durable.
pub(super) fn make_private_file(path: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::unavailable("make the file", path, error);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(PRIVATE_FILE);
    match options.open(path) {
        Ok(_) => Ok(()),
        // Not opened when it exists: closing it again would end SQLite's locks on it.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            std::fs::set_permissions(path, Permissions::from_mode(PRIVATE_FILE)).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Makes the names in a directory durable.
pub(super) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| StoreError::unavailable("sync the directory", path, error))
}

/// The database's log and index, which belong to it.
pub(super) fn companions(database: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|suffix| with_suffix(database, suffix))
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Removes a file that may not be there.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(StoreError::unavailable("remove", path, error))
        }
        _ => Ok(()),
    }
}
