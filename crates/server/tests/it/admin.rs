use serde_json::{Value as Json, json};

use crate::world::World;

#[tokio::test]
async fn a_flag_is_created_read_edited_listed_and_archived() {
    let world = World::new().await;
    let receipt = world
        .flag(
            "checkout",
            &json!({"tags": ["pay"], "description": "New checkout"}),
        )
        .await;
    assert_eq!(receipt["changes"][0]["noun"], "flag");
    let answer = world.get("/api/v1/flags/checkout").send().await.is(200);
    let etag = answer.header("etag").to_owned();
    let flag = answer.json();
    assert_eq!(etag, format!("\"r{}\"", flag["defined_revision"]));
    assert_eq!(flag["levers"].as_array().unwrap().len(), 3);
    assert_eq!(flag["levers"][0]["position"]["state"], "closed");

    let mut definition = flag["definition"].clone();
    definition["owner"] = json!("team-web");
    let body = json!({"definition": definition});
    world
        .ask("PUT", "/api/v1/flags/checkout")
        .json(&body)
        .header("if-match", &etag)
        .send()
        .await
        .is(200);
    world
        .ask("PUT", "/api/v1/flags/checkout")
        .json(&json!({"definition": flag["definition"]}))
        .header("if-match", &etag)
        .send()
        .await
        .is(412);
    let problem = world
        .ask("PUT", "/api/v1/flags/other")
        .json(&body)
        .send()
        .await
        .fails(422, "invalid");
    assert_eq!(problem["field"], "definition.key");
    let duplicate = world.post("/api/v1/flags", &body).send().await;
    assert!(matches!(duplicate.status, 200 | 409), "{}", duplicate.text);

    for key in ["a", "b", "c"] {
        world.flag(key, &json!({})).await;
    }
    let keys = |page: &Json| -> Vec<String> {
        page["flags"]
            .as_array()
            .unwrap()
            .iter()
            .map(|flag| flag["definition"]["key"].as_str().unwrap().to_owned())
            .collect()
    };
    let page = world
        .get("/api/v1/flags?limit=2")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(keys(&page), ["a", "b"]);
    let next = page["next"].as_str().unwrap();
    let page = world
        .get(&format!("/api/v1/flags?limit=2&after={next}"))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(keys(&page), ["c", "checkout"]);
    assert_eq!(page["next"], json!(null));
    for (query, found) in [
        ("q=CHECK", 1),
        ("owner=team-web", 1),
        ("tag=pay", 1),
        ("kind=release", 0),
        ("kind=ops", 4),
        ("archived=true", 0),
    ] {
        let page = world
            .get(&format!("/api/v1/flags?{query}"))
            .send()
            .await
            .is(200)
            .json();
        assert_eq!(keys(&page).len(), found, "{query}");
    }
    for query in ["limit=0", "limit=501"] {
        world
            .get(&format!("/api/v1/flags?{query}"))
            .send()
            .await
            .fails(422, "invalid");
    }
    for query in ["limit=many", "kind=unknown", "unknown=1"] {
        world
            .get(&format!("/api/v1/flags?{query}"))
            .send()
            .await
            .fails(400, "bad-request");
    }

    let removal = json!({"why": {"reason": "done with it"}});
    let etag = world
        .get("/api/v1/flags/checkout")
        .send()
        .await
        .header("etag")
        .to_owned();
    let receipt = world
        .ask("DELETE", "/api/v1/flags/checkout")
        .json(&removal)
        .header("if-match", &etag)
        .send()
        .await
        .is(200)
        .json();
    let record = world
        .get(&format!("/api/v1/journal/{}", receipt["revision"]))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(record["reason"], "done with it");
    assert_eq!(
        world.get("/api/v1/flags/checkout").send().await.json()["archived"],
        true
    );
}

#[tokio::test]
async fn rules_are_added_moved_and_removed_and_errors_point_at_the_character() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let base = "/api/v1/flags/checkout/environments/dev/rules";
    for (id, plan) in [("one", "beta"), ("two", "free")] {
        let rule =
            json!({"rule": {"id": id, "when": format!("plan == \"{plan}\""), "serve": "on"}});
        let etag = world.etag("checkout", "dev").await;
        world
            .post(base, &rule)
            .header("if-match", &etag)
            .send()
            .await
            .is(201);
    }
    let ids = || async {
        let flag = world.get("/api/v1/flags/checkout").send().await.json();
        let rules = flag["definition"]["environments"]["dev"]["rules"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        rules
            .iter()
            .map(|rule| rule["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids().await, ["one", "two"]);
    let etag = world.etag("checkout", "dev").await;
    world
        .post(&format!("{base}/two/move"), &json!({"to": 0}))
        .header("if-match", &etag)
        .send()
        .await
        .is(200);
    assert_eq!(ids().await, ["two", "one"]);
    let etag = world.etag("checkout", "dev").await;
    world
        .ask("DELETE", &format!("{base}/two"))
        .header("if-match", &etag)
        .send()
        .await
        .is(200);
    assert_eq!(ids().await, ["one"]);
    let wrong = json!({"rule": {"when": "plan === 3", "serve": "on"}});
    let problem = world.post(base, &wrong).send().await.fails(422, "invalid");
    assert_eq!(problem["field"], "rule.when");
}

#[tokio::test]
async fn segments_are_kept_and_say_who_uses_them() {
    let world = World::new().await;
    let body = json!({"definition": {"key": "staff", "when": "email ends_with \"@acme.test\""}});
    world.post("/api/v1/segments", &body).send().await.is(201);
    world.flag("checkout", &json!({})).await;
    let open = json!({"exposure": {"cohorts": ["staff"], "percentage": 0}});
    world
        .post("/api/v1/flags/checkout/environments/dev/open", &open)
        .header("if-match", &world.etag("checkout", "dev").await)
        .send()
        .await
        .is(200);
    let answer = world.get("/api/v1/segments/staff").send().await.is(200);
    let etag = answer.header("etag").to_owned();
    assert_eq!(answer.json()["used_by"], json!(["flag checkout"]));
    world
        .ask("DELETE", "/api/v1/segments/staff")
        .header("if-match", &etag)
        .send()
        .await
        .fails(409, "conflict");
    let edited = json!({"definition": {"key": "staff", "include": ["u-1"]}});
    world
        .ask("PUT", "/api/v1/segments/staff")
        .json(&edited)
        .header("if-match", &etag)
        .send()
        .await
        .is(200);
    let list = world
        .get("/api/v1/segments?q=STA")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(list["segments"][0]["definition"], edited["definition"]);
    world
        .get("/api/v1/segments/nobody")
        .send()
        .await
        .fails(404, "not-found");
}

#[tokio::test]
async fn environments_are_created_and_guarded() {
    let world = World::new().await;
    world
        .post("/api/v1/environments", &json!({"key": "qa"}))
        .send()
        .await
        .is(201);
    let path = "/api/v1/environments/qa/guard";
    world
        .post(path, &json!({"guarded": true, "why": {"reason": "x"}}))
        .send()
        .await
        .is(200);
    let list = world
        .get("/api/v1/environments")
        .send()
        .await
        .is(200)
        .json();
    let qa = list["environments"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["key"] == "qa")
        .unwrap()
        .clone();
    assert_eq!(qa["guarded"], true);
    world
        .post("/api/v1/environments/mars/guard", &json!({"guarded": true}))
        .send()
        .await
        .fails(404, "not-found");
    // A new environment can be followed and evaluated in at once.
    world.flag("checkout", &json!({})).await;
    let answer = world
        .post(
            "/api/v1/environments/qa/evaluate",
            &json!({"flag": "checkout"}),
        )
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(answer["reason"], "DISABLED");
}

#[tokio::test]
async fn a_tokens_secret_is_shown_once() {
    let world = World::new().await;
    let body = json!({"name": "ci", "role": "brake", "environments": ["prod"], "ttl_s": 3600});
    let answer = world
        .post("/api/v1/tokens", &body)
        .header("idempotency-key", "t")
        .send()
        .await
        .is(201);
    assert_eq!(answer.header("cache-control"), "no-store");
    let made = answer.json();
    let secret = made["token"].as_str().unwrap();
    assert!(secret.starts_with("lever_"));
    let me = world
        .get("/api/v1/whoami")
        .token(secret)
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(
        (&me["token"]["name"], &me["token"]["role"]),
        (&json!("ci"), &json!("brake"))
    );
    assert!(me["token"]["expires_at"].is_string());
    let list = world.get("/api/v1/tokens").send().await.is(200).text;
    assert!(list.contains(made["about"]["id"].as_str().unwrap()));
    assert!(!list.contains(secret) && !list.contains("sha256"));
    // A repeat cannot show it again, and says so rather than showing one that does not work.
    world
        .post("/api/v1/tokens", &body)
        .header("idempotency-key", "t")
        .send()
        .await
        .fails(409, "conflict");
    let dry = world
        .post("/api/v1/tokens?dry_run=true", &body)
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(dry["token"], "");
    world
        .post(
            "/api/v1/tokens",
            &json!({"name": "x", "role": "viewer", "ttl_s": 0}),
        )
        .send()
        .await
        .fails(422, "invalid");
    world
        .post("/api/v1/tokens", &json!({"name": "x", "role": "root"}))
        .send()
        .await
        .fails(422, "invalid");
    let id = made["about"]["id"].as_str().unwrap();
    world
        .ask("DELETE", &format!("/api/v1/tokens/{id}"))
        .send()
        .await
        .is(200);
    world
        .get("/api/v1/whoami")
        .token(secret)
        .send()
        .await
        .fails(401, "unauthenticated");
    // OFREP clients send it like this.
    world
        .get("/api/v1/whoami")
        .nobody()
        .header("x-api-key", &world.admin)
        .send()
        .await
        .is(200);
}

#[tokio::test]
async fn the_journal_is_read_filtered_and_verified() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.flag("other", &json!({})).await;
    world.open("checkout", "prod").await;
    let killed = world.kill("checkout", "prod").await["revision"]
        .as_u64()
        .unwrap();
    let revisions = |page: &Json| -> Vec<u64> {
        page["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| record["revision"].as_u64().unwrap())
            .collect()
    };
    let all = world.get("/api/v1/journal").send().await.is(200).json();
    assert_eq!(revisions(&all), (1..=killed).rev().collect::<Vec<_>>());
    let record = &all["records"][0];
    assert_eq!(
        (&record["reason"], &record["incident"]),
        (&json!("INC-412"), &json!("INC-412"))
    );
    assert_eq!(record["hash"].as_str().unwrap().len(), 64);
    let page = world
        .get("/api/v1/journal?flag=checkout&limit=2")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(revisions(&page), [killed, killed - 1]);
    let before = page["next"].as_u64().unwrap();
    let page = world
        .get(&format!("/api/v1/journal?flag=checkout&before={before}"))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(revisions(&page), [killed - 3]);
    let page = world
        .get("/api/v1/journal?environment=prod&actor=first%20admin")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(revisions(&page), [killed, killed - 1]);
    let page = world
        .get("/api/v1/journal?until=2000-01-01T00:00:00Z")
        .send()
        .await
        .is(200)
        .json();
    assert!(revisions(&page).is_empty());
    let page = world
        .get("/api/v1/journal?since=2999-01-01T00:00:00Z")
        .send()
        .await
        .is(200)
        .json();
    assert!(revisions(&page).is_empty());
    world
        .get("/api/v1/journal?since=yesterday")
        .send()
        .await
        .fails(422, "invalid");
    world
        .get("/api/v1/journal/0")
        .send()
        .await
        .fails(404, "not-found");
    world
        .get("/api/v1/journal/99")
        .send()
        .await
        .fails(404, "not-found");
    world
        .get("/api/v1/journal/many")
        .send()
        .await
        .fails(400, "bad-request");

    let whole = world
        .ask("POST", "/api/v1/journal/verify")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(
        (&whole["intact"], &whole["revision"]),
        (&json!(true), &json!(killed))
    );
    world.disk.faults().edit(2, "{}");
    let broken = world
        .ask("POST", "/api/v1/journal/verify")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(
        (&broken["intact"], &broken["first_bad"]),
        (&json!(false), &json!(2))
    );
    assert!(broken["detail"].as_str().unwrap().contains("lever restore"));
}

#[tokio::test]
async fn status_tells_the_last_moved_lever_first() {
    let world = World::new().await;
    for key in ["a", "b", "c"] {
        world.flag(key, &json!({})).await;
    }
    world.open("b", "prod").await;
    world.open("a", "prod").await;
    let status = world
        .get("/api/v1/environments/prod/status")
        .send()
        .await
        .is(200)
        .json();
    let flags: Vec<_> = status["levers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|lever| lever["lever"]["flag"].clone())
        .collect();
    assert_eq!(flags, ["a", "b"]);
    assert_eq!(
        (&status["never_moved"], &status["guarded"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(status["fleet"]["state"], "nobody");
    world
        .get("/api/v1/environments/mars/status")
        .send()
        .await
        .fails(404, "not-found");
}

#[tokio::test]
async fn an_evaluation_can_be_explained() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.open("checkout", "prod").await;
    let path = "/api/v1/environments/prod/evaluate";
    let answer = world
        .post(
            path,
            &json!({"flag": "checkout", "context": {"targetingKey": "u"}, "explain": true}),
        )
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(
        (&answer["value"], &answer["variant"], &answer["reason"]),
        (&json!(true), &json!("on"), &json!("STATIC"))
    );
    let steps = answer["steps"].as_array().unwrap();
    assert_eq!(steps.last().unwrap()["decided"], true);
    world
        .post(path, &json!({"flag": "nobody"}))
        .send()
        .await
        .fails(404, "not-found");
    world
        .post(
            path,
            &json!({"flag": "checkout", "context": {"targetingKey": 3}}),
        )
        .send()
        .await
        .fails(422, "invalid");
    // To a browser's token a flag that is not for browsers does not exist, and rules never do.
    let client = world.token("client-evaluator", &["prod"], &[]).await;
    world
        .post(path, &json!({"flag": "checkout"}))
        .token(&client)
        .send()
        .await
        .fails(404, "not-found");
    world
        .post(path, &json!({"flag": "checkout", "explain": true}))
        .token(&client)
        .send()
        .await
        .fails(403, "denied");
}
