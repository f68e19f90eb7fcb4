//! The long poll: the stream for where a WebSocket cannot pass. Each poll says what the last
//! answer did and waits for the next one.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use leverframe_node::{Feed, Next, Place};
use leverframe_wire::frame::{POLL_MS_MAX, Poll, SILENCE_MS_MAX};
use leverframe_wire::outcome::Grid;
use tokio::time::Instant;

use super::follower::Follower;
use super::socket::text_of;
use super::stay::Stay;
use crate::app::App;
use crate::limit::SNAPSHOT_WAIT_MAX;
use crate::problem::Failure;

/// Answers one poll with a [`leverframe_wire::frame::PollAnswer`] as JSON text.
pub(super) async fn answer(app: &App, feed: Arc<Feed>, poll: Poll) -> Result<Bytes, Failure> {
    let follower = Follower::new(app.node().clone(), Arc::clone(&feed), &poll.hello.instance)
        .map_err(|error| Failure::invalid("hello.instance", error.to_string()))?;
    let (stay, place) = Stay::begin(app.clone(), follower, &poll.hello)
        .map_err(|full| Failure::unavailable(full.to_string(), 30))?;
    if let Some(outcomes) = poll.outcomes {
        stay.follower.take_outcomes(outcomes);
    }
    if poll.goodbye {
        stay.goodbye();
        return Ok(answer_of(&[], None));
    }
    if let Some(told) = poll.acknowledge {
        // What it says it stands at is what the last answer brought it to.
        stay.follower.acknowledge(told, place.as_ref());
    }
    if let Some(counts) = &poll.counts {
        stay.follower.count(counts);
    }
    let wait = Duration::from_millis(poll.wait_ms.min(POLL_MS_MAX));
    let frames = tokio::select! {
        frames = news(&feed, place.as_ref(), wait) => frames,
        () = stay.replaced() => Vec::new(),
        () = app.draining.cancelled() => Vec::new(),
    };
    if place.is_none() && !frames.is_empty() {
        stay.follower.snapshot_sent();
    }
    let grid = poll.hello.outcomes.then(|| stay.follower.grid());
    // Between two polls it counts as connected; if no other comes, it is gone.
    let draining = app.draining.clone();
    app.tasks.spawn(async move {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(SILENCE_MS_MAX)) => {}
            () = stay.replaced() => {}
            () = draining.cancelled() => {}
        }
    });
    Ok(answer_of(&frames, grid))
}

/// The frames after `place`, as soon as there are any. A snapshot is waited for however short a wait
/// for news is wanted: it is there already, but for its encoding.
async fn news(feed: &Arc<Feed>, place: Option<&Place>, wait: Duration) -> Vec<Bytes> {
    let began = Instant::now();
    let mut head = feed.subscribe();
    loop {
        head.mark_unchanged();
        let wait = match feed.next(place) {
            Next::Frames { frames, .. } => return frames,
            Next::Preparing => wait.max(SNAPSHOT_WAIT_MAX),
            Next::UpToDate | Next::Ahead => wait,
        };
        match tokio::time::timeout_at(began + wait, head.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return Vec::new(),
        }
    }
}

/// The frames are JSON already, so the answer is put together around them.
fn answer_of(frames: &[Bytes], grid: Option<Grid>) -> Bytes {
    let bytes: usize = frames.iter().map(|frame| frame.len() + 1).sum();
    let mut answer = BytesMut::with_capacity(bytes + 16);
    answer.put_slice(br#"{"frames":["#);
    for (index, frame) in frames.iter().enumerate() {
        if index > 0 {
            answer.put_u8(b',');
        }
        answer.put_slice(&text_of(frame));
    }
    answer.put_u8(b']');
    if let Some(grid) = grid.and_then(|grid| serde_json::to_vec(&grid).ok()) {
        answer.put_slice(br#","grid":"#);
        answer.put_slice(&grid);
    }
    answer.put_u8(b'}');
    answer.freeze()
}
