use std::time::Instant;

use leverframe_core::access::Actor;
use leverframe_core::{Command, Why};
use leverframe_flags::Segment;
use leverframe_node::{Options, Request};
use leverframe_store::MemoryStore;
use leverframe_store::memory::Disk;

use super::*;
use crate::stream::FrameEncoder;

#[test]
fn what_an_evaluator_says_of_itself_cannot_move_a_terminal() {
    assert_eq!(
        &*plain("a\u{1b}[31mb\u{202e}c\n"),
        "a\u{FFFD}[31mb\u{FFFD}c\u{FFFD}"
    );
    assert_eq!(plain(&"x".repeat(1_000)).len(), 256);
}

/// The node stands at `lost.revision + 1`, and another record is at `lost.revision` than the
/// evaluator knows.
#[tokio::test]
async fn who_knows_a_record_that_was_lost_here_is_not_led_on_from_it_nor_counted_as_having_the_new_one()
 {
    let store = Box::new(MemoryStore::open(&Disk::new()));
    let started = Node::start(store, Options::default(), Arc::new(FrameEncoder))
        .await
        .unwrap();
    let node = started.node;
    for key in ["staff", "beta"] {
        let segment: Segment =
            serde_json::from_value(serde_json::json!({"key": key, "include": ["u-1"]})).unwrap();
        create(&node, segment).await;
    }
    let feed = node.feed("prod").unwrap();
    let state = node.state();
    let lost = frame::Cursor {
        journal: state.journal().to_owned(),
        epoch: state.epoch(),
        environment: "prod".to_owned(),
        previous: 0,
        revision: feed.revision() - 1,
        brake: 0,
        head: Link::START.to_hex(),
    };
    let hello = frame::Hello {
        instance: "web-1".to_owned(),
        application: "shop".to_owned(),
        build: "b1".to_owned(),
        client: "test/1".to_owned(),
        cursor: Some(lost.clone()),
        outcomes: false,
        flags: None,
    };
    let follower = Follower::new(node.clone(), Arc::clone(&feed), "web-1").unwrap();
    assert_eq!(
        follower.join(&hello).unwrap(),
        None,
        "it needs everything anew"
    );
    let asked = || feed.presence().confirmation(lost.revision).confirmation;
    assert_eq!(asked().confirmed, 0, "by what it resumes from");

    let sent = Place {
        journal: state.journal().into(),
        epoch: state.epoch(),
        revision: feed.revision(),
        brake: 0,
    };
    let told = frame::Acknowledge {
        journal: lost.journal.clone(),
        epoch: lost.epoch,
        revision: lost.revision,
        brake: 0,
        head: lost.head.clone(),
        refused: Vec::new(),
    };
    follower.acknowledge(told, Some(&sent));
    assert_eq!(asked().confirmed, 0, "by what it acknowledges");
}

async fn create(node: &Node, segment: Segment) {
    let admin = node.state().tokens().next().unwrap().token.id.clone();
    let request = Request {
        command: Command::CreateSegment {
            segment: Box::new(segment),
        },
        actor: Actor::Token { id: admin },
        via: "test".into(),
        why: Why::default(),
        if_match: None,
        idempotency: None,
        dry_run: false,
        received: Instant::now(),
    };
    node.submit(request).await.unwrap();
}
