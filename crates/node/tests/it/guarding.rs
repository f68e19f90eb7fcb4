//! The guard: what stops going forward by itself.

use std::sync::Arc;
use std::time::Duration;

use leverframe_core::access::Actor;
use leverframe_core::rollout::{Cause, Phase, Plan, Rollout};
use leverframe_core::{Command, Entry, Event, Meta, Why};
use leverframe_flags::Position;
use leverframe_node::Options;
use leverframe_store::memory::{Disk, Failure};
use leverframe_store::{MemoryStore, Store as _};

use crate::bench::{Bench, boolean, environment_key};

async fn quick(disk: Disk) -> Bench {
    let options = Options {
        tick: Duration::from_millis(10),
        ..Options::default()
    };
    Bench::with(disk, options).await
}

#[tokio::test]
async fn nothing_goes_forward_while_changes_cannot_be_stored() {
    let bench = quick(Disk::new()).await;
    let prod = environment_key("prod");
    assert_eq!(bench.node.is_held(&prod), None);
    bench
        .disk
        .faults()
        .fail_appends(Some(Failure::BeforeDurable));
    let create = || Command::CreateFlag {
        definition: Box::new(boolean("checkout")),
    };
    bench.submit(create()).await.unwrap_err();
    let why = bench.until(|bench| bench.node.is_held(&prod)).await;
    assert!(why.contains("could not be stored"), "{why}");
    let problems = bench.node.health().problems;
    assert!(
        problems
            .iter()
            .any(|problem| problem.contains("nothing goes forward in prod"))
    );
    bench.disk.faults().fail_appends(None);
    bench.submit(create()).await.unwrap();
    bench
        .until(|bench| bench.node.is_held(&prod).is_none().then_some(()))
        .await;
}

/// Writes that a rollout of a flag was convicted a moment ago.
fn convict(bench: &Bench, flag: &str) {
    let state = bench.node.state();
    let now = bench.node.steady_now();
    let rollout: Rollout = serde_json::from_value(serde_json::json!({
        "id": format!("ro_{flag}"), "flag": flag, "environment": "prod",
        "plan": Plan::safe(), "before": Position::start(), "lever_revision": 0,
        "phase": Phase::Warm, "since": now, "proved": null,
        "started_by": "ana", "started_by_id": "tok_1", "started_at": now, "moves": [],
    }))
    .unwrap();
    let moved = Event::RolloutMoved {
        rollout: rollout.id.clone(),
        at: now,
        to: Phase::RolledBack,
        proved: None,
        cause: Cause::Harm {
            metrics: vec!["errors".into()],
        },
        sentence: "convicted".into(),
        sights: Vec::new(),
    };
    let started = Event::RolloutStarted {
        rollout: Arc::new(rollout),
    };
    let meta = Meta {
        now: bench.node.wall_now(),
        steady: now,
        actor: Actor::System,
        via: "test".into(),
        why: Why::default(),
        if_match: None,
        idempotency: None,
        entropy: 0,
    };
    let record = state.next_record(vec![started, moved], &meta);
    let entry = Entry::seal(record, state.head()).unwrap();
    let mut store = MemoryStore::open(&bench.disk);
    let fence = store.take_leadership(meta.now).unwrap();
    store.append(state.revision(), fence, &[entry]).unwrap();
}

#[tokio::test]
async fn three_rollouts_that_went_bad_freeze_their_environment_until_a_person_thaws_it() {
    let mut bench = quick(Disk::new()).await;
    for flag in ["one", "two", "three"] {
        bench.create_flag(flag).await;
        bench.node.stop().await;
        convict(&bench, flag);
        bench = quick(bench.disk.clone()).await;
    }
    let freeze = |bench: &Bench| {
        let state = bench.node.state();
        state.freeze("prod", bench.node.wall_now()).cloned()
    };
    let frozen = bench.until(freeze).await;
    assert_eq!(&*frozen.by, "system");
    let reason = frozen.reason.unwrap();
    assert!(reason.contains("ro_one, ro_three, ro_two"), "{reason}");
    let minutes = frozen.until.ms_since(frozen.at) / 60_000;
    assert!((29..=30).contains(&minutes));
    assert!(
        bench.node.state().freeze("staging", frozen.at).is_none(),
        "nothing went bad there"
    );
    let thaw = Command::Thaw {
        environment: environment_key("prod"),
    };
    bench.submit(thaw).await.unwrap();
    // A look of the guard later it is still so.
    bench
        .disk
        .faults()
        .fail_appends(Some(Failure::BeforeDurable));
    let create = Command::CreateFlag {
        definition: Box::new(boolean("checkout")),
    };
    bench.submit(create).await.unwrap_err();
    bench
        .until(|bench| bench.node.is_held(&environment_key("prod")))
        .await;
    assert!(freeze(&bench).is_none());
}
