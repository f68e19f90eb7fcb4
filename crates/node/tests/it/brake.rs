//! P2 and the store: a kill goes out while nothing can be stored, and says so.

use leverframe_flags::{Context, Update};
use leverframe_node::{Next, SubmitError, Wanted};
use leverframe_store::Beside as _;
use leverframe_store::memory::Failure;

use crate::bench::{Bench, SOON, frames};

async fn open_in_prod() -> Bench {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    bench.open("checkout", "prod", 100).await;
    bench
}

fn is_on(bench: &Bench) -> Option<bool> {
    let rules = bench.feed("prod").rules();
    let outcome = rules.evaluate("checkout", &Context::new("u-1"))?;
    outcome.value.as_bool()
}

#[tokio::test]
async fn a_kill_goes_out_while_the_store_refuses_and_is_called_not_stored() {
    let bench = open_in_prod().await;
    let (_, place) = frames(&bench.feed("prod"), None);
    bench
        .disk
        .faults()
        .fail_appends(Some(Failure::BeforeDurable));

    let killed = bench.kill("checkout", "prod").await.unwrap();
    assert!(!killed.stored);
    let number = killed.brake.unwrap();
    assert_eq!(is_on(&bench), Some(false), "the node decides by it at once");
    let (sent, place) = frames(&bench.feed("prod"), Some(&place));
    assert_eq!(sent.len(), 1);
    assert_eq!(place.brake, number);
    assert!(matches!(
        bench.feed("prod").next(Some(&place)),
        Next::UpToDate
    ));
    let tape = bench.tape.0.lock().unwrap().last().cloned();
    assert!(matches!(tape, Some(Update::Brake { closed, .. }) if closed.len() == 1));
    assert!(
        bench
            .node
            .health()
            .problems
            .iter()
            .any(|problem| problem.contains("NOT STORED"))
    );
    bench
        .node
        .state()
        .flag("checkout")
        .map(|flag| assert!(!flag.position("prod").is_closed()))
        .unwrap();
}

#[tokio::test]
async fn it_is_confirmed_by_those_who_have_it_and_by_nobody_else() {
    let bench = open_in_prod().await;
    bench.join("prod", "web-1");
    bench.join("prod", "web-2");
    bench
        .disk
        .faults()
        .fail_appends(Some(Failure::BeforeDurable));
    let number = bench.kill("checkout", "prod").await.unwrap().brake.unwrap();
    let feed = bench.feed("prod");
    bench.acknowledge_brake("prod", "web-1", number);
    let partial = feed
        .presence()
        .confirmation(Wanted::Brake(number))
        .confirmation;
    assert_eq!((partial.confirmed, partial.expected), (1, 2));
    assert_eq!(&*partial.stragglers[0].instance, "web-2");
    bench.acknowledge_brake("prod", "web-2", number);
    let all = feed.presence().wait(Wanted::Brake(number), SOON).await;
    assert!(all.confirmation.is_complete());
    assert!(all.elapsed_ms.is_some());
    let unknown = feed
        .presence()
        .confirmation(Wanted::Brake(number + 1))
        .confirmation;
    assert_eq!(unknown.confirmed, 0, "nobody has a kill that nobody gave");
}

#[tokio::test]
async fn it_is_stored_as_soon_as_the_store_takes_it_in_the_name_of_who_gave_it() {
    let bench = open_in_prod().await;
    bench
        .disk
        .faults()
        .fail_appends(Some(Failure::BeforeDurable));
    let number = bench.kill("checkout", "prod").await.unwrap().brake.unwrap();
    bench.disk.faults().fail_appends(None);
    let revision = bench
        .until(|bench| bench.node.brake_stored_as(number))
        .await;
    let state = bench.node.state();
    assert_eq!(state.revision(), revision);
    let lever = state
        .flag("checkout")
        .unwrap()
        .lever("prod")
        .unwrap()
        .clone();
    assert!(lever.position.is_closed());
    assert_eq!(&*lever.moved_by, "first admin");
    assert_eq!(lever.reason.as_deref(), Some("a test"));
    assert!(bench.node.brakes().is_empty());
    assert_eq!(is_on(&bench), Some(false));
    // The brake does not outlive the kill it stood for.
    bench.open("checkout", "prod", 100).await;
    assert_eq!(is_on(&bench), Some(true));
}

#[tokio::test]
async fn it_survives_a_restart_while_the_store_still_refuses() {
    let bench = open_in_prod().await;
    bench
        .disk
        .faults()
        .fail_appends(Some(Failure::BeforeDurable));
    let number = bench.kill("checkout", "prod").await.unwrap().brake.unwrap();
    bench.until_kept().await;
    let bench = bench.restarted().await;
    assert_eq!(is_on(&bench), Some(false));
    assert_eq!(bench.node.brakes()[0].number, number);
    let (sent, place) = frames(&bench.feed("prod"), None);
    assert_eq!(place.brake, number);
    assert!(
        sent.len() >= 2,
        "a snapshot that shows it closed, and the kill itself"
    );
    let shown_open = bench.tape.0.lock().unwrap().iter().any(|update| {
        matches!(update, Update::Snapshot { flags, .. } if flags.iter().any(|flag| !flag.position.is_closed()))
    });
    assert!(!shown_open, "who joins never sees it open");
    bench.disk.faults().fail_appends(None);
    bench
        .until(|bench| bench.node.brake_stored_as(number))
        .await;
    assert!(
        bench
            .node
            .state()
            .flag("checkout")
            .unwrap()
            .position("prod")
            .is_closed()
    );
}

#[tokio::test]
async fn a_kill_goes_out_while_the_store_hangs() {
    let bench = open_in_prod().await;
    let hang = bench.disk.faults().hang_appends();
    let killed = tokio::time::timeout(SOON, bench.kill("checkout", "prod"))
        .await
        .unwrap()
        .unwrap();
    let number = killed.brake.unwrap();
    assert_eq!(is_on(&bench), Some(false));
    drop(hang);
    bench
        .until(|bench| bench.node.brake_stored_as(number))
        .await;
    assert!(
        bench
            .node
            .state()
            .flag("checkout")
            .unwrap()
            .position("prod")
            .is_closed()
    );
    assert_eq!(is_on(&bench), Some(false));
}

#[tokio::test]
async fn nothing_but_a_kill_goes_out_ahead() {
    let bench = open_in_prod().await;
    bench
        .disk
        .faults()
        .fail_appends(Some(Failure::BeforeDurable));
    let definition = Box::new(crate::bench::boolean("other"));
    let refused = bench
        .submit(leverframe_core::Command::CreateFlag { definition })
        .await;
    assert!(matches!(refused, Err(SubmitError::Unavailable { .. })));
}

#[tokio::test]
async fn a_second_kill_of_the_same_flag_gets_the_number_of_the_first() {
    let bench = open_in_prod().await;
    bench
        .disk
        .faults()
        .fail_appends(Some(Failure::BeforeDurable));
    let first = bench.kill("checkout", "prod").await.unwrap().brake;
    let second = bench.kill("checkout", "prod").await.unwrap().brake;
    assert!(first.is_some());
    assert_eq!(first, second);
}

#[tokio::test]
async fn a_brake_token_that_is_revoked_while_its_kill_waits_takes_nothing_back() {
    let bench = open_in_prod().await;
    let token = bench
        .create_token("oncall", leverframe_core::access::Role::Brake)
        .await;
    bench
        .disk
        .faults()
        .fail_appends(Some(Failure::BeforeDurable));
    let mut request = bench.request(crate::bench::close("checkout", "prod"));
    request.actor = leverframe_core::access::Actor::Token { id: token.clone() };
    let number = bench.node.submit(request).await.unwrap().brake.unwrap();
    bench.disk.faults().fail_appends(None);
    let _ = bench
        .submit(leverframe_core::Command::RevokeToken { id: token })
        .await;
    bench
        .until(|bench| bench.node.brake_stored_as(number))
        .await;
    assert!(
        bench
            .node
            .state()
            .flag("checkout")
            .unwrap()
            .position("prod")
            .is_closed()
    );
}

#[tokio::test]
async fn a_number_that_was_kept_nowhere_is_never_given_again() {
    let bench = open_in_prod().await;
    bench
        .disk
        .faults()
        .fail_appends(Some(Failure::BeforeDurable));
    let lost = bench.kill("checkout", "prod").await.unwrap().brake.unwrap();
    bench.until_kept().await;
    bench.disk.save_brakes(b"lost with the disk").unwrap();
    let bench = bench.restarted().await;
    assert!(bench.node.brakes().is_empty());
    let next = bench.kill("checkout", "prod").await.unwrap().brake.unwrap();
    assert!(
        next > lost,
        "an evaluator that has kill {lost} would count as having kill {next}"
    );
}

#[tokio::test]
async fn a_later_kill_names_the_flags_of_those_before_it_that_are_out() {
    let bench = open_in_prod().await;
    bench.create_flag("search").await;
    bench.open("search", "prod", 100).await;
    bench
        .disk
        .faults()
        .fail_appends(Some(Failure::BeforeDurable));
    bench.kill("checkout", "prod").await.unwrap();
    bench.kill("search", "prod").await.unwrap();
    let tape = bench.tape.0.lock().unwrap().last().cloned();
    assert!(
        matches!(&tape, Some(Update::Brake { closed, .. }) if closed.len() == 2),
        "{tape:?}"
    );
}

#[tokio::test]
async fn an_opening_that_was_asked_for_before_a_kill_does_not_lift_it() {
    let bench = open_in_prod().await;
    bench.open("checkout", "staging", 50).await;
    let hang = bench.disk.faults().hang_appends();
    // Answered ahead of the journal, so the writer is with the store, and stays there.
    bench.kill("checkout", "dev").await.unwrap().brake.unwrap();
    let mut opening = Box::pin(bench.submit(leverframe_core::Command::Open {
        flag: "checkout".parse().unwrap(),
        environment: "staging".parse().unwrap(),
        exposure: leverframe_flags::Exposure::of(leverframe_flags::Percentage::FULL),
    }));
    // Asked for, and not answered.
    tokio::select! {
        biased;
        _ = &mut opening => panic!("the store hangs"),
        () = std::future::ready(()) => {}
    }
    let killed = bench.kill("checkout", "staging").await.unwrap();
    drop(hang);
    let refused = opening.await.unwrap_err();
    assert!(
        matches!(
            refused,
            SubmitError::Rejected(leverframe_core::Rejection::Stale { .. })
        ),
        "{refused}"
    );
    let number = killed.brake.unwrap();
    bench
        .until(|bench| bench.node.brake_stored_as(number))
        .await;
    let state = bench.node.state();
    let flag = state.flag("checkout").unwrap();
    assert!(flag.position("staging").is_closed());
}
