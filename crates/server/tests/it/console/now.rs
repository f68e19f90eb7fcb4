//! The first page.

use leverframe_store::memory::Failure;
use serde_json::json;

use crate::evaluator::Evaluator;
use crate::world::World;

#[tokio::test]
async fn a_person_sees_what_is_open_what_changed_and_where_the_lever_is() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.flag("pictures", &json!({})).await;
    let page = world.page("/now?env=prod").await.is(200).text;
    for said in [
        "Kill in prod",
        "Every lever of prod is at rest",
        "Freeze prod or everything",
        "flag checkout created",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("Needs you"), "{page}");

    let opened = world.open("checkout", "prod").await;
    world.open("checkout", "dev").await;
    let page = world.page("/now?env=prod").await.is(200).text;
    for said in [
        "checkout open to 100".to_owned(),
        "href=\"/levers/checkout?env=prod\"".to_owned(),
        "href=\"/kill/checkout?env=prod\"".to_owned(),
        format!("href=\"/audit/{opened}?env=prod\""),
        "role=\"img\"".to_owned(),
        "1 opened or pinned".to_owned(),
        "nobody follows".to_owned(),
    ] {
        assert!(page.contains(&said), "{said}: {page}");
    }
    assert!(
        !page.contains("in dev<"),
        "of another environment nothing is said: {page}"
    );
    world.kill("checkout", "prod").await;
    let page = world.page("/now?env=prod").await.is(200).text;
    assert!(
        page.contains("killed</span>") && page.contains("INC-412"),
        "{page}"
    );
}

#[tokio::test]
async fn who_is_behind_needs_somebody_and_is_named() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let (mut slow, _) = Evaluator::follow(&world, &token, "shop-slow").await;
    world.open("checkout", "prod").await;
    let page = world.page("/now?env=prod").await.is(200).text;
    for said in [
        "Needs you",
        "1 of 1 evaluators do not have r",
        "shop-slow (build b1)",
        "0/1",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let frame = slow.frame().await;
    slow.acknowledge(&frame.cursor).await;
    world
        .fleet_until("prod", |fleet| fleet["evaluators"][0]["current"] == true)
        .await;
    let page = world.page("/now?env=prod").await.is(200).text;
    assert!(
        !page.contains("Needs you") && page.contains("1/1"),
        "{page}"
    );
}

#[tokio::test]
async fn a_kill_that_is_not_stored_is_the_first_thing_said() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.open("checkout", "prod").await;
    world.disk.faults().fail_appends(Some(Failure::Full));
    world
        .sent("/kill?env=prod", &[("flag", "checkout")])
        .await
        .is(303);
    let page = world.page("/now?env=prod").await.is(200).text;
    assert!(page.contains("killed, NOT STORED"), "{page}");
    let alarm = page
        .find("checkout is closed in prod and NOT STORED")
        .unwrap();
    assert!(alarm < page.find("<h1>").unwrap());
    assert!(
        page.contains("Needs you"),
        "that the store takes nothing: {page}"
    );
}

#[tokio::test]
async fn what_people_wrote_acts_on_nothing_there_and_a_reader_sees_its_own_environments() {
    let world = World::new().await;
    let bad = "<img src=x onerror=alert(1)>\"'>";
    world.flag("checkout", &json!({"owner": bad})).await;
    world.open("checkout", "prod").await;
    let fields = [("flag", "checkout"), ("reason", bad), ("incident", bad)];
    world.sent("/kill?env=prod", &fields).await.is(303);
    let page = world.page("/now?env=prod").await.is(200).text;
    assert!(
        !page.contains("<img") && page.contains("&#60;img"),
        "{page}"
    );
    let viewer = world.token("viewer", &["dev"], &[]).await;
    let page = world.page_as("/now?env=dev", &viewer).await.is(200).text;
    assert!(!page.contains("closed in prod"), "{page}");
    world.page_as("/now?env=prod", &viewer).await.is(403);
}

#[tokio::test]
async fn a_day_is_read_once_for_those_who_may_see_the_same() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let viewer = world.token("viewer", &["prod"], &[]).await;
    let said = "flag checkout created";
    let page = world.page("/now?env=prod").await.is(200).text;
    assert!(page.contains(said), "{page}");
    world.disk.faults().fail_reads(true);
    let page = world.page("/now?env=prod").await.is(200).text;
    assert!(page.contains(said), "{page}");
    let unread = "The journal cannot be read now";
    for (path, token) in [("/now?env=prod", &viewer), ("/now?env=dev", &world.admin)] {
        let page = world.page_as(path, token).await.is(200).text;
        assert!(page.contains(unread) && !page.contains(said), "{page}");
    }
    world.open("checkout", "prod").await;
    let page = world.page("/now?env=prod").await.is(200).text;
    assert!(
        page.contains(unread),
        "what is kept is not of this revision: {page}"
    );
}
