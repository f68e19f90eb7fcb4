use std::time::Duration;

use leverframe::{Client, Context};
use leverframe_wire::frame::{Count, Counts, Message};

use crate::frames::{boolean, closed, moved, open, snapshot};
use crate::server::{Connection, Server};

fn ask(client: &Client, times: u64) {
    for n in 0..times {
        let _ = client.is_on("a", &Context::new(&format!("u-{n}")));
    }
}

fn count(variant: &str, count: u64) -> Count {
    Count {
        flag: "a".to_owned(),
        variant: variant.to_owned(),
        count,
    }
}

async fn counts(connection: &mut Connection) -> Counts {
    match connection.message().await {
        Message::Counts(counts) => counts,
        other => panic!("not counts: {other:?}"),
    }
}

#[tokio::test]
async fn evaluations_are_counted_by_variant_and_flushed_once_in_aggregate() {
    let mut server = Server::start().await;
    let (client, mut connection) = server
        .follow(server.settings(), &snapshot(1, &[boolean("a", &open())]))
        .await;
    ask(&client, 5);
    let elsewhere = client.clone();
    std::thread::spawn(move || ask(&elsewhere, 7))
        .join()
        .unwrap();
    let _ = client.is_on("unknown", &Context::anonymous());
    connection.send(&moved(1, 2, "a", &closed())).await;
    connection.acknowledge().await;
    let flag = client.flag("a");
    assert!(!flag.is_on(&Context::new("u-1")));

    tokio::time::pause();
    let first = counts(&mut connection).await;
    assert_eq!(first.sequence, 1);
    assert_eq!(first.evaluations, [count("off", 1), count("on", 12)]);
    tokio::time::resume();

    // Nothing new, so nothing is sent until there is; and what was sent is not sent again.
    ask(&client, 3);
    tokio::time::pause();
    let second = counts(&mut connection).await;
    assert_eq!(second.sequence, 2);
    assert_eq!(second.evaluations, [count("off", 3)]);
}

#[tokio::test]
async fn counts_that_may_be_lost_are_sent_again_under_the_same_sequence() {
    let mut server = Server::start().await;
    let (client, mut connection) = server
        .follow(server.settings(), &snapshot(1, &[boolean("a", &open())]))
        .await;
    ask(&client, 5);
    tokio::time::pause();
    let lost = counts(&mut connection).await;
    // Hangs up before the ping behind the counts is answered.
    drop(connection);
    tokio::time::resume();
    let mut connection = server.connection().await;
    connection.hello().await;
    connection.acknowledge().await;
    assert_eq!(counts(&mut connection).await, lost);
}

/// Otherwise a client that comes back with many, and a server that is busy sending it a snapshot, would
/// both write and neither read.
#[tokio::test]
async fn a_batch_of_counts_waits_until_the_one_before_has_arrived() {
    let mut server = Server::start().await;
    let names: Vec<String> = (0..500).map(|n| format!("{n:0>120}")).collect();
    let flags: Vec<_> = names.iter().map(|name| boolean(name, &open())).collect();
    let (client, mut connection) = server.follow(server.settings(), &snapshot(1, &flags)).await;
    for name in &names {
        let _ = client.is_on(name, &Context::new("u-1"));
    }
    tokio::time::pause();
    let mut counted = 0;
    let mut sequences = Vec::new();
    for is_reconnected in [false, true] {
        if is_reconnected {
            // Before anything was confirmed, so all of it comes again.
            drop(connection);
            tokio::time::resume();
            connection = server.connection().await;
            connection.hello().await;
            connection.acknowledge().await;
        }
        counted = 0;
        sequences.clear();
        while counted < names.len() {
            let batch = counts(&mut connection).await;
            assert_eq!(connection.heard_ping().await, batch.sequence.to_be_bytes());
            counted += batch.evaluations.len();
            sequences.push(batch.sequence);
            if !is_reconnected {
                break;
            }
        }
    }
    assert_eq!(counted, names.len());
    assert!(sequences.len() > 2, "{sequences:?}");
}

#[tokio::test]
async fn a_goodbye_hands_over_the_last_counts() {
    let mut server = Server::start().await;
    let (client, connection) = server
        .follow(server.settings(), &snapshot(1, &[boolean("a", &open())]))
        .await;
    ask(&client, 2);
    let listening = tokio::spawn(async move { connection.until_end().await });
    client.shutdown().await;
    let said = listening.await.unwrap();
    let counted = Counts {
        sequence: 1,
        evaluations: vec![count("on", 2)],
    };
    assert_eq!(said, [Message::Counts(counted), Message::Goodbye]);
}

#[tokio::test]
async fn counts_survive_a_change_of_the_flags_they_count() {
    let mut server = Server::start().await;
    let (client, mut connection) = server
        .follow(server.settings(), &snapshot(1, &[boolean("a", &open())]))
        .await;
    ask(&client, 2);
    connection
        .send(&serde_json::json!({
            "kind": "change",
            "cursor": crate::frames::cursor(1, 2),
            "flags": [boolean("0-before", &open()), boolean("b", &open())],
        }))
        .await;
    connection.acknowledge().await;
    ask(&client, 3);
    tokio::time::pause();
    assert_eq!(counts(&mut connection).await.evaluations, [count("on", 5)]);
    tokio::time::sleep(Duration::from_millis(1)).await;
}
