//! Bad input is refused with its name, in bounded memory and time.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::paths::raw;
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

#[tokio::test]
async fn a_gigabyte_is_not_taken_in_however_it_is_sent() {
    const CHUNK: usize = 64 * 1024;
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let evaluator = world.token("evaluator", &["prod"], &[]).await;
    for (path, token) in [
        ("/api/v1/flags", &world.admin),
        ("/api/v1/environments/prod/kill", &world.admin),
        ("/ofrep/v1/evaluate/flags/checkout", &evaluator),
        ("/ofrep/v1/evaluate/flags", &evaluator),
        ("/api/v1/stream/poll", &evaluator),
    ] {
        let mut socket = tokio::net::TcpStream::connect(world.address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        let chunk = format!("{CHUNK:x}\r\n{}\r\n", " ".repeat(CHUNK));
        let (mut reading, mut writing) = socket.split();
        let mut sent = 0;
        let send = async {
            // The server hangs up long before the end.
            while sent < 1024 * 1024 * 1024 && writing.write_all(chunk.as_bytes()).await.is_ok() {
                sent += CHUNK;
            }
        };
        let mut answer = Vec::new();
        let hear = async {
            let mut some = [0; 1024];
            while let Ok(read @ 1..) = reading.read(&mut some).await {
                answer.extend_from_slice(&some[..read]);
            }
        };
        let both = async { tokio::join!(send, hear) };
        tokio::time::timeout(PATIENCE, both)
            .await
            .unwrap_or_else(|_| panic!("{path} is still reading"));
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.starts_with("HTTP/1.1 413 ") || answer.starts_with("HTTP/1.1 400 "),
            "{path}: {answer:.80}"
        );
        // What the sockets hold on the way, and little more than the bound.
        assert!(sent < 32 * 1024 * 1024, "{path} took {sent} bytes");
    }
    world.get("/livez").send().await.is(200);
}

/// Drives a terminal, turns the direction, joins, hides, ends a line or a C string, marks up.
const HOSTILE: [&str; 8] = [
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "\u{202e}dekcah\u{2066}",
    "a\u{200d}b\u{200b}\u{feff}",
    "a\u{0}b",
    "a\r\nset-cookie: b=c",
    "<script>alert(1)</script>",
    "\u{e000}\u{10ffff}\u{85}\u{2028}",
    "💥🇳🇴é",
];

#[tokio::test]
async fn a_hostile_text_in_any_field_is_refused_or_comes_back_as_it_was() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let long = "x".repeat(10_240);
    let texts = HOSTILE.into_iter().chain([long.as_str()]);
    let mut taken = 0;
    for (number, text) in texts.enumerate() {
        let key = format!("f{number}");
        let definition = json!({
            "key": key, "kind": "ops", "type": "string", "owner": "web",
            "variants": {"a": "1", "b": "2"}, "closed": "a", "open": "b",
        });
        for field in [
            "/key",
            "/owner",
            "/description",
            "/runbook",
            "/tags/0",
            "/unit",
            "/salt",
            "/closed",
            "/open",
            "/sunset",
            "/hash",
            "/kind",
            "/type",
            "/variants/a",
            "/environments/prod/rules/0/id",
            "/environments/prod/rules/0/when",
            "/environments/prod/prerequisites/0/flag",
        ] {
            let mut definition = definition.clone();
            let (names, value) = (field.split('/').skip(1), json!(text));
            *place(&mut definition, names) = value;
            if field.ends_with("/id") {
                definition["environments"]["prod"]["rules"][0]["when"] = json!("a == 1");
                definition["environments"]["prod"]["rules"][0]["serve"] = json!("b");
            }
            if field.ends_with("/when") {
                definition["environments"]["prod"]["rules"][0]["serve"] = json!("b");
            }
            let body = json!({"definition": definition, "why": {"reason": text, "incident": text}});
            let answer = world.post("/api/v1/flags?dry_run=true", &body).send().await;
            assert!(
                matches!(answer.status, 200 | 201 | 422),
                "{text:?} in {field}: {}",
                answer.text
            );
            assert_inert(&answer.text, field);
        }
        // What is stored comes back as it was sent, and is told the same way.
        let mut definition = definition.clone();
        definition["variants"]["a"] = json!(text);
        definition["description"] = json!(text);
        let body = json!({"definition": definition});
        let answer = world.post("/api/v1/flags", &body).send().await;
        if answer.status == 201 {
            taken += 1;
            let path = format!("/api/v1/flags/{key}");
            let answer = world.get(&path).send().await.is(200);
            assert_inert(&answer.text, &path);
            let flag = answer.json();
            assert_eq!(flag["definition"]["variants"]["a"], text);
            assert_eq!(flag["definition"]["description"], text);
        } else {
            answer.fails(422, "invalid");
        }
        let kill = json!({"flags": ["checkout"], "why": {"reason": text, "incident": text}});
        // A close is never refused for its words.
        world
            .post("/api/v1/environments/prod/kill", &kill)
            .send()
            .await
            .is(200);
        for body in [
            json!({"name": text, "role": "viewer"}),
            json!({"name": "n", "role": text}),
            json!({"name": "n", "role": "viewer", "keys": [text]}),
            json!({"name": "n", "role": "viewer", "environments": [text]}),
        ] {
            let answer = world
                .post("/api/v1/tokens?dry_run=true", &body)
                .send()
                .await;
            assert!(
                matches!(answer.status, 201 | 200 | 422 | 404),
                "{}",
                answer.text
            );
            assert_inert(&answer.text, "token");
        }
    }
    assert!(taken > 0, "no text was taken at all");
    for path in ["/api/v1/flags", "/api/v1/journal", "/metrics"] {
        let answer = world.get(path).send().await.is(200);
        assert_inert(&answer.text, path);
    }
}

/// The place in a JSON value, made on the way.
fn place<'j, 'n>(
    json: &'j mut serde_json::Value,
    names: impl Iterator<Item = &'n str>,
) -> &'j mut serde_json::Value {
    let mut here = json;
    for name in names {
        here = match name.parse::<usize>() {
            Ok(index) => {
                if !here.is_array() {
                    *here = json!([{}]);
                }
                &mut here[index]
            }
            Err(_) => &mut here[name],
        };
    }
    here
}

/// A person who prints the answer as it is sees nothing happen to the terminal. JSON writes control
/// characters as escapes; all else is for whoever shows it.
#[track_caller]
fn assert_inert(text: &str, place: &str) {
    let control = text.chars().find(|c| c.is_ascii_control() && *c != '\n');
    assert_eq!(control, None, "{place}: {text:?}");
}

#[tokio::test]
async fn a_flag_never_changes_its_type_under_those_who_ask_it() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.open("checkout", "dev").await;
    for (value_type, on, off) in [
        ("string", json!("on"), json!("off")),
        ("integer", json!(1), json!(0)),
        ("float", json!(1.5), json!(0.5)),
        ("object", json!({"a": 1}), json!({})),
    ] {
        let etag = world
            .get("/api/v1/flags/checkout")
            .send()
            .await
            .is(200)
            .header("etag")
            .to_owned();
        let definition = json!({
            "key": "checkout", "kind": "ops", "type": value_type, "owner": "team-pay",
            "variants": {"on": on, "off": off}, "closed": "off", "open": "on",
        });
        let body = json!({"definition": definition, "why": {"reason": "another type"}});
        let problem = world
            .ask("PUT", "/api/v1/flags/checkout")
            .json(&body)
            .header("if-match", &etag)
            .send()
            .await
            .fails(409, "conflict");
        assert!(
            problem["detail"].as_str().unwrap().contains("boolean"),
            "{problem}"
        );
        let answer = world
            .post(
                "/ofrep/v1/evaluate/flags/checkout?environment=dev",
                &json!({"context": {"targetingKey": "u-1"}}),
            )
            .send()
            .await
            .is(200)
            .json();
        assert_eq!(answer["value"], true);
    }
}
