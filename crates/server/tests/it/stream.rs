use std::time::Duration;

use futures_util::SinkExt;
use leverframe_wire::frame::{Count, Counts, FrameKind, Message, Refusal};
use tokio_tungstenite::tungstenite::{Error, Message as Text};

use crate::evaluator::Evaluator;
use crate::world::World;

#[tokio::test]
async fn a_kill_is_confirmed_once_every_evaluator_has_acknowledged_it() {
    let world = World::new().await;
    world.flag("checkout", &serde_json::json!({})).await;
    world.open("checkout", "prod").await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let (mut one, snapshot) = Evaluator::follow(&world, &token, "web-1").await;
    assert_eq!(snapshot.kind, FrameKind::Snapshot);
    assert_eq!(snapshot.flags[0].key, "checkout");
    let (mut two, _) = Evaluator::follow(&world, &token, "web-2").await;
    world
        .fleet_until("prod", |fleet| {
            fleet["evaluators"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|e| e["current"] == true)
                .count()
                == 2
        })
        .await;

    let receipt = world.kill("checkout", "prod").await;
    let revision = receipt["revision"].as_u64().unwrap();
    assert_eq!(receipt["undo"], format!("lever undo r{revision} -r \"…\""));
    assert_eq!(receipt["environments"], serde_json::json!(["prod"]));

    let change = one.frame().await;
    assert_eq!(
        (change.kind, change.cursor.revision),
        (FrameKind::Change, revision)
    );
    assert_eq!(change.cursor.previous, snapshot.cursor.revision);
    assert!(change.positions[0].position.get().contains("closed"));
    let pending = world.confirmation("prod", revision, 0).await;
    assert_eq!(
        (&pending["state"], &pending["confirmed"]),
        (&"pending".into(), &0.into())
    );

    one.acknowledge(&change.cursor).await;
    let partial = world.confirmation("prod", revision, 50).await;
    assert_eq!(partial["state"], "pending");
    assert_eq!(partial["confirmed"], 1);
    assert_eq!(partial["stragglers"][0]["instance"], "web-2");
    assert!(
        !partial["stragglers"][0]["advice"]
            .as_str()
            .unwrap()
            .is_empty()
    );

    let waiting = world.confirmation("prod", revision, 20_000);
    let (confirmed, ()) = tokio::join!(waiting, async {
        let change = two.frame().await;
        two.acknowledge(&change.cursor).await;
    });
    assert_eq!(confirmed["state"], "confirmed");
    assert_eq!(
        (&confirmed["confirmed"], &confirmed["expected"]),
        (&2.into(), &2.into())
    );
    assert!(confirmed["elapsed_ms"].as_f64().unwrap() > 0.0);
    assert!(confirmed["confirm_ms"]["max"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn nobody_following_is_never_called_confirmed() {
    let world = World::new().await;
    world.flag("checkout", &serde_json::json!({})).await;
    let revision = world.kill("checkout", "prod").await["revision"]
        .as_u64()
        .unwrap();
    let confirmation = world.confirmation("prod", revision, 5_000).await;
    assert_eq!(confirmation["state"], "nobody");
}

#[tokio::test]
async fn a_kill_that_cannot_be_stored_goes_out_is_confirmed_and_is_called_not_stored() {
    let world = World::new().await;
    world.flag("checkout", &serde_json::json!({})).await;
    world.open("checkout", "prod").await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let (mut one, _) = Evaluator::follow(&world, &token, "web-1").await;
    let faults = world.disk.faults();
    faults.fail_appends(Some(leverframe_store::memory::Failure::Full));

    let receipt = world.kill("checkout", "prod").await;
    assert_eq!(receipt["stored"], false);
    assert_eq!(
        receipt.get("undo"),
        None,
        "what is not stored cannot be undone"
    );
    let brake = receipt["brake"].as_u64().unwrap();
    let frame = one.frame().await;
    assert_eq!(frame.kind, FrameKind::Brake);
    assert_eq!(frame.positions[0].flag, "checkout");
    let path = format!(
        "/api/v1/environments/prod/confirmations/{}?brake={brake}",
        receipt["revision"]
    );
    let pending = world.get(&path).send().await.is(200).json();
    assert_eq!(pending["state"], "pending");
    one.acknowledge(&frame.cursor).await;
    let confirmed = world.get(&format!("{path}&wait_ms=9000")).send().await;
    assert_eq!(confirmed.is(200).json()["state"], "confirmed");
    let status = world.get("/api/v1/environments/prod/status").send().await;
    let said = status.is(200).json()["not_stored"][0].to_string();
    assert!(
        said.contains("checkout is closed in prod and NOT STORED"),
        "{said}"
    );

    // Who joins during the outage never sees it open.
    let (_two, snapshot) = Evaluator::follow(&world, &token, "web-2").await;
    assert!(snapshot.flags[0].position.get().contains("closed"));

    faults.fail_appends(None);
    let stored = one.frame().await;
    assert_eq!(stored.kind, FrameKind::Change);
    assert!(stored.positions[0].position.get().contains("latch"));
    one.acknowledge(&stored.cursor).await;
}

#[tokio::test]
async fn an_evaluator_that_comes_back_is_sent_only_what_it_missed() {
    let world = World::new().await;
    world.flag("checkout", &serde_json::json!({})).await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let (one, snapshot) = Evaluator::follow(&world, &token, "web-1").await;
    drop(one);
    let revision = world.open("checkout", "prod").await;
    let mut again = Evaluator::connect(&world, &token, "web-1").await.unwrap();
    again.hello(Some(snapshot.cursor.clone())).await;
    let change = again.frame().await;
    assert_eq!(
        (change.kind, change.cursor.previous),
        (FrameKind::Change, snapshot.cursor.revision)
    );
    assert_eq!(change.cursor.revision, revision);

    // One with another journal's cursor is sent everything.
    let mut foreign = Evaluator::connect(&world, &token, "web-2").await.unwrap();
    let mut cursor = snapshot.cursor.clone();
    cursor.journal = "another".to_owned();
    foreign.hello(Some(cursor)).await;
    assert_eq!(foreign.frame().await.kind, FrameKind::Snapshot);

    // So is one that knows another record at the present revision.
    let mut rewritten = Evaluator::connect(&world, &token, "web-3").await.unwrap();
    let mut cursor = change.cursor.clone();
    cursor.head = "ab".repeat(32);
    rewritten.hello(Some(cursor)).await;
    assert_eq!(rewritten.frame().await.kind, FrameKind::Snapshot);
}

#[tokio::test]
async fn one_that_is_ahead_of_the_journal_is_never_sent_anything_older_nor_counted() {
    let world = World::new().await;
    world.flag("checkout", &serde_json::json!({})).await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let (one, snapshot) = Evaluator::follow(&world, &token, "web-1").await;
    drop(one);
    let mut ahead = Evaluator::connect(&world, &token, "web-1").await.unwrap();
    let mut cursor = snapshot.cursor.clone();
    cursor.revision = world.node.state().revision() + 2;
    cursor.head = "cd".repeat(32);
    ahead.hello(Some(cursor.clone())).await;
    world
        .fleet_until("prod", |fleet| fleet["evaluators"][0]["connected"] == true)
        .await;
    // The journal comes to the number of the record it lost, by other records.
    world.flag("second", &serde_json::json!({})).await;
    let revision = world.kill("checkout", "prod").await["revision"]
        .as_u64()
        .unwrap();
    assert_eq!(revision, cursor.revision);
    let confirmation = world.confirmation("prod", revision, 0).await;
    assert_eq!(confirmation["confirmed"], 0, "{confirmation}");
    // Past it, it is sent everything anew: nothing may build on what was lost.
    while world
        .flag(
            &format!("f{}", world.node.state().revision()),
            &serde_json::json!({}),
        )
        .await["revision"]
        .as_u64()
        .unwrap()
        <= cursor.revision
    {}
    let frame = ahead.frame().await;
    assert_eq!(frame.kind, FrameKind::Snapshot);
    assert!(frame.cursor.revision > cursor.revision);
}

#[tokio::test]
async fn an_acknowledgement_of_what_was_never_sent_is_not_counted() {
    let world = World::new().await;
    world.flag("checkout", &serde_json::json!({})).await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let (mut one, snapshot) = Evaluator::follow(&world, &token, "web-1").await;
    world
        .fleet_until("prod", |fleet| fleet["evaluators"][0]["current"] == true)
        .await;
    let mut lie = snapshot.cursor.clone();
    lie.revision += 100;
    one.acknowledge(&lie).await;
    let mut forged = snapshot.cursor.clone();
    forged.head = "ef".repeat(32);
    one.acknowledge(&forged).await;
    let revision = world.kill("checkout", "prod").await["revision"]
        .as_u64()
        .unwrap();
    let change = one.frame().await;
    let mut forged = change.cursor.clone();
    forged.head = "ef".repeat(32);
    one.acknowledge(&forged).await;
    one.say(&Message::Counts(Counts {
        sequence: 1,
        evaluations: Vec::new(),
    }))
    .await;
    assert_eq!(
        world.confirmation("prod", revision, 100).await["confirmed"],
        0
    );
    one.acknowledge(&change.cursor).await;
    assert_eq!(
        world.confirmation("prod", revision, 10_000).await["state"],
        "confirmed"
    );
}

#[tokio::test]
async fn who_says_goodbye_leaves_the_roll_and_who_just_goes_is_a_straggler() {
    let world = World::new().await;
    world.flag("checkout", &serde_json::json!({})).await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let (mut polite, _) = Evaluator::follow(&world, &token, "polite").await;
    let (rude, _) = Evaluator::follow(&world, &token, "rude").await;
    world
        .fleet_until("prod", |fleet| {
            fleet["evaluators"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|e| e["current"] == true)
                .count()
                == 2
        })
        .await;
    polite.say(&Message::Goodbye).await;
    assert_eq!(polite.closed().await, 1000);
    drop(rude);
    world
        .fleet_until("prod", |fleet| fleet["evaluators"][0]["connected"] == false)
        .await;
    let revision = world.kill("checkout", "prod").await["revision"]
        .as_u64()
        .unwrap();
    let confirmation = world.confirmation("prod", revision, 0).await;
    assert_eq!(confirmation["expected"], 1);
    assert_eq!(confirmation["stragglers"][0]["instance"], "rude");
    assert_eq!(confirmation["stragglers"][0]["connected"], false);
}

#[tokio::test]
async fn a_newer_connection_of_an_instance_takes_the_place_of_the_older() {
    let world = World::new().await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let (mut old, _) = Evaluator::follow(&world, &token, "web-1").await;
    let (_new, _) = Evaluator::follow(&world, &token, "web-1").await;
    assert_eq!(old.closed().await, 1008);
    let fleet = world
        .fleet_until("prod", |fleet| fleet["evaluators"][0]["current"] == true)
        .await;
    assert_eq!(fleet["evaluators"].as_array().unwrap().len(), 1);
    assert_eq!(fleet["evaluators"][0]["connected"], true);
}

#[tokio::test]
async fn refusals_and_counts_are_passed_on() {
    let world = World::new().await;
    world.flag("checkout", &serde_json::json!({})).await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let (mut one, snapshot) = Evaluator::follow(&world, &token, "web-1").await;
    let mut told = Evaluator::acknowledgement(&snapshot.cursor);
    told.refused.push(Refusal {
        flag: "checkout".to_owned(),
        why: "unknown \u{1b}[31mpredicate".to_owned(),
    });
    one.say(&Message::Acknowledge(told)).await;
    let count = |count| Counts {
        sequence: 1,
        evaluations: vec![Count {
            flag: "checkout".to_owned(),
            variant: "off".to_owned(),
            count,
        }],
    };
    one.say(&Message::Counts(count(7))).await;
    one.say(&Message::Counts(count(7))).await;
    let fleet = world
        .fleet_until("prod", |fleet| {
            fleet["evaluators"][0]["refused"]
                .as_array()
                .is_some_and(|refused| !refused.is_empty())
        })
        .await;
    let refused = fleet["evaluators"][0]["refused"][0].as_str().unwrap();
    assert!(
        refused.starts_with("checkout: unknown ") && !refused.contains('\u{1b}'),
        "{refused:?}"
    );
    let metrics = world.get("/metrics").send().await.is(200).text;
    let line = "lever_evaluations_total{environment=\"prod\",flag=\"checkout\",variant=\"off\"} 7";
    assert!(metrics.contains(line), "{metrics}");
}

#[tokio::test]
async fn asking_for_a_snapshot_brings_one_but_not_for_ever() {
    let world = World::new().await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let (mut one, _) = Evaluator::follow(&world, &token, "web-1").await;
    let resync = Message::Resync {
        why: "a gap".to_owned(),
    };
    for _ in 0..5 {
        one.say(&resync).await;
        assert_eq!(one.frame().await.kind, FrameKind::Snapshot);
    }
    one.say(&resync).await;
    assert_eq!(one.closed().await, 1008);
}

#[tokio::test]
async fn only_an_evaluators_token_for_one_environment_can_follow() {
    let world = World::new().await;
    for role in ["viewer", "brake", "operator", "admin"] {
        let environments: &[&str] = if role == "admin" { &[] } else { &["prod"] };
        let token = world.token(role, environments, &[]).await;
        let Err(Error::Http(response)) = Evaluator::connect(&world, &token, "x").await else {
            panic!("{role} could follow")
        };
        assert_eq!(response.status(), 403, "{role}");
    }
    let Err(Error::Http(response)) = Evaluator::connect(&world, "nonsense", "x").await else {
        panic!("nobody could follow")
    };
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn what_is_not_a_message_closes_the_connection_with_a_code() {
    let world = World::new().await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let cases: [(Text, u16); 5] = [
        (Text::text("{"), 1008),
        (Text::text(r#"{"type":"unknown"}"#), 1008),
        (Text::text(r#"{"type":"goodbye"}"#), 1008),
        (Text::binary(vec![1, 2, 3]), 1003),
        (Text::text("x".repeat(70_000)), 1009),
    ];
    for (message, code) in cases {
        let mut one = Evaluator::connect(&world, &token, "x").await.unwrap();
        one.socket.send(message).await.unwrap();
        assert_eq!(one.closed().await, code);
    }
    let mut bad = Evaluator::connect(&world, &token, "no spaces\n")
        .await
        .unwrap();
    bad.hello(None).await;
    assert_eq!(bad.closed().await, 1008);
}

#[tokio::test]
async fn a_revoked_token_ends_its_streams_at_the_next_heartbeat() {
    let world = World::with_beat(Duration::from_millis(20), |_| {}).await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let (mut one, _) = Evaluator::follow(&world, &token, "web-1").await;
    let tokens = world.get("/api/v1/tokens").send().await.is(200).json();
    let id = tokens["tokens"].as_array().unwrap().last().unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world
        .ask("DELETE", &format!("/api/v1/tokens/{id}"))
        .send()
        .await
        .is(200);
    assert_eq!(one.closed().await, 4401);
}

#[tokio::test]
async fn one_that_stops_answering_is_seen_to_be_gone() {
    let world = World::with_beat(Duration::from_millis(20), |settings| {
        settings.silence_max = Duration::from_millis(100);
    })
    .await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let (mut answering, _) = Evaluator::follow(&world, &token, "answering").await;
    // Pings are answered only by a client that reads, which this one does not any more.
    let (_half_open, _) = Evaluator::follow(&world, &token, "half-open").await;
    let gone = world.fleet_until("prod", |fleet| {
        let evaluators = fleet["evaluators"].as_array().unwrap();
        evaluators
            .iter()
            .any(|one| one["instance"] == "half-open" && one["connected"] == false)
    });
    tokio::select! {
        fleet = gone => {
            let evaluators = fleet["evaluators"].as_array().unwrap();
            assert!(evaluators.iter().any(|one| one["instance"] == "answering" && one["connected"] == true));
        }
        frame = answering.frame() => panic!("{frame:?}"),
    }
}
