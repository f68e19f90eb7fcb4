//! The server's own lever, which is in nobody's list.

use std::time::Duration;

use leverframe_node::{CANARY_KEY, Options};
use serde_json::json;

use crate::evaluator::Evaluator;
use crate::world::World;

#[tokio::test]
async fn lists_of_flags_and_levers_leave_the_canary_out_unless_asked() {
    let options = Options {
        canary_every: Some(Duration::from_millis(20)),
        ..Options::default()
    };
    let mut world = World::on(options, |_| {}).await;
    world.flag("checkout", &json!({})).await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let (_one, _) = Evaluator::follow(&world, &token, "web-1").await;
    let is_open = || {
        let state = world.node.state();
        let flag = state.flag(CANARY_KEY);
        flag.is_some_and(|flag| !flag.position("prod").is_closed())
    };
    while !is_open() {
        tokio::task::yield_now().await;
    }
    let keys = async |path: &str| {
        let list = world.get(path).send().await.is(200).json();
        let flags = list["flags"].as_array().unwrap().clone();
        let keys = flags.iter().map(|flag| flag["definition"]["key"].clone());
        keys.collect::<Vec<_>>()
    };
    assert_eq!(keys("/api/v1/flags").await, ["checkout"]);
    assert_eq!(
        keys("/api/v1/flags?internal=true").await,
        ["checkout", CANARY_KEY]
    );
    let status = world.get("/api/v1/environments/prod/status").send().await;
    let status = status.is(200).json();
    assert_eq!(status["levers"], json!([]));
    assert_eq!(status["never_moved"], 1);
    let environments = world
        .get("/api/v1/environments")
        .send()
        .await
        .is(200)
        .json();
    let prod = environments["environments"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["key"] == "prod")
        .unwrap()
        .clone();
    assert_eq!(prod["not_closed"], 0);
    world.stop().await;
}
