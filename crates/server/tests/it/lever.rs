use serde_json::json;

use crate::world::World;

const OPEN: &str = "/api/v1/flags/checkout/environments/prod/open";

#[tokio::test]
async fn an_opening_in_a_guarded_environment_says_what_it_has_seen_and_why() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let body = json!({"exposure": {"percentage": 33.333}, "why": {"reason": "first"}});
    let problem = world
        .post(OPEN, &body)
        .send()
        .await
        .fails(428, "match-required");
    let current = problem["current"].as_u64().unwrap();

    let stale = format!("\"r{}\"", current - 1);
    let problem = world
        .post(OPEN, &body)
        .header("if-match", &stale)
        .send()
        .await
        .fails(412, "stale");
    assert_eq!(problem["current"], current);

    let etag = world.etag("checkout", "prod").await;
    assert_eq!(etag, format!("\"r{current}\""));
    let mute = json!({"exposure": {"percentage": 1}});
    let problem = world
        .post(OPEN, &mute)
        .header("if-match", &etag)
        .send()
        .await
        .fails(422, "reason-required");
    assert_eq!(problem["field"], "why.reason");

    world
        .post(OPEN, &body)
        .header("if-match", "nonsense")
        .send()
        .await
        .fails(400, "bad-request");
    let receipt = world
        .post(OPEN, &body)
        .header("if-match", &etag)
        .send()
        .await
        .is(200)
        .json();
    let lever = world
        .get("/api/v1/flags/checkout/environments/prod")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(
        lever["position"],
        json!({"state": "open", "exposure": {"percentage": 33.333}})
    );
    assert_eq!(lever["revision"], receipt["revision"]);
    assert_eq!(lever["reason"], "first");
}

#[tokio::test]
async fn a_closing_asks_for_nothing_and_does_not_look_at_if_match() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.open("checkout", "prod").await;
    let path = "/api/v1/environments/prod/kill";
    let receipt = world
        .post(path, &json!({"flags": ["checkout"]}))
        .header("if-match", "\"r1\"")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(receipt["stored"], true);
    let lever = world
        .get("/api/v1/flags/checkout/environments/prod")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(
        lever["position"],
        json!({"state": "closed", "latched": true, "variant": "off", "value": false})
    );
    // A second kill changes nothing and names the revision that already did it.
    let again = world
        .post(path, &json!({"flags": ["checkout"]}))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(
        (&again["unchanged"], &again["revision"]),
        (&json!(true), &receipt["revision"])
    );
    let record = world
        .get(&format!("/api/v1/journal/{}", receipt["revision"]))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(record["reason"], "none given");
}

#[tokio::test]
async fn a_kill_names_its_flags_in_exactly_one_way() {
    let world = World::new().await;
    world
        .flag("a", &json!({"owner": "web", "tags": ["pay"]}))
        .await;
    world.flag("b", &json!({"owner": "web"})).await;
    let path = "/api/v1/environments/prod/kill";
    for body in [
        json!({}),
        json!({"flags": [], "owner": ""}),
        json!({"owner": "web", "tag": "pay"}),
        json!({"flags": ["a"], "owner": "web"}),
    ] {
        let answer = world.post(path, &body).send().await;
        assert!(
            matches!(answer.status, 404 | 422),
            "{body}: {}",
            answer.text
        );
    }
    world
        .post(path, &json!({"flags": ["nobody"]}))
        .send()
        .await
        .fails(404, "not-found");
    world
        .post("/api/v1/environments/mars/kill", &json!({"flags": ["a"]}))
        .send()
        .await
        .fails(404, "not-found");
    let receipt = world
        .post(path, &json!({"owner": "web"}))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(receipt["changes"].as_array().unwrap().len(), 2);
    assert_eq!(receipt["changes"][0]["noun"], "lever");
    assert_eq!(receipt["changes"][0]["environment"], "prod");
}

#[tokio::test]
async fn ramp_pin_and_undo_do_what_they_say() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.open("checkout", "dev").await;
    let base = "/api/v1/flags/checkout/environments/dev";
    let ramp = |percentage: f64| json!({"percentage": percentage});
    world
        .post(&format!("{base}/ramp"), &ramp(25.5))
        .send()
        .await
        .is(200);
    for wrong in [100.0001, -1.0, 1e9] {
        let problem = world
            .post(&format!("{base}/ramp"), &ramp(wrong))
            .send()
            .await
            .fails(422, "invalid");
        assert_eq!(problem["field"], "percentage");
    }
    let pin = world
        .post(&format!("{base}/pin"), &json!({"variant": "on"}))
        .send()
        .await
        .is(200)
        .json();
    let lever = world.get(base).send().await.is(200).json();
    assert_eq!(
        lever["position"],
        json!({"state": "pinned", "variant": "on"})
    );
    world
        .post(&format!("{base}/pin"), &json!({"variant": "unknown"}))
        .send()
        .await
        .is(404);
    let undone = world
        .post("/api/v1/undo", &json!({"revision": pin["revision"]}))
        .send()
        .await
        .is(200)
        .json();
    assert!(
        undone["changes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|change| change["noun"] == "lever")
    );
    let lever = world.get(base).send().await.is(200).json();
    assert_eq!(
        lever["position"],
        json!({"state": "open", "exposure": {"percentage": 25.5}})
    );
    // It is not the last change of the lever any more.
    world
        .post("/api/v1/undo", &json!({"revision": pin["revision"]}))
        .send()
        .await
        .is(409);
}

#[tokio::test]
async fn a_repeat_under_the_same_key_gets_the_same_answer() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.open("checkout", "prod").await;
    let path = "/api/v1/environments/prod/kill";
    let body = json!({"flags": ["checkout"], "why": {"reason": "x"}});
    let first = world
        .post(path, &body)
        .header("idempotency-key", "k-1")
        .send()
        .await
        .is(200)
        .json();
    world.open("checkout", "prod").await;
    let head = world.node.state().revision();
    let again = world
        .post(path, &body)
        .header("idempotency-key", "k-1")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(
        (&again["revision"], &again["changes"]),
        (&first["revision"], &first["changes"])
    );
    assert_eq!(
        world.node.state().revision(),
        head,
        "nothing was done a second time"
    );
    let other = json!({"flags": ["checkout"], "why": {"reason": "y"}});
    world
        .post(path, &other)
        .header("idempotency-key", "k-1")
        .send()
        .await
        .fails(409, "idempotency-reused");
    // Another path is another command, even with the same body.
    world
        .post("/api/v1/environments/dev/kill", &body)
        .header("idempotency-key", "k-1")
        .send()
        .await
        .fails(409, "idempotency-reused");
    world
        .post(path, &body)
        .header("idempotency-key", "")
        .send()
        .await
        .fails(400, "bad-request");
    world
        .post(path, &body)
        .header("idempotency-key", &"x".repeat(129))
        .send()
        .await
        .fails(400, "bad-request");
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.open("checkout", "prod").await;
    let head = world.node.state().revision();
    let body = json!({"flags": ["checkout"]});
    let receipt = world
        .post("/api/v1/environments/prod/kill?dry_run=true", &body)
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(
        (&receipt["dry_run"], &receipt["stored"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(receipt["revision"], head + 1);
    assert_eq!(receipt["undo"], json!(null));
    assert_eq!(world.node.state().revision(), head);
    world
        .post("/api/v1/environments/prod/kill?dryrun=true", &body)
        .send()
        .await
        .fails(400, "bad-request");
}

#[tokio::test]
async fn when_the_store_fails_nothing_is_acknowledged_and_reads_go_on() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world
        .disk
        .faults()
        .fail_appends(Some(leverframe_store::memory::Failure::Full));
    let pin = world.post(
        "/api/v1/flags/checkout/environments/dev/open",
        &json!({"exposure": {"percentage": 5}}),
    );
    let answer = pin.send().await.is(503);
    assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
    assert_eq!(answer.json()["code"], "unavailable");
    world.get("/api/v1/flags/checkout").send().await.is(200);
    let ready = world.get("/readyz").nobody().send().await.is(200).json();
    assert_eq!(
        (&ready["ready"], &ready["writable"]),
        (&json!(true), &json!(false))
    );
    let health = world.get("/api/v1/health").send().await.is(200).json();
    assert!(!health["problems"].as_array().unwrap().is_empty());
}
