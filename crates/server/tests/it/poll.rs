use leverframe_wire::frame::{Frame, FrameKind, PollAnswer};
use serde_json::{Value as Json, json};

use crate::evaluator::Evaluator;
use crate::world::World;

const POLL: &str = "/api/v1/stream/poll";

fn hello(instance: &str, cursor: &Json) -> Json {
    json!({"instance": instance, "application": "job", "build": "b", "client": "by-hand/0", "cursor": cursor})
}

async fn poll(world: &World, token: &str, body: &Json) -> Vec<Frame> {
    let answer = world.post(POLL, body).token(token).send().await.is(200);
    let answer: PollAnswer = serde_json::from_str(&answer.text).unwrap();
    answer
        .frames
        .iter()
        .map(|frame| serde_json::from_str(frame.get()).unwrap())
        .collect()
}

#[tokio::test]
async fn a_kill_reaches_and_is_confirmed_by_one_that_polls() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.open("checkout", "prod").await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let frames = poll(
        &world,
        &token,
        &json!({"hello": hello("p-1", &Json::Null), "wait_ms": 0}),
    )
    .await;
    assert_eq!(frames[0].kind, FrameKind::Snapshot);
    let cursor = &frames[0].cursor;
    let acknowledge = |cursor| serde_json::to_value(Evaluator::acknowledgement(cursor)).unwrap();
    let question = json!({"hello": hello("p-1", &json!(cursor)), "acknowledge": acknowledge(cursor), "wait_ms": 15_000});
    let (frames, revision) = tokio::join!(poll(&world, &token, &question), async {
        world
            .fleet_until("prod", |fleet| fleet["evaluators"][0]["current"] == true)
            .await;
        world.kill("checkout", "prod").await["revision"]
            .as_u64()
            .unwrap()
    });
    assert_eq!(
        (frames[0].kind, frames[0].cursor.revision),
        (FrameKind::Change, revision)
    );
    assert_eq!(
        world.confirmation("prod", revision, 0).await["state"],
        "pending"
    );
    let cursor = &frames[0].cursor;
    let last = json!({
        "hello": hello("p-1", &json!(cursor)), "acknowledge": acknowledge(cursor), "wait_ms": 0,
        "counts": {"sequence": 1, "evaluations": [{"flag": "checkout", "variant": "off", "count": 3}]},
    });
    assert!(
        poll(&world, &token, &last).await.is_empty(),
        "there is nothing new"
    );
    assert_eq!(
        world.confirmation("prod", revision, 0).await["state"],
        "confirmed"
    );
    // Between two polls it is still there.
    let fleet = world
        .get("/api/v1/environments/prod/fleet")
        .send()
        .await
        .json();
    assert_eq!(fleet["evaluators"][0]["connected"], true);

    let goodbye = json!({"hello": hello("p-1", &json!(cursor)), "goodbye": true, "wait_ms": 0});
    assert!(poll(&world, &token, &goodbye).await.is_empty());
    let fleet = world
        .get("/api/v1/environments/prod/fleet")
        .send()
        .await
        .json();
    assert_eq!(fleet["evaluators"], json!([]));
}

#[tokio::test]
async fn a_poll_that_is_broken_off_leaves_no_connection_counted() {
    let world = World::new().await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let first = poll(
        &world,
        &token,
        &json!({"hello": hello("p-1", &Json::Null), "wait_ms": 0}),
    )
    .await;
    let cursor = json!(first[0].cursor);
    let question = json!({"hello": hello("p-1", &cursor), "wait_ms": 20_000});
    {
        let pending = world.post(POLL, &question).token(&token).send();
        let seen = world.fleet_until("prod", |fleet| {
            fleet["evaluators"][0]["revision"].is_number()
        });
        tokio::select! {
            _ = pending => panic!("nothing happened"),
            _ = seen => {}
        }
    }
    world
        .fleet_until("prod", |fleet| fleet["evaluators"][0]["connected"] == false)
        .await;
}

#[tokio::test]
async fn a_poll_is_read_as_strictly_as_everything_else() {
    let world = World::new().await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    for (body, status) in [
        ("{}", 422),
        ("[", 400),
        (
            r#"{"hello":{"instance":"a b","application":"","build":"","client":""},"wait_ms":0}"#,
            422,
        ),
    ] {
        world
            .ask("POST", POLL)
            .token(&token)
            .body(body)
            .send()
            .await
            .is(status);
    }
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(70_000));
    world
        .ask("POST", POLL)
        .token(&token)
        .body(large)
        .send()
        .await
        .fails(413, "too-large");
}
