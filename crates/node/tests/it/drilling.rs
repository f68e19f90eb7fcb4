//! Drills: pulled the real way, measured, and ended whatever happens.

use std::collections::BTreeSet;
use std::time::Duration;

use leverframe_core::access::{Actor, Role, Token};
use leverframe_core::environment::Environment;
use leverframe_core::{
    Command, Decision, Entry, Meta, State, Timestamp, Why, decide, first_events,
};
use leverframe_node::{DRILL_TIME_MAX, SubmitError};
use leverframe_store::memory::{Disk, Failure};
use leverframe_store::{MemoryStore, Store as _};

use crate::bench::{Bench, boolean, environment_key, flag_key};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn start(flag: &str) -> Command {
    Command::StartDrill {
        flag: flag_key(flag),
        environment: environment_key("prod"),
    }
}

async fn half_open() -> Bench {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    bench.open("checkout", "prod", 50).await;
    bench
}

#[tokio::test]
async fn a_drill_measures_until_everybody_has_it_and_puts_the_lever_back() {
    let bench = half_open().await;
    for instance in ["web-1", "web-2"] {
        bench.follow("prod", instance);
    }
    let request = bench.request(start("checkout"));
    let report = bench.node.drill(request, DRILL_TIME_MAX).await.unwrap();
    assert!(report.drill.is_passed(), "{}", report.drill.sentence());
    let result = report.drill.result.as_ref().unwrap();
    assert_eq!((result.confirmed, result.expected), (2, 2));
    assert!(report.confirm_ms.is_some());
    assert!(report.back_ms.is_some(), "everybody has it back");
    assert_eq!(bench.position("checkout", "prod"), "open to 50 %");
}

#[tokio::test]
async fn who_does_not_confirm_fails_the_drill_by_name_and_the_lever_is_put_back() {
    let bench = half_open().await;
    bench.follow("prod", "web-1");
    bench.join("prod", "web-2");
    let request = bench.request(start("checkout"));
    // Long enough for the one that follows, on a machine that is busy.
    let at_most = Duration::from_secs(2);
    let report = bench.node.drill(request, at_most).await.unwrap();
    assert!(!report.drill.is_passed());
    let result = report.drill.result.as_ref().unwrap();
    assert_eq!((result.confirmed, result.expected), (1, 2));
    assert_eq!(result.missing, ["web-2".into()]);
    assert_eq!(bench.position("checkout", "prod"), "open to 50 %");
}

#[tokio::test]
async fn a_drill_that_nobody_follows_is_no_success() {
    let bench = half_open().await;
    let request = bench.request(start("checkout"));
    let report = bench.node.drill(request, DRILL_TIME_MAX).await.unwrap();
    let result = report.drill.result.as_ref().unwrap();
    assert_eq!((result.confirmed_ms, result.expected), (None, 0));
    assert!(!report.drill.is_passed());
    assert!(report.drill.sentence().contains("nobody follows"));
    assert_eq!(bench.position("checkout", "prod"), "open to 50 %");
}

#[tokio::test]
async fn a_drill_is_ended_although_whoever_asked_has_gone() {
    let bench = half_open().await;
    bench.join("prod", "web-1");
    let asked = tokio::spawn({
        let (node, request) = (bench.node.clone(), bench.request(start("checkout")));
        async move { node.drill(request, DRILL_TIME_MAX).await }
    });
    let drill = bench.until(under_way).await;
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    bench.acknowledge("prod", "web-1", drill);
    let passed = bench.until(|bench| ended(bench, drill)).await;
    assert!(passed);
    assert_eq!(bench.position("checkout", "prod"), "open to 50 %");
}

#[tokio::test]
async fn a_drill_that_a_restart_interrupted_is_ended_by_the_next_start() {
    let bench = half_open().await;
    bench.join("prod", "web-1");
    let node = bench.node.clone();
    let request = bench.request(start("checkout"));
    let asked = tokio::spawn(async move { node.drill(request, DRILL_TIME_MAX).await });
    let drill = bench.until(under_way).await;
    bench.node.stop().await;
    let refused = asked.await.unwrap().unwrap_err();
    assert!(
        matches!(refused, SubmitError::Unavailable { .. }),
        "{refused}"
    );

    let bench = bench.restarted().await;
    assert_eq!(bench.position("checkout", "prod"), "closed");
    bench.acknowledge("prod", "web-1", drill);
    assert!(bench.until(|bench| ended(bench, drill)).await);
    assert_eq!(bench.position("checkout", "prod"), "open to 50 %");
}

#[tokio::test]
async fn the_end_of_a_drill_waits_for_a_store_that_refuses() {
    let bench = half_open().await;
    bench.join("prod", "web-1");
    let node = bench.node.clone();
    let request = bench.request(start("checkout"));
    let asked = tokio::spawn(async move { node.drill(request, DRILL_TIME_MAX).await });
    let drill = bench.until(under_way).await;
    bench
        .disk
        .faults()
        .fail_appends(Some(Failure::BeforeDurable));
    bench.acknowledge("prod", "web-1", drill);
    bench
        .until(|bench| (!bench.node.health().writable).then_some(()))
        .await;
    assert_eq!(bench.position("checkout", "prod"), "closed");
    bench.disk.faults().fail_appends(None);
    assert!(bench.until(|bench| ended(bench, drill)).await);
    drop(asked);
    assert_eq!(bench.position("checkout", "prod"), "open to 50 %");
}

#[tokio::test]
async fn scheduled_drills_run_by_themselves_but_not_of_what_was_killed() {
    let disk = Disk::new();
    let now = Bench::new().await.node.wall_now();
    let schedule = |flag: &str| Command::ScheduleDrill {
        flag: flag_key(flag),
        environment: environment_key("prod"),
        every_ms: Some(DAY_MS),
    };
    let commands = [
        create("checkout"),
        create("killed"),
        crate::bench::close("killed", "prod"),
        schedule("killed"),
        schedule("checkout"),
    ];
    // The day is over in a second.
    write_journal(&disk, now.plus_ms(1_000 - DAY_MS), commands);
    let bench = Bench::on(disk).await;
    bench.follow("prod", "web-1");
    assert_eq!(bench.node.state().drills().count(), 0);
    let drills = bench
        .until(|bench| {
            let state = bench.node.state();
            let is_over = state.drills().any(|drill| drill.result.is_some());
            is_over.then(|| state.drills().cloned().collect::<Vec<_>>())
        })
        .await;
    assert_eq!(drills.len(), 1, "{drills:?}");
    assert_eq!(drills[0].flag, flag_key("checkout"));
    assert!(drills[0].is_passed(), "{}", drills[0].sentence());
}

fn under_way(bench: &Bench) -> Option<u64> {
    let state = bench.node.state();
    state.drills().next().map(|drill| drill.revision)
}

/// Whether it passed, once it is over.
fn ended(bench: &Bench, drill: u64) -> Option<bool> {
    let state = bench.node.state();
    let drill = state.drill(drill).unwrap();
    drill.result.as_ref().map(|_| drill.is_passed())
}

fn create(flag: &str) -> Command {
    Command::CreateFlag {
        definition: Box::new(boolean(flag)),
    }
}

/// Writes a journal in which all of this was commanded at `now`.
fn write_journal(disk: &Disk, now: Timestamp, commands: impl IntoIterator<Item = Command>) {
    let meta = Meta {
        now,
        steady: now,
        actor: Actor::System,
        via: "test".into(),
        why: Why {
            reason: Some("a test".into()),
            incident: None,
        },
        if_match: None,
        idempotency: None,
        entropy: 0,
    };
    let prod = Environment {
        key: environment_key("prod"),
        guarded: true,
    };
    let admin = Token {
        id: "tok_admin".into(),
        name: "admin".into(),
        role: Role::Admin,
        environments: BTreeSet::new(),
        keys: BTreeSet::new(),
        secret_sha256: "0".repeat(64).into(),
        expires_at: None,
    };
    let mut state = State::new();
    let mut entries = Vec::new();
    let mut take = |state: &mut State, events| {
        let entry = Entry::seal(state.next_record(events, &meta), state.head()).unwrap();
        state.apply(&entry).unwrap();
        entries.push(entry);
    };
    take(&mut state, first_events("journal-1", [prod], admin));
    for command in commands {
        match decide(&state, &command, &meta).unwrap() {
            Decision::Append(events) => take(&mut state, events),
            other => panic!("{command:?} gave {other:?}"),
        }
    }
    let mut store = MemoryStore::open(disk);
    let fence = store.take_leadership(now).unwrap();
    store.append(0, fence, &entries).unwrap();
}
