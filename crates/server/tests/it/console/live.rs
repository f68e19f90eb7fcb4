//! Notices that keep a page live.

use futures_util::StreamExt;
use serde_json::json;

use crate::evaluator::Evaluator;
use crate::world::{PATIENCE, World};

/// Reads the stream until it has said this.
async fn hear(
    stream: &mut (impl futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Unpin),
    wanted: &str,
) -> String {
    let mut heard = String::new();
    let listen = async {
        while !heard.contains(wanted) {
            let chunk = stream.next().await.expect("the stream goes on").unwrap();
            heard.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    };
    let done = tokio::time::timeout(PATIENCE, listen).await;
    assert!(done.is_ok(), "{wanted:?} was not heard: {heard:?}");
    heard
}

#[tokio::test]
async fn a_tab_hears_of_a_change_and_of_nothing_that_it_has() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let revision = world.newest().await["revision"].as_u64().unwrap();
    let path = format!("/live?env=prod&since={revision}");
    let mut stream = world.get(&path).response().await.bytes_stream();
    let first = hear(&mut stream, "event: beat").await;
    assert!(!first.contains("change"), "{first}");
    world.kill("checkout", "prod").await;
    let heard = hear(&mut stream, "event: change").await;
    assert!(heard.contains(&format!("id: {}", revision + 1)), "{heard}");
}

#[tokio::test]
async fn a_tab_that_comes_back_hears_what_it_missed() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let request = world.get("/live?env=prod&since=0");
    let mut stream = request
        .header("last-event-id", "1")
        .response()
        .await
        .bytes_stream();
    hear(&mut stream, "event: change").await;
}

#[tokio::test]
async fn a_stream_ends_when_its_token_is_revoked() {
    let world = World::new().await;
    let viewer = world.token("viewer", &[], &[]).await;
    let mut stream = world
        .get("/live")
        .token(&viewer)
        .response()
        .await
        .bytes_stream();
    hear(&mut stream, "event: beat").await;
    let tokens = world.get("/api/v1/tokens").send().await.is(200).json();
    let tokens = tokens["tokens"].as_array().unwrap();
    let made = tokens.iter().find(|one| one["role"] == "viewer").unwrap();
    let path = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    world.ask("DELETE", &path).send().await.is(200);
    let end = async { while stream.next().await.is_some() {} };
    assert!(tokio::time::timeout(PATIENCE, end).await.is_ok());
}

#[tokio::test]
async fn tabs_take_no_place_of_an_evaluator_and_one_token_takes_not_all() {
    let world = World::with(|settings| {
        settings.connections_max = 8;
        settings.streams_max = 2;
    })
    .await;
    let mut tabs = Vec::new();
    loop {
        let tab = world.get("/live?env=prod").response().await;
        if tab.status() == 503 {
            break;
        }
        assert_eq!(tab.status(), 200);
        tabs.push(tab);
    }
    assert_eq!(tabs.len(), 3, "half of what is left beside the streams");
    world.get("/live/poll?env=prod").send().await.is(200);
    let token = world.token("evaluator", &["prod"], &[]).await;
    let mut followers = Vec::new();
    for name in ["web-1", "web-2"] {
        followers.push(Evaluator::follow(&world, &token, name).await);
    }
    let fleet = world.fleet_until("prod", |fleet| {
        fleet["evaluators"]
            .as_array()
            .is_some_and(|all| all.len() == 2)
    });
    fleet.await;
}
