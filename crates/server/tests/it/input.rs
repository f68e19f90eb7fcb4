//! Bad input is refused with its name, in bounded memory and time.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::access::raw;
use crate::world::{PATIENCE, World};

#[tokio::test]
async fn bodies_are_bounded_in_size_whatever_they_announce() {
    let world = World::new().await;
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(1024 * 1024));
    world
        .ask("POST", "/api/v1/flags")
        .body(large)
        .send()
        .await
        .fails(413, "too-large");
    // Without a length, in one chunk of which the last byte is too much.
    let request = format!(
        "POST /api/v1/flags HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n100001\r\n{}",
        world.admin,
        "x".repeat(1024 * 1024 + 1)
    );
    assert!(raw(&world, &request).await.starts_with("HTTP/1.1 413 "));
    // A lie about the length is not waited for.
    let request = format!(
        "POST /api/v1/flags HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 1000000000\r\nconnection: close\r\n\r\n",
        world.admin
    );
    assert!(raw(&world, &request).await.starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn what_is_not_the_json_it_should_be_is_refused_with_its_place() {
    let world = World::new().await;
    let cases: [(&[u8], u16, &str); 9] = [
        (b"", 400, "bad-request"),
        (b"{", 400, "bad-request"),
        (b"{\"definition\":\"\xff\"}", 400, "bad-request"),
        (b"\xef\xbb\xbf{}", 400, "bad-request"),
        (b"{} {}", 400, "bad-request"),
        (b"{\"definition\":1e999}", 400, "bad-request"),
        (b"{}", 422, "invalid"),
        (b"{\"definition\":{},\"definition\":{}}", 422, "invalid"),
        (b"{\"surprise\":1}", 422, "invalid"),
    ];
    for (body, status, code) in cases {
        world
            .ask("POST", "/api/v1/flags")
            .body(body.to_vec())
            .send()
            .await
            .fails(status, code);
    }
    let deep = "[".repeat(100_000);
    world
        .ask("POST", "/api/v1/flags")
        .body(deep)
        .send()
        .await
        .fails(400, "bad-request");
    let form = world
        .ask("POST", "/api/v1/undo")
        .header("content-type", "text/plain");
    form.send().await.fails(415, "unsupported-media-type");
    world
        .ask("PATCH", "/api/v1/flags")
        .send()
        .await
        .fails(405, "method-not-allowed");
    world
        .get("/api/v1/nothing")
        .send()
        .await
        .fails(404, "not-found");
    world.get("/api/v1/flags/%ff").send().await.is(400);
}

#[tokio::test]
async fn names_that_are_not_keys_go_nowhere() {
    let world = World::new().await;
    for key in [
        "<script>",
        "a b",
        "\u{202e}abc",
        "a\u{0}",
        &"x".repeat(10_000),
        "..",
        "--upload-pack=x/y",
        "",
    ] {
        let definition = json!({
            "key": key, "kind": "ops", "type": "boolean", "owner": "a",
            "variants": {"on": true, "off": false}, "closed": "off", "open": "on",
        });
        let problem = world
            .post("/api/v1/flags", &json!({"definition": definition}))
            .send()
            .await
            .fails(422, "invalid");
        assert_eq!(problem["field"], "definition.key", "{key:?}");
    }
    let numbers = json!({"definition": {
        "key": "n", "kind": "ops", "type": "integer", "owner": "a",
        "variants": {"big": 9_223_372_036_854_775_808_u64, "off": 0}, "closed": "off", "open": "big",
    }});
    let problem = world
        .post("/api/v1/flags", &numbers)
        .send()
        .await
        .fails(422, "invalid");
    assert_eq!(problem["field"], "definition.variants.big");
}

#[tokio::test]
async fn one_that_sends_its_headers_too_slowly_is_cut_off() {
    let world = World::with(|settings| settings.header_time_max = Duration::from_millis(200)).await;
    let mut socket = tokio::net::TcpStream::connect(world.address).await.unwrap();
    socket
        .write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: ")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let read = socket.read_to_end(&mut answer);
    tokio::time::timeout(PATIENCE, read)
        .await
        .expect("it is cut off")
        .unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
        "{answer}"
    );
}

#[tokio::test]
async fn too_many_headers_or_too_long_ones_are_refused() {
    let world = World::new().await;
    let many: String = (0..200).map(|n| format!("x-{n}: y\r\n")).collect();
    let answer = raw(
        &world,
        &format!("GET /livez HTTP/1.1\r\nhost: x\r\n{many}\r\n"),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let long = "x".repeat(600_000);
    let mut socket = tokio::net::TcpStream::connect(world.address).await.unwrap();
    // The server may close before all of it is sent.
    let _ = socket
        .write_all(format!("GET /livez?{long} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())
        .await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, socket.read_to_end(&mut answer));
    let _ = read.await.expect("it is cut off");
    assert!(!String::from_utf8_lossy(&answer).contains(" 200 "));
    let long = format!("Bearer {}", "x".repeat(10_000));
    world
        .get("/api/v1/flags")
        .nobody()
        .header("authorization", &long)
        .send()
        .await
        .is(401);
}
