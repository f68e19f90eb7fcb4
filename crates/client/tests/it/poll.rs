//! The long poll, behind a proxy that lets no WebSocket pass.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{any, post};
use axum::{Json, Router};
use leverframe::{Client, Context, Settings};
use leverframe_wire::frame::{POLL_PATH, Poll, STREAM_PATH};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::DEADLINE;
use crate::frames::{boolean, closed, moved, open, snapshot};
use crate::server::TOKEN;

type Asked = (Poll, oneshot::Sender<Value>);

struct Proxied {
    polls: mpsc::UnboundedReceiver<Asked>,
    upgrades: Arc<Mutex<u32>>,
    settings: Settings,
}

#[derive(Clone)]
struct Shared {
    polls: mpsc::UnboundedSender<Asked>,
    upgrades: Arc<Mutex<u32>>,
}

async fn poll(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Json(poll): Json<Poll>,
) -> Result<Json<Value>, StatusCode> {
    if headers["authorization"] != format!("Bearer {TOKEN}") {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let (answer, answered) = oneshot::channel();
    let _ = shared.polls.send((poll, answer));
    answered
        .await
        .map(Json)
        .map_err(|_| StatusCode::BAD_GATEWAY)
}

async fn refuse(State(shared): State<Shared>) -> StatusCode {
    *shared.upgrades.lock().unwrap() += 1;
    StatusCode::BAD_REQUEST
}

impl Proxied {
    async fn start() -> Self {
        let (sender, polls) = mpsc::unbounded_channel();
        let upgrades = Arc::default();
        let router = Router::new()
            .route(STREAM_PATH, any(refuse))
            .route(POLL_PATH, post(poll))
            .with_state(Shared {
                polls: sender,
                upgrades: Arc::clone(&upgrades),
            });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = Settings::from_lookup(|_| None)
            .url(&format!("http://{}", listener.local_addr().unwrap()))
            .token(TOKEN)
            .application("shop")
            .connect_timeout(DEADLINE);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            polls,
            upgrades,
            settings,
        }
    }

    async fn poll(&mut self) -> Asked {
        tokio::time::timeout(DEADLINE, self.polls.recv())
            .await
            .expect("no poll in time")
            .unwrap()
    }
}

fn anybody() -> Context {
    Context::new("u-1")
}

#[tokio::test]
async fn where_no_web_socket_passes_it_follows_by_long_poll() {
    let mut proxied = Proxied::start().await;
    let connecting = tokio::spawn(Client::connect(proxied.settings.clone()));

    let (first, answer) = proxied.poll().await;
    assert_eq!(*proxied.upgrades.lock().unwrap(), 2);
    assert_eq!(first.hello.application, "shop");
    assert_eq!(first.hello.cursor, None);
    assert_eq!(first.acknowledge, None);
    answer
        .send(json!({"frames": [snapshot(7, &[boolean("a", &open())])]}))
        .unwrap();
    let client = connecting.await.unwrap().unwrap();
    assert!(client.is_on("a", &anybody()));

    let (second, answer) = proxied.poll().await;
    let acknowledged = second.acknowledge.unwrap();
    assert_eq!(acknowledged.revision, 7);
    assert_eq!(second.hello.cursor.unwrap().revision, 7);
    assert!(second.wait_ms > 0);
    answer
        .send(json!({"frames": [moved(7, 8, "a", &closed()), moved(8, 9, "a", &open()), moved(9, 10, "a", &closed())]}))
        .unwrap();

    let (third, answer) = proxied.poll().await;
    assert_eq!(third.acknowledge.unwrap().revision, 10);
    assert!(!client.is_on("a", &anybody()));

    // A frame that does not fit: the next poll asks for everything.
    answer
        .send(json!({"frames": [moved(20, 21, "a", &open())]}))
        .unwrap();
    let (fourth, answer) = proxied.poll().await;
    assert_eq!(fourth.hello.cursor, None);
    assert_eq!(fourth.acknowledge, None);
    answer
        .send(json!({"frames": [snapshot(21, &[boolean("a", &open())])]}))
        .unwrap();
    let (fifth, answer) = proxied.poll().await;
    assert_eq!(fifth.acknowledge.unwrap().revision, 21);
    assert!(client.is_on("a", &anybody()));
    drop(answer);
}

#[tokio::test]
async fn counts_and_the_goodbye_go_with_polls() {
    let mut proxied = Proxied::start().await;
    let connecting = tokio::spawn(Client::connect(proxied.settings.clone()));
    let (_, answer) = proxied.poll().await;
    answer
        .send(json!({"frames": [snapshot(7, &[boolean("a", &open())])]}))
        .unwrap();
    let client = connecting.await.unwrap().unwrap();
    let (_, waiting) = proxied.poll().await;
    assert!(client.is_on("a", &anybody()));
    let leaving = tokio::spawn(async move { client.shutdown().await });
    let (last, answer) = proxied.poll().await;
    assert!(last.goodbye);
    let counts = last.counts.unwrap();
    assert_eq!(counts.sequence, 1);
    assert_eq!(counts.evaluations[0].count, 1);
    answer.send(json!({"frames": []})).unwrap();
    leaving.await.unwrap();
    drop(waiting);
}

#[tokio::test]
async fn a_server_that_answers_nothing_at_once_is_not_asked_in_a_storm() {
    let mut proxied = Proxied::start().await;
    let connecting = tokio::spawn(Client::connect(proxied.settings.clone()));
    let (_, answer) = proxied.poll().await;
    answer
        .send(json!({"frames": [snapshot(7, &[boolean("a", &open())])]}))
        .unwrap();
    let client = connecting.await.unwrap().unwrap();
    let began = std::time::Instant::now();
    for _ in 0..3 {
        let (_, answer) = proxied.poll().await;
        answer.send(json!({"frames": []})).unwrap();
    }
    assert!(began.elapsed() > Duration::from_millis(900));
    assert!(client.freshness().connected);
    assert!(client.freshness().age_ms.is_some());
}
