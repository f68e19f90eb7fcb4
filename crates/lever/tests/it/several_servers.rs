use std::time::{Duration, Instant};

use crate::program::Program;
use crate::stage::{Stage, busy, confirmation, ok, problem, receipt};

const KILL: &str = "POST /environments/prod/kill";
const CONFIRMATION: &str = "GET /environments/prod/confirmations/57";

/// An address where nobody listens.
async fn nobody() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A server that takes connections and never answers.
async fn mute() -> (String, tokio::net::TcpListener) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    (
        format!("http://{}", listener.local_addr().unwrap()),
        listener,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_asks_all_servers_at_once_and_takes_the_first_that_accepts() {
    let (mute, _listener) = mute().await;
    let refusing = Stage::open().await;
    refusing.tell(KILL, [problem(403, "denied", "not here")]);
    let accepting = Stage::open().await;
    accepting
        .tell(KILL, [ok(receipt(57))])
        .tell(CONFIRMATION, [ok(confirmation(57, 2, 2))]);
    let urls = format!(
        "{mute},{},{},{}",
        nobody().await,
        refusing.url,
        accepting.url
    );
    let started = Instant::now();
    let run = Program::talking_to(&urls)
        .lever(&["kill", "new-checkout", "-e", "prod"])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("2/2 evaluators confirmed"), "{run:?}");
    assert!(
        started.elapsed() < Duration::from_secs(8),
        "a server that does not answer holds up nothing"
    );
    let keys = [
        refusing.asked(KILL)[0].headers["idempotency-key"].clone(),
        accepting.asked(KILL)[0].headers["idempotency-key"].clone(),
    ];
    assert_eq!(
        keys[0], keys[1],
        "one command, however many servers take it"
    );
    assert_eq!(
        accepting.asked(CONFIRMATION).len(),
        1,
        "the server that took it is asked who has it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn when_no_server_accepts_the_one_that_says_why_is_told() {
    let refusing = Stage::open().await;
    refusing.tell(
        KILL,
        [problem(403, "denied", "this token may not close it")],
    );
    let urls = format!("{},{}", nobody().await, refusing.url);
    let run = Program::talking_to(&urls)
        .lever(&["kill", "new-checkout", "-e", "prod"])
        .await;
    assert_eq!(run.code, 7, "{run:?}");
    assert!(
        run.stderr.contains("this token may not close it"),
        "{run:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_keeps_its_idempotency_key() {
    let stage = Stage::open().await;
    stage
        .tell(KILL, [busy(), busy(), ok(receipt(57))])
        .tell(CONFIRMATION, [ok(confirmation(57, 1, 1))]);
    let program = Program::talking_to(&stage.url);
    let kill = ["kill", "new-checkout", "-e", "prod"];
    assert_eq!(program.lever(&kill).await.code, 0);
    let keys: Vec<String> = stage
        .asked(KILL)
        .iter()
        .map(|asked| asked.headers["idempotency-key"].clone())
        .collect();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_eq!(program.lever(&kill).await.code, 0);
    assert_ne!(
        stage.asked(KILL)[3].headers["idempotency-key"],
        keys[0],
        "another command has another key"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_else_asks_the_servers_in_order() {
    let second = Stage::open().await;
    second.tell(
        "GET /environments",
        [ok(serde_json::json!({"environments": []}))],
    );
    let third = Stage::open().await;
    let urls = format!("{},{},{}", nobody().await, second.url, third.url);
    let run = Program::talking_to(&urls).lever(&["env", "list"]).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(third.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn when_nobody_answers_it_says_where_it_asked_and_exits_1() {
    let url = nobody().await;
    let run = Program::talking_to(&url)
        .lever(&["status", "-e", "prod", "-o", "json"])
        .await;
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(run.problem()["code"], "unreachable");
    assert!(
        run.problem()["detail"].as_str().unwrap().contains(&url),
        "{run:?}"
    );
    let run = Program::talking_to(&url)
        .lever(&["kill", "new-checkout", "-e", "prod"])
        .await;
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.stderr.contains("LEVER_FORCE_CLOSED=new-checkout"),
        "{run:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_out_is_not_lost_sight_of_when_the_server_goes_away() {
    let stage = Stage::open().await;
    stage
        .tell(KILL, [ok(receipt(57))])
        .tell(CONFIRMATION, [problem(500, "internal", "gone")]);
    let run = Program::talking_to(&stage.url)
        .lever(&["kill", "new-checkout", "-e", "prod"])
        .await;
    assert_eq!(run.code, 9, "{run:?}");
    assert!(run.stdout.contains("UNKNOWN"), "{run:?}");
    assert!(run.stdout.contains("r57"), "{run:?}");
}
