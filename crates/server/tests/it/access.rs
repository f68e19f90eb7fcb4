//! Who may do what, for every route of the OpenAPI document. A route without a row fails.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::world::World;

/// Every route of the document: method and path.
pub(crate) fn routes() -> Vec<(String, String)> {
    let document: Json = serde_json::from_str(&leverframe_server::openapi_json()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .keys()
                .filter(|key| ["get", "put", "post", "delete"].contains(&key.as_str()))
                .map(|method| (method.to_uppercase(), path.clone()))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// A path with its names filled in.
pub(crate) fn concrete(path: &str, environment: &str) -> String {
    path.replace("{environment}", environment)
        .replace("{flag}", "checkout")
        .replace("{key}", "checkout")
        .replace("{segment}", "staff")
        .replace("{rule}", "r1")
        .replace("{plan}", "careful")
        .replace("{rollout}", "ro_nobody")
        .replace("{id}", "tok_nobody")
        .replace("{revision}", "1")
}

const NONE: &str = "";
const READERS: &str = "viewer brake operator admin";
const CHANGERS: &str = "brake operator admin";
const EVERYBODY: &str = "viewer evaluator client-evaluator brake operator admin";

/// Each route, the roles that get past the door, and a body that can be read. Which commands a
/// brake's or an operator's token may really give is core's to decide and tested there.
fn table() -> BTreeMap<(&'static str, &'static str), (&'static str, Json)> {
    let definition = json!({"definition": {
        "key": "checkout", "kind": "ops", "type": "boolean", "owner": "a",
        "variants": {"on": true, "off": false}, "closed": "off", "open": "on",
    }});
    let segment = json!({"definition": {"key": "staff", "include": ["a"]}});
    let plan = json!({"definition": {
        "key": "careful", "stages": [{"percentage": 1}], "metrics": [{"key": "errors"}],
    }});
    let rule = json!({"rule": {"when": "plan == \"beta\"", "serve": "on"}});
    let hello = json!({"instance": "i", "application": "a", "build": "b", "client": "c"});
    BTreeMap::from([
        (("GET", "/livez"), (NONE, Json::Null)),
        (("GET", "/readyz"), (NONE, Json::Null)),
        (("GET", "/ofrep/v1/notices"), (NONE, Json::Null)),
        (("GET", "/metrics"), (READERS, Json::Null)),
        (("GET", "/api/v1/whoami"), (EVERYBODY, Json::Null)),
        (("GET", "/api/v1/health"), (READERS, Json::Null)),
        (("GET", "/api/v1/environments"), (READERS, Json::Null)),
        (
            ("POST", "/api/v1/environments"),
            ("admin", json!({"key": "qa"})),
        ),
        (
            ("POST", "/api/v1/environments/{environment}/guard"),
            ("admin", json!({"guarded": true})),
        ),
        (
            ("GET", "/api/v1/environments/{environment}/status"),
            (READERS, Json::Null),
        ),
        (
            ("GET", "/api/v1/environments/{environment}/fleet"),
            (READERS, Json::Null),
        ),
        (
            (
                "GET",
                "/api/v1/environments/{environment}/confirmations/{revision}",
            ),
            (READERS, Json::Null),
        ),
        (
            ("POST", "/api/v1/environments/{environment}/evaluate"),
            (EVERYBODY, json!({"flag": "checkout"})),
        ),
        (
            ("POST", "/api/v1/environments/{environment}/outcomes"),
            (
                "evaluator client-evaluator",
                json!({"instance": "i", "sequence": 1, "outcomes": []}),
            ),
        ),
        (
            ("POST", "/api/v1/environments/{environment}/kill"),
            (CHANGERS, json!({"flags": ["checkout"]})),
        ),
        (("GET", "/api/v1/flags"), (READERS, Json::Null)),
        (
            ("POST", "/api/v1/flags"),
            ("operator admin", definition.clone()),
        ),
        (("GET", "/api/v1/flags/{flag}"), (READERS, Json::Null)),
        (
            ("PUT", "/api/v1/flags/{flag}"),
            ("operator admin", definition),
        ),
        (
            ("DELETE", "/api/v1/flags/{flag}"),
            ("operator admin", Json::Null),
        ),
        (
            ("GET", "/api/v1/flags/{flag}/environments/{environment}"),
            (READERS, Json::Null),
        ),
        (
            (
                "POST",
                "/api/v1/flags/{flag}/environments/{environment}/open",
            ),
            ("operator admin", json!({"exposure": {"percentage": 1}})),
        ),
        (
            (
                "POST",
                "/api/v1/flags/{flag}/environments/{environment}/ramp",
            ),
            (CHANGERS, json!({"percentage": 0})),
        ),
        (
            (
                "POST",
                "/api/v1/flags/{flag}/environments/{environment}/pin",
            ),
            ("operator admin", json!({"variant": "on"})),
        ),
        (
            (
                "POST",
                "/api/v1/flags/{flag}/environments/{environment}/rules",
            ),
            ("operator admin", rule),
        ),
        (
            (
                "DELETE",
                "/api/v1/flags/{flag}/environments/{environment}/rules/{rule}",
            ),
            ("operator admin", Json::Null),
        ),
        (
            (
                "POST",
                "/api/v1/flags/{flag}/environments/{environment}/rules/{rule}/move",
            ),
            ("operator admin", json!({"to": 0})),
        ),
        (("POST", "/api/v1/undo"), (CHANGERS, json!({}))),
        (("GET", "/api/v1/plans"), (READERS, Json::Null)),
        (("GET", "/api/v1/plans/{plan}"), (READERS, Json::Null)),
        (("PUT", "/api/v1/plans/{plan}"), ("operator admin", plan)),
        (
            ("DELETE", "/api/v1/plans/{plan}"),
            ("operator admin", Json::Null),
        ),
        (("GET", "/api/v1/rollouts"), (READERS, Json::Null)),
        (("GET", "/api/v1/rollouts/{rollout}"), (READERS, Json::Null)),
        (
            ("POST", "/api/v1/rollouts/{rollout}/pause"),
            (CHANGERS, json!({})),
        ),
        (
            ("POST", "/api/v1/rollouts/{rollout}/resume"),
            (CHANGERS, json!({})),
        ),
        (
            ("POST", "/api/v1/rollouts/{rollout}/advance"),
            (CHANGERS, json!({})),
        ),
        (
            ("POST", "/api/v1/rollouts/{rollout}/skip"),
            (CHANGERS, json!({})),
        ),
        (
            ("POST", "/api/v1/rollouts/{rollout}/approve"),
            (CHANGERS, json!({})),
        ),
        (
            ("POST", "/api/v1/rollouts/{rollout}/rollback"),
            (CHANGERS, json!({})),
        ),
        (
            (
                "GET",
                "/api/v1/environments/{environment}/flags/{flag}/rollout",
            ),
            (READERS, Json::Null),
        ),
        (
            (
                "POST",
                "/api/v1/environments/{environment}/flags/{flag}/rollout",
            ),
            ("operator admin", json!({"plan": "safe"})),
        ),
        (
            (
                "POST",
                "/api/v1/environments/{environment}/flags/{flag}/rollback",
            ),
            (CHANGERS, json!({})),
        ),
        (
            ("PUT", "/api/v1/environments/{environment}/freeze"),
            (CHANGERS, json!({"for": "1h"})),
        ),
        (
            ("DELETE", "/api/v1/environments/{environment}/freeze"),
            ("operator admin", Json::Null),
        ),
        (
            (
                "POST",
                "/api/v1/environments/{environment}/flags/{flag}/drill",
            ),
            ("operator admin", json!({})),
        ),
        (
            (
                "PUT",
                "/api/v1/environments/{environment}/flags/{flag}/drill",
            ),
            ("operator admin", json!({"every": "30d"})),
        ),
        (
            (
                "DELETE",
                "/api/v1/environments/{environment}/flags/{flag}/drill",
            ),
            ("operator admin", Json::Null),
        ),
        (
            ("GET", "/api/v1/rollouts/{rollout}/evidence"),
            (READERS, Json::Null),
        ),
        (
            ("GET", "/api/v1/rollouts/{rollout}/measurements"),
            (READERS, Json::Null),
        ),
        (
            (
                "POST",
                "/api/v1/environments/{environment}/flags/{flag}/preflight",
            ),
            (READERS, json!({"plan": "safe"})),
        ),
        (
            (
                "GET",
                "/api/v1/environments/{environment}/flags/{flag}/probe",
            ),
            (READERS, Json::Null),
        ),
        (("GET", "/api/v1/drills"), (READERS, Json::Null)),
        (("GET", "/api/v1/drills/{revision}"), (READERS, Json::Null)),
        (("GET", "/api/v1/segments"), (READERS, Json::Null)),
        (
            ("POST", "/api/v1/segments"),
            ("operator admin", segment.clone()),
        ),
        (("GET", "/api/v1/segments/{segment}"), (READERS, Json::Null)),
        (
            ("PUT", "/api/v1/segments/{segment}"),
            ("operator admin", segment),
        ),
        (
            ("DELETE", "/api/v1/segments/{segment}"),
            ("operator admin", Json::Null),
        ),
        (("GET", "/api/v1/tokens"), ("admin", Json::Null)),
        (
            ("POST", "/api/v1/tokens"),
            ("admin", json!({"name": "n", "role": "viewer"})),
        ),
        (("DELETE", "/api/v1/tokens/{id}"), ("admin", Json::Null)),
        (("POST", "/api/v1/sign-in-links"), (READERS, json!({}))),
        (("GET", "/api/v1/journal"), (READERS, Json::Null)),
        (("GET", "/api/v1/journal/{revision}"), (READERS, Json::Null)),
        (("POST", "/api/v1/journal/verify"), (READERS, Json::Null)),
        (("GET", "/api/v1/stream"), ("evaluator", Json::Null)),
        (
            ("POST", "/api/v1/stream/poll"),
            ("evaluator", json!({"hello": hello, "wait_ms": 0})),
        ),
        (("POST", "/ofrep/v1/evaluate/flags"), (EVERYBODY, json!({}))),
        (
            ("POST", "/ofrep/v1/evaluate/flags/{key}"),
            (EVERYBODY, json!({})),
        ),
    ])
}

/// Routes that answer without a token, and nothing else does.
pub(crate) const OPEN: [&str; 3] = ["/livez", "/readyz", "/ofrep/v1/notices"];

#[tokio::test]
async fn no_route_answers_without_a_token_that_works() {
    let world = World::with(|settings| settings.bad_tokens_max = u32::MAX).await;
    world
        .flag("checkout", &json!({"client_visible": true}))
        .await;
    let routes = routes();
    assert!(routes.len() > 35);
    for (method, path) in &routes {
        let path = concrete(path, "prod");
        for secret in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer lever_0_0",
            "Basic YTpi",
            "Bearer \u{ff}",
        ] {
            let ask = world.ask(method, &path).nobody();
            let ask = if secret.is_empty() {
                ask
            } else {
                ask.header("authorization", secret)
            };
            let answer = ask.body("{}").send().await;
            if OPEN.contains(&path.as_str()) {
                assert_ne!(answer.status, 401, "{method} {path}");
            } else {
                assert_eq!(answer.status, 401, "{method} {path} with {secret:?}");
                assert!(
                    answer.header("www-authenticate").starts_with("Bearer"),
                    "{method} {path}"
                );
                assert!(
                    !answer.text.contains("checkout"),
                    "{method} {path}: {}",
                    answer.text
                );
            }
        }
    }
}

#[tokio::test]
async fn every_route_knows_which_roles_it_is_for() {
    let world = World::new().await;
    world
        .flag("checkout", &json!({"client_visible": true}))
        .await;
    let mut tokens = BTreeMap::new();
    for role in EVERYBODY.split(' ') {
        let scope: &[&str] = if role.ends_with("evaluator") {
            &["prod"]
        } else {
            &[]
        };
        tokens.insert(role, world.token(role, scope, &[]).await);
    }
    let table = table();
    let routes = routes();
    for (method, path) in &routes {
        let row = table.get(&(method.as_str(), path.as_str()));
        let (roles, body) = row.unwrap_or_else(|| panic!("no row says who may {method} {path}"));
        if roles.is_empty() {
            assert!(OPEN.contains(&path.as_str()), "{path}");
            continue;
        }
        for (role, token) in &tokens {
            let is_changing = method != "GET"
                && path.starts_with("/api/v1")
                && !path.contains("stream")
                && !path.ends_with("verify")
                && !path.ends_with("evaluate");
            let mut concrete = concrete(path, "prod");
            if is_changing {
                concrete += "?dry_run=true";
            }
            if path.starts_with("/ofrep") {
                concrete += "?environment=prod";
            }
            let ask = world.ask(method, &concrete).token(token);
            let ask = if body.is_null() { ask } else { ask.json(body) };
            let answer = ask.send().await;
            let may = roles.split(' ').any(|allowed| allowed == *role);
            assert_ne!(answer.status, 401, "{method} {path} as {role}");
            assert!(
                answer.status < 500,
                "{method} {path} as {role}: {}",
                answer.text
            );
            // A command is refused by core only once it could otherwise be given, so of those that
            // core decides only the denied are sure.
            assert_eq!(
                answer.status == 403,
                !may,
                "{method} {path} as {role}: {} {}",
                answer.status,
                answer.text
            );
        }
    }
    assert_eq!(table.len(), routes.len(), "a row has no route any more");
}

#[tokio::test]
async fn a_token_of_one_environment_sees_nothing_of_another() {
    let world = World::new().await;
    world
        .flag("checkout", &json!({"client_visible": true}))
        .await;
    let killed = world.kill("checkout", "prod").await["revision"]
        .as_u64()
        .unwrap();
    for role in [
        "viewer",
        "brake",
        "operator",
        "evaluator",
        "client-evaluator",
    ] {
        let token = world.token(role, &["dev"], &[]).await;
        for (method, path) in routes() {
            if !path.contains("{environment}") {
                continue;
            }
            let row = table();
            let (_, body) = &row[&(method.as_str(), path.as_str())];
            let ask = world.ask(&method, &concrete(&path, "prod")).token(&token);
            let ask = if body.is_null() { ask } else { ask.json(body) };
            let answer = ask.send().await;
            assert!(
                matches!(answer.status, 403 | 404),
                "{method} {path} as {role}: {} {}",
                answer.status,
                answer.text
            );
        }
        for path in [
            "/ofrep/v1/evaluate/flags?environment=prod",
            "/ofrep/v1/evaluate/flags/checkout?environment=prod",
        ] {
            let answer = world.post(path, &json!({})).token(&token).send().await;
            assert_eq!(answer.status, 403, "{path} as {role}");
        }
    }
    let viewer = world.token("viewer", &["dev"], &[]).await;
    let flag = world
        .get("/api/v1/flags/checkout")
        .token(&viewer)
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(flag["levers"].as_array().unwrap().len(), 1);
    assert_eq!(flag["levers"][0]["environment"], "dev");
    let environments = world
        .get("/api/v1/environments")
        .token(&viewer)
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(environments["environments"].as_array().unwrap().len(), 1);
    world
        .get(&format!("/api/v1/journal/{killed}"))
        .token(&viewer)
        .send()
        .await
        .fails(404, "not-found");
    let journal = world
        .get("/api/v1/journal")
        .token(&viewer)
        .send()
        .await
        .is(200);
    assert!(
        !journal.text.contains("\"prod\"") || !journal.text.contains("checkout closed"),
        "{}",
        journal.text
    );
}

#[tokio::test]
async fn no_route_tells_a_token_of_dev_what_happens_in_prod() {
    const MARK: &str = "only-in-prod";
    let world = World::new().await;
    world
        .flag("checkout", &json!({"client_visible": true}))
        .await;
    let body = json!({"flags": ["checkout"], "why": {"reason": MARK, "incident": MARK}});
    world
        .post("/api/v1/environments/prod/kill", &body)
        .send()
        .await
        .is(200);
    let everything = world.get("/api/v1/journal").send().await.is(200);
    assert!(everything.text.contains(MARK), "{}", everything.text);
    let table = table();
    for role in [
        "viewer",
        "brake",
        "operator",
        "evaluator",
        "client-evaluator",
    ] {
        let token = world.token(role, &["dev"], &[]).await;
        let mut answered = 0;
        for (method, path) in routes() {
            let (_, body) = &table[&(method.as_str(), path.as_str())];
            for environment in ["dev", "prod"] {
                let mut path = concrete(&path, environment);
                if method != "GET" && path.starts_with("/api/v1") && !path.contains("stream") {
                    path += "?dry_run=true";
                } else if path == "/api/v1/journal" || path.starts_with("/ofrep") {
                    path = format!("{path}?environment={environment}");
                }
                let ask = world.ask(&method, &path).token(&token);
                let ask = if body.is_null() { ask } else { ask.json(body) };
                let answer = ask.send().await;
                answered += usize::from(answer.status == 200);
                assert!(
                    !answer.text.contains(MARK),
                    "{method} {path} as {role}: {}",
                    answer.text
                );
            }
        }
        assert!(answered > 0, "nothing is answered to {role}");
    }
}
