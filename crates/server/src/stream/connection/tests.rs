use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use leverframe_node::{Node, Options};
use leverframe_store::MemoryStore;
use leverframe_store::memory::Disk;
use tokio::io::AsyncReadExt;
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
