//! Measurements, in a database of their own: a batch of them must not hold up a kill that is written
//! beside the journal, nor an append. Opened when something is first measured.
//!
//! Whole after the death of the process. A power cut may take the last seconds, which cost a rollout
//! as much evidence and nothing else; for that, nobody waits for the disk here.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use leverframe_core::Timestamp;
use leverframe_core::rollout::Measurement;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};
use sha2::{Digest, Sha256};

use super::connection::{self, Failing};
use super::directory::{self, Directory};
use crate::error::StoreError;
use crate::limit::{MEASUREMENTS_MAX, MEASUREMENTS_READ_MAX};
use crate::port::{Series, StoredMeasurement};

/// The layout; a database with another one is set aside and made anew.
const LAYOUT: i64 = 1;

const TABLES: &str = "
    CREATE TABLE series (
        id          INTEGER PRIMARY KEY,
        environment TEXT NOT NULL,
        flag        TEXT NOT NULL,
        metric      TEXT NOT NULL,
        UNIQUE (environment, flag, metric)
    ) STRICT;
    CREATE TABLE measurement (
        series         INTEGER NOT NULL,
        at_ms          INTEGER NOT NULL,
        length_ms      INTEGER NOT NULL,
        lever_revision INTEGER NOT NULL,
        seen           TEXT    NOT NULL,
        private        BLOB,
        checksum       BLOB    NOT NULL,
        PRIMARY KEY (series, at_ms)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX measurement_by_time ON measurement (at_ms);
";

/// When the bound is reached, this part of it is freed at once, so that it is not met at every save.
const FREED_PART: u64 = 100;

#[derive(Debug)]
pub(super) struct SqliteMeasurements {
    directory: Directory,
    file: PathBuf,
    writer: Mutex<Option<Writer>>,
    reader: Mutex<Option<Connection>>,
}

#[derive(Debug)]
struct Writer {
    connection: Connection,
    /// How many there are, so that the bound costs no count at every save.
    rows: u64,
}

impl SqliteMeasurements {
    pub(super) fn new(directory: &Directory) -> Self {
        Self {
            directory: directory.clone(),
            file: directory.measurements(),
            writer: Mutex::default(),
            reader: Mutex::default(),
        }
    }

    pub(super) fn save(&self, measurements: &[StoredMeasurement]) -> Result<(), StoreError> {
        let failing = Failing::to("save measurements in", &self.file);
        for one in measurements {
            one.check()
                .map_err(|why| StoreError::unavailable("save measurements in", &self.file, why))?;
        }
        self.write(|writer| {
            writer
                .save(measurements)
                .and_then(|()| writer.keep_bound())
                .map_err(|error| failing.because(error))
        })
    }

    pub(super) fn read(
        &self,
        series: &Series,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<StoredMeasurement>, StoreError> {
        let limit = limit.min(MEASUREMENTS_READ_MAX);
        self.with_reader(|connection| {
            let mut rows = connection.prepare_cached(
                "SELECT at_ms, length_ms, lever_revision, seen, private, checksum FROM measurement \
                 WHERE series = (SELECT id FROM series \
                     WHERE environment = ?1 AND flag = ?2 AND metric = ?3) \
                 AND at_ms >= ?4 AND at_ms < ?5 ORDER BY at_ms LIMIT ?6",
            )?;
            let mut rows = rows.query((
                &series.environment,
                &series.flag,
                &series.metric,
                from.as_ms(),
                until.as_ms(),
                i64::try_from(limit).unwrap_or(i64::MAX),
            ))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                match stored(series, row) {
                    Ok(one) => found.push(one),
                    Err(why) => tracing::warn!(
                        file = %self.file.display(),
                        ?series,
                        why,
                        "a measurement is damaged and is not used"
                    ),
                }
            }
            Ok(found)
        })
    }

    pub(super) fn since(&self, since: Timestamp) -> Result<Vec<(Series, Timestamp)>, StoreError> {
        self.with_reader(|connection| {
            let mut all = connection.prepare_cached(
                "SELECT environment, flag, metric, last FROM (\
                     SELECT environment, flag, metric, \
                         (SELECT max(at_ms) FROM measurement WHERE series = id) AS last FROM series) \
                 WHERE last >= ?1 ORDER BY environment, flag, metric",
            )?;
            all.query_map([since.as_ms()], |row| {
                let series = Series {
                    environment: row.get(0)?,
                    flag: row.get(1)?,
                    metric: row.get(2)?,
                };
                Ok((series, Timestamp::from_ms(row.get(3)?)))
            })?
            .collect()
        })
    }

    pub(super) fn drop_before(&self, before: Timestamp) -> Result<u64, StoreError> {
        let failing = Failing::to("drop measurements in", &self.file);
        self.write(|writer| {
            writer
                .drop_before(before)
                .map_err(|error| failing.because(error))
        })
    }

    /// Forgets what was measured after a revision that will not have been; what cannot be read is
    /// set aside whole.
    pub(super) fn forget_after(&self, revision: u64) -> Result<(), StoreError> {
        if !self.file.exists() {
            return Ok(());
        }
        let failing = Failing::to("forget measurements in", &self.file);
        let forgotten = self.write(|writer| {
            let delete = "DELETE FROM measurement WHERE lever_revision > ?1";
            writer
                .connection
                .execute(delete, [revision.cast_signed()])
                .map_err(|error| failing.because(error))
        });
        self.close();
        match forgotten {
            Ok(_) => Ok(()),
            Err(error) => self.set_aside(&error),
        }
    }

    /// Works on what is there; when that turns out to be damaged, on a new one.
    fn write<T>(
        &self,
        work: impl Fn(&mut Writer) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut writer = lock(&self.writer);
        let mut open = match writer.take() {
            Some(open) => open,
            None => self.open()?,
        };
        match work(&mut open) {
            Err(error @ StoreError::Corrupt { .. }) => {
                drop(open);
                self.set_aside(&error)?;
                work(writer.insert(self.open()?)).map_err(not_the_journal)
            }
            done => {
                *writer = Some(open);
                done
            }
        }
    }

    /// Opens it; what is damaged or of another layout is set aside, because nothing in it is needed.
    fn open(&self) -> Result<Writer, StoreError> {
        open(&self.directory, &self.file).or_else(|error| {
            self.set_aside(&error)?;
            open(&self.directory, &self.file)
        })
    }

    fn set_aside(&self, error: &StoreError) -> Result<(), StoreError> {
        let aside = directory::with_suffix(&self.file, ".damaged");
        tracing::warn!(
            %error,
            aside = %aside.display(),
            "the measurements cannot be read; starting without them"
        );
        *lock(&self.reader) = None;
        std::fs::rename(&self.file, &aside)
            .map_err(|error| StoreError::unavailable("set aside", &self.file, error))?;
        for companion in directory::companions(&self.file) {
            directory::remove(&companion)?;
        }
        Ok(())
    }

    fn close(&self) {
        *lock(&self.reader) = None;
        *lock(&self.writer) = None;
    }

    /// Reads with a connection of its own, so that a chart holds up no interval.
    fn with_reader<T: Default>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let failing = Failing::to("read measurements in", &self.file);
        if lock(&self.reader).is_none() {
            if !self.file.exists() {
                return Ok(T::default());
            }
            // Opened for writing first, so that its tables are there; and without the lock, which
            // setting it aside takes.
            self.write(|_| Ok(()))?;
        }
        let mut reader = lock(&self.reader);
        let connection = match reader.take() {
            Some(connection) => connection,
            None => connection::open_reader(&self.file)?,
        };
        let done = work(&connection).map_err(|error| not_the_journal(failing.because(error)));
        if done.is_ok() {
            *reader = Some(connection);
        }
        done
    }
}

impl Writer {
    fn save(&mut self, measurements: &[StoredMeasurement]) -> rusqlite::Result<()> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut added = 0;
        {
            let mut name = transaction.prepare_cached(
                "INSERT OR IGNORE INTO series (environment, flag, metric) VALUES (?1, ?2, ?3)",
            )?;
            let mut keep = transaction.prepare_cached(
                "INSERT OR IGNORE INTO measurement \
                 (series, at_ms, length_ms, lever_revision, seen, private, checksum) \
                 VALUES ((SELECT id FROM series \
                     WHERE environment = ?1 AND flag = ?2 AND metric = ?3), \
                     ?4, ?5, ?6, ?7, ?8, ?9)",
            )?;
            for StoredMeasurement {
                series,
                measurement,
                private,
            } in measurements
            {
                let seen = serde_json::to_string(&measurement.seen)
                    .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
                name.execute((&series.environment, &series.flag, &series.metric))?;
                added += keep.execute((
                    &series.environment,
                    &series.flag,
                    &series.metric,
                    measurement.at.as_ms(),
                    measurement.length_ms,
                    measurement.lever_revision.cast_signed(),
                    &seen,
                    private,
                    checksum(series, measurement, &seen, private.as_deref()),
                ))?;
            }
        }
        transaction.commit()?;
        self.rows = self.rows.saturating_add(added as u64);
        Ok(())
    }

    fn keep_bound(&mut self) -> rusqlite::Result<()> {
        if self.rows <= MEASUREMENTS_MAX {
            return Ok(());
        }
        let excess = self.rows - MEASUREMENTS_MAX + MEASUREMENTS_MAX / FREED_PART;
        let cut: Option<i64> = self
            .connection
            .query_row(
                "SELECT at_ms FROM measurement ORDER BY at_ms LIMIT 1 OFFSET ?1",
                [excess.cast_signed()],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(cut) = cut {
            self.drop_before(Timestamp::from_ms(cut).plus_ms(1))?;
        }
        Ok(())
    }

    fn drop_before(&mut self, before: Timestamp) -> rusqlite::Result<u64> {
        let delete = "DELETE FROM measurement WHERE at_ms < ?1";
        let dropped = self.connection.execute(delete, [before.as_ms()])? as u64;
        self.rows = self.rows.saturating_sub(dropped);
        let unused = "DELETE FROM series WHERE NOT EXISTS \
                      (SELECT 1 FROM measurement WHERE series = series.id)";
        self.connection.execute(unused, ())?;
        Ok(dropped)
    }
}

fn open(directory: &Directory, file: &Path) -> Result<Writer, StoreError> {
    directory.make_private_file(file)?;
    let connection = connection::open_writer(file)?;
    let prepare = || {
        connection.pragma_update(None, "synchronous", "normal")?;
        let found: i64 = connection.query_row("PRAGMA user_version", (), |row| row.get(0))?;
        if found == 0 {
            let make = format!("BEGIN; {TABLES} PRAGMA user_version = {LAYOUT}; COMMIT;");
            connection.execute_batch(&make)?;
            return Ok((LAYOUT, 0));
        }
        let rows: i64 =
            connection.query_row("SELECT count(*) FROM measurement", (), |row| row.get(0))?;
        Ok((found, rows))
    };
    match prepare().map_err(|error| Failing::to("read", file).because(error))? {
        (LAYOUT, rows) => Ok(Writer {
            connection,
            rows: rows.unsigned_abs(),
        }),
        (found, _) => {
            let source = format!("its layout is {found}, and {LAYOUT} is known here");
            Err(StoreError::unavailable("use", file, source))
        }
    }
}

fn stored(series: &Series, row: &Row<'_>) -> Result<StoredMeasurement, String> {
    type Columns = (i64, i64, i64, String, Option<Vec<u8>>, [u8; 8]);
    let columns = || -> rusqlite::Result<Columns> {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
            row.get(5)?,
        ))
    };
    let (at_ms, length_ms, lever_revision, seen, private, found) =
        columns().map_err(|error| error.to_string())?;
    let measurement = Measurement {
        at: Timestamp::from_ms(at_ms),
        length_ms,
        lever_revision: lever_revision.cast_unsigned(),
        seen: serde_json::from_str(&seen).map_err(|error| error.to_string())?,
    };
    if checksum(series, &measurement, &seen, private.as_deref()) != found {
        return Err("its checksum is wrong".to_owned());
    }
    Ok(StoredMeasurement {
        series: series.clone(),
        measurement,
        private,
    })
}

/// Of the place as well as of what was seen, so that neither can belong to another measurement.
fn checksum(
    series: &Series,
    measurement: &Measurement,
    seen: &str,
    private: Option<&[u8]>,
) -> [u8; 8] {
    let mut hasher = Sha256::new();
    for part in [
        series.environment.as_bytes(),
        series.flag.as_bytes(),
        series.metric.as_bytes(),
        seen.as_bytes(),
        private.unwrap_or_default(),
    ] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.update(measurement.at.as_ms().to_be_bytes());
    hasher.update(measurement.length_ms.to_be_bytes());
    hasher.update(measurement.lever_revision.to_be_bytes());
    let digest: [u8; 32] = hasher.finalize().into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    [a, b, c, d, e, f, g, h]
}

/// Damage here is no damage to the journal, and is told without the advice to restore that.
fn not_the_journal(error: StoreError) -> StoreError {
    match error {
        StoreError::Corrupt { data, what, .. } => {
            let source = format!("it is damaged: {what}");
            StoreError::unavailable("use", &data.join("lever-measurements.db"), source)
        }
        error => error,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change is one transaction, so a panic elsewhere leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
