//! The data directory: who may use it and who may read it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use leverframe_store::sqlite::SqliteReader;
use leverframe_store::{SqliteStore, Store, StoreError};

use crate::entries::grow;

#[test]
fn a_second_store_on_one_directory_refuses_and_says_who_has_it() {
    let data = tempfile::tempdir().unwrap();
    let first = SqliteStore::open(data.path()).unwrap();
    match SqliteStore::open(data.path()).unwrap_err() {
        StoreError::Locked { lock, holder } => {
            assert_eq!(lock, data.path().join("lever.lock"));
            assert_eq!(holder, Some(std::process::id().to_string()));
        }
        other => panic!("{other:?}"),
    }
    drop(first);
    SqliteStore::open(data.path()).unwrap();
}

#[test]
fn a_refused_second_store_does_not_disturb_the_first() {
    let data = tempfile::tempdir().unwrap();
    let mut first = SqliteStore::open(data.path()).unwrap();
    grow(&mut first, 2);
    for _ in 0..3 {
        SqliteStore::open(data.path()).unwrap_err();
        grow(&mut first, 1);
    }
    assert_eq!(first.reader().head().unwrap().revision, 5);
}

#[test]
fn only_the_owner_can_read_what_is_stored() {
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("nested/lever-data");
    let mut store = SqliteStore::open(&data).unwrap();
    grow(&mut store, 1);
    store.beside().save_roll("prod", b"one").unwrap();
    assert_eq!(mode(&data), 0o700);
    let mut names = Vec::new();
    for file in data.read_dir().unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names.push(path.file_name().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(
        names,
        [
            "lever-beside.db",
            "lever-beside.db-shm",
            "lever-beside.db-wal",
            "lever.db",
            "lever.db-shm",
            "lever.db-wal",
            "lever.lock"
        ]
    );
}

#[test]
fn a_journal_that_others_could_read_is_closed_to_them_at_the_next_opening() {
    let data = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(data.path()).unwrap());
    let journal = data.path().join("lever.db");
    std::fs::set_permissions(&journal, PermissionsExt::from_mode(0o644)).unwrap();
    drop(SqliteStore::open(data.path()).unwrap());
    assert_eq!(mode(&journal), 0o600);
}

#[test]
fn reading_where_nothing_is_makes_nothing() {
    let data = tempfile::tempdir().unwrap();
    let error = SqliteReader::open(data.path()).unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }), "{error:?}");
    assert_eq!(data.path().read_dir().unwrap().count(), 0);
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}
