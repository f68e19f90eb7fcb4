//! A backup is one verified, private file.

use std::os::unix::fs::PermissionsExt;

use leverframe_store::sqlite::SqliteReader;
use leverframe_store::{Reader, StoreError};

use crate::contract::Adapter;
use crate::entries::grow;
use crate::sqlite::{InDirectory, by_hand};

#[test]
fn a_backup_is_one_private_file_with_everything_in_it() {
    let place = InDirectory::fresh();
    let mut store = place.open();
    let head = grow(&mut *store, 500);
    let elsewhere = tempfile::tempdir().unwrap();
    let to = elsewhere.path().join("backup.db");
    let report = store.reader().backup(&to).unwrap();
    assert_eq!((report.head, &report.path), (head, &to));
    assert_eq!(elsewhere.path().read_dir().unwrap().count(), 1);
    let metadata = to.metadata().unwrap();
    assert_eq!(metadata.len(), report.bytes);
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    // Read and write version 1: a rollback journal, so that reading it needs no second file.
    assert_eq!(&std::fs::read(&to).unwrap()[18..20], [1, 1]);
    let backup = SqliteReader::open_file(to).unwrap();
    assert_eq!(
        backup.read(0, usize::MAX).unwrap(),
        store.reader().read(0, usize::MAX).unwrap()
    );
}

#[test]
fn a_backup_during_appends_is_a_consistent_beginning_of_the_journal() {
    let place = InDirectory::fresh();
    let mut store = place.open();
    grow(&mut *store, 1);
    let reader = store.reader();
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().to_owned();
    let writing = std::thread::spawn(move || {
        for _ in 0..100 {
            grow(&mut *store, 3);
        }
        store
    });
    let mut reports = Vec::new();
    for number in 0..5 {
        reports.push(reader.backup(&path.join(format!("{number}.db"))).unwrap());
    }
    let store = writing.join().unwrap();
    for report in reports {
        assert_eq!(report.head.revision % 3, 1, "a part of a group was copied");
        store.reader().check(report.head).unwrap();
    }
}

#[test]
fn a_backup_does_not_overwrite_a_file() {
    let place = InDirectory::fresh();
    let to = place.0.path().join("precious");
    std::fs::write(&to, "precious").unwrap();
    let error = place.open().reader().backup(&to).unwrap_err();
    assert!(matches!(error, StoreError::Exists { .. }), "{error:?}");
    assert_eq!(std::fs::read(&to).unwrap(), b"precious");
}

#[test]
fn a_damaged_journal_gives_no_backup_at_all() {
    let place = InDirectory::fresh();
    grow(&mut *place.open(), 5);
    by_hand(
        place.0.path(),
        "lever.db",
        "DROP TRIGGER journal_is_not_edited; UPDATE journal SET text = '{}' WHERE revision = 3",
    );
    let elsewhere = tempfile::tempdir().unwrap();
    let to = elsewhere.path().join("backup.db");
    let error = place.open().reader().backup(&to).unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Corrupt {
                revision: Some(3),
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(elsewhere.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_backup_that_cannot_be_written_says_where() {
    let place = InDirectory::fresh();
    let to = place.0.path().join("no/such/directory/backup.db");
    let error = place.open().reader().backup(&to).unwrap_err().to_string();
    assert!(error.contains("no/such/directory/backup.db"), "{error}");
}
