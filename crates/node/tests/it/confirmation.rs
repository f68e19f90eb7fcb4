//! P4: confirmed means confirmed.

use std::time::Duration;

use leverframe_node::Wanted;
use leverframe_store::memory::Failure;

use crate::bench::{Bench, SOON, hello};

#[tokio::test]
async fn a_kill_is_confirmed_once_everybody_on_the_roll_has_acknowledged_it() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    bench.open("checkout", "prod", 50).await;
    bench.join("prod", "web-1");
    bench.join("prod", "web-2");

    let killed = bench.kill("checkout", "prod").await.unwrap();
    let revision = killed.receipt.revision;
    let feed = bench.feed("prod");
    bench.acknowledge("prod", "web-1", revision);
    let partial = feed.presence().confirmation(revision);
    assert_eq!(
        (
            partial.confirmation.confirmed,
            partial.confirmation.expected
        ),
        (1, 2)
    );
    assert_eq!(&*partial.confirmation.stragglers[0].instance, "web-2");
    assert_eq!(
        partial.elapsed_ms, None,
        "what is not complete has no time of completion"
    );

    let waiting = tokio::spawn({
        let feed = bench.feed("prod");
        async move { feed.presence().wait(revision, SOON).await }
    });
    bench.acknowledge("prod", "web-2", revision);
    let confirmed = waiting.await.unwrap();
    assert!(confirmed.confirmation.is_complete());
    let times = confirmed.confirm_ms.unwrap();
    assert!(times.p50 <= times.p99 && times.p99 <= times.max);
    assert!(times.max <= confirmed.elapsed_ms.unwrap());
}

/// What ends a wait: the last acknowledgement, in whatever order they come, a goodbye of the last who
/// has not, and the same for a kill that is not stored. Each time the wait begins before the first
/// acknowledgement.
#[tokio::test]
async fn a_wait_ends_with_the_last_who_has_it_or_leaves() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    let names = || (0..40).map(|number| format!("web-{number}"));
    names().for_each(|name| bench.join("prod", &name));
    let feed = bench.feed("prod");
    for is_brake in [false, true] {
        for last_leaves in [false, true] {
            bench.open("checkout", "prod", 50).await;
            let failing = is_brake.then_some(Failure::BeforeDurable);
            bench.disk.faults().fail_appends(failing);
            let killed = bench.kill("checkout", "prod").await.unwrap();
            let wanted = killed
                .brake
                .map_or(Wanted::Revision(killed.receipt.revision), Wanted::Brake);
            assert_eq!(killed.brake.is_some(), is_brake);
            let mut waiting = {
                let feed = bench.feed("prod");
                tokio::spawn(async move { feed.presence().wait(wanted, SOON).await })
            };
            let acknowledge = |name: &str| match wanted {
                Wanted::Revision(revision) => bench.acknowledge("prod", name, revision),
                Wanted::Brake(number) => bench.acknowledge_brake("prod", name, number),
            };
            // From the last to the first, so that the one who is missed keeps changing.
            let order: Vec<String> = names().collect();
            for name in order.iter().skip(1).rev() {
                acknowledge(name);
                tokio::task::yield_now().await;
            }
            assert!(!waiting.is_finished());
            if last_leaves {
                feed.presence().goodbye(&order[0]);
            } else {
                acknowledge(&order[0]);
            }
            let waited = (&mut waiting).await.unwrap();
            assert!(waited.confirmation.is_complete(), "{wanted:?}");
            assert!(waited.elapsed_ms.is_some(), "{wanted:?}");
            bench.disk.faults().fail_appends(None);
            bench
                .until(|bench| bench.node.brakes().is_empty().then_some(()))
                .await;
            if last_leaves {
                bench.join("prod", &order[0]);
            }
        }
    }
}

#[tokio::test]
async fn nobody_on_the_roll_is_never_called_confirmed() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    let killed = bench.kill("checkout", "prod").await.unwrap();
    let waited = bench
        .feed("prod")
        .presence()
        .wait(killed.receipt.revision, SOON)
        .await;
    assert!(waited.confirmation.is_empty_roll());
    assert!(!waited.confirmation.is_complete());
}

#[tokio::test]
async fn who_joined_and_has_no_snapshot_yet_does_not_count() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    bench.feed("prod").presence().join(hello("web-1")).unwrap();
    let killed = bench.kill("checkout", "prod").await.unwrap();
    let asked = bench
        .feed("prod")
        .presence()
        .confirmation(killed.receipt.revision);
    assert_eq!(
        (asked.confirmation.expected, asked.confirmation.joining),
        (0, 1)
    );
}

#[tokio::test]
async fn who_was_sent_a_snapshot_counts_though_nothing_was_heard_of_it_since() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    let feed = bench.feed("prod");
    feed.presence().join(hello("web-1")).unwrap();
    feed.presence().snapshot_sent("web-1");
    let killed = bench.kill("checkout", "prod").await.unwrap();
    let asked = feed.presence().confirmation(killed.receipt.revision);
    assert_eq!(
        &*asked.confirmation.stragglers[0].instance, "web-1",
        "it may be stopped right after it began to answer open"
    );
}

#[tokio::test]
async fn who_leaves_without_goodbye_during_a_kill_is_a_straggler_and_with_goodbye_is_not() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    for instance in ["web-1", "web-2", "web-3"] {
        bench.join("prod", instance);
    }
    let killed = bench.kill("checkout", "prod").await.unwrap();
    let feed = bench.feed("prod");
    bench.acknowledge("prod", "web-1", killed.receipt.revision);
    feed.presence().goodbye("web-2");
    feed.presence().disconnected("web-3");
    let waited = feed
        .presence()
        .wait(killed.receipt.revision, Duration::from_millis(50))
        .await;
    assert!(!waited.confirmation.is_complete());
    let names: Vec<&str> = waited
        .confirmation
        .stragglers
        .iter()
        .map(|straggler| &*straggler.instance)
        .collect();
    assert_eq!(names, ["web-3"]);
}

#[tokio::test]
async fn a_revision_that_does_not_concern_an_environment_is_not_waited_for_there() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    bench.join("prod", "web-1");
    let killed = bench.kill("checkout", "dev").await.unwrap();
    assert_eq!(killed.environments.len(), 1);
    let asked = bench
        .feed("prod")
        .presence()
        .wait(killed.receipt.revision, SOON)
        .await;
    assert!(asked.confirmation.is_complete());
}

#[tokio::test]
async fn a_second_kill_answers_with_the_revision_of_the_first() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    let first = bench.kill("checkout", "prod").await.unwrap();
    let second = bench.kill("checkout", "prod").await.unwrap();
    assert!(second.unchanged);
    assert_eq!(second.receipt.revision, first.receipt.revision);
    assert_eq!(
        second.environments, first.environments,
        "so that it can be waited for"
    );
    assert_eq!(bench.node.state().revision(), first.receipt.revision);
}

#[tokio::test]
async fn who_joins_later_is_not_timed_for_what_was_there_before() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    let before = bench
        .kill("checkout", "prod")
        .await
        .unwrap()
        .receipt
        .revision;
    let feed = bench.feed("prod");
    bench.join("prod", "web-1");
    let asked = feed.presence().confirmation(before);
    assert!(
        asked.confirmation.is_complete(),
        "its snapshot has the kill"
    );
    assert!(
        asked.confirm_ms.is_none() && asked.elapsed_ms.is_none(),
        "it was not there to be reached"
    );

    bench.open("checkout", "prod", 50).await;
    let after = feed.revision();
    bench.acknowledge("prod", "web-1", after);
    let asked = feed.presence().confirmation(after);
    assert!(
        asked.elapsed_ms.is_some(),
        "what nobody was there for holds up no time of what came later"
    );
}
