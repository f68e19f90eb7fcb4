use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use leverframe::{Client, Context, GateLayer};
use serde_json::json;
use tempfile::TempDir;
use tower::{Layer, ServiceExt, service_fn};

use crate::frames::{boolean, open, snapshot};

fn by_header(request: &Request<String>) -> Context {
    match request.headers().get("x-account") {
        Some(account) => Context::new("u-1").with("account", account.to_str().unwrap()),
        None => Context::anonymous(),
    }
}

#[tokio::test]
async fn requests_pass_while_the_flag_is_on_for_them_and_get_503_otherwise() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("flags.json");
    let mut flag = boolean("a", &open());
    flag["position"] = json!({"state": "open", "exposure": {"percentage": 0}});
    flag["definition"]["rules"] =
        json!([{"id": "r1", "when": "account == \"acme\"", "serve": "on"}]);
    std::fs::write(&file, snapshot(1, &[flag]).to_string()).unwrap();
    let client = Client::offline(&file).unwrap();

    let reached = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&reached);
    let service = GateLayer::new(client.flag("a"), by_header)
        .retry_after(Duration::from_secs(7))
        .layer(service_fn(move |request: Request<String>| {
            counter.fetch_add(1, Ordering::Relaxed);
            async move { Ok::<_, Infallible>(Response::new(request.into_body())) }
        }));

    let request = |account: &str| {
        Request::builder()
            .header("x-account", account)
            .body("hello".to_owned())
            .unwrap()
    };
    let passed = service.clone().oneshot(request("acme")).await.unwrap();
    assert_eq!(passed.status(), StatusCode::OK);
    assert_eq!(passed.body(), "hello");
    let stopped = service.clone().oneshot(request("other")).await.unwrap();
    assert_eq!(stopped.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(stopped.headers()["retry-after"], "7");
    assert_eq!(stopped.headers()["cache-control"], "no-store");
    assert!(stopped.body().is_empty());
    assert_eq!(reached.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_gate_whose_flag_is_unknown_is_closed() {
    let client = Client::fixed([("other", true)]);
    let service =
        GateLayer::new(client.flag("a"), by_header).layer(service_fn(|_: Request<String>| async {
            Ok::<_, Infallible>(Response::new(String::new()))
        }));
    let answer = service.oneshot(Request::new(String::new())).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "30");
}
