//! What people open in a guarded environment is watched where outcomes are reported.

use std::sync::Arc;

use leverframe_core::Command;
use leverframe_core::rollout::{Cause, Phase, Rollout};
use leverframe_flags::{Exposure, Percentage};
use leverframe_node::Request;
use leverframe_store::memory::Disk;

use crate::bench::{Bench, environment_key, flag_key};
use crate::rollouts::{Crowd, compressed};

async fn opened_while_users_come(bad_of_100: u64) -> Crowd {
    let bench = Arc::new(Bench::with(Disk::new(), compressed()).await);
    bench.create_flag("checkout").await;
    bench.open("checkout", "prod", 50).await;
    Crowd {
        bench,
        next: 0,
        bad_of_100,
    }
}

fn watches(bench: &Bench) -> Vec<Arc<Rollout>> {
    let state = bench.node.state();
    let watches = state.rollouts().filter(|rollout| rollout.is_watch);
    watches.cloned().collect()
}

#[tokio::test]
async fn an_opening_by_hand_is_watched_once_outcomes_are_reported_and_closed_when_it_does_harm() {
    let mut crowd = opened_while_users_come(90).await;
    let bench = Arc::clone(&crowd.bench);
    assert!(watches(&bench).is_empty(), "there is nothing to go by yet");
    let closed = {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        loop {
            assert!(std::time::Instant::now() < deadline, "it was not closed");
            crowd.come();
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            let found = watches(&bench);
            if let Some(over) = found.iter().find(|watch| watch.is_over()) {
                break Arc::clone(over);
            }
        }
    };
    assert_eq!(closed.phase, Phase::RolledBack);
    assert_eq!(&*closed.started_by, "first admin");
    assert!(matches!(
        closed.moves.last().unwrap().cause,
        Cause::Harm { .. }
    ));
    assert_eq!(bench.position("checkout", "prod"), "closed");
    assert_eq!(watches(&bench).len(), 1);
}

#[tokio::test]
async fn what_was_opened_without_a_watch_has_none() {
    let mut crowd = opened_while_users_come(0).await;
    let bench = Arc::clone(&crowd.bench);
    bench.create_flag("other").await;
    let unwatched = |flag: &str, percent: u32| {
        let state = bench.node.state();
        let seen = state.lever_revision(state.flag(flag).unwrap(), "prod");
        let opening = Command::Open {
            flag: flag_key(flag),
            environment: environment_key("prod"),
            exposure: Exposure::of(Percentage::from_thousandths(percent * 1_000).unwrap()),
        };
        let opening = Box::new(opening);
        Request {
            if_match: Some(seen),
            ..bench.request(Command::Unwatched { opening })
        }
    };
    bench.node.submit(unwatched("checkout", 60)).await.unwrap();
    let mut come = async || {
        crowd.come();
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    for _ in 0..30 {
        come().await;
    }
    assert!(watches(&bench).is_empty());
    bench.open("checkout", "prod", 70).await;
    for _ in 0..1_000 {
        come().await;
        if !watches(&bench).is_empty() {
            return;
        }
    }
    panic!("the next opening is watched");
}
