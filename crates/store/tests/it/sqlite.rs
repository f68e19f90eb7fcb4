//! The SQLite adapter: the contract, and what it leaves to a file of its own.

use std::path::Path;

use leverframe_core::{Link, Timestamp};
use leverframe_store::{Head, SqliteStore, Store, StoreError, StoredSnapshot};
use tempfile::TempDir;

use crate::contract::{Adapter, contract};
use crate::entries::grow;
use crate::measurements::{errors, of};
use crate::sessions::session;

pub(crate) struct InDirectory(pub(crate) TempDir);

impl Adapter for InDirectory {
    fn fresh() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn open(&self) -> Box<dyn Store> {
        Box::new(SqliteStore::open(self.0.path()).unwrap())
    }

    fn damage_newest_snapshot(&self) {
        by_hand(
            self.0.path(),
            "lever-beside.db",
            "UPDATE snapshot SET state = CAST(x'08' || substr(state, 2) AS BLOB)
             WHERE revision = (SELECT max(revision) FROM snapshot)",
        );
    }
}

contract!(InDirectory);

/// A connection such as an operator or an intruder has, after the server has stopped.
pub(crate) fn by_hand(data: &Path, file: &str, sql: &str) {
    let connection = rusqlite::Connection::open(data.join(file)).unwrap();
    connection.execute_batch(sql).unwrap();
}

#[test]
fn a_slip_of_the_hand_cannot_change_a_record() {
    let place = InDirectory::fresh();
    grow(&mut *place.open(), 3);
    let connection = rusqlite::Connection::open(place.0.path().join("lever.db")).unwrap();
    for sql in [
        "UPDATE journal SET at_ms = 0 WHERE revision = 2",
        "DELETE FROM journal WHERE revision = 3",
        "DELETE FROM journal",
    ] {
        let error = connection.execute(sql, ()).unwrap_err().to_string();
        assert!(error.contains("append-only"), "{error}");
    }
}

#[test]
fn a_snapshot_with_any_byte_or_place_changed_is_not_used() {
    for tear in [
        "UPDATE snapshot SET state = substr(state, 1, 99)",
        "UPDATE snapshot SET state = CAST(x'08' || substr(state, 2) AS BLOB)",
        "UPDATE snapshot SET state = x''",
        "UPDATE snapshot SET revision = revision + 1",
        "UPDATE snapshot SET link = zeroblob(32)",
        "UPDATE snapshot SET link = x'00'",
        "UPDATE snapshot SET checksum = zeroblob(32)",
    ] {
        let place = InDirectory::fresh();
        place
            .open()
            .beside()
            .save_snapshot(&StoredSnapshot {
                head: Head {
                    revision: 7,
                    link: Link::START.next("seven"),
                },
                bytes: vec![7; 100],
            })
            .unwrap();
        by_hand(place.0.path(), "lever-beside.db", tear);
        assert_eq!(place.open().beside().load_snapshot(), None, "{tear}");
    }
}

#[test]
fn what_lies_beside_can_be_damaged_or_gone_and_the_journal_still_opens() {
    let place = InDirectory::fresh();
    let head = grow(&mut *place.open(), 3);
    let beside = place.0.path().join("lever-beside.db");
    for damage in [None, Some("not a database at all".repeat(1_000))] {
        match damage {
            None => std::fs::remove_file(&beside).unwrap(),
            Some(damage) => std::fs::write(&beside, damage).unwrap(),
        }
        let store = place.open();
        assert_eq!(store.reader().head().unwrap(), head);
        assert_eq!(store.beside().load_snapshot(), None);
        store.beside().save_roll("prod", b"again").unwrap();
        assert_eq!(store.beside().load_rolls().len(), 1);
    }
}

fn errors_in(place: &InDirectory) -> usize {
    errors_in_open(&*place.open().beside())
}

#[test]
fn a_measurement_with_any_part_changed_is_not_used_and_the_next_one_is() {
    for tear in [
        "seen = replace(seen, '4', '5')",
        "seen = 'no JSON'",
        "seen = ''",
        "private = NULL",
        "private = x'00'",
        "at_ms = at_ms + 1",
        "length_ms = 1",
        "lever_revision = lever_revision + 1",
        "checksum = zeroblob(8)",
        "checksum = x'00'",
    ] {
        let place = InDirectory::fresh();
        let batch = [of(&errors(), 10_000, 4), of(&errors(), 20_000, 4)];
        place.open().beside().save_measurements(&batch).unwrap();
        let sql = format!("UPDATE measurement SET {tear} WHERE at_ms = 10000");
        by_hand(place.0.path(), "lever-measurements.db", &sql);
        assert_eq!(errors_in(&place), 1, "{tear}");
    }
}

#[test]
fn measurements_can_be_damaged_or_gone_and_are_made_anew() {
    let place = InDirectory::fresh();
    let head = grow(&mut *place.open(), 3);
    let file = place.0.path().join("lever-measurements.db");
    let one = [of(&errors(), 10_000, 4)];
    for damage in [None, Some("not a database at all".repeat(1_000))] {
        place.open().beside().save_measurements(&one).unwrap();
        assert_eq!(errors_in(&place), 1);
        match damage {
            None => std::fs::remove_file(&file).unwrap(),
            Some(damage) => std::fs::write(&file, damage).unwrap(),
        }
        let store = place.open();
        assert_eq!(store.reader().head().unwrap(), head);
        assert_eq!(errors_in_open(&*store.beside()), 0);
        store.beside().save_measurements(&one).unwrap();
        assert_eq!(errors_in_open(&*store.beside()), 1);
    }
}

fn errors_in_open(beside: &dyn leverframe_store::Beside) -> usize {
    let (from, until) = (Timestamp::default(), Timestamp::from_ms(i64::MAX));
    let found = beside.measurements(&errors(), from, until, usize::MAX);
    found.unwrap().len()
}

/// The test that measurements are never in the way: the journal, kills beside it and rolls are
/// written while somebody has the measurements locked for as long as they like.
#[test]
fn measurements_that_hang_hold_up_neither_an_append_nor_a_kill() {
    let place = InDirectory::fresh();
    let mut store = place.open();
    let beside = store.beside();
    beside
        .save_measurements(&[of(&errors(), 10_000, 4)])
        .unwrap();
    let path = place.0.path().join("lever-measurements.db");
    let hog = rusqlite::Connection::open(path).unwrap();
    hog.execute_batch("BEGIN EXCLUSIVE").unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| beside.save_measurements(&[of(&errors(), 20_000, 4)]));
        grow(&mut *store, 2);
        beside.save_brakes(b"kill").unwrap();
        beside.save_roll("prod", b"roll").unwrap();
        assert!(!waiting.is_finished());
        hog.execute_batch("COMMIT").unwrap();
        waiting.join().unwrap().unwrap();
    });
    assert_eq!(errors_in_open(&*beside), 2);
}

#[test]
fn a_journal_that_is_no_database_is_refused_with_the_command_that_restores() {
    let place = InDirectory::fresh();
    grow(&mut *place.open(), 1);
    std::fs::write(place.0.path().join("lever.db"), "garbage ".repeat(2_000)).unwrap();
    let error = SqliteStore::open(place.0.path()).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    let command = format!("lever restore <backup> --data {}", place.0.path().display());
    assert!(error.to_string().ends_with(&command), "{error}");
}

#[test]
fn the_database_of_another_program_is_left_alone() {
    let place = InDirectory::fresh();
    by_hand(place.0.path(), "lever.db", "CREATE TABLE notes (text TEXT)");
    let error = SqliteStore::open(place.0.path()).unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error:?}");
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let place = InDirectory::fresh();
    grow(&mut *place.open(), 1);
    by_hand(
        place.0.path(),
        "lever.db",
        "INSERT INTO migration (number, name) VALUES (99, 'from the future')",
    );
    match SqliteStore::open(place.0.path()).unwrap_err() {
        StoreError::UnknownSchema { found, .. } => assert_eq!(found, 99),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_long_reading_does_not_hold_up_an_append() {
    let place = InDirectory::fresh();
    let mut store = place.open();
    grow(&mut *store, 1_500);
    let reader = store.reader();
    let mut appended = 0;
    // The progress is told in the middle of the walk.
    let head = reader
        .verify(None, &mut |_| {
            if appended < 2 {
                grow(&mut *store, 1);
                appended += 1;
            }
        })
        .unwrap();
    assert_eq!(head.revision, 1_502);
}

#[test]
fn a_read_in_an_opened_directory_needs_no_lock() {
    let place = InDirectory::fresh();
    let mut store = place.open();
    let head = grow(&mut *store, 4);
    let outsider = leverframe_store::sqlite::SqliteReader::open(place.0.path()).unwrap();
    assert_eq!(
        leverframe_store::Reader::verify(&outsider, Some(head), &mut |_| {}).unwrap(),
        head
    );
    let fence = store.take_leadership(Timestamp::default()).unwrap();
    let next = crate::entries::entries(head, 1);
    store.append(4, fence, &next).unwrap();
}

#[test]
fn a_database_from_before_there_were_sessions_keeps_its_kills_and_takes_sessions() {
    let place = InDirectory::fresh();
    place.open().beside().save_brakes(b"a kill").unwrap();
    by_hand(place.0.path(), "lever-beside.db", "DROP TABLE session");
    let beside = place.open().beside();
    assert_eq!(beside.load_brakes().as_deref(), Some(&b"a kill"[..]));
    beside.save_session(&session(1, 1_000)).unwrap();
    assert_eq!(
        beside.sessions(Timestamp::from_ms(0)).unwrap(),
        [session(1, 1_000)]
    );
}

#[test]
fn a_damaged_session_is_left_out_and_the_others_are_read() {
    let place = InDirectory::fresh();
    {
        let beside = place.open().beside();
        beside.save_session(&session(1, 1_000)).unwrap();
        beside.save_session(&session(2, 2_000)).unwrap();
    }
    by_hand(
        place.0.path(),
        "lever-beside.db",
        "UPDATE session SET token = CAST(x'ff' AS TEXT) WHERE expires_ms = 1000",
    );
    let found = place.open().beside().sessions(Timestamp::from_ms(0));
    assert_eq!(found.unwrap(), [session(2, 2_000)]);
}
