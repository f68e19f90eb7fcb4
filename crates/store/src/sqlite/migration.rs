//! Brings a database up to the schema of this version, one numbered step after another.
//!
//! A step that was released is never changed; a new one is added. Each is one transaction.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::connection::Failing;
use crate::error::StoreError;

/// `LVRF`, so that `file` and we can tell whose database it is.
const APPLICATION: i64 = 0x4c56_5246;

/// The steps, in order. The number of a step is its place, from 1.
pub(super) const STEPS: [(&str, &str); 3] = [
    ("journal", include_str!("migrations/0001_journal.sql")),
    (
        "append_only",
        include_str!("migrations/0002_append_only.sql"),
    ),
    ("leadership", include_str!("migrations/0003_leadership.sql")),
];

/// Refuses a database that is not ours or newer than we are, and takes the steps that are missing.
pub(super) fn migrate(connection: &mut Connection, file: &Path) -> Result<(), StoreError> {
    migrate_to(connection, file, STEPS.len())
}

/// As [`migrate`], but stops after a step: how tests make an old database.
pub(super) fn migrate_to(
    connection: &mut Connection,
    file: &Path,
    last: usize,
) -> Result<(), StoreError> {
    let found = check(connection, file)?;
    for (at, (name, sql)) in STEPS.iter().enumerate().take(last).skip(found) {
        step(connection, at + 1, name, sql)
            .map_err(|error| Failing::to("migrate", file).because(error))?;
    }
    Ok(())
}

/// The number of steps this database has behind it; 0 for an empty one.
pub(super) fn check(connection: &Connection, file: &Path) -> Result<usize, StoreError> {
    let failing = Failing::to("read", file);
    let count = |sql| connection.query_row(sql, (), |row| row.get::<_, i64>(0));
    let application = count("PRAGMA application_id").map_err(|error| failing.because(error))?;
    let objects =
        count("SELECT count(*) FROM sqlite_schema").map_err(|error| failing.because(error))?;
    match (application, objects) {
        (0, 0) => return Ok(0),
        (APPLICATION, _) => {}
        _ => {
            return Err(StoreError::Foreign {
                file: file.to_owned(),
            });
        }
    }
    let found = count("SELECT coalesce(max(number), 0) FROM migration")
        .map_err(|error| failing.because(error))?;
    usize::try_from(found)
        .ok()
        .filter(|found| *found <= STEPS.len())
        .ok_or_else(|| StoreError::UnknownSchema {
            file: file.to_owned(),
            found: found.unsigned_abs(),
            known: STEPS.len() as u64,
        })
}

fn step(connection: &mut Connection, number: usize, name: &str, sql: &str) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if number == 1 {
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.execute_batch(
            "CREATE TABLE migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT",
        )?;
    }
    transaction.execute_batch(sql)?;
    transaction.execute(
        "INSERT INTO migration (number, name) VALUES (?1, ?2)",
        (i64::try_from(number).unwrap_or(i64::MAX), name),
    )?;
    transaction.commit()
}
