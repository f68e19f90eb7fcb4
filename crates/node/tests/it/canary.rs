//! The canary: pulled the very same way, at regular times, and never in anybody's way.

use std::sync::atomic::Ordering;
use std::time::Duration;

use leverframe_core::Command;
use leverframe_core::access::Actor;
use leverframe_node::{CANARY_KEY, Canary, Options};
use leverframe_store::memory::Disk;

use crate::bench::{Bench, environment_key};

async fn with_canary() -> Bench {
    let options = Options {
        canary_every: Some(Duration::from_millis(20)),
        ..Options::default()
    };
    Bench::with(Disk::new(), options).await
}

fn canary(bench: &Bench) -> Option<Canary> {
    let canaries = bench.node.canaries().into_iter();
    let mut of_prod = canaries.filter(|(environment, _)| environment.as_str() == "prod");
    of_prod.next().map(|(_, canary)| canary)
}

#[tokio::test]
async fn the_canary_is_closed_and_opened_again_and_its_times_are_kept() {
    let bench = with_canary().await;
    bench.follow("prod", "web-1");
    let done = bench
        .until(|bench| canary(bench).filter(|canary| canary.last_success.is_some()))
        .await;
    assert_eq!(done.failure, None);
    let measurements = bench.node.measurements();
    assert!(measurements.canary_seconds.snapshot().count > 0);
    assert_eq!(measurements.canary_failures.load(Ordering::Relaxed), 0);
    let entries = bench.node.reader().read(1, 100).unwrap();
    let pulled = entries.iter().filter(|entry| {
        &*entry.record.via == "canary" && &*entry.record.actor == Actor::System.id()
    });
    assert!(pulled.count() >= 4, "made, opened, closed and opened");
    let state = bench.node.state();
    let flag = state.flag(CANARY_KEY).unwrap();
    assert!(flag.is_internal() && !flag.definition.client_visible);
    assert!(flag.lever("staging").is_none(), "nobody follows staging");
}

#[tokio::test]
async fn where_nothing_may_be_opened_the_canary_waits() {
    let bench = with_canary().await;
    let freeze = Command::Freeze {
        environment: environment_key("prod"),
        until: bench.node.wall_now().plus_ms(60_000),
    };
    bench.submit(freeze).await.unwrap();
    bench.follow("prod", "web-1");
    bench.follow("staging", "web-2");
    bench
        .until(|bench| {
            let state = bench.node.state();
            let flag = state.flag(CANARY_KEY)?;
            let is_open = !flag.lever("staging")?.position.is_closed();
            is_open.then_some(())
        })
        .await;
    let state = bench.node.state();
    assert!(state.flag(CANARY_KEY).unwrap().lever("prod").is_none());
    assert_eq!(canary(&bench), None, "that is no failure");
}

#[tokio::test]
async fn a_canary_that_cannot_be_pulled_is_a_problem_until_it_can() {
    let bench = with_canary().await;
    bench.follow("prod", "web-1");
    let faults = bench.disk.faults();
    faults.fail_appends(Some(leverframe_store::memory::Failure::BeforeDurable));
    let problem = |bench: &Bench| {
        let problems = bench.node.health().problems;
        problems
            .into_iter()
            .find(|problem| problem.contains("the canary of prod"))
    };
    bench.until(problem).await;
    faults.fail_appends(None);
    bench
        .until(|bench| canary(bench).filter(|canary| canary.last_success.is_some()))
        .await;
    bench
        .until(|bench| problem(bench).is_none().then_some(()))
        .await;
}
