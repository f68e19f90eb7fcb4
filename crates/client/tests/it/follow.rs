use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use leverframe::{Context, Source};
use leverframe_wire::frame::Message;
use serde_json::json;

use crate::frames::{boolean, closed, cursor, cursor_in, moved, open, snapshot};
use crate::server::Server;
use crate::{DEADLINE, until};

fn anybody() -> Context {
    Context::new("u-1")
}

#[tokio::test]
async fn connecting_says_who_we_are_and_waits_for_the_first_snapshot() {
    let mut server = Server::start().await;
    let connecting = tokio::spawn(server.builder().connect());
    let mut connection = server.connection().await;
    let hello = connection.hello().await;
    assert_eq!(hello.application, "shop");
    assert_eq!(hello.build, "3f2a9c1");
    assert!(hello.client.starts_with("leverframe-rust/"));
    assert_eq!(hello.instance.len(), 32);
    assert_eq!(hello.cursor, None);

    connection
        .send(&snapshot(
            7,
            &[boolean("a", &open()), boolean("b", &closed())],
        ))
        .await;
    let client = connecting.await.unwrap().unwrap();
    assert!(client.is_on("a", &anybody()));
    assert!(!client.is_on("b", &anybody()));
    let acknowledged = connection.acknowledge().await;
    assert_eq!((acknowledged.revision, acknowledged.epoch), (7, 1));
    assert_eq!(acknowledged.head, format!("{:064x}", 7));
    assert_eq!(acknowledged.journal, "0190a0b0-journal");
    assert!(acknowledged.refused.is_empty());
}

#[tokio::test]
async fn a_change_is_applied_and_acknowledged() {
    let mut server = Server::start().await;
    let (client, mut connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &open())]))
        .await;
    let mut changes = client.changes();
    changes.mark_unchanged();
    connection.send(&moved(7, 9, "a", &closed())).await;
    assert_eq!(connection.acknowledge().await.revision, 9);
    assert!(!client.is_on("a", &anybody()));
    assert!(changes.has_changed().unwrap());
    assert_eq!(*changes.borrow_and_update(), 9);
    assert_eq!(client.wait_for_revision(9, DEADLINE).await, Ok(9));
    let late = client
        .wait_for_revision(10, Duration::from_millis(1))
        .await
        .unwrap_err();
    assert_eq!((late.wanted, late.current), (10, 9));
}

/// The heart of a confirmed kill: whoever has seen the acknowledgement can ask any thread of the
/// process and never hears the old answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_evaluation_begun_after_the_acknowledgement_uses_the_old_rule_set() {
    let mut server = Server::start().await;
    let (client, mut connection) = server
        .follow(server.settings(), &snapshot(1, &[boolean("a", &open())]))
        .await;
    let acknowledged = Arc::new(AtomicU64::new(1));
    let is_over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|reader| {
            let (client, acknowledged) = (client.clone(), Arc::clone(&acknowledged));
            let is_over = Arc::clone(&is_over);
            std::thread::spawn(move || {
                let flag = client.flag("a");
                let mut asked = 0_u64;
                while !is_over.load(Ordering::Relaxed) {
                    let before = acknowledged.load(Ordering::Acquire);
                    let evaluation = if reader == 0 {
                        client.evaluate("a", &anybody())
                    } else {
                        flag.evaluate(&anybody())
                    }
                    .unwrap();
                    assert!(evaluation.revision >= before);
                    // Odd revisions are open.
                    let is_on = evaluation.value.as_bool().unwrap();
                    assert_eq!(is_on, evaluation.revision % 2 == 1);
                    asked += 1;
                }
                asked
            })
        })
        .collect();
    for revision in 2..=300 {
        let position = if revision % 2 == 1 { open() } else { closed() };
        connection
            .send(&moved(revision - 1, revision, "a", &position))
            .await;
        assert_eq!(connection.acknowledge().await.revision, revision);
        acknowledged.store(revision, Ordering::Release);
        assert_eq!(client.is_on("a", &anybody()), revision % 2 == 1);
    }
    is_over.store(true, Ordering::Relaxed);
    for reader in readers {
        assert!(reader.join().unwrap() > 0);
    }
}

#[tokio::test]
async fn an_observer_hears_of_every_acknowledgement_with_its_times() {
    let mut server = Server::start().await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&heard);
    let builder = server
        .builder()
        .on_acknowledge(move |acknowledged| into.lock().unwrap().push(acknowledged.clone()));
    let (_client, mut connection) = server
        .follow_by(builder, &snapshot(1, &[boolean("a", &open())]))
        .await;
    connection.send(&moved(1, 2, "a", &closed())).await;
    connection.acknowledge().await;
    until("both were heard of", || heard.lock().unwrap().len() == 2).await;
    let heard = heard.lock().unwrap();
    assert_eq!([heard[0].revision, heard[1].revision], [1, 2]);
    assert!(heard[0].published_at <= heard[0].sent_at);
    assert!(heard[0].sent_at <= heard[1].published_at);
}

#[tokio::test]
async fn a_gap_is_answered_with_one_resync_and_mended_by_the_snapshot() {
    let mut server = Server::start().await;
    let (client, mut connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &open())]))
        .await;
    connection.send(&moved(8, 9, "a", &closed())).await;
    connection.send(&moved(9, 10, "a", &open())).await;
    match connection.message().await {
        Message::Resync { why } => assert!(why.contains("gap"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert!(client.is_on("a", &anybody()), "nothing was applied");
    connection
        .send(&snapshot(10, &[boolean("a", &closed())]))
        .await;
    assert_eq!(connection.acknowledge().await.revision, 10);
    assert!(!client.is_on("a", &anybody()));
    connection.send(&moved(10, 11, "a", &open())).await;
    assert_eq!(connection.acknowledge().await.revision, 11);
}

#[tokio::test]
async fn a_frame_twice_is_acknowledged_twice_and_changes_nothing() {
    let mut server = Server::start().await;
    let (client, mut connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &open())]))
        .await;
    for _ in 0..2 {
        connection.send(&moved(7, 8, "a", &closed())).await;
        assert_eq!(connection.acknowledge().await.revision, 8);
    }
    assert!(!client.is_on("a", &anybody()));
}

#[tokio::test]
async fn one_definition_that_cannot_be_read_is_refused_by_name_and_holds_up_nothing() {
    let mut server = Server::start().await;
    let (client, mut connection) = server
        .follow(
            server.settings(),
            &snapshot(7, &[boolean("a", &open()), boolean("b", &open())]),
        )
        .await;
    let mut odd = boolean("b", &open());
    odd["definition"]["salt"] = json!({"from": "the future"});
    connection
        .send(&json!({
            "kind": "change",
            "cursor": cursor(7, 8),
            "positions": [{"flag": "a", "position": closed()}],
            "flags": [odd],
        }))
        .await;
    let acknowledged = connection.acknowledge().await;
    assert_eq!(acknowledged.revision, 8);
    assert_eq!(acknowledged.refused.len(), 1);
    assert_eq!(acknowledged.refused[0].flag, "b");
    assert!(!acknowledged.refused[0].why.is_empty());
    assert!(!client.is_on("a", &anybody()), "the kill went through");
    assert!(!client.is_on("b", &anybody()), "closed by itself");
}

#[tokio::test]
async fn more_refusals_than_fit_a_message_do_not_stop_the_acknowledgement() {
    let mut server = Server::start().await;
    let flags: Vec<_> = (0..2_000)
        .map(|n| {
            let mut flag = boolean(&format!("flag-{n}"), &open());
            flag["definition"] = json!({"\u{1}".repeat(300): 1});
            flag
        })
        .collect();
    let connecting = tokio::spawn(server.builder().connect());
    let mut connection = server.connection().await;
    connection.hello().await;
    connection.send(&snapshot(7, &flags)).await;
    let acknowledged = connection.acknowledge().await;
    assert_eq!(acknowledged.revision, 7);
    assert!(acknowledged.refused.len() > 10);
    let bytes = serde_json::to_string(&acknowledged).unwrap().len();
    assert!(bytes < leverframe_wire::frame::MESSAGE_BYTES_MAX, "{bytes}");
    assert!(
        !connecting
            .await
            .unwrap()
            .unwrap()
            .is_on("flag-1999", &anybody())
    );
}

#[tokio::test]
async fn a_position_from_the_future_is_closed() {
    let mut server = Server::start().await;
    let (client, mut connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &open())]))
        .await;
    connection
        .send(&moved(7, 8, "a", &json!({"state": "ajar"})))
        .await;
    assert_eq!(connection.acknowledge().await.revision, 8);
    assert!(!client.is_on("a", &anybody()));
}

#[tokio::test]
async fn a_kill_ahead_of_the_journal_closes_and_is_acknowledged_by_its_number() {
    let mut server = Server::start().await;
    let (client, mut connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &open())]))
        .await;
    let mut changes = client.changes();
    changes.mark_unchanged();
    let mut at = cursor(0, 7);
    at["brake"] = json!(1);
    connection
        .send(&json!({
            "kind": "brake",
            "cursor": at,
            "positions": [{"flag": "a", "position": closed()}],
        }))
        .await;
    let acknowledged = connection.acknowledge().await;
    assert_eq!((acknowledged.revision, acknowledged.brake), (7, 1));
    assert!(!client.is_on("a", &anybody()));
    assert!(changes.has_changed().unwrap());
}

#[tokio::test]
async fn a_new_connection_resumes_where_the_old_one_ended() {
    let mut server = Server::start().await;
    let (client, connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &open())]))
        .await;
    connection.close(1001).await;
    let mut connection = server.connection().await;
    let cursor = connection.hello().await.cursor.unwrap();
    assert_eq!(cursor.revision, 7);
    assert_eq!(cursor.environment, "prod");
    assert_eq!(
        connection.acknowledge().await.revision,
        7,
        "the first acknowledgement may have been lost"
    );
    assert!(client.is_on("a", &anybody()));
    connection.send(&moved(7, 8, "a", &closed())).await;
    assert_eq!(connection.acknowledge().await.revision, 8);
    assert!(!client.is_on("a", &anybody()));
}

#[tokio::test]
async fn with_the_server_away_it_goes_on_deciding_and_catches_up_when_it_returns() {
    let mut server = Server::start().await;
    let (client, connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &open())]))
        .await;
    let address = server.stop();
    drop(connection);
    until("it notices", || !client.freshness().connected).await;
    assert!(client.is_on("a", &anybody()));
    let freshness = client.freshness();
    assert_eq!(freshness.source, Source::Server);
    assert_eq!(freshness.revision, 7);

    let mut server = Server::start_at(address).await;
    let back = std::time::Instant::now();
    let mut connection = server.connection().await;
    connection.hello().await;
    connection.acknowledge().await;
    connection.send(&moved(7, 8, "a", &closed())).await;
    connection.acknowledge().await;
    assert!(
        back.elapsed() < Duration::from_secs(2),
        "{:?}",
        back.elapsed()
    );
    assert!(!client.is_on("a", &anybody()));
    assert!(client.freshness().connected);
}

#[tokio::test]
async fn a_server_that_is_behind_is_not_followed_back() {
    let mut server = Server::start().await;
    let (client, connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &closed())]))
        .await;
    connection.close(1001).await;
    let mut connection = server.connection().await;
    connection.hello().await;
    connection.acknowledge().await;
    connection
        .send(&snapshot(6, &[boolean("a", &open())]))
        .await;
    assert_eq!(connection.until_end().await, [], "no acknowledgement");
    assert!(!client.is_on("a", &anybody()));
    assert_eq!(client.freshness().revision, 7);
}

#[tokio::test]
async fn a_restored_server_raises_the_epoch_and_is_followed() {
    let mut server = Server::start().await;
    let (client, mut connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &closed())]))
        .await;
    connection
        .send(&json!({
            "kind": "snapshot",
            "cursor": cursor_in("prod", 2, 0, 5),
            "flags": [boolean("a", &open())],
        }))
        .await;
    let acknowledged = connection.acknowledge().await;
    assert_eq!((acknowledged.epoch, acknowledged.revision), (2, 5));
    assert!(client.is_on("a", &anybody()));
}

#[tokio::test]
async fn another_environment_is_never_followed_midway() {
    let mut server = Server::start().await;
    let (client, mut connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &closed())]))
        .await;
    connection
        .send(&json!({
            "kind": "snapshot",
            "cursor": cursor_in("dev", 1, 0, 90),
            "flags": [boolean("a", &open())],
        }))
        .await;
    assert_eq!(connection.until_end().await, []);
    assert!(!client.is_on("a", &anybody()));
}

#[tokio::test]
async fn shutting_down_says_goodbye_and_evaluation_goes_on() {
    let mut server = Server::start().await;
    let (client, connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &open())]))
        .await;
    let listening = tokio::spawn(async move { connection.until_end().await });
    client.shutdown().await;
    assert_eq!(listening.await.unwrap(), [Message::Goodbye]);
    assert!(client.is_on("a", &anybody()));
    assert!(!client.freshness().connected);
}

#[tokio::test]
async fn dropping_the_last_handle_says_goodbye() {
    let mut server = Server::start().await;
    let (client, mut connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &open())]))
        .await;
    let flag = client.flag("a");
    drop(client);
    connection.send(&moved(7, 8, "a", &closed())).await;
    connection.acknowledge().await;
    assert!(!flag.is_on(&anybody()), "a handle keeps the client going");
    drop(flag);
    assert_eq!(connection.until_end().await.last(), Some(&Message::Goodbye));
}

#[tokio::test]
async fn flags_forced_closed_stay_closed_whatever_the_server_says() {
    for forced in ["a", "*"] {
        let mut server = Server::start().await;
        let settings = server.settings().force_closed([forced, "no such flag!"]);
        let (client, mut connection) = server
            .follow(settings, &snapshot(7, &[boolean("a", &open())]))
            .await;
        assert!(!client.is_on("a", &anybody()));
        connection
            .send(&json!({
                "kind": "change",
                "cursor": cursor(7, 8),
                "flags": [boolean("a", &open()), boolean("b", &open())],
            }))
            .await;
        connection.acknowledge().await;
        assert!(!client.is_on("a", &anybody()));
        assert_eq!(client.is_on("b", &anybody()), forced == "a");
        connection
            .send(&moved(
                8,
                9,
                "a",
                &json!({"state": "pinned", "variant": "on"}),
            ))
            .await;
        connection.acknowledge().await;
        assert!(!client.is_on("a", &anybody()));
    }
}
