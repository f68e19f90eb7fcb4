use std::time::Duration;

use leverframe::{Cause, Context};
use serde_json::json;
use tokio::time::Instant;

use crate::frames::{boolean, open, snapshot};
use crate::server::{Door, Server};
use crate::until;

fn anybody() -> Context {
    Context::new("u-1")
}

#[tokio::test]
async fn a_flag_closes_when_its_configuration_is_too_old_and_opens_when_the_server_is_back() {
    let mut server = Server::start().await;
    let mut careful = boolean("a", &open());
    careful["definition"]["stale_after_s"] = json!(60);
    let (client, connection) = server
        .follow(
            server.settings(),
            &snapshot(7, &[careful, boolean("b", &open())]),
        )
        .await;
    server.set_door(Door::Shut(500, None));
    drop(connection);
    tokio::time::pause();
    let began = Instant::now();
    until("it closes", || !client.is_on("a", &anybody())).await;
    assert!(
        began.elapsed() > Duration::from_secs(58),
        "{:?}",
        began.elapsed()
    );
    assert!(
        began.elapsed() < Duration::from_secs(63),
        "{:?}",
        began.elapsed()
    );
    assert!(client.is_on("b", &anybody()));
    let evaluation = client.evaluate("a", &anybody()).unwrap();
    assert_eq!(evaluation.cause, Some(Cause::Stale));
    assert!(client.freshness().age_ms.unwrap() >= 60_000);
    assert!(!client.freshness().connected);

    tokio::time::resume();
    server.set_door(Door::Open);
    let mut connection = server.connection().await;
    connection.hello().await;
    connection.acknowledge().await;
    assert!(
        !client.is_on("a", &anybody()),
        "a connection alone does not say that nothing was missed"
    );
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(5)).await;
    connection.ping().await;
    connection.pong().await;
    until("it opens again", || client.is_on("a", &anybody())).await;
    assert!(client.freshness().age_ms.unwrap() < 5_000);
}
