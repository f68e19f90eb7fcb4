//! A server that a test plays: it writes down what it is asked and answers as it was told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) call: String,
    pub(crate) query: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Value,
}

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    status: u16,
    body: Value,
    retry_after: Option<u32>,
}

#[derive(Default)]
struct Script {
    asked: Vec<Asked>,
    /// Answers by `METHOD path`; the last one is repeated.
    answers: HashMap<String, Vec<Told>>,
}

/// The server.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) url: String,
    script: Arc<Mutex<Script>>,
    heard: Arc<Notify>,
}

pub(crate) fn ok(body: Value) -> Told {
    Told {
        status: 200,
        body,
        retry_after: None,
    }
}

pub(crate) fn problem(status: u16, code: &str, detail: &str) -> Told {
    Told {
        status,
        body: json!({
            "type": format!("urn:leverframe:problem:{code}"), "title": "T", "status": status,
            "detail": detail, "code": code,
        }),
        retry_after: None,
    }
}

/// Not now.
pub(crate) fn busy() -> Told {
    Told {
        retry_after: Some(0),
        ..problem(503, "unavailable", "not now")
    }
}

impl Stage {
    pub(crate) async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script::default()));
        let heard = Arc::new(Notify::new());
        let router = Router::new()
            .fallback(answer)
            .with_state((Arc::clone(&script), Arc::clone(&heard)));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, script, heard }
    }

    /// Answers `call` (`GET /whoami`) with these, one after the other.
    pub(crate) fn tell(&self, call: &str, answers: impl IntoIterator<Item = Told>) -> &Self {
        let mut script = self.script.lock().unwrap();
        script
            .answers
            .insert(call.to_owned(), answers.into_iter().collect());
        drop(script);
        self
    }

    /// What was asked by `call`.
    pub(crate) fn asked(&self, call: &str) -> Vec<Asked> {
        let script = self.script.lock().unwrap();
        script
            .asked
            .iter()
            .filter(|asked| asked.call == call)
            .cloned()
            .collect()
    }

    /// Waits until `call` was asked for.
    pub(crate) async fn until_asked(&self, call: &str) {
        let until = async {
            while self.asked(call).is_empty() {
                // One request that came in between keeps a permit, so none is missed.
                self.heard.notified().await;
            }
        };
        let limit = std::time::Duration::from_secs(20);
        tokio::time::timeout(limit, until).await.unwrap();
    }

    /// Everything that was asked, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        let script = self.script.lock().unwrap();
        script
            .asked
            .iter()
            .map(|asked| asked.call.clone())
            .collect()
    }
}

async fn answer(
    State((script, heard)): State<(Arc<Mutex<Script>>, Arc<Notify>)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().strip_prefix("/api/v1").unwrap_or("elsewhere");
    let call = format!("{method} {path}");
    let mut script = script.lock().unwrap();
    script.asked.push(Asked {
        call: call.clone(),
        query: uri.query().unwrap_or_default().to_owned(),
        headers: headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    });
    let told = match script.answers.get_mut(&call) {
        Some(answers) if answers.len() > 1 => answers.remove(0),
        Some(answers) => answers.first().cloned().unwrap(),
        None => problem(
            404,
            "not-found",
            &format!("the test has no answer to {call}"),
        ),
    };
    drop(script);
    heard.notify_one();
    let status = StatusCode::from_u16(told.status).unwrap();
    let mut response = (status, axum::Json(told.body)).into_response();
    if let Some(seconds) = told.retry_after {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    response
}

/// A receipt of one change of `new-checkout` in prod.
pub(crate) fn receipt(revision: u64) -> Value {
    json!({
        "revision": revision, "at": "2026-11-21T12:00:00Z", "stored": true,
        "environments": ["prod"],
        "changes": [{
            "noun": "lever", "key": "new-checkout", "environment": "prod",
            "from": "open to 25 %", "to": "closed", "sentence": "new-checkout closed in prod",
        }],
        "undo": format!("lever undo r{revision} -r \"…\""),
    })
}

/// A confirmation by `confirmed` of `expected`.
pub(crate) fn confirmation(revision: u64, confirmed: usize, expected: usize) -> Value {
    let state = match (confirmed, expected) {
        (_, 0) => "nobody",
        (confirmed, expected) if confirmed == expected => "confirmed",
        _ => "pending",
    };
    let stragglers: Vec<Value> = (confirmed..expected)
        .map(|number| {
            json!({
                "instance": format!("shop-{number}"), "application": "shop", "build": "1.4.2",
                "last_seen": "2026-11-21T12:00:00Z", "silent_ms": 3_000, "connected": false,
                "revision": revision - 1, "advice": "stop the process",
            })
        })
        .collect();
    let mut confirmation = json!({
        "environment": "prod", "revision": revision, "state": state, "expected": expected,
        "confirmed": confirmed, "stragglers": stragglers,
        "caches": {"seen": 0, "fetched": 0, "applied": 0},
    });
    if state == "confirmed" {
        confirmation["elapsed_ms"] = json!(4.0);
    }
    confirmation
}

/// The lever of `new-checkout` in prod, open to 25 %.
pub(crate) fn lever(revision: u64) -> Value {
    json!({
        "flag": "new-checkout", "environment": "prod", "sentence": "open to 25 %",
        "position": {"state": "open", "exposure": {"percentage": 25.0}}, "revision": revision,
    })
}
