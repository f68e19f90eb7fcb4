//! P3 over a restore: what was closed since the backup stays closed.

use leverframe_core::{Command, Timestamp, Why};
use leverframe_flags::Position;
use leverframe_node::{Replaced, Request, continue_after_restore};
use leverframe_store::memory::Disk;
use leverframe_store::{Fence, MemoryStore, Store};

use crate::bench::{Bench, close, flag_key};

/// A disk that holds what another one held up to now.
fn backup_of(disk: &Disk) -> Disk {
    let copy = Disk::new();
    let mut store = MemoryStore::open(&copy);
    let entries = MemoryStore::open(disk)
        .reader()
        .read(0, usize::MAX)
        .unwrap();
    let fence: Fence = store.take_leadership(Timestamp::from_ms(0)).unwrap();
    store.append(0, fence, &entries).unwrap();
    copy
}

async fn restored(known: Known) -> Vec<String> {
    let bench = Bench::new().await;
    for flag in ["killed", "still-open"] {
        bench.create_flag(flag).await;
        bench.open(flag, "prod", 100).await;
    }
    let backup = backup_of(&bench.disk);
    let epoch = bench.node.state().epoch();
    bench.kill("killed", "prod").await.unwrap();
    let old = bench.disk.clone();
    drop(bench);

    let mut store = MemoryStore::open(&backup);
    let now = Timestamp::from_ms(1_800_000_000_000);
    let reader;
    let replaced = match known {
        Known::Journal => {
            reader = MemoryStore::open(&old).reader();
            Replaced::Journal(&*reader)
        }
        Known::NothingSoClose => Replaced::CloseAll,
        Known::NothingButKeep => Replaced::KeepPositions,
    };
    let done = continue_after_restore(&mut store, &replaced, now, "test", Why::default()).unwrap();
    assert!(done.epoch > epoch, "a restore begins a new epoch");
    drop(store);
    let bench = Bench::on(backup).await;
    let state = bench.node.state();
    assert_eq!(state.epoch(), done.epoch);
    ["killed", "still-open"]
        .map(|flag| state.flag(flag).unwrap().position("prod").to_string())
        .to_vec()
}

enum Known {
    Journal,
    NothingSoClose,
    NothingButKeep,
}

#[tokio::test]
async fn a_kill_since_the_backup_stays_killed_and_the_rest_is_as_it_was() {
    assert_eq!(restored(Known::Journal).await, ["closed", "open to 100 %"]);
}

#[tokio::test]
async fn where_nobody_knows_what_was_killed_since_everything_can_be_closed() {
    assert_eq!(restored(Known::NothingSoClose).await, ["closed", "closed"]);
}

#[tokio::test]
async fn or_somebody_answers_for_the_positions_in_the_backup() {
    assert_eq!(
        restored(Known::NothingButKeep).await,
        ["open to 100 %", "open to 100 %"]
    );
}

#[tokio::test]
async fn a_lever_that_was_first_opened_and_killed_after_the_backup_stays_latched() {
    let bench = Bench::new().await;
    bench.create_flag("killed").await;
    let backup = backup_of(&bench.disk);
    bench.open("killed", "prod", 100).await;
    bench.kill("killed", "prod").await.unwrap();
    let replaced = MemoryStore::open(&bench.disk).reader();
    let mut store = MemoryStore::open(&backup);
    let now = Timestamp::from_ms(1_800_000_000_000);
    let done = continue_after_restore(
        &mut store,
        &Replaced::Journal(&*replaced),
        now,
        "test",
        Why::default(),
    )
    .unwrap();
    assert_eq!(done.kept_closed.len(), 1);
    drop(store);
    let bench = Bench::on(backup).await;
    let state = bench.node.state();
    assert!(
        matches!(
            state.flag("killed").unwrap().position("prod"),
            Position::Closed { latch: Some(_) }
        ),
        "so that no pin and no edit gets past it"
    );
}

/// `checkout` is open in a backup, and closed since by `closing`; where it stands after the restore.
async fn restored_after(closing: &[Command]) -> String {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    bench.open("checkout", "prod", 100).await;
    let backup = backup_of(&bench.disk);
    for command in closing {
        let seen = bench
            .node
            .state()
            .flag("checkout")
            .unwrap()
            .defined_revision;
        let request = Request {
            if_match: Some(seen),
            ..bench.request(command.clone())
        };
        bench.node.submit(request).await.unwrap();
    }
    let old = bench.disk.clone();
    drop(bench);

    let reader = MemoryStore::open(&old).reader();
    let mut store = MemoryStore::open(&backup);
    let now = Timestamp::from_ms(1_800_000_000_000);
    let replaced = Replaced::Journal(&*reader);
    continue_after_restore(&mut store, &replaced, now, "test", Why::default()).unwrap();
    drop(store);
    let state = Bench::on(backup).await.node.state();
    state.flag("checkout").unwrap().position("prod").to_string()
}

#[tokio::test]
async fn what_an_undo_closed_since_the_backup_stays_closed_too() {
    let undo = Command::Undo { revision: None };
    assert_eq!(restored_after(&[undo]).await, "closed");
}

#[tokio::test]
async fn what_was_killed_and_archived_since_the_backup_does_not_come_back_open() {
    let archive = Command::ArchiveFlag {
        flag: flag_key("checkout"),
    };
    let closing = [close("checkout", "prod"), archive];
    assert_eq!(restored_after(&closing).await, "closed");
}
