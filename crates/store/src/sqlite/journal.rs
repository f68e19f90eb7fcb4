//! The statements on the journal and the fence.

use leverframe_core::{Entry, Link, Timestamp};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row as SqlRow};

use crate::chain::Row;
use crate::port::{Fence, Head};

pub(super) fn head(connection: &Connection) -> rusqlite::Result<Head> {
    let mut last = connection
        .prepare_cached("SELECT revision, link FROM journal ORDER BY revision DESC LIMIT 1")?;
    let head = last
        .query_row((), |row| {
            Ok(Head {
                revision: whole(row, 0)?,
                link: link(row, 1)?,
            })
        })
        .optional()?;
    Ok(head.unwrap_or(Head::START))
}

/// The link at a revision, if there is one.
pub(super) fn link_at(connection: &Connection, revision: u64) -> rusqlite::Result<Option<Link>> {
    if revision == 0 {
        return Ok(Some(Link::START));
    }
    let mut one = connection.prepare_cached("SELECT link FROM journal WHERE revision = ?1")?;
    one.query_row([sql(revision)], |row| link(row, 0))
        .optional()
}

/// At most `limit` rows from the revision `first` on; an error ends them, after the good ones.
pub(super) fn rows(
    connection: &Connection,
    first: u64,
    limit: usize,
) -> rusqlite::Result<Vec<rusqlite::Result<Row>>> {
    let mut some = connection.prepare_cached(
        "SELECT revision, at_ms, text, previous, link FROM journal \
         WHERE revision >= ?1 ORDER BY revision LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = some.query_map((sql(first), limit), |row| {
        Ok(Row {
            revision: whole(row, 0)?,
            at: Timestamp::from_ms(row.get(1)?),
            text: row.get(2)?,
            previous: link(row, 3)?,
            link: link(row, 4)?,
        })
    })?;
    Ok(rows.collect())
}

pub(super) fn insert(connection: &Connection, entries: &[Entry]) -> rusqlite::Result<()> {
    let mut one = connection.prepare_cached(
        "INSERT INTO journal (revision, at_ms, text, previous, link) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for entry in entries {
        one.execute((
            sql(entry.record.revision),
            entry.record.at.as_ms(),
            &*entry.text,
            entry.previous.as_bytes(),
            entry.link.as_bytes(),
        ))?;
    }
    Ok(())
}

pub(super) fn fence(connection: &Connection) -> rusqlite::Result<Fence> {
    let mut current = connection.prepare_cached("SELECT fence FROM leadership WHERE only = 1")?;
    current.query_row((), |row| whole(row, 0).map(Fence))
}

pub(super) fn take_fence(connection: &Connection, now: Timestamp) -> rusqlite::Result<Fence> {
    let mut next = connection.prepare_cached(
        "UPDATE leadership SET fence = fence + 1, taken_at_ms = ?1 WHERE only = 1 RETURNING fence",
    )?;
    next.query_row([now.as_ms()], |row| whole(row, 0).map(Fence))
}

fn link(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<Link> {
    row.get(column).map(Link::from_bytes)
}

fn whole(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, Box::new(error))
    })
}

/// A number as SQL has it. No journal reaches 2⁶³.
fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
