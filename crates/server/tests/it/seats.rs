//! P2 and a full house: whoever crowds the server, a kill still gets in.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite;

use crate::evaluator::Evaluator;
use crate::world::{PATIENCE, World, kill_from_elsewhere};

/// Everybody's seat is taken, and nobody of them can be asked to go.
async fn full(world: &World) -> Vec<Evaluator> {
    let token = world.token("evaluator", &["prod"], &[]).await;
    let mut evaluators = Vec::new();
    for number in 0..2 {
        let (evaluator, _) = Evaluator::follow(world, &token, &format!("web-{number}")).await;
        evaluators.push(evaluator);
    }
    evaluators
}

/// What is said to one that only connects.
async fn told(world: &World) -> String {
    let mut refused = TcpStream::connect(world.address).await.unwrap();
    let mut text = String::new();
    let read = tokio::time::timeout(PATIENCE, refused.read_to_string(&mut text));
    read.await.expect("it is told").unwrap();
    text
}

#[tokio::test]
async fn a_full_server_says_when_to_come_back() {
    let world = World::with(|settings| settings.connections_max = 2).await;
    let mut evaluators = full(&world).await;
    let text = told(&world).await;
    assert!(
        text.starts_with("HTTP/1.1 503 ") && text.contains("retry-after: "),
        "{text}"
    );
    evaluators.pop();
    let again = async {
        loop {
            let url = format!("http://{}/livez", world.address);
            let answer = world.http.get(url).send().await;
            if answer.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, again)
        .await
        .expect("there is room again");
}

#[tokio::test]
async fn a_server_full_of_streams_slow_openers_and_half_open_connections_takes_a_kill() {
    let world = World::with(|settings| {
        settings.connections_max = 8;
        settings.streams_max = 3;
    })
    .await;
    world.flag("checkout", &json!({})).await;
    let token = world.token("evaluator", &["staging"], &[]).await;
    let mut streams = Vec::new();
    for number in 0..3 {
        let (stream, _) = Evaluator::follow(&world, &token, &format!("web-{number}")).await;
        streams.push(stream);
    }
    // More than there are seats: some say nothing, some half a request.
    let mut idle = Vec::new();
    for number in 0..20 {
        let mut connection = TcpStream::connect(world.address).await.unwrap();
        if number % 2 == 0 {
            let half = b"POST /api/v1/environments/staging/kill HTTP/1.1\r\nhost: x";
            connection.write_all(half).await.unwrap();
        }
        idle.push(connection);
    }
    for _ in 0..3 {
        let answer = kill_from_elsewhere(&world, "checkout", "staging").await;
        assert_eq!(answer, 200);
    }
    // The streams are still there.
    for stream in &mut streams {
        world
            .post(
                "/api/v1/flags/checkout/environments/staging/open",
                &json!({"exposure": {"percentage": 10}}),
            )
            .send()
            .await
            .is(200);
        stream.frame().await;
    }
}

#[tokio::test]
async fn streams_of_every_sort_have_one_bound_below_that_of_connections() {
    let world = World::with(|settings| settings.streams_max = 2).await;
    let notices = world.token("client-evaluator", &["prod"], &[]).await;
    let path = crate::notice::stream_of(&world, &notices).await;
    let _streams = full(&world).await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    match Evaluator::connect(&world, &token, "web-9").await {
        Err(tungstenite::Error::Http(answer)) => {
            assert_eq!(answer.status(), 503);
            assert!(answer.headers().contains_key("retry-after"));
        }
        other => panic!("{:?}", other.map(|_| ())),
    }
    let poll = json!({
        "hello": {"instance": "web-9", "application": "a", "build": "b", "client": "c"},
        "wait_ms": 0,
    });
    let polled = world.post("/api/v1/stream/poll", &poll).token(&token);
    polled.send().await.is(503);
    let events = world.get(&path).nobody().send().await.is(503);
    assert!(events.headers.contains_key("retry-after"));
    world.get("/api/v1/whoami").send().await.is(200);
}
