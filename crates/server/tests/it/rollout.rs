use serde_json::{Value as Json, json};

use crate::world::World;

const START: &str = "/api/v1/environments/prod/flags/checkout/rollout";

fn plan(patch: &Json) -> Json {
    let mut plan = json!({
        "key": "careful", "stages": [{"percentage": 1}, {"percentage": 25}],
        "metrics": [{"key": "errors"}, {"key": "latency_p95"}],
    });
    for (name, value) in patch.as_object().unwrap() {
        plan[name] = value.clone();
    }
    json!({"definition": plan})
}

async fn put(world: &World, patch: &Json) -> crate::world::Answer {
    let ask = world.ask("PUT", "/api/v1/plans/careful");
    ask.json(&plan(patch)).send().await
}

/// Starts a rollout of checkout in prod; its name.
async fn start(world: &World) -> String {
    let etag = world.etag("checkout", "prod").await;
    let body = json!({"plan": "safe", "why": {"reason": "first launch"}});
    let ask = world.post(START, &body).header("if-match", &etag);
    let started = ask.send().await.is(200).json();
    started["rollout"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_plan_is_shown_as_it_would_have_to_be_sent() {
    let world = World::new().await;
    let list = world.get("/api/v1/plans").send().await.is(200).json();
    let keys: Vec<&str> = list["plans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|plan| plan["definition"]["key"].as_str().unwrap())
        .collect();
    assert_eq!(keys, ["internal", "safe"], "these come with the server");
    let receipt = put(&world, &json!({"bake": "20m", "hold_back": 0.5}))
        .await
        .is(200)
        .json();
    let answer = world.get("/api/v1/plans/careful").send().await.is(200);
    assert_eq!(
        answer.header("etag"),
        format!("\"r{}\"", receipt["revision"])
    );
    let shown = answer.json();
    assert_eq!(
        shown["definition"],
        json!({
            "key": "careful", "stages": [{"percentage": 1.0}, {"percentage": 25.0}],
            "bake": "20m",
            "metrics": [
                {"key": "errors", "standing": "convicts", "tolerance": 1.2, "tolerable": 0.1},
                {"key": "latency_p95", "standing": "convicts", "tolerance": 1.2, "tolerable": 0.1},
            ],
            "on_bad": "close", "inconclusive": "ask", "hold_back": 0.5, "warm": "1h",
            "settle": "10s",
        })
    );
    // What is shown can be sent again, and is no change.
    let again = world
        .ask("PUT", "/api/v1/plans/careful")
        .json(&json!({"definition": shown["definition"]}))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(again["unchanged"], true);
    put(&world, &json!({"bake": "30m"}))
        .await
        .fails(428, "match-required");
    world
        .ask("DELETE", "/api/v1/plans/careful")
        .header("if-match", answer.header("etag"))
        .send()
        .await
        .is(200);
    world
        .get("/api/v1/plans/careful")
        .send()
        .await
        .fails(404, "not-found");
}

#[tokio::test]
async fn a_plan_that_cannot_be_followed_is_refused_by_its_part_and_not_stored() {
    let world = World::new().await;
    for (patch, field, why) in [
        (
            json!({"stages": [{"percentage": 5}, {"percentage": 1}]}),
            "stages[1]",
            "grow",
        ),
        (json!({"stages": []}), "stages", "at least one"),
        (
            json!({"stages": [{"percentage": 5, "synthetic": true}]}),
            "stages[0]",
            "exactly one",
        ),
        (
            json!({"stages": [{"percentage": 100.0001}]}),
            "stages[0].percentage",
            "three",
        ),
        (
            json!({"stages": [{"percentage": 5}, {"cohorts": ["staff"]}]}),
            "stages[1]",
            "before",
        ),
        (
            json!({"stages": [{"cohorts": ["a b"]}]}),
            "stages[0].cohorts",
            "segment key",
        ),
        (json!({"bake": "-10m"}), "definition.bake", "length of time"),
        (
            json!({"bake": "0s"}),
            "stages[0].bake",
            "longer than nothing",
        ),
        (
            json!({"bake": "10m", "max_hold": "5m"}),
            "stages[0].max_hold",
            "at least the bake",
        ),
        (
            json!({"metrics": [{"key": "apdex"}]}),
            "metrics.apdex",
            "no metric",
        ),
        (json!({"metrics": []}), "metrics", "may convict"),
        (json!({"hold_back": 100}), "hold_back", "let through"),
        (
            json!({"on_bed": "close"}),
            "definition.on_bed",
            "unknown field",
        ),
    ] {
        let problem = put(&world, &patch).await.fails(422, "invalid");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(why), "{patch}: {problem}");
        assert_eq!(problem["field"], field, "{problem}");
    }
    put(&world, &json!({"stages": [{"cohorts": ["nobody"]}]}))
        .await
        .fails(404, "not-found");
    world
        .get("/api/v1/plans/careful")
        .send()
        .await
        .fails(404, "not-found");
    let own = json!({"definition": {
        "key": "safe", "stages": [{"percentage": 1}], "metrics": [{"key": "errors"}],
    }});
    let ask = world.ask("PUT", "/api/v1/plans/safe").json(&own);
    ask.send().await.fails(409, "conflict");
}

#[tokio::test]
async fn a_start_is_an_opening_and_a_second_one_is_refused() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let body = json!({"plan": "safe", "why": {"reason": "first launch"}});
    world
        .post(START, &body)
        .send()
        .await
        .fails(428, "match-required");
    let etag = world.etag("checkout", "prod").await;
    world
        .post(START, &json!({"plan": "safe"}))
        .header("if-match", &etag)
        .send()
        .await
        .fails(422, "reason-required");
    for both_or_none in [
        json!({}),
        json!({"plan": "safe", "definition": plan(&json!({}))["definition"]}),
    ] {
        let problem = world.post(START, &both_or_none).send().await;
        assert_eq!(problem.fails(422, "invalid")["field"], "plan");
    }
    let tried = world
        .post(&format!("{START}?dry_run=true"), &body)
        .header("if-match", &etag)
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(
        (&tried["rollout"], &tried["dry_run"]),
        (&Json::Null, &json!(true))
    );

    let id = start(&world).await;
    let rollout = world.get(START).send().await.is(200).json();
    assert_eq!(rollout["id"], *id);
    assert_eq!(rollout["state"], "baking");
    assert_eq!(rollout["stages"][0]["label"], "1 %");
    assert_eq!(rollout["stages"][0]["progress"], "current");
    assert_eq!(rollout["stages"][4]["progress"], "ahead");
    assert_eq!(rollout["reason"], "first launch");
    let lever = world
        .get("/api/v1/flags/checkout/environments/prod")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(lever["position"]["exposure"]["percentage"], 1.0);

    let etag = world.etag("checkout", "prod").await;
    let again = |body: Json| world.post(START, &body).header("if-match", &etag).send();
    let problem = again(body.clone()).await.fails(409, "conflict");
    assert!(
        problem["detail"].as_str().unwrap().contains("--replace"),
        "{problem}"
    );
    let mut replacing = body.clone();
    replacing["replace"] = json!(true);
    let other = again(replacing).await.is(200).json();
    assert_ne!(other["rollout"], *id);
    let replaced = world
        .get(&format!("/api/v1/rollouts/{id}"))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(replaced["state"], "ended");
    let running = world
        .get("/api/v1/rollouts?state=running&flag=checkout")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(running["rollouts"].as_array().unwrap().len(), 1);
    let all = world
        .get("/api/v1/rollouts?limit=1")
        .send()
        .await
        .is(200)
        .json();
    let next = all["next"].as_str().unwrap();
    let rest = world
        .get(&format!("/api/v1/rollouts?after={next}"))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(rest["rollouts"].as_array().unwrap().len(), 1);
    assert_ne!(rest["rollouts"][0]["id"], all["rollouts"][0]["id"]);
    let status = world
        .get("/api/v1/environments/prod/status")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(status["rollouts"][0]["id"], other["rollout"]);
}

#[tokio::test]
async fn a_repeated_start_is_answered_with_the_same_rollout() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let etag = world.etag("checkout", "prod").await;
    let body = json!({"plan": "safe", "why": {"reason": "first launch"}});
    let send = || {
        let ask = world.post(START, &body).header("if-match", &etag);
        ask.header("idempotency-key", "once").send()
    };
    let (one, two) = (send().await.is(200).json(), send().await.is(200).json());
    assert_eq!(one["rollout"], two["rollout"]);
    assert_eq!(one["revision"], two["revision"]);
    assert!(one["rollout"].is_string());
}

#[tokio::test]
async fn a_brake_may_stop_and_never_go_on() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let id = start(&world).await;
    let brake = world.token("brake", &[], &[]).await;
    let why = json!({"why": {"reason": "INC-9"}});
    let steer = |verb: &str| {
        let path = format!("/api/v1/rollouts/{id}/{verb}");
        world.post(&path, &why).token(&brake).send()
    };
    steer("pause").await.is(200);
    for opening in ["resume", "advance", "skip", "approve"] {
        let answer = steer(opening).await;
        assert!(
            matches!(answer.status, 403 | 409),
            "{opening}: {}",
            answer.text
        );
    }
    steer("resume").await.fails(403, "denied");
    world
        .post(START, &json!({"plan": "safe"}))
        .token(&brake)
        .send()
        .await
        .fails(403, "denied");
    let rollback = "/api/v1/environments/prod/flags/checkout/rollback";
    let receipt = world
        .post(rollback, &json!({}))
        .token(&brake)
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(receipt["stored"], true);
    let rollout = world.get(START).send().await.is(200).json();
    assert_eq!(rollout["state"], "rolled-back");
    assert_eq!(rollout["stages"][0]["progress"], "left");
    let lever = world
        .get("/api/v1/flags/checkout/environments/prod")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(lever["position"]["state"], "closed");
    let log = world
        .get("/api/v1/journal?flag=checkout&limit=1")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(log["records"][0]["revision"], receipt["revision"], "{log}");
}

#[tokio::test]
async fn a_freeze_stops_openings_and_nothing_else() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let brake = world.token("brake", &[], &[]).await;
    let freeze = "/api/v1/environments/prod/freeze";
    let ask = || world.ask("PUT", freeze).token(&brake);
    ask()
        .json(&json!({"for": "-2h"}))
        .send()
        .await
        .fails(422, "invalid");
    ask()
        .json(&json!({"for": "31d"}))
        .send()
        .await
        .fails(422, "invalid");
    ask()
        .json(&json!({"for": "2h", "why": {"reason": "INC-9"}}))
        .send()
        .await
        .is(200);
    let status = world
        .get("/api/v1/environments/prod/status")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(status["freeze"]["reason"], "INC-9");
    let etag = world.etag("checkout", "prod").await;
    let body = json!({"plan": "safe", "why": {"reason": "first"}});
    let start = || world.post(START, &body).header("if-match", &etag).send();
    let problem = start().await.fails(409, "conflict");
    assert!(
        problem["detail"].as_str().unwrap().contains("lever thaw"),
        "{problem}"
    );
    world.kill("checkout", "prod").await;
    let thaw = || world.ask("DELETE", freeze);
    thaw().token(&brake).send().await.fails(403, "denied");
    thaw().send().await.fails(422, "reason-required");
    thaw()
        .json(&json!({"why": {"reason": "over"}}))
        .send()
        .await
        .is(200);
    let etag = world.etag("checkout", "prod").await;
    let ask = || world.ask("POST", START).header("if-match", &etag);
    let problem = ask().json(&body).send().await.fails(409, "conflict");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("--again"), "it was killed: {problem}");
    let mut again = body.clone();
    again["again"] = json!(true);
    ask().json(&again).send().await.is(200);
}

#[tokio::test]
async fn a_rollout_of_another_environment_does_not_exist() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let id = start(&world).await;
    for role in ["viewer", "brake", "operator"] {
        let token = world.token(role, &["dev"], &[]).await;
        let get = |path: String| world.get(&path).token(&token).send();
        get(format!("/api/v1/rollouts/{id}"))
            .await
            .fails(404, "not-found");
        let list = get("/api/v1/rollouts".to_owned()).await.is(200);
        assert!(!list.text.contains(&id), "{}", list.text);
        let plans = get("/api/v1/plans".to_owned()).await.is(200);
        assert!(!plans.text.contains(&id), "{}", plans.text);
        if role != "viewer" {
            let path = format!("/api/v1/rollouts/{id}/pause");
            world
                .post(&path, &json!({}))
                .token(&token)
                .send()
                .await
                .fails(404, "not-found");
        }
        let log = get("/api/v1/journal".to_owned()).await.is(200);
        assert!(!log.text.contains("first launch"), "{}", log.text);
    }
}

#[tokio::test]
async fn a_rollout_says_why_it_does_not_move_and_what_comes_next() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let id = start(&world).await;
    let path = format!("/api/v1/rollouts/{id}/evidence");
    let evidence = world.get(&path).send().await.is(200).json();
    assert_eq!(evidence["rollout"]["id"], *id);
    assert_eq!(evidence["bake_ms"], 600_000);
    assert!(
        evidence["hold_ms_max"].as_i64() >= Some(600_000),
        "{evidence}"
    );
    assert_eq!(evidence["users_hit"], 0);
    assert_eq!(evidence["share"], "as-meant");
    assert!(
        !evidence["holds"].as_array().unwrap().is_empty(),
        "{evidence}"
    );
    let next = evidence["next"].as_str().unwrap();
    assert!(next.starts_with("5 % when errors and "), "{next}");
    let kept = format!("/api/v1/rollouts/{id}/measurements");
    let kept = world.get(&kept).send().await.is(200).json();
    assert_eq!(kept["truncated"], false);
    let rollback = "/api/v1/environments/prod/flags/checkout/rollback";
    world.post(rollback, &json!({})).send().await.is(200);
    let over = world.get(&path).send().await.is(200).json();
    assert_eq!(over["rollout"]["state"], "rolled-back");
    assert_eq!((&over["holds"], over.get("next")), (&json!([]), None));
}

#[tokio::test]
async fn nothing_known_is_said_to_be_nothing_known() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let base = "/api/v1/environments/prod/flags/checkout";
    let probe = |query: &str| world.get(&format!("{base}/probe?{query}")).send();
    let seen = probe("window=10m&error_budget=0.5").await.is(200).json();
    assert_eq!(seen["state"], "no-data", "{seen}");
    assert_eq!(
        (&seen["window"], &seen["error_budget"]),
        (&json!("10m"), &json!(0.5))
    );
    probe("window=2d&error_budget=0.5")
        .await
        .fails(422, "invalid");
    probe("window=10m&error_budget=100")
        .await
        .fails(422, "invalid");
    probe("window=-10m&error_budget=1")
        .await
        .fails(400, "bad-request");
    probe("window=10m").await.fails(400, "bad-request");
    let ask = |body: &Json| world.post(&format!("{base}/preflight"), body).send();
    let found = ask(&json!({"plan": "safe"})).await.is(200).json();
    assert_eq!(found["plan"]["key"], "safe");
    assert!(!found["stages"].as_array().unwrap().is_empty(), "{found}");
    let remarks = found["remarks"].to_string();
    assert!(
        remarks.contains("Nothing has been seen of errors"),
        "{found}"
    );
    ask(&json!({"plan": "bold"})).await.fails(404, "not-found");
    ask(&json!({})).await.fails(422, "invalid");
    let wrong = json!({"definition": {
        "key": "p", "stages": [{"percentage": 5}, {"percentage": 1}], "metrics": [{"key": "errors"}],
    }});
    ask(&wrong).await.fails(422, "invalid");
}
