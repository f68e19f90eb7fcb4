//! The snapshot, the rolls and the sessions, in a database of their own that may be lost; and the
//! measurements, in another.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use leverframe_core::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::connection::{self, Failing};
use super::directory::{self, Directory};
use super::measurements::SqliteMeasurements;
use super::sessions;
use super::slots::{self, Content, Slot};
use crate::error::StoreError;
use crate::port::{Beside, Series, StoredMeasurement, StoredSession, StoredSnapshot};

/// The layout; a database with another one is set aside and made anew.
const LAYOUT: i64 = 2;

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
    inner: Mutex<Inner>,
    file: PathBuf,
    measurements: SqliteMeasurements,
}

#[derive(Debug)]
struct Inner {
    connection: Connection,
    /// The slot that the next save spares, once that is known: that of the snapshot that was taken
    /// at the start or saved last.
    spared: Option<Slot>,
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
                "the snapshot, the rolls and the sessions cannot be read; starting without them"
            );
            std::fs::rename(&file, &aside)
                .map_err(|error| StoreError::unavailable("set aside", &file, error))?;
            for companion in directory::companions(&file) {
                directory::remove(&companion)?;
            }
            open(directory, &file)
        })?;
        Ok(Self {
            inner: Mutex::new(Inner {
                connection,
                spared: None,
            }),
            file,
            measurements: SqliteMeasurements::new(directory),
        })
    }

    /// Forgets what was measured of levers after this revision: the revisions after it are about to
    /// be others.
    pub(super) fn forget_measurements_after(&self, revision: u64) -> Result<(), StoreError> {
        self.measurements.forget_after(revision)
    }

    /// Forgets the snapshots: the journal they were made from is about to be another.
    pub(super) fn forget_snapshots(&self) -> Result<(), StoreError> {
        let mut inner = self.inner();
        inner.spared = None;
        inner
            .connection
            .execute("DELETE FROM snapshot", ())
            .map_err(|error| Failing::to("forget the snapshots in", &self.file).because(error))?;
        Ok(())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Every change is one statement, so a panic elsewhere leaves nothing half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a slot holds; a damaged one is told of.
    fn snapshot_in(&self, slot: Slot) -> Option<StoredSnapshot> {
        match slots::read(&self.inner().connection, slot) {
            Content::Empty => None,
            Content::Whole(snapshot) => Some(snapshot),
            Content::Damaged(why) => {
                tracing::warn!(
                    file = %self.file.display(),
                    %slot,
                    why,
                    "a snapshot is damaged and is not used"
                );
                None
            }
        }
    }

    fn stored_brakes(&self) -> rusqlite::Result<Option<Vec<u8>>> {
        let connection = &self.inner().connection;
        let mut one = connection.prepare_cached("SELECT content FROM brake")?;
        one.query_row((), |row| row.get(0)).optional()
    }

    fn stored_rolls(&self) -> rusqlite::Result<Vec<(Box<str>, Vec<u8>)>> {
        let connection = &self.inner().connection;
        let mut all = connection
            .prepare_cached("SELECT environment, members FROM roll ORDER BY environment")?;
        all.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    }
}

impl Beside for SqliteBeside {
    fn save_snapshot(&self, snapshot: &StoredSnapshot) -> Result<(), StoreError> {
        if self.inner().spared.is_none() {
            // Nobody has asked for one since the start; it has to be known which one to spare.
            self.offer_snapshots(&mut |_| true);
        }
        let mut inner = self.inner();
        let slot = inner.spared.map_or(Slot::FIRST, Slot::other);
        slots::write(&inner.connection, slot, snapshot)
            .map_err(|error| Failing::to("save a snapshot in", &self.file).because(error))?;
        inner.spared = Some(slot);
        Ok(())
    }

    fn offer_snapshots(&self, take: &mut dyn FnMut(StoredSnapshot) -> bool) {
        let slots = slots::newest_first(&self.inner().connection);
        for slot in slots {
            if self.snapshot_in(slot).is_some_and(&mut *take) {
                self.inner().spared = Some(slot);
                return;
            }
        }
    }

    fn save_brakes(&self, brakes: &[u8]) -> Result<(), StoreError> {
        let connection = &self.inner().connection;
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
        let connection = &self.inner().connection;
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

    fn save_session(&self, session: &StoredSession) -> Result<(), StoreError> {
        sessions::save(&mut self.inner().connection, session)
            .map_err(|error| Failing::to("save a session in", &self.file).because(error))
    }

    fn sessions(&self, now: Timestamp) -> Result<Vec<StoredSession>, StoreError> {
        sessions::not_over(&self.inner().connection, now, &self.file)
            .map_err(|error| Failing::to("read sessions in", &self.file).because(error))
    }

    fn drop_session(&self, secret_sha256: &[u8; 32]) -> Result<(), StoreError> {
        sessions::drop_one(&self.inner().connection, secret_sha256)
            .map_err(|error| Failing::to("drop a session in", &self.file).because(error))
    }

    fn drop_sessions_over(&self, now: Timestamp) -> Result<u64, StoreError> {
        sessions::drop_over(&self.inner().connection, now)
            .map_err(|error| Failing::to("drop sessions in", &self.file).because(error))
    }

    fn save_measurements(&self, measurements: &[StoredMeasurement]) -> Result<(), StoreError> {
        self.measurements.save(measurements)
    }

    fn measurements(
        &self,
        series: &Series,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<StoredMeasurement>, StoreError> {
        self.measurements.read(series, from, until, limit)
    }

    fn measured_since(&self, since: Timestamp) -> Result<Vec<(Series, Timestamp)>, StoreError> {
        self.measurements.since(since)
    }

    fn drop_measurements_before(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.measurements.drop_before(before)
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
        LAYOUT => {
            // Added without a layout of its own: the kills in a database that was made before there
            // were sessions are not to be set aside for them.
            sessions::make(&connection)
                .map_err(|error| Failing::to("read", file).because(error))?;
            Ok(connection)
        }
        found => {
            let source = format!("its layout is {found}, and {LAYOUT} is known here");
            Err(StoreError::unavailable("use", file, source))
        }
    }
}
