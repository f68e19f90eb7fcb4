//! What streams are sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use leverframe_core::Command;
use leverframe_flags::{Context, Update};
use leverframe_node::{Next, Place};

use crate::bench::{Bench, environment_key, frames, next};

#[tokio::test]
async fn a_joiner_gets_a_snapshot_and_then_only_what_changes() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    let feed = bench.feed("prod");
    let (first, place) = frames(&feed, None);
    assert_eq!(first.len(), 1);
    assert!(matches!(feed.next(Some(&place)), Next::UpToDate));

    bench.open("checkout", "prod", 10).await;
    let (news, place) = frames(&feed, Some(&place));
    assert_eq!(news.len(), 1);
    assert!(matches!(feed.next(Some(&place)), Next::UpToDate));
    let tape = bench.tape.0.lock().unwrap();
    assert!(matches!(tape.last(), Some(Update::Change { positions, .. }) if positions.len() == 1));
}

#[tokio::test]
async fn a_frame_is_encoded_once_however_many_streams_there_are() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    let feed = bench.feed("prod");
    let (_, place) = frames(&feed, None);
    let encoded_before = bench.tape.0.lock().unwrap().len();
    bench.kill("checkout", "prod").await.unwrap();
    let (one, _) = frames(&feed, Some(&place));
    let (other, _) = frames(&feed, Some(&place));
    assert_eq!(
        one[0].as_ptr(),
        other[0].as_ptr(),
        "both streams write the same bytes"
    );
    assert_eq!(bench.tape.0.lock().unwrap().len(), encoded_before + 1);
}

#[tokio::test]
async fn joiners_share_a_snapshot_which_is_never_older_than_what_is_there() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    let feed = bench.feed("prod");
    let (one, _) = frames(&feed, None);
    let (other, _) = frames(&feed, None);
    assert_eq!(one[0].as_ptr(), other[0].as_ptr());
    bench.open("checkout", "prod", 10).await;
    // Who comes back from its disk says nothing of what it has, and refuses anything older.
    let (later, place) = frames(&feed, None);
    assert_eq!(later.len(), 1);
    assert_eq!(place.revision, feed.revision());
    let revision = feed.revision();
    let tape = bench.tape.0.lock().unwrap();
    assert!(
        matches!(tape.last(), Some(Update::Snapshot { cursor, .. }) if cursor.revision == revision)
    );
}

#[tokio::test]
async fn an_evaluator_that_is_ahead_of_the_journal_is_never_sent_older_news() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    let feed = bench.feed("prod");
    let (_, place) = frames(&feed, None);
    let ahead = Place {
        revision: place.revision + 1,
        ..place
    };
    assert!(matches!(feed.next(Some(&ahead)), Next::Ahead));
    let foreign = Place {
        journal: "another".into(),
        ..ahead
    };
    assert!(
        matches!(next(&feed, Some(&foreign)), Next::Frames { .. }),
        "another journal is another history"
    );
}

#[tokio::test]
async fn the_node_decides_by_its_own_frames() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    let feed = bench.feed("prod");
    let value = |key: &str| {
        let rules = feed.rules();
        rules
            .evaluate(key, &Context::new("u-1"))
            .and_then(|outcome| outcome.value.as_bool())
    };
    assert_eq!(value("checkout"), Some(false));
    assert_eq!(value("unknown"), None);
    bench.open("checkout", "prod", 100).await;
    assert_eq!(value("checkout"), Some(true));
    bench.kill("checkout", "prod").await.unwrap();
    assert_eq!(value("checkout"), Some(false));
}

/// An acknowledgement of more than the feed's revision is not believed, and is sent only once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_that_the_feed_has_not_come_to() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    let feed = bench.feed("prod");
    let is_done = Arc::new(AtomicBool::new(false));
    let stream = {
        let (feed, is_done) = (Arc::clone(&feed), Arc::clone(&is_done));
        std::thread::spawn(move || {
            let mut at = None;
            while !is_done.load(Ordering::Relaxed) {
                if let Next::Frames { place, .. } = feed.next(at.as_ref()) {
                    let reached = feed.revision();
                    assert!(
                        place.revision <= reached,
                        "sent {} at {reached}",
                        place.revision
                    );
                    at = Some(place);
                }
            }
        })
    };
    for _ in 0..500 {
        bench.open("checkout", "prod", 10).await;
        bench.kill("checkout", "prod").await.unwrap();
    }
    is_done.store(true, Ordering::Relaxed);
    stream.join().unwrap();
}

/// A journal that lost its end and went on (a disk put back, a standby that was behind): revisions
/// come again, and are others. Who knows the lost ones must not be taken to have the new ones.
#[tokio::test]
async fn the_feed_knows_what_was_at_the_revisions_it_leads_on_from() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    let feed = bench.feed("prod");
    let (first, head) = (feed.revision(), bench.node.state().head());
    assert_eq!(feed.head_at(first), Some(head));
    bench.open("checkout", "prod", 10).await;
    bench.kill("checkout", "prod").await.unwrap();
    assert_eq!(feed.head_at(first), Some(head), "later ones do not hide it");
    assert_eq!(
        feed.head_at(feed.revision()),
        Some(bench.node.state().head())
    );
    assert_eq!(feed.head_at(0), None);
}

#[tokio::test]
async fn a_new_environment_can_be_followed_at_once() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    let key = environment_key("canary");
    bench
        .submit(Command::CreateEnvironment {
            key,
            guarded: false,
        })
        .await
        .unwrap();
    let feed = bench.feed("canary");
    let rules = feed.rules();
    let outcome = rules.evaluate("checkout", &Context::new("u-1")).unwrap();
    assert_eq!(outcome.value.as_bool(), Some(false));
}

/// Both of two workers would else stand at the encoder, and no stream would be served.
#[tokio::test]
async fn neither_a_joiner_nor_a_kill_waits_while_a_snapshot_is_encoded() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    bench.open("checkout", "prod", 100).await;
    let feed = bench.feed("prod");
    let (_, place) = frames(&feed, None);
    bench.open("checkout", "prod", 50).await;
    {
        // The encoder hangs: the snapshot cannot be finished.
        let _tape = bench.tape.0.lock().unwrap();
        assert!(matches!(feed.next(None), Next::Preparing));
        assert!(
            matches!(feed.next(None), Next::Preparing),
            "nor does the next"
        );
        let (news, _) = frames(&feed, Some(&place));
        assert_eq!(news.len(), 1, "who is here already is served");
    }
    let (snapshot, _) = frames(&feed, None);
    assert_eq!(snapshot.len(), 1);
}
