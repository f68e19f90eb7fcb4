//! The pages of the journal.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn the_journal_says_what_changed_here_and_everywhere_and_in_no_other_environment() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.flag("search", &json!({})).await;
    world.kill("checkout", "prod").await;
    world.kill("search", "dev").await;
    let page = world.page("/audit?env=prod").await.is(200).text;
    assert!(page.contains("checkout closed"), "{page}");
    assert!(page.contains("flag search created"), "{page}");
    assert!(page.contains("INC-412"), "{page}");
    assert!(!page.contains("search closed"), "{page}");
    let page = world.page("/audit?env=prod&all=1").await.is(200).text;
    assert!(page.contains("search closed"), "{page}");
}

#[tokio::test]
async fn filters_and_range_are_in_the_address_and_stay_in_the_form() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.flag("search", &json!({})).await;
    let page = world
        .page("/audit?env=prod&flag=search&range=30m")
        .await
        .is(200)
        .text;
    assert!(page.contains("flag search created"), "{page}");
    assert!(!page.contains("flag checkout created"), "{page}");
    assert!(page.contains("name=\"flag\" value=\"search\""), "{page}");
    assert!(
        page.contains("/audit?env=prod&amp;flag=search&amp;range=24h"),
        "{page}"
    );
    let page = world.page("/audit?env=prod&until=2020-01-01T00:00").await;
    assert!(page.is(200).text.contains("Nothing changed."));
    let page = world.page("/audit?env=prod&actor=nobody").await.is(200);
    assert!(page.text.contains("Nothing changed."), "{}", page.text);
}

#[tokio::test]
async fn a_time_that_is_none_is_refused_on_the_page_and_stays_in_its_field() {
    let world = World::new().await;
    let page = world.page("/audit?env=prod&since=noon").await.is(422).text;
    assert!(page.contains("role=\"alert\""), "{page}");
    assert!(page.contains("name=\"since\" value=\"noon\""), "{page}");
}

#[tokio::test]
async fn older_records_are_a_press_away() {
    let world = World::new().await;
    for index in 0..60 {
        world.flag(&format!("f{index}"), &json!({})).await;
    }
    let page = world.page("/audit?env=prod").await.is(200).text;
    assert!(page.contains("flag f59 created"), "{page}");
    assert!(!page.contains("flag f1 created"), "{page}");
    let from = page.find("rel=\"next\" href=\"").unwrap() + 17;
    let link = page[from..]
        .split('"')
        .next()
        .unwrap()
        .replace("&amp;", "&");
    let page = world.page(&link).await.is(200).text;
    assert!(page.contains("flag f1 created"), "{page}");
    assert!(!page.contains("rel=\"next\""), "{page}");
}

#[tokio::test]
async fn a_token_of_one_environment_sees_nothing_of_another_in_the_journal() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.kill("checkout", "prod").await;
    let viewer = world.token("viewer", &["dev"], &[]).await;
    let page = world.page_as("/audit?env=dev&all=1", &viewer).await.is(200);
    assert!(page.text.contains("flag checkout created"));
    assert!(!page.text.contains("INC-412"), "{}", page.text);
}
