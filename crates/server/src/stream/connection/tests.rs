use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use leverframe_core::access::{Actor, Role, Token};
use leverframe_core::{Command, Why};
use leverframe_flags::EnvironmentKey;
use leverframe_node::{Node, Options, Request};
use leverframe_store::MemoryStore;
use leverframe_store::memory::Disk;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use super::{BYTES_PER_S_MIN, End, PATIENCE, run, write};
use crate::app::App;
use crate::settings::Settings;
use crate::stream::FrameEncoder;

#[tokio::test(start_paused = true)]
async fn a_reader_that_does_not_read_is_dropped_in_bounded_time() {
    let (mut socket, _never_read) = tokio::io::duplex(1_024);
    let frame = Bytes::from(vec![b'x'; 10 * BYTES_PER_S_MIN as usize]);
    let begin = Instant::now();
    let Err(End::Gone(error)) = write(&mut socket, &[frame]).await else {
        panic!("it was written to nobody");
    };
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(begin.elapsed(), PATIENCE + Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_that_keeps_up_the_least_pace_gets_everything() {
    let (mut socket, mut reader) = tokio::io::duplex(64 * 1_024);
    let frames = [Bytes::from(vec![b'x'; 60 * BYTES_PER_S_MIN as usize])];
    let reading = async {
        let mut bytes = vec![0; BYTES_PER_S_MIN as usize];
        for _ in 0..60 {
            tokio::time::sleep(Duration::from_millis(1_100)).await;
            reader.read_exact(&mut bytes).await.unwrap();
        }
    };
    let (written, ()) = tokio::join!(write(&mut socket, &frames), reading);
    assert!(written.is_ok());
}

#[tokio::test]
async fn a_connection_that_waits_is_small() {
    let store = Box::new(MemoryStore::open(&Disk::new()));
    let started = Node::start(store, Options::default(), Arc::new(FrameEncoder))
        .await
        .unwrap();
    let state = started.node.state();
    let token = Arc::clone(state.tokens().next().unwrap());
    let feed = started.node.feed("prod").unwrap();
    let app = App::new(started.node, Settings::at("127.0.0.1:0".parse().unwrap()));
    let (socket, _other) = tokio::io::duplex(1);
    let task = run(app, token, feed, socket, Bytes::new());
    let bytes = size_of_val(&task);
    assert!(
        bytes <= 2 * 1_024,
        "the task of one evaluator takes {bytes} bytes"
    );
}

/// A client that always has something to say and takes its time to listen: whenever a heartbeat
/// comes, its connection is being written to, and then there is something to read.
#[tokio::test]
async fn a_talkative_evaluator_loses_its_connection_with_its_token_like_any_other() {
    let store = Box::new(MemoryStore::open(&Disk::new()));
    let options = Options {
        beat: Duration::from_millis(5),
        ..Options::default()
    };
    let started = Node::start(store, options, Arc::new(FrameEncoder))
        .await
        .unwrap();
    let node = started.node;
    let command = Command::CreateToken {
        token: Box::new(Token {
            id: "web".into(),
            name: "web".into(),
            role: Role::Evaluator,
            environments: [EnvironmentKey::new("prod").unwrap()].into(),
            keys: [].into(),
            secret_sha256: "0".repeat(64).into(),
            expires_at: None,
        }),
    };
    submit(&node, command).await;
    let token = Arc::clone(node.state().token("web").unwrap());
    let feed = node.feed("prod").unwrap();
    let app = App::new(node.clone(), Settings::at("127.0.0.1:0".parse().unwrap()));
    let (socket, client) = tokio::io::duplex(64);
    let following = tokio::spawn(run(app, token, feed, socket, Bytes::new()));
    let (mut listen, mut say) = tokio::io::split(client);
    let saying = tokio::spawn(async move {
        let hello = br#"{"type":"hello","instance":"a","application":"","build":"","client":""}"#;
        say.write_all(&masked(0x81, hello)).await?;
        loop {
            say.write_all(&masked(0x89, &[b'x'; 100])).await?;
        }
        #[expect(unreachable_code, reason = "says what the block's error is")]
        Ok::<(), std::io::Error>(())
    });
    let listening = async {
        let mut some = [0; 64];
        while listen.read(&mut some).await.is_ok_and(|bytes| bytes > 0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let revoking = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        submit(&node, Command::RevokeToken { id: "web".into() }).await;
    };
    let both = async { tokio::join!(listening, revoking) };
    let ended = tokio::time::timeout(Duration::from_secs(5), both).await;
    assert!(ended.is_ok(), "it goes on following");
    following.await.unwrap();
    saying.abort();
}

async fn submit(node: &Node, command: Command) {
    let admin = node
        .state()
        .tokens()
        .find(|entry| entry.token.role == Role::Admin)
        .map(|entry| entry.token.id.clone())
        .unwrap();
    let request = Request {
        command,
        actor: Actor::Token { id: admin },
        via: "test".into(),
        why: Why::default(),
        if_match: None,
        idempotency: None,
        dry_run: false,
        received: std::time::Instant::now(),
    };
    node.submit(request).await.unwrap();
}

/// A short frame of a client; with a mask of zeros the payload stays as it is.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    assert!(length < 126);
    let mut frame = vec![first, 0x80 | length, 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}
