//! The listening socket: bounds, drain, TLS, health, metrics.

use std::time::Duration;

use leverframe_node::{Node, Options};
use leverframe_server::{BindError, FrameEncoder, Server, Settings, TlsFiles};
use leverframe_store::memory::{Disk, MemoryStore};
use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::evaluator::Evaluator;
use crate::world::{PATIENCE, World};

#[tokio::test]
async fn a_drain_tells_streams_to_go_and_lets_requests_finish() {
    let mut world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let (mut one, _) = Evaluator::follow(&world, &token, "web-1").await;
    world
        .fleet_until("prod", |fleet| fleet["evaluators"][0]["current"] == true)
        .await;
    let revision = world.kill("checkout", "prod").await["revision"]
        .as_u64()
        .unwrap();
    one.frame().await;
    let path = format!("/api/v1/environments/prod/confirmations/{revision}?wait_ms=30000");
    let waiting = tokio::spawn(world.get(&path).send());
    // The request is there once its connection is: ask something else behind it.
    world.get("/livez").nobody().send().await.is(200);
    world.shutdown.cancel();
    let (code, waited) = tokio::join!(one.closed(), waiting);
    assert_eq!(code, 1001);
    if let Ok(answer) = waited {
        assert_eq!(
            answer.is(200).json()["state"],
            "pending",
            "the wait is cut short, the answer is true"
        );
    }
    world.stop().await;
    assert!(
        tokio::net::TcpStream::connect(world.address).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn a_drain_does_not_wait_for_ever() {
    let mut world =
        World::with(|settings| settings.drain_time_max = Duration::from_millis(100)).await;
    let mut idle = tokio::net::TcpStream::connect(world.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut idle, b"POST /api/v1/flags HTTP/1.1\r\n")
        .await
        .unwrap();
    world.get("/livez").nobody().send().await.is(200);
    world.stop().await;
    let mut rest = Vec::new();
    let read = tokio::time::timeout(PATIENCE, idle.read_to_end(&mut rest));
    let _ = read.await.expect("its connection is gone");
}

#[tokio::test]
async fn http_2_is_spoken_on_the_same_port() {
    let world = World::new().await;
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let answer = client
        .get(format!("http://{}/api/v1/whoami", world.address))
        .bearer_auth(&world.admin)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.version()),
        (200, reqwest::Version::HTTP_2)
    );
}

#[tokio::test]
async fn tls_serves_the_same_with_a_certificate_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = TlsFiles {
        certificate: folder.path().join("cert.pem"),
        key: folder.path().join("key.pem"),
    };
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let mut world = World::with(|settings| settings.tls = Some(files.clone())).await;
    let trusted = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    world.http = reqwest::Client::builder()
        .tls_certs_only([trusted])
        .resolve("localhost", world.address)
        .build()
        .unwrap();
    let url = format!("https://localhost:{}/api/v1/whoami", world.address.port());
    let answer = world
        .http
        .get(url)
        .bearer_auth(&world.admin)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    // Without TLS nothing is said.
    let plain = reqwest::Client::new()
        .get(format!("http://{}/livez", world.address))
        .send()
        .await;
    assert!(plain.is_err());
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let files = TlsFiles {
        certificate: folder.path().join("cert.pem"),
        key: folder.path().join("key.pem"),
    };
    let world = World::new().await;
    let mut settings = Settings::at("127.0.0.1:0".parse().unwrap());
    settings.tls = Some(files.clone());
    for contents in [None, Some(""), Some("nonsense")] {
        if let Some(contents) = contents {
            std::fs::write(&files.certificate, contents).unwrap();
            std::fs::write(&files.key, contents).unwrap();
        }
        let Err(error) = Server::bind(settings.clone(), world.node.clone()).await else {
            panic!("it bound with {contents:?}")
        };
        assert!(error.to_string().contains("cert.pem"), "{error}");
    }
    let taken = Settings::at(world.address);
    assert!(matches!(
        Server::bind(taken, world.node.clone()).await,
        Err(BindError::Address { .. })
    ));
}

#[tokio::test]
async fn health_is_told_apart_from_readiness() {
    let mut world = World::new().await;
    assert_eq!(
        world.get("/livez").nobody().send().await.is(200).text,
        "ok\n"
    );
    let ready = world.get("/readyz").nobody().send().await.is(200).json();
    assert_eq!(ready, json!({"ready": true, "writable": true}));
    world.node.stop().await;
    world.get("/livez").nobody().send().await.is(200);
    world.get("/readyz").nobody().send().await.is(503);
    world.stop().await;
}

#[tokio::test]
async fn metrics_speak_prometheus_and_ask_for_a_token_unless_told_not_to() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let (_one, _) = Evaluator::follow(&world, &token, "web-1").await;
    world
        .fleet_until("prod", |fleet| fleet["evaluators"][0]["current"] == true)
        .await;
    world
        .post(
            "/ofrep/v1/evaluate/flags/checkout",
            &json!({"context": {"targetingKey": "user-secret"}}),
        )
        .token(&token)
        .send()
        .await
        .is(200);
    world
        .get("/metrics")
        .nobody()
        .send()
        .await
        .fails(401, "unauthenticated");
    world
        .get("/metrics")
        .token(&token)
        .send()
        .await
        .fails(403, "denied");
    let text = world.get("/metrics").send().await.is(200).text;
    for line in [
        "lever_evaluators_connected{environment=\"prod\"} 1",
        "lever_evaluators_current{environment=\"prod\"} 1",
        "lever_evaluators_expected{environment=\"dev\"} 0",
        "lever_ofrep_requests_total{outcome=\"answered\"} 1",
        "lever_streams 1",
        "lever_writable 1",
        "# TYPE lever_commit_seconds histogram",
        "# TYPE lever_confirm_seconds histogram",
        "# TYPE lever_canary_confirm_seconds histogram",
        "lever_canary_failures_total 0",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let revision = world.node.state().revision();
    assert!(text.contains(&format!("lever_journal_revision {revision}\n")));
    assert!(!text.contains("user-secret") && !text.contains("web-1"));
    assert!(text.ends_with("# EOF\n"));
    let open = World::with(|settings| settings.is_metrics_open = true).await;
    open.get("/metrics").nobody().send().await.is(200);
}

#[tokio::test]
async fn metrics_tell_a_token_of_its_own_environments_only() {
    let world = World::new().await;
    let dev = world.token("viewer", &["dev"], &[]).await;
    let text = world.get("/metrics").token(&dev).send().await.is(200).text;
    assert!(text.contains("environment=\"dev\""), "{text}");
    assert!(!text.contains("environment=\"prod\""), "{text}");
}

#[tokio::test]
async fn answers_of_the_api_are_kept_out_of_caches_and_other_sites() {
    let world = World::new().await;
    let answer = world.get("/api/v1/flags").send().await.is(200);
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), value);
    }
    assert!(answer.headers.contains_key("x-request-id"));
}

#[tokio::test]
async fn two_servers_can_share_a_node() {
    crate::world::provide_tls();
    let store = Box::new(MemoryStore::open(&Disk::new()));
    let started = Node::start(store, Options::default(), std::sync::Arc::new(FrameEncoder))
        .await
        .unwrap();
    let settings = Settings::at("127.0.0.1:0".parse().unwrap());
    let one = Server::bind(settings.clone(), started.node.clone())
        .await
        .unwrap();
    let two = Server::bind(settings, started.node).await.unwrap();
    assert_ne!(one.local_addr(), two.local_addr());
}
