//! What a restart keeps.

use leverframe_core::access::{Actor, Role, Token};
use leverframe_core::roll::Member;
use leverframe_core::{Command, Entry, Meta, Timestamp, Why};
use leverframe_node::Request;
use leverframe_store::{MemoryStore, Store};

use crate::bench::{Bench, SOON, close};

const HOUR_MS: i64 = 60 * 60 * 1_000;

#[tokio::test]
async fn a_restart_folds_the_same_state_with_and_without_a_snapshot() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    bench.open("checkout", "prod", 25).await;
    let (revision, head) = (bench.node.state().revision(), bench.node.state().head());

    let bench = bench.restarted().await;
    assert_eq!(
        (bench.node.state().revision(), bench.node.state().head()),
        (revision, head)
    );
    let position = bench
        .node
        .state()
        .flag("checkout")
        .unwrap()
        .position("prod")
        .to_string();
    assert_eq!(position, "open to 25 %");

    bench.node.stop().await;
    let bench = bench.restarted().await;
    assert_eq!(
        (bench.node.state().revision(), bench.node.state().head()),
        (revision, head)
    );

    bench.node.stop().await;
    bench.disk.faults().damage_snapshot();
    let bench = bench.restarted().await;
    assert_eq!(
        (bench.node.state().revision(), bench.node.state().head()),
        (revision, head)
    );
    assert_eq!(
        bench
            .node
            .state()
            .flag("checkout")
            .unwrap()
            .position("prod")
            .to_string(),
        position
    );
}

#[tokio::test]
async fn a_kill_stays_killed_over_a_restart() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    bench.open("checkout", "prod", 100).await;
    bench.kill("checkout", "prod").await.unwrap();
    let bench = bench.restarted().await;
    let rules = bench.feed("prod").rules();
    let outcome = rules
        .evaluate("checkout", &leverframe_flags::Context::new("u-1"))
        .unwrap();
    assert_eq!(outcome.value.as_bool(), Some(false));
}

#[tokio::test]
async fn the_roll_survives_a_restart_so_that_a_silent_evaluator_is_still_missed() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    bench.join("prod", "web-1");
    bench.node.stop().await;
    let bench = bench.restarted().await;
    let killed = bench.kill("checkout", "prod").await.unwrap();
    let asked = bench
        .feed("prod")
        .presence()
        .confirmation(killed.receipt.revision);
    assert_eq!(&*asked.confirmation.stragglers[0].instance, "web-1");
    assert!(!asked.confirmation.stragglers[0].is_connected);

    bench.join("prod", "web-1");
    let waited = bench
        .feed("prod")
        .presence()
        .wait(killed.receipt.revision, SOON)
        .await;
    assert!(waited.confirmation.is_complete());
}

#[tokio::test]
async fn an_evaluator_is_missed_after_a_restart_however_long_nothing_had_happened() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    bench.join("prod", "web-1");
    bench.node.stop().await;
    // It joined an hour ago and was there all the time, which gave nothing to store.
    let beside = MemoryStore::open(&bench.disk).beside();
    let (environment, stored) = beside.load_rolls().swap_remove(0);
    let mut members: Vec<Member> = serde_json::from_slice(&stored).unwrap();
    for member in &mut members {
        member.last_seen = member.last_seen.plus_ms(-HOUR_MS);
    }
    let stored = serde_json::to_vec(&members).unwrap();
    beside.save_roll(&environment, &stored).unwrap();

    let bench = bench.restarted().await;
    let killed = bench.kill("checkout", "prod").await.unwrap();
    let asked = bench
        .feed("prod")
        .presence()
        .confirmation(killed.receipt.revision);
    assert!(
        !asked.confirmation.is_empty_roll(),
        "web-1 follows, and was not heard yet"
    );
    assert_eq!(&*asked.confirmation.stragglers[0].instance, "web-1");
}

#[tokio::test]
async fn a_clock_that_ran_ahead_once_takes_the_brake_from_nobody() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    let now = bench.node.wall_now();
    let token = Token {
        id: "oncall".into(),
        name: "oncall".into(),
        role: Role::Brake,
        environments: [].into(),
        keys: [].into(),
        secret_sha256: "0".repeat(64).into(),
        expires_at: Some(now.plus_ms(24 * HOUR_MS)),
    };
    let create = Command::CreateToken {
        token: Box::new(token),
    };
    bench.submit(create).await.unwrap();
    bench.node.stop().await;
    append_at(&bench, now.plus_ms(10 * 365 * 24 * HOUR_MS));

    let bench = bench.restarted().await;
    let actor = Actor::Token {
        id: "oncall".into(),
    };
    let request = Request {
        actor,
        ..bench.request(close("checkout", "prod"))
    };
    let killed = bench.node.submit(request).await;
    assert!(killed.is_ok(), "{killed:?}");
}

/// Somebody creates a flag while the clock says `now`.
fn append_at(bench: &Bench, now: Timestamp) {
    let state = bench.node.state();
    let command = Command::CreateFlag {
        definition: Box::new(crate::bench::boolean("another")),
    };
    let meta = Meta {
        now,
        steady: now,
        actor: Actor::System,
        via: "test".into(),
        why: Why::default(),
        if_match: None,
        idempotency: None,
        entropy: 0,
    };
    let Ok(leverframe_core::Decision::Append(events)) =
        leverframe_core::decide(&state, &command, &meta)
    else {
        panic!("it can be created");
    };
    let entry = Entry::seal(state.next_record(events, &meta), state.head()).unwrap();
    let mut store = MemoryStore::open(&bench.disk);
    let fence = store.take_leadership(now).unwrap();
    store.append(state.revision(), fence, &[entry]).unwrap();
}

#[tokio::test]
async fn a_session_survives_a_restart_and_its_end_does_too() {
    let bench = Bench::new().await;
    let token = bench.admin.id().to_owned();
    let kept = bench.node.sessions().begin("kept", &token);
    let ended = bench.node.sessions().begin("ended", &token);
    bench.node.stop().await;
    let bench = bench.restarted().await;
    assert_eq!(bench.node.sessions().find("kept"), Some(kept.clone()));
    bench.node.sessions().end(&ended);
    bench.node.stop().await;
    let bench = bench.restarted().await;
    assert_eq!(bench.node.sessions().find("kept"), Some(kept));
    assert_eq!(bench.node.sessions().find("ended"), None);
}
