//! The memory adapter: the contract, and that it fails exactly as it was told.

use leverframe_core::Timestamp;
use leverframe_store::memory::{Disk, Failure};
use leverframe_store::{AppendError, Head, MemoryStore, Store, StoreError, StoredSnapshot};

use crate::contract::{Adapter, contract};
use crate::entries::{entries, grow};

pub(crate) struct InMemory(Disk);

impl Adapter for InMemory {
    fn fresh() -> Self {
        Self(Disk::new())
    }

    fn open(&self) -> Box<dyn Store> {
        Box::new(MemoryStore::open(&self.0))
    }

    fn damage_newest_snapshot(&self) {
        self.0.faults().damage_snapshot();
    }
}

contract!(InMemory);

#[test]
fn a_failure_before_durability_stores_nothing_and_the_next_append_works() {
    let disk = Disk::new();
    let mut store = MemoryStore::open(&disk);
    let fence = store.take_leadership(Timestamp::default()).unwrap();
    let group = entries(Head::START, 1);
    disk.faults().fail_next_append(Failure::BeforeDurable);
    let failed = store.append(0, fence, &group);
    assert!(matches!(
        failed,
        Err(AppendError::Failed(StoreError::Unavailable { .. }))
    ));
    assert_eq!(store.reader().head().unwrap(), Head::START);
    store.append(0, fence, &group).unwrap();
}

#[test]
fn a_failure_after_durability_is_an_error_although_the_group_is_there() {
    let disk = Disk::new();
    let mut store = MemoryStore::open(&disk);
    let fence = store.take_leadership(Timestamp::default()).unwrap();
    let group = entries(Head::START, 2);
    disk.faults().fail_next_append(Failure::AfterDurable);
    assert!(store.append(0, fence, &group).is_err());
    disk.cut_power();
    assert_eq!(store.reader().head().unwrap(), Head::of(&group[1]));
}

#[test]
fn a_full_disk_stays_full_until_there_is_room() {
    let disk = Disk::new();
    let mut store = MemoryStore::open(&disk);
    let fence = store.take_leadership(Timestamp::default()).unwrap();
    let group = entries(Head::START, 1);
    disk.faults().fail_appends(Some(Failure::Full));
    for _ in 0..3 {
        let failed = store.append(0, fence, &group);
        assert!(matches!(
            failed,
            Err(AppendError::Failed(StoreError::DiskFull { .. }))
        ));
    }
    disk.faults().fail_appends(None);
    store.append(0, fence, &group).unwrap();
}

#[test]
fn a_disk_that_lies_about_syncs_loses_acknowledged_entries_with_the_power() {
    let disk = Disk::new();
    let mut store = MemoryStore::open(&disk);
    let kept = grow(&mut store, 2);
    disk.faults().ignore_syncs(true);
    grow(&mut store, 3);
    disk.cut_power();
    assert_eq!(store.reader().head().unwrap(), kept);
}

#[test]
fn an_honest_disk_loses_nothing_with_the_power() {
    let disk = Disk::new();
    let head = grow(&mut MemoryStore::open(&disk), 3);
    disk.cut_power();
    let reader = MemoryStore::open(&disk).reader();
    assert_eq!(reader.verify(Some(head), &mut |_| {}).unwrap(), head);
}

#[test]
fn an_edited_and_a_removed_record_are_named() {
    let disk = Disk::new();
    grow(&mut MemoryStore::open(&disk), 5);
    let reader = MemoryStore::open(&disk).reader();
    disk.faults().remove(4);
    assert_eq!(first_bad(&reader.verify(None, &mut |_| {})), Some(4));
    assert_eq!(first_bad(&reader.read(4, 10)), Some(4));
    disk.faults().edit(2, "{}");
    assert_eq!(first_bad(&reader.verify(None, &mut |_| {})), Some(2));
    assert_eq!(first_bad(&reader.read(1, 10)), Some(2));
}

#[test]
fn a_damaged_snapshot_is_as_good_as_none_until_the_next_is_saved() {
    let disk = Disk::new();
    let beside = MemoryStore::open(&disk).beside();
    let snapshot = StoredSnapshot {
        head: Head::START,
        bytes: b"state".to_vec(),
    };
    beside.save_snapshot(&snapshot).unwrap();
    disk.faults().damage_snapshot();
    assert_eq!(beside.load_snapshot(), None);
    beside.save_snapshot(&snapshot).unwrap();
    assert_eq!(beside.load_snapshot(), Some(snapshot));
}

#[test]
fn reads_fail_while_they_are_told_to_and_appends_go_on() {
    let disk = Disk::new();
    let mut store = MemoryStore::open(&disk);
    let fence = store.take_leadership(Timestamp::default()).unwrap();
    disk.faults().fail_reads(true);
    assert!(store.reader().head().is_err());
    assert!(store.reader().read(0, 1).is_err());
    store.append(0, fence, &entries(Head::START, 1)).unwrap();
    disk.faults().fail_reads(false);
    assert_eq!(store.reader().head().unwrap().revision, 1);
}

#[test]
fn a_leader_that_was_replaced_while_it_was_paused_cannot_write() {
    let disk = Disk::new();
    let mut paused = MemoryStore::open(&disk);
    let old = paused.take_leadership(Timestamp::default()).unwrap();
    let mut leader = MemoryStore::open(&disk);
    let new = leader.take_leadership(Timestamp::default()).unwrap();
    let group = entries(Head::START, 1);
    let refused = paused.append(0, old, &group);
    assert!(matches!(refused, Err(AppendError::Fenced { current }) if current == new));
    leader.append(0, new, &group).unwrap();
}

fn first_bad<T>(result: &Result<T, StoreError>) -> Option<u64> {
    match result {
        Err(StoreError::Corrupt { revision, .. }) => *revision,
        _ => None,
    }
}
