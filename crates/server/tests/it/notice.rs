use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::world::{PATIENCE, World};

const ALL: &str = "/ofrep/v1/evaluate/flags";

/// Where a bulk answer says to listen.
pub(crate) async fn stream_of(world: &World, token: &str) -> String {
    let answer = world
        .post(ALL, &json!({}))
        .token(token)
        .send()
        .await
        .is(200)
        .json();
    let stream = &answer["eventStreams"][0];
    assert_eq!(
        (&stream["type"], &stream["inactivityDelaySec"]),
        (&json!("sse"), &json!(120))
    );
    stream["endpoint"]["requestUri"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Server-sent events, read one by one.
struct Events {
    response: reqwest::Response,
    text: String,
}

impl Events {
    async fn open(world: &World, path: &str, last: Option<&str>) -> Self {
        let ask = world.get(path).nobody();
        let ask = if let Some(last) = last {
            ask.header("last-event-id", last)
        } else {
            ask
        };
        let response = ask.response().await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            text: String::new(),
        }
    }

    /// The id and data of the next event; `None` at the end of the stream.
    async fn next(&mut self) -> Option<(String, Json)> {
        let read = async {
            loop {
                if let Some((event, rest)) = self.text.split_once("\n\n") {
                    let (event, rest) = (event.to_owned(), rest.to_owned());
                    self.text = rest;
                    if event.starts_with(':') {
                        continue;
                    }
                    let field = |name: &str| {
                        event
                            .lines()
                            .find_map(|line| line.strip_prefix(name))
                            .unwrap()
                            .to_owned()
                    };
                    assert_eq!(field("event: "), "message");
                    return Some((
                        field("id: "),
                        serde_json::from_str(&field("data: ")).unwrap(),
                    ));
                }
                let chunk = self.response.chunk().await.unwrap()?;
                self.text += std::str::from_utf8(&chunk).unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .expect("a notice comes")
    }
}

#[tokio::test]
async fn a_kill_is_noticed_at_once_and_says_nothing_but_fetch_again() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.open("checkout", "prod").await;
    let token = world.token("client-evaluator", &["prod"], &[]).await;
    let path = stream_of(&world, &token).await;
    assert_eq!(
        path,
        stream_of(&world, &token).await,
        "the URL stays, and with it the client's stream"
    );
    // Several, because one could be early by chance.
    let mut streams = Vec::new();
    for _ in 0..8 {
        streams.push(Events::open(&world, &path, None).await);
    }
    // Whatever changed between the fetch and this moment must be heard of.
    for events in &mut streams {
        events.next().await.unwrap();
    }
    let started = Instant::now();
    let revision = world.kill("checkout", "prod").await["revision"].to_string();
    for events in &mut streams {
        let (id, data) = events.next().await.unwrap();
        let told = json!({"type": "refetchEvaluation", "etag": format!("r{revision}")});
        assert_eq!((id, data), (revision.clone(), told));
    }
    assert!(
        started.elapsed() < Duration::from_millis(700),
        "a close is not spread over time: {:?}",
        started.elapsed()
    );

    // Who has heard of it is not told again.
    let mut again = Events::open(&world, &path, Some(&revision)).await;
    let next = world.kill("checkout", "dev").await;
    assert!(
        next["environments"]
            .as_array()
            .unwrap()
            .contains(&json!("dev"))
    );
    let opened = world.open("checkout", "prod").await.to_string();
    assert_eq!(again.next().await.unwrap().0, opened);
}

#[tokio::test]
async fn a_ticket_allows_nothing_else_and_ends_with_its_token() {
    let world = World::with_beat(Duration::from_millis(20), |_| {}).await;
    let token = world.token("client-evaluator", &["prod"], &[]).await;
    let path = stream_of(&world, &token).await;
    let ticket = path.split_once("ticket=").unwrap().1;
    world
        .get("/api/v1/whoami")
        .token(ticket)
        .send()
        .await
        .is(401);
    world
        .post(&format!("{ALL}?ticket={ticket}"), &json!({}))
        .nobody()
        .send()
        .await
        .is(401);
    for wrong in [
        "/ofrep/v1/notices",
        "/ofrep/v1/notices?ticket=",
        "/ofrep/v1/notices?ticket=00",
    ] {
        let answer = world.get(wrong).nobody().send().await.is(404);
        assert!(answer.json()["errorDetails"].is_string());
    }
    let mut events = Events::open(&world, &path, None).await;
    events.next().await;
    let tokens = world.get("/api/v1/tokens").send().await.json();
    let id = tokens["tokens"].as_array().unwrap().last().unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world
        .ask("DELETE", &format!("/api/v1/tokens/{id}"))
        .send()
        .await
        .is(200);
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn there_is_a_bound_to_notice_streams_and_an_end_to_them() {
    let mut world = World::with(|settings| settings.notices_max = 1).await;
    let token = world.token("client-evaluator", &["prod"], &[]).await;
    let path = stream_of(&world, &token).await;
    let mut events = Events::open(&world, &path, None).await;
    events.next().await;
    let full = world.get(&path).nobody().send().await.is(503);
    assert!(full.headers.contains_key("retry-after"));
    let (end, ()) = tokio::join!(events.next(), world.stop());
    assert_eq!(end, None, "it ends when the server drains");
}
