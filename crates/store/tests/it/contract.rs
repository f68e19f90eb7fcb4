//! What every adapter promises. A new adapter joins by implementing [`Adapter`] and one line of
//! [`contract!`].

use leverframe_core::{Entry, Link, Timestamp, limit};
use leverframe_store::{AppendError, Fence, Head, Store, StoreError, StoredSnapshot};

use crate::entries::{entries, entry, grow};
pub(crate) use crate::measurements::{
    a_closed_interval_never_changes,
    a_measurement_that_is_too_large_is_refused_with_the_whole_batch,
    measurements_are_read_by_what_they_are_of_and_in_pages,
    measurements_are_there_after_reopening_oldest_first,
    old_measurements_are_dropped_and_the_others_stay,
    what_was_measured_lately_is_listed_with_its_last_interval,
};
pub(crate) use crate::sessions::{
    a_session_is_saved_and_dropped_by_its_hash, beyond_the_bound_the_sessions_that_end_first_go,
    sessions_are_there_after_reopening_until_they_are_over, sessions_that_are_over_are_dropped,
};

/// A place where a store keeps things, empty at first.
pub(crate) trait Adapter {
    fn fresh() -> Self;
    /// Opens the store there; the one opened before is gone.
    fn open(&self) -> Box<dyn Store>;
    /// Damages the snapshot with the highest revision, after the store was closed.
    fn damage_newest_snapshot(&self);
}

macro_rules! contract {
    ($adapter:ty: $($promise:ident),+ $(,)?) => {
        $(#[test]
        fn $promise() {
            $crate::contract::$promise::<$adapter>();
        })+
    };
    ($adapter:ty) => {
        $crate::contract::contract!($adapter:
            an_empty_journal_begins_before_revision_one,
            what_was_appended_is_there_after_reopening,
            text_is_kept_byte_for_byte,
            a_wrong_expected_revision_is_a_conflict_and_changes_nothing,
            an_entry_of_another_history_is_a_conflict,
            a_group_is_all_or_nothing,
            an_entry_whose_text_was_changed_is_not_added,
            an_empty_group_changes_nothing,
            the_largest_group_is_added_at_once,
            a_stale_fence_is_refused,
            fences_grow_across_reopening,
            reading_goes_in_pages_and_ends_at_the_head,
            a_reader_sees_what_is_appended_after_it_was_made,
            a_reader_on_another_thread_sees_whole_groups_only,
            a_known_revision_that_the_journal_lacks_is_noticed,
            verifying_walks_the_whole_chain_and_says_how_far_it_is,
            the_last_snapshot_is_there_after_reopening,
            two_snapshots_are_kept_and_offered_the_newest_first,
            a_snapshot_that_is_not_taken_makes_way_for_the_one_before_it,
            a_damaged_snapshot_makes_way_for_the_one_before_it,
            a_save_takes_the_place_of_a_damaged_snapshot_and_spares_the_whole_one,
            with_both_snapshots_damaged_there_is_none,
            rolls_are_kept_by_environment,
            kills_that_are_not_in_the_journal_yet_are_kept_beside_it,
            measurements_are_there_after_reopening_oldest_first,
            a_closed_interval_never_changes,
            measurements_are_read_by_what_they_are_of_and_in_pages,
            what_was_measured_lately_is_listed_with_its_last_interval,
            old_measurements_are_dropped_and_the_others_stay,
            a_measurement_that_is_too_large_is_refused_with_the_whole_batch,
            sessions_are_there_after_reopening_until_they_are_over,
            a_session_is_saved_and_dropped_by_its_hash,
            sessions_that_are_over_are_dropped,
            beyond_the_bound_the_sessions_that_end_first_go,
        );
    };
}
pub(crate) use contract;

pub(crate) fn an_empty_journal_begins_before_revision_one<A: Adapter>() {
    let place = A::fresh();
    let store = place.open();
    let reader = store.reader();
    assert_eq!(reader.head().unwrap(), Head::START);
    assert_eq!(reader.read(0, 10).unwrap(), []);
    assert_eq!(reader.verify(None, &mut |_| {}).unwrap(), Head::START);
    reader.check(Head::START).unwrap();
    assert_eq!(store.beside().load_snapshot(), None);
    assert_eq!(store.beside().load_rolls(), []);
}

pub(crate) fn what_was_appended_is_there_after_reopening<A: Adapter>() {
    let place = A::fresh();
    let group = entries(Head::START, 5);
    {
        let mut store = place.open();
        let fence = lead(&mut *store);
        store.append(0, fence, &group[..2]).unwrap();
        store.append(2, fence, &group[2..]).unwrap();
    }
    let reader = place.open().reader();
    assert_eq!(reader.read(0, 10).unwrap(), group);
    assert_eq!(reader.head().unwrap(), Head::of(&group[4]));
}

pub(crate) fn text_is_kept_byte_for_byte<A: Adapter>() {
    let place = A::fresh();
    let reason = "quote \" backslash \\ null \0 line \n \u{202e}rtl 👩\u{200d}🚒 é e\u{301} '); --";
    let one = entry(Head::START, reason);
    {
        let mut store = place.open();
        let fence = lead(&mut *store);
        store.append(0, fence, std::slice::from_ref(&one)).unwrap();
    }
    assert_eq!(place.open().reader().read(0, 1).unwrap(), [one]);
}

pub(crate) fn a_wrong_expected_revision_is_a_conflict_and_changes_nothing<A: Adapter>() {
    let place = A::fresh();
    let mut store = place.open();
    let head = grow(&mut *store, 3);
    let fence = lead(&mut *store);
    let next = entries(head, 1);
    for wrong in [0, 2, 4, u64::MAX] {
        match store.append(wrong, fence, &next) {
            Err(AppendError::Conflict { head: found }) => assert_eq!(found, head),
            other => panic!("expected revision {wrong} gave {other:?}"),
        }
    }
    assert_eq!(store.reader().head().unwrap(), head);
    store.append(3, fence, &next).unwrap();
}

pub(crate) fn an_entry_of_another_history_is_a_conflict<A: Adapter>() {
    let place = A::fresh();
    let mut store = place.open();
    let head = grow(&mut *store, 1);
    let fence = lead(&mut *store);
    let elsewhere = Head {
        revision: 1,
        link: Link::START.next("another history"),
    };
    let refused = store.append(1, fence, &entries(elsewhere, 1));
    assert!(matches!(refused, Err(AppendError::Conflict { head: found }) if found == head));
    assert_eq!(store.reader().head().unwrap(), head);
}

pub(crate) fn a_group_is_all_or_nothing<A: Adapter>() {
    let place = A::fresh();
    let mut store = place.open();
    let fence = lead(&mut *store);
    let mut group = entries(Head::START, 4);
    group.remove(2);
    let refused = store.append(0, fence, &group);
    assert!(matches!(refused, Err(AppendError::NotNext { revision: 3 })));
    assert_eq!(store.reader().read(0, 10).unwrap(), []);
}

pub(crate) fn an_entry_whose_text_was_changed_is_not_added<A: Adapter>() {
    let place = A::fresh();
    let mut store = place.open();
    let fence = lead(&mut *store);
    let mut group = entries(Head::START, 2);
    group[1].text = group[1].text.replace("Ada", "Eve").into();
    let refused = store.append(0, fence, &group);
    assert!(matches!(refused, Err(AppendError::NotNext { revision: 2 })));
    assert_eq!(store.reader().head().unwrap(), Head::START);
}

pub(crate) fn an_empty_group_changes_nothing<A: Adapter>() {
    let place = A::fresh();
    let mut store = place.open();
    let head = grow(&mut *store, 2);
    let fence = lead(&mut *store);
    store.append(2, fence, &[]).unwrap();
    assert_eq!(store.reader().head().unwrap(), head);
    let refused = store.append(1, fence, &[]);
    assert!(matches!(refused, Err(AppendError::Conflict { .. })));
}

pub(crate) fn the_largest_group_is_added_at_once<A: Adapter>() {
    let place = A::fresh();
    let mut store = place.open();
    let head = grow(&mut *store, limit::GROUP_COMMANDS_MAX);
    assert_eq!(head.revision, limit::GROUP_COMMANDS_MAX as u64);
    assert_eq!(store.reader().verify(None, &mut |_| {}).unwrap(), head);
}

pub(crate) fn a_stale_fence_is_refused<A: Adapter>() {
    let place = A::fresh();
    let mut store = place.open();
    let stale = lead(&mut *store);
    let current = lead(&mut *store);
    assert!(current > stale);
    let group = entries(Head::START, 1);
    let refused = store.append(0, stale, &group);
    assert!(matches!(refused, Err(AppendError::Fenced { current: found }) if found == current));
    assert_eq!(store.reader().head().unwrap(), Head::START);
    store.append(0, current, &group).unwrap();
}

pub(crate) fn fences_grow_across_reopening<A: Adapter>() {
    let place = A::fresh();
    let before = lead(&mut *place.open());
    let mut store = place.open();
    let after = lead(&mut *store);
    assert!(after > before);
    let refused = store.append(0, before, &entries(Head::START, 1));
    assert!(matches!(refused, Err(AppendError::Fenced { .. })));
}

pub(crate) fn reading_goes_in_pages_and_ends_at_the_head<A: Adapter>() {
    let place = A::fresh();
    let mut store = place.open();
    grow(&mut *store, 10);
    let reader = store.reader();
    let all = reader.read(0, usize::MAX).unwrap();
    assert_eq!(all.len(), 10);
    let mut paged: Vec<Entry> = Vec::new();
    loop {
        let after = paged.last().map_or(0, |entry| entry.record.revision);
        let page = reader.read(after, 3).unwrap();
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, all);
    assert_eq!(reader.read(10, 3).unwrap(), []);
    assert_eq!(reader.read(11, 3).unwrap(), []);
    assert_eq!(reader.read(0, 0).unwrap(), []);
}

pub(crate) fn a_reader_sees_what_is_appended_after_it_was_made<A: Adapter>() {
    let place = A::fresh();
    let mut store = place.open();
    let reader = store.reader();
    assert_eq!(reader.head().unwrap(), Head::START);
    let head = grow(&mut *store, 2);
    assert_eq!(reader.head().unwrap(), head);
    assert_eq!(reader.read(1, 10).unwrap().len(), 1);
}

pub(crate) fn a_reader_on_another_thread_sees_whole_groups_only<A: Adapter>() {
    const GROUP: usize = 7;
    const GROUPS: usize = 40;
    let place = A::fresh();
    let mut store = place.open();
    let fence = lead(&mut *store);
    let reader = store.reader();
    let watcher = std::thread::spawn(move || {
        let mut last = 0;
        while last < (GROUP * GROUPS) as u64 {
            let read = reader.read(last, usize::MAX).unwrap();
            last += read.len() as u64;
            assert_eq!(last % GROUP as u64, 0, "a part of a group was seen");
        }
    });
    let mut head = Head::START;
    for _ in 0..GROUPS {
        let group = entries(head, GROUP);
        store.append(head.revision, fence, &group).unwrap();
        head = Head::of(&group[GROUP - 1]);
    }
    watcher.join().unwrap();
}

pub(crate) fn a_known_revision_that_the_journal_lacks_is_noticed<A: Adapter>() {
    let place = A::fresh();
    let mut store = place.open();
    let head = grow(&mut *store, 3);
    let reader = store.reader();
    reader.check(head).unwrap();
    let beyond = Head::of(&entries(head, 1)[0]);
    let other = Head {
        revision: 2,
        link: head.link,
    };
    for (known, bad) in [(beyond, 4), (other, 2)] {
        for found in [
            reader.check(known),
            reader.verify(Some(known), &mut |_| {}).map(|_| ()),
        ] {
            match found {
                Err(StoreError::Corrupt { revision, .. }) => assert_eq!(revision, Some(bad)),
                other => panic!("{known:?} gave {other:?}"),
            }
        }
    }
}

pub(crate) fn verifying_walks_the_whole_chain_and_says_how_far_it_is<A: Adapter>() {
    let place = A::fresh();
    let mut store = place.open();
    for _ in 0..10 {
        grow(&mut *store, 250);
    }
    let head = store.reader().head().unwrap();
    let mut told = Vec::new();
    let found = store
        .reader()
        .verify(Some(head), &mut |revision| told.push(revision))
        .unwrap();
    assert_eq!(found, head);
    assert!(told.is_sorted());
    assert_eq!(told.last(), Some(&2_500));
}

pub(crate) fn the_last_snapshot_is_there_after_reopening<A: Adapter>() {
    let place = A::fresh();
    let last = {
        let mut store = place.open();
        let beside = store.beside();
        beside
            .save_snapshot(&StoredSnapshot {
                head: grow(&mut *store, 1),
                bytes: vec![1; 100],
            })
            .unwrap();
        let last = StoredSnapshot {
            head: grow(&mut *store, 1),
            bytes: vec![2; 3_000_000],
        };
        beside.save_snapshot(&last).unwrap();
        last
    };
    let store = place.open();
    assert_eq!(store.beside().load_snapshot(), Some(last.clone()));
    store.reader().check(last.head).unwrap();
}

/// A place with snapshots at the revisions 1, 2 and 3, saved by as many processes.
fn with_three_snapshots<A: Adapter>() -> A {
    let place = A::fresh();
    for revision in 1..=3 {
        save(&place, revision);
    }
    place
}

fn save<A: Adapter>(place: &A, revision: u64) {
    place
        .open()
        .beside()
        .save_snapshot(&StoredSnapshot {
            head: Head {
                revision,
                link: Link::START.next(&revision.to_string()),
            },
            bytes: vec![u8::try_from(revision).unwrap(); 10_000],
        })
        .unwrap();
}

/// The revisions of the snapshots that are offered to somebody who takes none.
fn offered<A: Adapter>(place: &A) -> Vec<u64> {
    let mut offered = Vec::new();
    place.open().beside().offer_snapshots(&mut |snapshot| {
        let revision = snapshot.head.revision;
        assert_eq!(
            snapshot.bytes,
            vec![u8::try_from(revision).unwrap(); 10_000]
        );
        offered.push(revision);
        false
    });
    offered
}

pub(crate) fn two_snapshots_are_kept_and_offered_the_newest_first<A: Adapter>() {
    let place = with_three_snapshots::<A>();
    assert_eq!(offered(&place), [3, 2]);
    let store = place.open();
    for revision in 4..=7 {
        let snapshot = StoredSnapshot {
            head: Head {
                revision,
                link: Link::START,
            },
            bytes: Vec::new(),
        };
        store.beside().save_snapshot(&snapshot).unwrap();
        assert_eq!(store.beside().load_snapshot(), Some(snapshot));
    }
}

pub(crate) fn a_snapshot_that_is_not_taken_makes_way_for_the_one_before_it<A: Adapter>() {
    let place = with_three_snapshots::<A>();
    let beside = place.open().beside();
    let mut taken = None;
    beside.offer_snapshots(&mut |snapshot| {
        let is_wanted = snapshot.head.revision == 2;
        taken = is_wanted.then_some(snapshot);
        is_wanted
    });
    assert_eq!(taken.unwrap().head.revision, 2);
}

pub(crate) fn a_damaged_snapshot_makes_way_for_the_one_before_it<A: Adapter>() {
    let place = with_three_snapshots::<A>();
    place.damage_newest_snapshot();
    assert_eq!(offered(&place), [2]);
    let loaded = place.open().beside().load_snapshot().unwrap();
    assert_eq!(loaded.head.revision, 2);
}

pub(crate) fn a_save_takes_the_place_of_a_damaged_snapshot_and_spares_the_whole_one<A: Adapter>() {
    let place = with_three_snapshots::<A>();
    place.damage_newest_snapshot();
    save(&place, 4);
    assert_eq!(offered(&place), [4, 2]);
    save(&place, 5);
    assert_eq!(offered(&place), [5, 4]);
}

pub(crate) fn with_both_snapshots_damaged_there_is_none<A: Adapter>() {
    let place = A::fresh();
    save(&place, 1);
    place.damage_newest_snapshot();
    assert!(offered(&place).is_empty());
    assert_eq!(place.open().beside().load_snapshot(), None);
    save(&place, 2);
    place.damage_newest_snapshot();
    assert!(offered(&place).is_empty());
    save(&place, 3);
    assert_eq!(offered(&place), [3]);
}

pub(crate) fn rolls_are_kept_by_environment<A: Adapter>() {
    let place = A::fresh();
    {
        let beside = place.open().beside();
        beside.save_roll("prod", b"one").unwrap();
        beside.save_roll("dev", b"two").unwrap();
        beside.save_roll("prod", b"three").unwrap();
    }
    let rolls = place.open().beside().load_rolls();
    assert_eq!(
        rolls,
        [
            ("dev".into(), b"two".to_vec()),
            ("prod".into(), b"three".to_vec())
        ]
    );
}

pub(crate) fn kills_that_are_not_in_the_journal_yet_are_kept_beside_it<A: Adapter>() {
    let place = A::fresh();
    {
        let beside = place.open().beside();
        assert_eq!(beside.load_brakes(), None);
        beside.save_brakes(b"one").unwrap();
        beside.save_brakes(b"two").unwrap();
    }
    assert_eq!(
        place.open().beside().load_brakes().as_deref(),
        Some(&b"two"[..])
    );
}

fn lead(store: &mut dyn Store) -> Fence {
    store.take_leadership(Timestamp::default()).unwrap()
}
