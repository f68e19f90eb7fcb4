//! A path leads to its route or nowhere: no other way of writing it gets past the door.

use serde_json::json;

use crate::access::{OPEN, concrete, routes};
use crate::world::World;

#[tokio::test]
async fn ways_around_a_path_lead_nowhere() {
    let world = World::new().await;
    for path in [
        "//api/v1/flags",
        "/api//v1/flags",
        "/api/v1/flags/",
        "/api/v1/flags;x=1",
        "/api/v1/%66lags",
        "/API/v1/flags",
        "/api/V1/flags",
        "/api/v1/%2e%2e/v1/flags",
        "/livez/../api/v1/flags",
        "/livez/%2e%2e/api/v1/flags",
        "/livez;/api/v1/flags",
        "/readyz%2f..%2fapi%2fv1%2fflags",
        "/openapi.json/../api/v1/flags",
        "/api/v1/flags%00",
        "/.git/config",
        "/api/v1/flags/checkout/environments/prod/",
    ] {
        let text = raw(
            &world,
            &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
        )
        .await;
        let status = &text[9..12];
        assert!(["401", "404", "400"].contains(&status), "{path}: {text}");
    }
}

#[tokio::test]
async fn ways_around_the_path_of_any_route_lead_nowhere() {
    let world = World::new().await;
    world
        .flag("checkout", &json!({"client_visible": true}))
        .await;
    for (method, path) in routes() {
        let path = concrete(&path, "prod");
        if OPEN.contains(&path.as_str()) {
            continue;
        }
        let last = path.rfind('/').unwrap_or(0);
        let (before, after) = path.split_at(last);
        for way in [
            format!("/{path}"),
            format!("{before}/{after}"),
            format!("{path}/"),
            format!("{path};x=1"),
            format!("{before};x=1{after}"),
            format!("{before}/%2e%2e{before}{after}"),
            format!("{before}/x/%2e%2e{after}"),
            format!("{before}/x/..{after}"),
            format!("/livez/..{path}"),
            format!("/livez/%2e%2e{path}"),
            format!("{before}%2f{}", &after[1..]),
            path.to_uppercase(),
            format!("{path}%00"),
            format!("http://localhost{path}"),
        ] {
            let text = raw(
                &world,
                &format!(
                    "{method} {way} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"
                ),
            )
            .await;
            let status = &text[9..12];
            assert!(
                ["401", "404", "405", "400"].contains(&status),
                "{method} {way}: {text}"
            );
            assert!(!text.contains("team-pay"), "{method} {way}: {text}");
        }
    }
}

/// Sends bytes as they are and reads until the end.
pub(crate) async fn raw(world: &World, request: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut socket = tokio::net::TcpStream::connect(world.address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    let read = socket.read_to_end(&mut text);
    tokio::time::timeout(crate::world::PATIENCE, read)
        .await
        .expect("the server answers")
        .unwrap();
    String::from_utf8_lossy(&text).into_owned()
}
