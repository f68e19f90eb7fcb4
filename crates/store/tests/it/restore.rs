//! A restore happens wholly or not at all, and what was there is kept.

use std::path::{Path, PathBuf};

use leverframe_core::Timestamp;
use leverframe_core::rollout::Measurement;
use leverframe_store::sqlite::{Restore, SqliteReader};
use leverframe_store::{
    Head, Reader, SqliteStore, Store, StoreError, StoredMeasurement, StoredSnapshot,
};
use tempfile::TempDir;

use crate::entries::{entries, grow};
use crate::measurements::{errors, of};
use crate::sqlite::by_hand;

/// A data directory with ten entries, and a backup from when there were six.
struct Scene {
    home: TempDir,
    saved: Head,
    head: Head,
}

impl Scene {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open(&home.path().join("data")).unwrap();
        let saved = grow(&mut store, 6);
        store.reader().backup(&home.path().join("backup")).unwrap();
        let head = grow(&mut store, 4);
        let snapshot = StoredSnapshot {
            head,
            bytes: b"state at ten".to_vec(),
        };
        store.beside().save_snapshot(&snapshot).unwrap();
        store.beside().save_roll("prod", b"roll").unwrap();
        Self { home, saved, head }
    }

    fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn backup(&self) -> PathBuf {
        self.home.path().join("backup")
    }

    fn names(&self) -> Vec<String> {
        let files = self.data().read_dir().unwrap();
        let mut names: Vec<_> = files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn now() -> Timestamp {
    Timestamp::from_ms(1_700_000_000_123)
}

fn head_of(file: &Path) -> Head {
    let reader = SqliteReader::open_file(file.to_owned()).unwrap();
    reader.verify(None, &mut |_| {}).unwrap()
}

#[test]
fn a_restore_puts_the_backup_and_what_was_appended_to_it_in_place_and_keeps_the_old_journal() {
    let scene = Scene::new();
    let mut restore = Restore::prepare(&scene.backup(), &scene.data()).unwrap();
    assert_eq!(restore.backup(), scene.saved);
    let current = restore.current().unwrap().unwrap();
    // What happened since the backup is there to be read.
    assert_eq!(current.read(6, 100).unwrap().len(), 4);
    let incoming = restore.incoming();
    let fence = incoming.take_leadership(now()).unwrap();
    let said = entries(scene.saved, 1);
    incoming.append(6, fence, &said).unwrap();
    let restored = restore.install(now()).unwrap();

    let aside = scene.data().join("lever.db.before-restore-1700000000123");
    assert_eq!(restored.head, Head::of(&said[0]));
    assert_eq!(restored.aside.as_deref(), Some(&*aside));
    assert_eq!(head_of(&aside), scene.head);
    let store = SqliteStore::open(&scene.data()).unwrap();
    let found = store.reader().verify(Some(restored.head), &mut |_| {});
    assert_eq!(found.unwrap(), restored.head);
}

#[test]
fn after_a_restore_the_snapshot_of_the_other_history_is_gone_and_the_rolls_are_not() {
    let scene = Scene::new();
    let restore = Restore::prepare(&scene.backup(), &scene.data()).unwrap();
    restore.install(now()).unwrap();
    let beside = SqliteStore::open(&scene.data()).unwrap().beside();
    assert_eq!(beside.load_snapshot(), None);
    assert_eq!(beside.load_rolls(), [("prod".into(), b"roll".to_vec())]);
}

#[test]
fn after_a_restore_what_was_measured_of_the_other_history_is_gone() {
    let scene = Scene::new();
    let shared = of(&errors(), 10_000, 4);
    let mut other = of(&errors(), 20_000, 4);
    let at_backup = scene.saved.revision;
    let shared = StoredMeasurement {
        measurement: Measurement {
            lever_revision: at_backup,
            ..shared.measurement
        },
        ..shared
    };
    other.measurement.lever_revision = at_backup + 1;
    {
        let beside = SqliteStore::open(&scene.data()).unwrap().beside();
        beside.save_measurements(&[shared.clone(), other]).unwrap();
    }
    let restore = Restore::prepare(&scene.backup(), &scene.data()).unwrap();
    restore.install(now()).unwrap();
    let beside = SqliteStore::open(&scene.data()).unwrap().beside();
    let found = beside.measurements(&errors(), Timestamp::default(), now(), 10);
    assert_eq!(found.unwrap(), [shared]);
}

#[test]
fn a_restore_that_is_not_decided_leaves_everything_as_it_was() {
    let scene = Scene::new();
    let mut restore = Restore::prepare(&scene.backup(), &scene.data()).unwrap();
    grow(restore.incoming(), 3);
    drop(restore);
    assert!(!scene.names().iter().any(|name| name.contains("incoming")));
    let mut store = SqliteStore::open(&scene.data()).unwrap();
    assert_eq!(store.reader().head().unwrap(), scene.head);
    assert!(store.beside().load_snapshot().is_some());
    grow(&mut store, 1);
    drop(store);
    // And it is not in the way of the next one.
    let restore = Restore::prepare(&scene.backup(), &scene.data()).unwrap();
    assert_eq!(restore.install(now()).unwrap().head, scene.saved);
}

#[test]
fn a_decided_restore_is_finished_by_the_next_opening_without_the_log_of_the_old_journal() {
    let scene = Scene::new();
    let log = {
        let mut killed = SqliteStore::open(&scene.data()).unwrap();
        grow(&mut killed, 5);
        std::fs::read(scene.data().join("lever.db-wal")).unwrap()
    };
    // As a crash right behind the decision leaves it, when the old journal was not closed either.
    std::fs::copy(scene.backup(), scene.data().join("lever.db.restoring")).unwrap();
    std::fs::write(scene.data().join("lever.db-wal"), log).unwrap();
    let store = SqliteStore::open(&scene.data()).unwrap();
    let found = store.reader().verify(None, &mut |_| {}).unwrap();
    assert_eq!(found, scene.saved);
    assert!(!scene.names().contains(&"lever.db.restoring".to_owned()));
}

#[test]
fn a_restore_under_a_running_server_is_refused() {
    let scene = Scene::new();
    let running = SqliteStore::open(&scene.data()).unwrap();
    let error = Restore::prepare(&scene.backup(), &scene.data()).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
    assert_eq!(running.reader().head().unwrap(), scene.head);
}

#[test]
fn nobody_else_gets_in_while_a_restore_is_prepared() {
    let scene = Scene::new();
    let restore = Restore::prepare(&scene.backup(), &scene.data()).unwrap();
    let error = SqliteStore::open(&scene.data()).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
    restore.install(now()).unwrap();
    SqliteStore::open(&scene.data()).unwrap();
}

#[test]
fn a_backup_that_is_damaged_foreign_newer_or_missing_is_refused_and_nothing_is_changed() {
    let open_up = "DROP TRIGGER journal_is_not_edited;";
    let edit = format!("{open_up} UPDATE journal SET text = '{{}}' WHERE revision = 3");
    for (sql, says) in [
        (Some(&*edit), "damaged at revision 3"),
        (
            Some("PRAGMA application_id = 7"),
            "not a Leverframe journal",
        ),
        (
            Some("INSERT INTO migration VALUES (99, 'from the future')"),
            "schema 99",
        ),
        (None, "no journal"),
    ] {
        let scene = Scene::new();
        let names = scene.names();
        match sql {
            Some(sql) => by_hand(scene.home.path(), "backup", sql),
            None => std::fs::remove_file(scene.backup()).unwrap(),
        }
        let error = Restore::prepare(&scene.backup(), &scene.data()).unwrap_err();
        assert!(matches!(error, StoreError::BadBackup { .. }), "{error:?}");
        let error = error.to_string();
        assert!(error.contains(says), "{error}");
        assert!(!error.contains("lever restore"), "{error}");
        assert_eq!(scene.names(), names);
        let store = SqliteStore::open(&scene.data()).unwrap();
        assert_eq!(store.reader().head().unwrap(), scene.head);
    }
}

#[test]
fn a_journal_that_is_past_reading_is_replaced_and_kept_as_it_is() {
    let scene = Scene::new();
    let garbage = "garbage ".repeat(2_000);
    std::fs::write(scene.data().join("lever.db"), &garbage).unwrap();
    let restore = Restore::prepare(&scene.backup(), &scene.data()).unwrap();
    assert!(matches!(restore.current(), Err(StoreError::Corrupt { .. })));
    let restored = restore.install(now()).unwrap();
    let kept = std::fs::read_to_string(restored.aside.unwrap()).unwrap();
    assert_eq!(kept, garbage);
    assert_eq!(head_of(&scene.data().join("lever.db")), scene.saved);
}

#[test]
fn a_restore_into_an_empty_place_keeps_nothing_aside() {
    let scene = Scene::new();
    let empty = scene.home.path().join("empty");
    let restore = Restore::prepare(&scene.backup(), &empty).unwrap();
    assert!(restore.current().unwrap().is_none());
    assert_eq!(restore.install(now()).unwrap().aside, None);
    let store = SqliteStore::open(&empty).unwrap();
    assert_eq!(store.reader().head().unwrap(), scene.saved);
}
