//! What can only be tried with a hand on the connection: limits, settings, old schemas.

use leverframe_core::command::Why;
use leverframe_core::{Entry, Event, Record, Timestamp};
use rusqlite::Connection;

use super::{SqliteStore, connection, migration};
use crate::error::{AppendError, StoreError};
use crate::port::{Head, Store};

/// The entry after `head`, with a reason of this many bytes.
fn entry(head: Head, bytes: usize) -> Entry {
    let record = Record {
        revision: head.revision + 1,
        at: Timestamp::from_ms(1),
        actor: "system".into(),
        actor_name: "system".into(),
        via: "test".into(),
        why: Why {
            reason: Some("x".repeat(bytes).into()),
            incident: None,
        },
        idempotency: None,
        events: vec![Event::EpochRaised { epoch: 1 }],
    };
    Entry::seal(record, head.link).unwrap()
}

fn limit_pages(store: &SqliteStore, pages: i64) {
    // A pragma that answers with the new value.
    store
        .connection
        .query_row(&format!("PRAGMA max_page_count = {pages}"), (), |_| Ok(()))
        .unwrap();
}

#[test]
fn a_full_disk_is_named_loses_nothing_acknowledged_and_ends_when_there_is_room() {
    let data = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(data.path()).unwrap();
    let fence = store.take_leadership(Timestamp::default()).unwrap();
    limit_pages(&store, 60);
    let mut head = Head::START;
    let failed = loop {
        let next = entry(head, 10_000);
        match store.append(head.revision, fence, std::slice::from_ref(&next)) {
            Ok(()) => head = Head::of(&next),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(
            failed,
            AppendError::Failed(StoreError::DiskFull { ref file }) if *file == data.path().join("lever.db")
        ),
        "{failed:?}"
    );
    assert!(head.revision > 5);
    let reader = store.reader();
    assert_eq!(reader.verify(Some(head), &mut |_| {}).unwrap(), head);

    // A group that only partly fits leaves nothing of itself.
    let first = entry(head, 10);
    let second = entry(Head::of(&first), 1_000_000);
    store
        .append(head.revision, fence, &[first, second])
        .unwrap_err();
    assert_eq!(reader.head().unwrap(), head);

    limit_pages(&store, 1_000_000);
    let next = entry(head, 10_000);
    store
        .append(head.revision, fence, std::slice::from_ref(&next))
        .unwrap();
    drop(store);
    let reader = SqliteStore::open(data.path()).unwrap().reader();
    assert_eq!(reader.verify(None, &mut |_| {}).unwrap(), Head::of(&next));
}

#[test]
fn the_writer_syncs_every_commit() {
    let data = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(data.path()).unwrap();
    let ask = |pragma: &str| {
        let sql = format!("PRAGMA {pragma}");
        store
            .connection
            .query_row(&sql, (), |row| row.get::<_, rusqlite::types::Value>(0))
            .unwrap()
    };
    assert_eq!(ask("journal_mode"), "wal".to_owned().into());
    // 2 is FULL: in WAL mode, one sync of the log at every commit.
    assert_eq!(ask("synchronous"), 2.into());
}

#[test]
fn a_reader_cannot_write() {
    let data = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(data.path()).unwrap();
    let connection = connection::open_reader(&store.file).unwrap();
    let error = connection.execute("UPDATE leadership SET fence = 7", ());
    assert!(error.unwrap_err().to_string().contains("readonly"));
}

#[test]
fn every_older_schema_with_entries_in_it_is_brought_up_to_date() {
    for version in 1..=migration::STEPS.len() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("lever.db");
        let first = entry(Head::START, 10);
        let second = entry(Head::of(&first), 10);
        {
            let mut connection = Connection::open(&file).unwrap();
            migration::migrate_to(&mut connection, &file, version).unwrap();
            super::journal::insert(&connection, &[first.clone(), second.clone()]).unwrap();
        }
        let mut store = SqliteStore::open(data.path()).unwrap();
        let last = Head::of(&second);
        assert_eq!(
            store.reader().verify(Some(last), &mut |_| {}).unwrap(),
            last,
            "from version {version}"
        );
        let fence = store.take_leadership(Timestamp::default()).unwrap();
        store.append(2, fence, &[entry(last, 10)]).unwrap();
        let found = migration::check(&store.connection, &file).unwrap();
        assert_eq!(found, migration::STEPS.len());
    }
}

#[test]
fn a_migration_that_fails_leaves_the_schema_it_found() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("lever.db");
    let mut connection = Connection::open(&file).unwrap();
    migration::migrate_to(&mut connection, &file, 1).unwrap();
    // In the way of a later step.
    connection
        .execute_batch("CREATE TABLE leadership (mine TEXT)")
        .unwrap();
    drop(connection);
    SqliteStore::open(data.path()).unwrap_err();
    let connection = Connection::open(&file).unwrap();
    assert_eq!(migration::check(&connection, &file).unwrap(), 2);
}

#[test]
fn the_steps_are_numbered_without_holes_and_named_as_their_files() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqlite/migrations");
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let steps: Vec<_> = migration::STEPS
        .iter()
        .enumerate()
        .map(|(at, (name, _))| format!("{:04}_{name}.sql", at + 1))
        .collect();
    assert_eq!(files, steps);
}
