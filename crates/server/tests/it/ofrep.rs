use serde_json::{Value as Json, json};

use crate::world::{Answer, World};

const ALL: &str = "/ofrep/v1/evaluate/flags";

async fn one(world: &World, token: &str, key: &str, body: &Json) -> Answer {
    world
        .post(&format!("{ALL}/{key}"), body)
        .token(token)
        .send()
        .await
}

async fn shop() -> (World, String) {
    let world = World::new().await;
    world
        .flag("checkout", &json!({"client_visible": true}))
        .await;
    world.flag("ratio", &json!({"type": "float", "variants": {"full": 10, "none": 0}, "closed": "none", "open": "full"})).await;
    world.flag("count", &json!({"type": "integer", "variants": {"many": 10, "few": 1}, "closed": "few", "open": "many"})).await;
    world.flag("text", &json!({"type": "string", "variants": {"a": "ä\"<", "b": "b"}, "closed": "b", "open": "a"})).await;
    world.flag("object", &json!({"type": "object", "variants": {"a": {"x": [1]}, "b": {}}, "closed": "b", "open": "a"})).await;
    for key in ["checkout", "ratio", "count", "text", "object"] {
        world.open(key, "prod").await;
    }
    let token = world.token("evaluator", &["prod"], &[]).await;
    (world, token)
}

#[tokio::test]
async fn every_type_is_answered_with_every_field() {
    let (world, token) = shop().await;
    let context = json!({"context": {"targetingKey": "u-1"}});
    for (key, value) in [
        ("checkout", "true"),
        ("ratio", "10.0"),
        ("count", "10"),
        ("text", "\"ä\\\"<\""),
        ("object", "{\"x\":[1]}"),
    ] {
        let answer = one(&world, &token, key, &context).await.is(200);
        assert_eq!(answer.header("content-type"), "application/json");
        assert!(
            answer.text.contains(&format!("\"value\":{value},")),
            "{}",
            answer.text
        );
        let json = answer.json();
        let mut fields: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        fields.sort();
        assert_eq!(fields, ["key", "metadata", "reason", "value", "variant"]);
        assert_eq!(json["reason"], "STATIC");
        assert!(json["metadata"]["revision"].is_u64() && json["metadata"]["arm"].is_string());
    }
}

#[tokio::test]
async fn a_closed_flag_is_answered_with_its_closed_value_at_once() {
    let (world, token) = shop().await;
    let revision = world.kill("checkout", "prod").await["revision"].clone();
    let answer = one(&world, &token, "checkout", &json!({}))
        .await
        .is(200)
        .json();
    assert_eq!(
        (&answer["value"], &answer["variant"], &answer["reason"]),
        (&json!(false), &json!("off"), &json!("DISABLED"))
    );
    assert_eq!(answer["metadata"]["revision"], revision);
}

#[tokio::test]
async fn no_context_is_no_error_and_a_missing_unit_closes_with_a_cause() {
    let (world, token) = shop().await;
    for body in [json!({}), json!({"context": {}}), json!({"context": null})] {
        one(&world, &token, "count", &body).await.is(200);
    }
    let ramp = json!({"percentage": 50, "why": {"reason": "x"}});
    world
        .post("/api/v1/flags/checkout/environments/prod/ramp", &ramp)
        .header("if-match", &world.etag("checkout", "prod").await)
        .send()
        .await
        .is(200);
    let answer = one(&world, &token, "checkout", &json!({}))
        .await
        .is(200)
        .json();
    assert_eq!(
        (&answer["value"], &answer["reason"]),
        (&json!(false), &json!("DEFAULT"))
    );
    assert!(
        answer["metadata"]["cause"]
            .as_str()
            .unwrap()
            .contains("unit")
    );
}

#[tokio::test]
async fn failures_carry_what_clients_read() {
    let (world, token) = shop().await;
    let missing = one(&world, &token, "nobody", &json!({}))
        .await
        .is(404)
        .json();
    assert_eq!(
        (&missing["key"], &missing["errorCode"]),
        (&json!("nobody"), &json!("FLAG_NOT_FOUND"))
    );
    assert!(missing["errorDetails"].is_string());
    for (body, code) in [
        ("", "PARSE_ERROR"),
        ("{", "PARSE_ERROR"),
        ("[]", "PARSE_ERROR"),
        ("{\"context\":{\"a\":1,\"a\":2}}", "PARSE_ERROR"),
        ("{\"context\":{},\"context\":{}}", "PARSE_ERROR"),
        ("{\"context\":{\"a\":1e999}}", "PARSE_ERROR"),
        ("{\"context\":{\"a\":\"\u{0}\"}}", "PARSE_ERROR"),
        ("{\"context\":[]}", "INVALID_CONTEXT"),
        ("{\"context\":{\"targetingKey\":7}}", "INVALID_CONTEXT"),
    ] {
        let failure = world
            .ask("POST", &format!("{ALL}/checkout"))
            .token(&token)
            .body(body)
            .send()
            .await
            .is(400)
            .json();
        assert_eq!(
            (&failure["key"], &failure["errorCode"]),
            (&json!("checkout"), &json!(code)),
            "{body}"
        );
        assert!(failure["errorDetails"].is_string());
        let failure = world
            .ask("POST", ALL)
            .token(&token)
            .body(body)
            .send()
            .await
            .is(400)
            .json();
        assert_eq!(failure["errorCode"], code, "{body}");
    }
    let deep = format!(
        "{{\"context\":{{\"a\":{}1{}}}}}",
        "[".repeat(30_000),
        "]".repeat(30_000)
    );
    for body in [deep.as_bytes(), b"{\"context\":{\"a\":\"\xff\"}}"] {
        let ask = world.ask("POST", ALL).token(&token).body(body.to_vec());
        let failure = ask.send().await.is(400).json();
        assert!(failure["errorCode"].is_string() && failure["errorDetails"].is_string());
    }
    let unknown = world
        .post(ALL, &json!({}))
        .token("lever_0_0")
        .send()
        .await
        .is(401)
        .json();
    assert!(unknown["errorDetails"].is_string());
    let large = format!("{{\"context\":{{\"a\":\"{}\"}}}}", "x".repeat(70_000));
    world
        .ask("POST", ALL)
        .token(&token)
        .body(large)
        .send()
        .await
        .is(413);
}

#[tokio::test]
async fn a_token_of_several_environments_says_which_one() {
    let (world, _) = shop().await;
    let viewer = world.token("viewer", &[], &[]).await;
    world
        .post(ALL, &json!({}))
        .token(&viewer)
        .send()
        .await
        .is(400);
    world
        .post(&format!("{ALL}/checkout?environment=prod"), &json!({}))
        .token(&viewer)
        .send()
        .await
        .is(200);
    world
        .post(&format!("{ALL}?environment=mars"), &json!({}))
        .token(&viewer)
        .send()
        .await
        .is(404);
    world
        .post(&format!("{ALL}?environment=no%20key"), &json!({}))
        .token(&viewer)
        .send()
        .await
        .is(400);
}

#[tokio::test]
async fn a_browsers_token_sees_only_what_is_marked_for_it() {
    let (world, _) = shop().await;
    world
        .flag("pay-banner", &json!({"client_visible": true}))
        .await;
    let token = world
        .token("client-evaluator", &["prod"], &["check*"])
        .await;
    one(&world, &token, "checkout", &json!({})).await.is(200);
    for hidden in ["count", "pay-banner", "nobody"] {
        let answer = one(&world, &token, hidden, &json!({})).await.is(404).json();
        assert_eq!(
            answer["errorDetails"],
            format!("there is no flag {hidden:?} here")
        );
    }
    let all = world
        .post(ALL, &json!({}))
        .token(&token)
        .send()
        .await
        .is(200)
        .json();
    let keys: Vec<_> = all["flags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|flag| flag["key"].clone())
        .collect();
    assert_eq!(keys, ["checkout"]);
}

#[tokio::test]
async fn the_bulk_etag_covers_everything_the_answer_depends_on() {
    let (world, token) = shop().await;
    let ask = |context: Json, token: String, etag: String| {
        let ask = world.post(ALL, &json!({"context": context})).token(&token);
        async move {
            if etag.is_empty() {
                ask.send().await
            } else {
                ask.header("if-none-match", &etag).send().await
            }
        }
    };
    let context = json!({"targetingKey": "u", "plan": "beta"});
    let full = ask(context.clone(), token.clone(), String::new())
        .await
        .is(200);
    let etag = full.header("etag").to_owned();
    assert_eq!(full.json()["flags"].as_array().unwrap().len(), 5);
    let same = ask(
        json!({"plan": "beta", "targetingKey": "u"}),
        token.clone(),
        etag.clone(),
    )
    .await
    .is(304);
    assert_eq!(
        (same.header("etag"), same.text.as_str()),
        (etag.as_str(), "")
    );
    // Another attribute, with the same targeting key: web clients keep their ETag then.
    ask(
        json!({"targetingKey": "u", "plan": "free"}),
        token.clone(),
        etag.clone(),
    )
    .await
    .is(200);
    let other = world.token("evaluator", &["prod"], &[]).await;
    ask(context.clone(), other, etag.clone()).await.is(200);
    world.kill("checkout", "prod").await;
    let fresh = ask(context.clone(), token.clone(), etag.clone())
        .await
        .is(200);
    assert_ne!(fresh.header("etag"), etag);
    let killed = fresh.json()["flags"]
        .as_array()
        .unwrap()
        .iter()
        .find(|flag| flag["key"] == "checkout")
        .unwrap()
        .clone();
    assert_eq!(killed["value"], false);
}

#[tokio::test]
async fn an_answer_that_the_time_changes_is_not_called_the_same() {
    let (world, token) = shop().await;
    let opens = world.node.wall_now().as_ms() + 1_500;
    let rules =
        json!({"rules": [{"id": "later", "when": format!("now >= {opens}"), "serve": "a"}]});
    world
        .flag(
            "timed",
            &json!({"type": "string", "variants": {"a": "open", "b": "not yet"}, "closed": "b", "open": "b", "environments": {"prod": rules}}),
        )
        .await;
    world.open("timed", "prod").await;
    let ask = |etag: Option<String>| {
        let ask = world
            .post(ALL, &json!({"context": {"targetingKey": "u"}}))
            .token(&token);
        async move {
            match etag {
                Some(etag) => ask.header("if-none-match", &etag).send().await,
                None => ask.send().await,
            }
        }
    };
    let first = ask(None).await.is(200);
    assert!(first.text.contains("\"not yet\""), "{}", first.text);
    let etag = first.header("etag").to_owned();
    ask(Some(etag.clone())).await.is(304);
    let later = loop {
        let answer = ask(Some(etag.clone())).await;
        if answer.status != 304 {
            break answer.is(200);
        }
        let late_ms = world.node.wall_now().as_ms() - opens;
        assert!(late_ms < 5_000, "still called the same after {late_ms} ms");
    };
    assert!(world.node.wall_now().as_ms() >= opens);
    assert!(later.text.contains("\"open\""), "{}", later.text);
    assert_ne!(later.header("etag"), etag);
}

#[tokio::test]
async fn caches_are_counted_by_the_evidence_they_give() {
    let (world, token) = shop().await;
    let body = json!({"context": {"targetingKey": "u"}});
    world.post(ALL, &body).token(&token).send().await.is(200);
    let revision = world.kill("checkout", "prod").await["revision"]
        .as_u64()
        .unwrap();
    let caches = |confirmation: Json| confirmation["caches"].clone();
    assert_eq!(
        caches(world.confirmation("prod", revision, 0).await),
        json!({"seen": 1, "fetched": 0, "applied": 0})
    );
    let etag = world
        .post(&format!("{ALL}?flagConfigEtag=r{revision}"), &body)
        .token(&token)
        .send()
        .await
        .is(200)
        .header("etag")
        .to_owned();
    assert_eq!(
        caches(world.confirmation("prod", revision, 0).await),
        json!({"seen": 1, "fetched": 1, "applied": 0})
    );
    // An ETag that was never given to this client proves nothing.
    let forged = etag.replacen("\"r", "\"r9", 1);
    world
        .post(ALL, &body)
        .token(&token)
        .header("if-none-match", &forged)
        .send()
        .await
        .is(200);
    assert_eq!(
        caches(world.confirmation("prod", revision, 0).await)["applied"],
        0
    );
    world
        .post(ALL, &body)
        .token(&token)
        .header("if-none-match", &etag)
        .send()
        .await
        .is(304);
    assert_eq!(
        caches(world.confirmation("prod", revision, 0).await),
        json!({"seen": 1, "fetched": 1, "applied": 1})
    );
}

#[tokio::test]
async fn other_sites_scripts_may_use_ofrep_and_nothing_else() {
    let (world, token) = shop().await;
    let preflight = |path: &str| {
        world
            .ask("OPTIONS", path)
            .nobody()
            .header("origin", "https://shop.test")
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,content-type,if-none-match",
            )
            .send()
    };
    let answer = preflight(ALL).await.is(200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let answer = world
        .post(ALL, &json!({}))
        .token(&token)
        .header("origin", "https://shop.test")
        .send()
        .await
        .is(200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(
        answer
            .header("access-control-expose-headers")
            .contains("etag")
    );
    let unknown = world
        .post(ALL, &json!({}))
        .token("no")
        .header("origin", "https://shop.test")
        .send()
        .await
        .is(401);
    assert_eq!(
        unknown.header("access-control-allow-origin"),
        "*",
        "a script must be able to read why"
    );
    for path in ["/api/v1/flags", "/livez", "/openapi.json", "/metrics"] {
        let answer = preflight(path).await;
        assert!(
            !answer.headers.contains_key("access-control-allow-origin"),
            "{path}"
        );
    }
}
