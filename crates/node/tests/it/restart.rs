//! What a restart keeps.

use crate::bench::{Bench, SOON};

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
