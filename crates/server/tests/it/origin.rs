//! What another site makes a browser send changes nothing.

use serde_json::{Value as Json, json};

use crate::access::{concrete, routes};
use crate::world::World;

/// What a browser adds to a request that another site's page made it send.
const FOREIGN: [&[(&str, &str)]; 5] = [
    &[("origin", "null")],
    &[("origin", "https://evil.test")],
    &[("sec-fetch-site", "cross-site")],
    &[("sec-fetch-site", "same-site")],
    &[("origin", "null"), ("sec-fetch-site", "same-origin")],
];

#[tokio::test]
async fn no_route_that_changes_something_obeys_another_site_even_with_a_token() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let revision = world.get("/api/v1/health").send().await.is(200).json()["revision"].clone();
    let changing: Vec<_> = routes()
        .into_iter()
        // What pages may talk to takes a token that is in them anyway.
        .filter(|(_, path)| !path.starts_with("/ofrep/") && !path.ends_with("/outcomes"))
        .filter(|(method, _)| method != "GET")
        .collect();
    assert!(changing.len() > 15);
    for (method, path) in &changing {
        let path = concrete(path, "prod");
        for lines in FOREIGN {
            let mut ask = world.ask(method, &path);
            for (name, value) in lines {
                ask = ask.header(name, value);
            }
            ask.body("{}").send().await.fails(403, "denied");
        }
    }
    let after = world.get("/api/v1/health").send().await.is(200).json()["revision"].clone();
    assert_eq!(after, revision, "nothing was changed");
}

#[tokio::test]
async fn a_form_of_another_site_is_refused_whatever_it_calls_itself() {
    let world = World::new().await;
    for kind in [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/json",
    ] {
        let form = world
            .ask("POST", "/api/v1/undo")
            .nobody()
            .header("content-type", kind)
            .header("origin", "https://evil.test");
        form.send().await.fails(403, "denied");
    }
}

#[tokio::test]
async fn a_page_of_our_own_a_program_and_ofrep_from_anywhere_are_let_through() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let own = format!("http://{}", world.address);
    let kill = json!({"flags": ["checkout"]});
    let path = "/api/v1/environments/prod/kill";
    for lines in [
        &[][..],
        &[("origin", own.as_str())],
        &[("origin", own.as_str()), ("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
    ] {
        let mut ask = world.post(path, &kill);
        for (name, value) in lines {
            ask = ask.header(name, value);
        }
        ask.send().await.is(200);
    }
    let token = world.token("evaluator", &["prod"], &[]).await;
    for lines in FOREIGN {
        let mut ask = world
            .post("/ofrep/v1/evaluate/flags", &json!({}))
            .token(&token);
        for (name, value) in lines {
            ask = ask.header(name, value);
        }
        let answer: Json = ask.send().await.is(200).json();
        assert_eq!(answer["flags"][0]["key"], "checkout");
    }
}
