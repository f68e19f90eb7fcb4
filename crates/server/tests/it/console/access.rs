//! Who may see which page and send which form. A page without a row fails.

use std::collections::BTreeMap;

use serde_json::json;

use crate::access::concrete;
use crate::console::BROWSER;
use crate::world::World;

const ROLES: [&str; 6] = [
    "viewer",
    "evaluator",
    "client-evaluator",
    "brake",
    "operator",
    "admin",
];
const READERS: &str = "viewer brake operator admin";
const CHANGERS: &str = "brake operator admin";
const OPERATORS: &str = "operator admin";
const ADMINS: &str = "admin";

type Fields = &'static [(&'static str, &'static str)];

/// A flag as its form sends it, of a revision that is not its own: who may not edit hears that first.
const FLAG: Fields = &[
    ("key", "checkout"),
    ("kind", "ops"),
    ("type", "boolean"),
    ("owner", "team-pay"),
    ("variant_name", "on"),
    ("variant_value", "true"),
    ("variant_name", "off"),
    ("variant_value", "false"),
    ("closed", "1"),
    ("open", "0"),
    ("reason", "r"),
    ("if_match", "1"),
    ("step", "save"),
];
const SEGMENT: Fields = &[
    ("key", "staff"),
    ("include", "a\nb"),
    ("reason", "r"),
    ("if_match", "1"),
    ("step", "save"),
];
const ROLLOUT: Fields = &[
    ("flag", "checkout"),
    ("plan", "safe"),
    ("reason", "r"),
    ("if_match", "1"),
];

/// Each page and form, the roles that it is for, and what the form sends. What it sends is what a page
/// would, so that who is refused is refused for their role. Which commands a brake's or an operator's
/// token may really give is core's to decide and tested there.
const TABLE: &[(&str, &str, &str, Fields)] = &[
    ("get", "/", READERS, &[]),
    ("get", "/live", READERS, &[]),
    ("get", "/live/poll", READERS, &[]),
    ("get", "/fleet", READERS, &[]),
    ("get", "/audit", READERS, &[]),
    ("get", "/audit/export", READERS, &[]),
    ("post", "/audit/verify", READERS, &[]),
    ("get", "/audit/{revision}", READERS, &[]),
    ("get", "/now", READERS, &[]),
    ("get", "/levers/{flag}", READERS, &[]),
    (
        "post",
        "/levers/{flag}/open",
        OPERATORS,
        &[("percentage", "1"), ("reason", "r")],
    ),
    (
        "post",
        "/levers/{flag}/ramp",
        CHANGERS,
        &[("percentage", "0")],
    ),
    (
        "post",
        "/levers/{flag}/pin",
        OPERATORS,
        &[("variant", "on")],
    ),
    ("get", "/undo", READERS, &[]),
    ("post", "/undo", CHANGERS, &[("revision", "1")]),
    ("get", "/freeze", READERS, &[]),
    ("post", "/freeze", CHANGERS, &[("for", "1h")]),
    ("post", "/thaw", OPERATORS, &[]),
    ("get", "/kill", READERS, &[]),
    ("get", "/kill/{flag}", READERS, &[]),
    ("post", "/kill", CHANGERS, &[("flag", "checkout")]),
    ("get", "/flags", READERS, &[]),
    ("get", "/flags/new", OPERATORS, &[]),
    ("post", "/flags", OPERATORS, FLAG),
    ("get", "/flags/{flag}", READERS, &[]),
    ("get", "/flags/{flag}/edit", OPERATORS, &[]),
    ("post", "/flags/{flag}/edit", OPERATORS, FLAG),
    ("get", "/flags/{flag}/rules", READERS, &[]),
    // A rule can be tried out, which changes nothing, by whoever may see it.
    ("post", "/flags/{flag}/rules", READERS, &[]),
    ("post", "/flags/{flag}/archive", OPERATORS, &[]),
    (
        "post",
        "/flags/{flag}/restore",
        CHANGERS,
        &[("revision", "1")],
    ),
    ("get", "/segments", READERS, &[]),
    ("get", "/segments/new", OPERATORS, &[]),
    ("post", "/segments", OPERATORS, SEGMENT),
    ("get", "/segments/{segment}", READERS, &[]),
    ("post", "/segments/{segment}", OPERATORS, SEGMENT),
    ("post", "/segments/{segment}/delete", OPERATORS, &[]),
    ("get", "/plans", READERS, &[]),
    ("get", "/plans/{plan}", READERS, &[]),
    ("get", "/rollouts", READERS, &[]),
    ("get", "/rollouts/new", READERS, &[]),
    ("post", "/rollouts", OPERATORS, ROLLOUT),
    ("get", "/rollouts/{rollout}", READERS, &[]),
    ("post", "/rollouts/{rollout}/pause", CHANGERS, &[]),
    ("post", "/rollouts/{rollout}/resume", CHANGERS, &[]),
    ("post", "/rollouts/{rollout}/advance", CHANGERS, &[]),
    ("post", "/rollouts/{rollout}/skip", CHANGERS, &[]),
    ("post", "/rollouts/{rollout}/approve", CHANGERS, &[]),
    ("post", "/rollouts/{rollout}/rollback", CHANGERS, &[]),
    ("get", "/settings", READERS, &[]),
    ("get", "/settings/environments", READERS, &[]),
    ("post", "/settings/environments", ADMINS, &[]),
    (
        "post",
        "/settings/environments/{environment}/guard",
        ADMINS,
        &[],
    ),
    ("get", "/settings/tokens", ADMINS, &[]),
    ("post", "/settings/tokens", ADMINS, &[]),
    ("post", "/settings/tokens/{id}/revoke", ADMINS, &[]),
    ("get", "/settings/outside", READERS, &[]),
    ("get", "/settings/signing-in", READERS, &[]),
    ("post", "/settings/signing-in/others", READERS, &[]),
];

#[test]
fn every_page_has_a_row_and_every_row_a_page() {
    let rows: BTreeMap<_, _> = TABLE.iter().map(|row| ((row.0, row.1), row.2)).collect();
    let pages = leverframe_server::console_pages();
    for page in &pages {
        assert!(rows.contains_key(page), "no row says who may {page:?}");
    }
    assert_eq!(rows.len(), pages.len(), "a row has no page any more");
    assert_eq!(rows.len(), TABLE.len(), "two rows are of one page");
}

#[tokio::test]
async fn every_page_knows_which_roles_it_is_for() {
    let world = World::new().await;
    world
        .flag("checkout", &json!({"client_visible": true}))
        .await;
    let staff = json!({"definition": {"key": "staff", "include": ["a"]}});
    let staff = world.post("/api/v1/segments", &staff).send().await;
    staff.is(201);
    let mut wrong = Vec::new();
    for role in ROLES {
        let scope: &[&str] = if role.ends_with("evaluator") {
            &["prod"]
        } else {
            &[]
        };
        let token = world.token(role, scope, &[]).await;
        for (method, path, roles, fields) in TABLE {
            let status = status(&world, method, path, fields, &token).await;
            let may = roles.split(' ').any(|allowed| allowed == role);
            if (status == 403) == may {
                wrong.push(format!("{method} {path} as {role}: {status}"));
            }
            assert_ne!(status, 401, "{method} {path} as {role}");
            assert!(status < 500, "{method} {path} as {role}: {status}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn no_page_of_an_environment_is_for_a_token_of_another() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    for role in ROLES.into_iter().filter(|role| *role != "admin") {
        let token = world.token(role, &["dev"], &[]).await;
        for (method, path, _, fields) in TABLE {
            let status = status(&world, method, path, fields, &token).await;
            assert_eq!(status, 403, "{method} {path} as {role}");
        }
    }
}

/// What a page of prod answers; a stream is not waited for.
async fn status(world: &World, method: &str, path: &str, fields: Fields, token: &str) -> u16 {
    let path = format!("{}?env=prod", concrete(path, "prod"));
    let ask = world.ask(&method.to_uppercase(), &path).token(token);
    let ask = ask.header("accept", BROWSER);
    let ask = match method {
        "post" => ask.form(fields),
        _ => ask,
    };
    ask.response().await.status().as_u16()
}
