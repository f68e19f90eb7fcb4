//! The snapshot and the rolls, in a database of their own that may be lost.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use leverframe_core::Link;
use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};

use super::connection::{self, Failing};
use super::directory::{self, Directory};
use crate::error::StoreError;
use crate::port::{Beside, Head, StoredSnapshot};

/// The layout; a database with another one is set aside and made anew.
const LAYOUT: i64 = 2;

/// The slot that is used. The table has two, so that a save need not touch the last good one.
const SLOT: i64 = 0;

const TABLES: &str = "
    CREATE TABLE snapshot (
        slot     INTEGER PRIMARY KEY CHECK (slot IN (0, 1)),
        revision INTEGER NOT NULL,
        link     BLOB    NOT NULL,
        checksum BLOB    NOT NULL,
        state    BLOB    NOT NULL
    ) STRICT;
    CREATE TABLE brake (
        slot    INTEGER PRIMARY KEY CHECK (slot = 0),
        content BLOB    NOT NULL
    ) STRICT;
    CREATE TABLE roll (
        environment TEXT PRIMARY KEY,
        members     BLOB NOT NULL
    ) STRICT;
";

/// What lies beside a SQLite journal.
#[derive(Debug)]
pub(super) struct SqliteBeside {
    connection: Mutex<Connection>,
    file: PathBuf,
}

impl SqliteBeside {
    /// Opens it; what is damaged or of another layout is set aside, because nothing in it is needed.
    pub(super) fn open(directory: &Directory) -> Result<Self, StoreError> {
        let file = directory.beside();
        let connection = open(directory, &file).or_else(|error| {
            let aside = directory::with_suffix(&file, ".damaged");
            tracing::warn!(
                %error,
                aside = %aside.display(),
                "the snapshot and the rolls cannot be read; starting without them"
            );
            std::fs::rename(&file, &aside)
                .map_err(|error| StoreError::unavailable("set aside", &file, error))?;
            for companion in directory::companions(&file) {
                directory::remove(&companion)?;
            }
            open(directory, &file)
        })?;
        Ok(Self {
            connection: Mutex::new(connection),
            file,
        })
    }

    /// Forgets the snapshot: the journal it was made from is about to be another.
    pub(super) fn forget_snapshot(&self) -> Result<(), StoreError> {
        self.connection()
            .execute("DELETE FROM snapshot", ())
            .map_err(|error| Failing::to("forget the snapshot in", &self.file).because(error))?;
        Ok(())
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // Every change is one statement, so a panic elsewhere leaves nothing half done.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn stored_snapshot(&self) -> rusqlite::Result<Option<(StoredSnapshot, [u8; 32])>> {
        let connection = self.connection();
        let mut one = connection.prepare_cached(
            "SELECT revision, link, state, checksum FROM snapshot WHERE slot = ?1",
        )?;
        one.query_row([SLOT], |row| {
            let snapshot = StoredSnapshot {
                head: Head {
                    revision: row.get::<_, i64>(0)?.cast_unsigned(),
                    link: Link::from_bytes(row.get(1)?),
                },
                bytes: row.get(2)?,
            };
            Ok((snapshot, row.get(3)?))
        })
        .optional()
    }

    fn stored_brakes(&self) -> rusqlite::Result<Option<Vec<u8>>> {
        let connection = self.connection();
        let mut one = connection.prepare_cached("SELECT content FROM brake")?;
        one.query_row((), |row| row.get(0)).optional()
    }

    fn stored_rolls(&self) -> rusqlite::Result<Vec<(Box<str>, Vec<u8>)>> {
        let connection = self.connection();
        let mut all = connection
            .prepare_cached("SELECT environment, members FROM roll ORDER BY environment")?;
        all.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    }
}

impl Beside for SqliteBeside {
    fn save_snapshot(&self, snapshot: &StoredSnapshot) -> Result<(), StoreError> {
        let checksum = checksum(snapshot);
        let connection = self.connection();
        let save = || {
            let mut replace = connection.prepare_cached(
                "INSERT OR REPLACE INTO snapshot (slot, revision, link, checksum, state) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            replace.execute((
                SLOT,
                snapshot.head.revision.cast_signed(),
                snapshot.head.link.as_bytes(),
                &checksum,
                &snapshot.bytes,
            ))
        };
        save().map_err(|error| Failing::to("save a snapshot in", &self.file).because(error))?;
        Ok(())
    }

    fn load_snapshot(&self) -> Option<StoredSnapshot> {
        let why = match self.stored_snapshot() {
            Ok(None) => return None,
            Ok(Some((snapshot, stored))) if checksum(&snapshot) == stored => return Some(snapshot),
            Ok(Some(_)) => "its checksum is wrong".to_owned(),
            Err(error) => error.to_string(),
        };
        tracing::warn!(
            file = %self.file.display(),
            why,
            "the snapshot is damaged and is not used; folding the journal instead"
        );
        None
    }

    fn save_brakes(&self, brakes: &[u8]) -> Result<(), StoreError> {
        let connection = self.connection();
        let save = || {
            let mut replace = connection
                .prepare_cached("INSERT OR REPLACE INTO brake (slot, content) VALUES (0, ?1)")?;
            replace.execute([brakes])
        };
        save().map_err(|error| Failing::to("save kills in", &self.file).because(error))?;
        Ok(())
    }

    fn load_brakes(&self) -> Option<Vec<u8>> {
        self.stored_brakes().unwrap_or_else(|error| {
            tracing::error!(
                file = %self.file.display(),
                %error,
                "kills that were not in the journal yet cannot be read; pull them again"
            );
            None
        })
    }

    fn save_roll(&self, environment: &str, roll: &[u8]) -> Result<(), StoreError> {
        let connection = self.connection();
        let save = || {
            let mut replace = connection.prepare_cached(
                "INSERT OR REPLACE INTO roll (environment, members) VALUES (?1, ?2)",
            )?;
            replace.execute((environment, roll))
        };
        save().map_err(|error| Failing::to("save a roll in", &self.file).because(error))?;
        Ok(())
    }

    fn load_rolls(&self) -> Vec<(Box<str>, Vec<u8>)> {
        self.stored_rolls().unwrap_or_else(|error| {
            tracing::warn!(
                file = %self.file.display(),
                %error,
                "the rolls cannot be read; the evaluators will be met again as they report"
            );
            Vec::new()
        })
    }
}

fn open(directory: &Directory, file: &Path) -> Result<Connection, StoreError> {
    directory.make_private_file(file)?;
    let connection = connection::open_writer(file)?;
    let layout = || {
        let found: i64 = connection.query_row("PRAGMA user_version", (), |row| row.get(0))?;
        if found == 0 {
            let make = format!("BEGIN; {TABLES} PRAGMA user_version = {LAYOUT}; COMMIT;");
            connection.execute_batch(&make)?;
            return Ok(LAYOUT);
        }
        Ok(found)
    };
    match layout().map_err(|error| Failing::to("read", file).because(error))? {
        LAYOUT => Ok(connection),
        found => {
            let source = format!("its layout is {found}, and {LAYOUT} is known here");
            Err(StoreError::unavailable("use", file, source))
        }
    }
}

/// Of the place as well as of the bytes, so that neither can belong to another snapshot.
fn checksum(snapshot: &StoredSnapshot) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(snapshot.head.revision.to_be_bytes());
    hasher.update(snapshot.head.link.as_bytes());
    hasher.update(&snapshot.bytes);
    hasher.finalize().into()
}
