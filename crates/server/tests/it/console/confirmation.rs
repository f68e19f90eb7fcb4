//! What became of a pull: who has it, what it is told as, and where.

use leverframe_store::memory::Failure;
use serde_json::json;

use super::kill::{is_killed, opened};
use crate::evaluator::Evaluator;
use crate::world::World;

#[tokio::test]
async fn a_kill_goes_out_while_the_store_refuses_and_says_that_it_is_not_stored() {
    let world = World::new().await;
    opened(&world, &["checkout"]).await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let (mut evaluator, _) = Evaluator::follow(&world, &token, "shop-1").await;
    world.disk.faults().fail_appends(Some(Failure::Full));
    let fields = [("flag", "checkout"), ("card", "1"), ("chip", "errors up")];
    let answer = world.sent("/kill?env=prod", &fields).await.is(303);
    let place = answer.header("location").to_owned();
    assert!(place.contains("brake="), "{place}");
    let frame = evaluator.frame().await;
    evaluator.acknowledge(&frame.cursor).await;
    let page = loop {
        let page = world.page(&place).await.is(200).text;
        if page.contains("1/1 evaluators confirmed") {
            break page;
        }
    };
    assert!(page.contains("NOT STORED"), "{page}");
    assert!(page.contains("http-equiv=\"refresh\""), "{page}");
    assert!(!page.contains("action=\"/undo"), "{page}");

    world.disk.faults().fail_appends(None);
    let page = loop {
        let page = world.page(&place).await.is(200).text;
        if page.contains("action=\"/undo") {
            break page;
        }
        tokio::task::yield_now().await;
    };
    assert!(!page.contains("NOT STORED"), "{page}");
    assert!(is_killed(&world, "checkout").await);
}

#[tokio::test]
async fn who_is_behind_is_named_and_never_called_confirmed() {
    let world = World::new().await;
    opened(&world, &["checkout"]).await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let (mut quick, _) = Evaluator::follow(&world, &token, "shop-quick").await;
    let (mut slow, _) = Evaluator::follow(&world, &token, "shop-slow").await;
    let answer = world
        .sent("/kill?env=prod", &[("flag", "checkout"), ("card", "1")])
        .await;
    let place = answer.is(303).header("location").to_owned();
    let frame = quick.frame().await;
    quick.acknowledge(&frame.cursor).await;
    let page = loop {
        let page = world.page(&place).await.is(200).text;
        if page.contains("1 of 2 evaluators have it") {
            break page;
        }
    };
    for said in [
        "shop-slow",
        "build b1",
        "still answers OPEN",
        "PROPAGATING",
        "wait a moment",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("shop-quick"), "{page}");
    assert!(!page.contains("evaluators confirmed"), "{page}");

    let frame = slow.frame().await;
    slow.acknowledge(&frame.cursor).await;
    let page = loop {
        let page = world.page(&place).await.is(200).text;
        if page.contains("2/2 evaluators confirmed in") {
            break page;
        }
    };
    assert!(page.contains("99 in 100 after"), "{page}");
    assert!(!page.contains("http-equiv=\"refresh\""), "{page}");
}

#[tokio::test]
async fn a_form_that_is_sent_twice_closes_once_whatever_was_chosen_in_between() {
    let world = World::new().await;
    opened(&world, &["checkout", "search"]).await;
    let fields = [("flag", "checkout"), ("idempotency", "abc")];
    let first = world.sent("/kill?env=prod", &fields).await.is(303);
    let again = world.sent("/kill?env=prod", &fields).await.is(303);
    let revision = world.node.state().revision();
    assert!(first.header("location").contains(&format!("r={revision}")));
    assert!(again.header("location").contains(&format!("r={revision}")));
    // What is closed already is told as it is: the revision that did it, and that nothing changed.
    let page = world.follow(again).await;
    assert!(
        page.text.contains("nothing was changed now"),
        "{}",
        page.text
    );
    assert_eq!(world.node.state().revision(), revision);
    // Stopped while it loaded, one flag more ticked and a chip chosen, pulled again.
    let more = [
        ("flag", "checkout"),
        ("flag", "search"),
        ("chip", "slow"),
        ("idempotency", "abc"),
    ];
    world.sent("/kill?env=prod", &more).await.is(303);
    assert!(is_killed(&world, "search").await);
}

#[tokio::test]
async fn a_form_from_before_somebody_reopened_closes_once_more() {
    let world = World::new().await;
    opened(&world, &["checkout"]).await;
    let fields = [("flag", "checkout"), ("card", "1"), ("idempotency", "abc")];
    let first = world.sent("/kill?env=prod", &fields).await.is(303);
    world.open("checkout", "prod").await;
    // The browser's way back shows the page as it was, with everything that it would send.
    let again = world.sent("/kill?env=prod", &fields).await.is(303);
    assert!(is_killed(&world, "checkout").await);
    assert_ne!(first.header("location"), again.header("location"));
    let page = world.follow(again).await;
    assert!(!page.text.contains("nothing was changed"), "{}", page.text);
}

#[tokio::test]
async fn what_became_of_a_pull_is_told_in_its_environment_alone() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.open("checkout", "dev").await;
    let fields = [("flag", "checkout"), ("reason", "secret of dev")];
    let told = world.sent("/kill?env=dev", &fields).await.is(303);
    let place = told.header("location").to_owned();
    assert!(place.starts_with("/kill?env=dev&r="), "{place}");
    world.page(&place).await.is(200);
    let elsewhere = world.token("operator", &["prod"], &[]).await;
    for path in [&place, &place.replace("/kill?", "/levers/checkout?")] {
        let path = path.replace("env=dev", "env=prod");
        for token in [&world.admin, &elsewhere] {
            let page = world.page_as(&path, token).await.is(404).text;
            assert!(!page.contains("secret of dev"), "{path}: {page}");
        }
    }
    // The way to the other environment leaves behind what is of this one.
    let page = world.page(&format!("{place}&same=1&inc=INC-1")).await;
    let page = page.is(200).text;
    assert!(page.contains("href=\"/kill?env=prod\""), "{page}");
}

#[tokio::test]
async fn a_kill_that_is_not_stored_is_told_in_its_environment_alone() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.open("checkout", "dev").await;
    world.disk.faults().fail_appends(Some(Failure::Full));
    let fields = [("flag", "checkout"), ("reason", "secret of dev")];
    let told = world.sent("/kill?env=dev", &fields).await.is(303);
    let place = told.header("location").to_owned();
    assert!(place.contains("brake="), "{place}");
    let page = world.page(&place).await.is(200).text;
    assert!(page.contains("secret of dev"), "{page}");
    assert!(page.contains("href=\"/kill?env=prod\""), "{page}");
    let elsewhere = place.replace("env=dev", "env=prod");
    let page = world.page(&elsewhere).await.is(404).text;
    assert!(!page.contains("secret of dev"), "{page}");
}

#[tokio::test]
async fn what_was_moved_elsewhere_is_taken_back_and_told_there() {
    let world = World::new().await;
    for key in ["checkout", "search"] {
        world.flag(key, &json!({})).await;
        world.open(key, "dev").await;
    }
    let both = [("flag", "checkout"), ("flag", "search")];
    world.sent("/kill?env=dev", &both).await.is(303);
    let revision = world.node.state().revision().to_string();
    // As the journal's page of prod sends it, which shows every environment's records.
    let fields = [("revision", &*revision), ("reason", "it was prod's")];
    let told = world.sent("/undo?env=prod", &fields).await.is(303);
    let place = told.header("location").to_owned();
    assert!(place.starts_with("/kill?env=dev&r="), "{place}");
    world.follow(told).await;
}

#[tokio::test]
async fn an_old_pull_says_first_what_was_done_since_and_shows_the_lever_again() {
    let world = World::new().await;
    opened(&world, &["checkout"]).await;
    let fields = [("flag", "checkout"), ("card", "1")];
    let told = world.sent("/kill?env=prod", &fields).await.is(303);
    let place = told.header("location").to_owned();
    let page = world.page(&place).await.is(200).text;
    for unsaid in ["Since then", "data-hold"] {
        assert!(!page.contains(unsaid), "{unsaid}: {page}");
    }
    let reopened = world.open("checkout", "prod").await;
    let page = world.page(&place).await.is(200).text;
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"));
    assert!(at("Since then") < at("data-hold"), "{page}");
    assert!(at("data-hold") < at("checkout closed in prod"), "{page}");
    assert!(page.contains(&format!("/audit/{reopened}?env=prod")));
}
