//! The pages of settings.

use std::sync::Arc;

use leverframe_node::{
    ChannelSettings, Channels, Endpoint, Options, Outside, Resolver, Secret, SourceSettings,
    Sources, SystemResolver,
};
use serde_json::json;

use crate::console::sign_in::Browser;
use crate::world::{Answer, World};

const PAGES: [&str; 4] = [
    "/settings",
    "/settings/environments",
    "/settings/outside",
    "/settings/signing-in",
];

/// Texts that act where they are not made inert.
fn bad_texts() -> [String; 5] {
    [
        "<script>alert(1)</script>".to_owned(),
        "\"><img src=x onerror=alert(1)>".to_owned(),
        "right \u{202e}tfel".to_owned(),
        "\u{1b}]0;owned\u{7}\u{1b}[31m".to_owned(),
        "z\u{200d}w\u{200b}j".to_owned(),
    ]
}

#[track_caller]
fn is_inert(page: &Answer) {
    for acting in [
        "<script>alert",
        "<img",
        "\u{202e}",
        "\u{1b}",
        "\u{7}",
        "\u{200b}",
    ] {
        assert!(!page.text.contains(acting), "{acting:?}: {}", page.text);
    }
}

/// The secret of a new token, where a page shows one.
fn secret_on(page: &Answer) -> Option<String> {
    let (_, shown) = page.text.split_once("<code class=\"secret\"")?;
    let (_, begun) = shown.split_once('>')?;
    let (secret, _) = begun.split_once('<')?;
    Some(secret.to_owned())
}

#[tokio::test]
async fn each_page_is_shown_to_whom_it_is_for_and_offers_what_they_may_do() {
    let world = World::new().await;
    for role in ["viewer", "brake", "operator", "admin"] {
        let token = match role {
            "admin" => world.admin.clone(),
            _ => world.token(role, &[], &[]).await,
        };
        for path in PAGES {
            let page = world.page_as(path, &token).await.is(200);
            assert!(page.text.contains("<h1>"), "{path}");
        }
        let is_admin = role == "admin";
        let tokens = world.page_as("/settings/tokens", &token).await;
        assert_eq!(tokens.status, if is_admin { 200 } else { 403 }, "{role}");
        let environments = world.page_as("/settings/environments", &token).await;
        assert_eq!(environments.text.contains("Add it"), is_admin, "{role}");
        assert_eq!(environments.text.contains("You may not"), !is_admin);
    }
    let narrow = world.token("viewer", &["dev"], &[]).await;
    let page = world.page_as("/settings/environments", &narrow).await;
    assert!(!page.text.contains("staging"), "{}", page.text);
}

#[tokio::test]
async fn whoever_may_not_changes_nothing() {
    let world = World::new().await;
    let operator = world.token("operator", &[], &[]).await;
    let before = world.newest().await["revision"].clone();
    let forms: [(&str, &[(&str, &str)]); 4] = [
        ("/settings/environments", &[("key", "qa")]),
        ("/settings/environments/prod/guard", &[("reason", "x")]),
        (
            "/settings/tokens",
            &[("name", "n"), ("role", "viewer"), ("ttl", "never")],
        ),
        ("/settings/tokens/tok_nobody/revoke", &[]),
    ];
    for (path, fields) in forms {
        let refused = world.form_as(path, fields, &operator).await;
        assert_eq!(refused.status, 403, "{path}: {}", refused.text);
        assert!(refused.text.contains("role=\"alert\""), "{path}");
    }
    assert_eq!(world.newest().await["revision"], before);
}

#[tokio::test]
async fn an_environment_is_added_and_guarded_in_the_name_of_whoever_did() {
    let world = World::new().await;
    let fields = [("key", "qa"), ("reason", "tests"), ("idempotency", "k1")];
    let added = world.form("/settings/environments", &fields).await;
    // The test's client has gone on to the page already.
    let page = added.is(200);
    assert!(page.text.contains(">qa</th>"), "{}", page.text);
    assert!(page.text.contains("Stored as"), "{}", page.text);
    let record = world.newest().await;
    assert_eq!(record["via"], "console", "{record}");
    assert_eq!(record["reason"], "tests");

    let path = "/settings/environments/qa/guard";
    world.form(path, &[("guarded", "1")]).await.is(200);
    let is_guarded = async || {
        let list = world
            .get("/api/v1/environments")
            .send()
            .await
            .is(200)
            .json();
        let all = list["environments"].as_array().unwrap();
        let qa = all.iter().find(|one| one["key"] == "qa").unwrap();
        qa["guarded"].as_bool().unwrap()
    };
    assert!(is_guarded().await);
    let refused = world.form(path, &[("guarded", "")]).await.is(422);
    assert!(refused.text.contains("role=\"alert\""), "{}", refused.text);
    assert!(is_guarded().await);
    world
        .form(path, &[("guarded", ""), ("reason", "no longer used")])
        .await
        .is(200);
    assert!(!is_guarded().await);
}

#[tokio::test]
async fn what_was_refused_is_kept_in_the_form_and_nothing_was_changed() {
    let world = World::new().await;
    let before = world.newest().await["revision"].clone();
    let fields = [
        ("key", "prod"),
        ("guarded", "1"),
        ("reason", "a \"reason\""),
    ];
    let refused = world.form("/settings/environments", &fields).await.is(409);
    assert!(refused.text.contains("role=\"alert\""), "{}", refused.text);
    assert!(refused.text.contains("value=\"prod\""), "{}", refused.text);
    assert!(
        refused.text.contains("a &#34;reason&#34;"),
        "{}",
        refused.text
    );
    let fields = [
        ("name", "ci"),
        ("role", "evaluator"),
        ("keys", "team-*"),
        ("ttl", "86400"),
        ("environment", "dev"),
        ("environment", "prod"),
    ];
    let refused = world.form("/settings/tokens", &fields).await.is(422);
    assert!(refused.text.contains("role=\"alert\""), "{}", refused.text);
    for kept in [
        "value=\"ci\"",
        "value=\"evaluator\" required checked",
        "value=\"team-*\"",
        "value=\"86400\" selected",
        "value=\"dev\" checked",
        "value=\"prod\" checked",
    ] {
        assert!(refused.text.contains(kept), "{kept}: {}", refused.text);
    }
    for fields in [
        &[("name", "ci"), ("ttl", "never")][..],
        &[("name", "ci"), ("role", "root"), ("ttl", "never")],
        &[("name", "ci"), ("role", "viewer"), ("ttl", "soon")],
        &[("name", ""), ("role", "viewer"), ("ttl", "never")],
    ] {
        world.form("/settings/tokens", fields).await.is(422);
    }
    assert_eq!(world.newest().await["revision"], before);
}

#[tokio::test]
async fn a_new_token_is_shown_once_and_works() {
    let world = World::new().await;
    let fields = [
        ("name", "deploys"),
        ("role", "brake"),
        ("environment", "prod"),
        ("keys", "team-pay-* checkout,team-x"),
        ("ttl", "2592000"),
        ("reason", "for the pipeline"),
        ("idempotency", "k-token"),
    ];
    let made = world.form("/settings/tokens", &fields).await.is(201);
    assert_eq!(made.header("cache-control"), "no-store");
    let secret = secret_on(&made).expect("it is shown");
    let who = world.get("/api/v1/whoami").token(&secret).send().await;
    let who = who.is(200).json();
    assert_eq!(who["token"]["role"], "brake");
    assert_eq!(who["token"]["environments"], json!(["prod"]));
    assert_eq!(
        who["token"]["keys"],
        json!(["checkout", "team-pay-*", "team-x"])
    );
    assert!(who["token"]["expires_at"].is_string());

    let again = world.form("/settings/tokens", &fields).await;
    assert_eq!(secret_on(&again), None, "{}", again.text);
    let page = world.page("/settings/tokens").await.is(200);
    assert_eq!(page.text.matches(">deploys<").count(), 1, "one was made");
    for page in [page, world.page("/settings").await] {
        assert_eq!(secret_on(&page), None);
        assert!(!page.text.contains(secret.rsplit('_').next().unwrap()));
    }
}

#[tokio::test]
async fn a_revoked_token_is_out_and_the_page_says_that_it_stays_so() {
    let world = World::new().await;
    let viewer = world.token("viewer", &[], &[]).await;
    let mut browser = Browser::of(&world, &viewer).await;
    let page = world.page("/settings/tokens").await.is(200);
    assert!(page.text.contains("cannot be undone"), "{}", page.text);
    let list = world.get("/api/v1/tokens").send().await.is(200).json();
    let tokens = list["tokens"].as_array().unwrap();
    let made = tokens.iter().find(|one| one["role"] == "viewer").unwrap();
    let path = format!("/settings/tokens/{}/revoke", made["id"].as_str().unwrap());
    let done = world.form(&path, &[("reason", "left")]).await.is(200);
    assert!(
        done.text.contains("does not work any more"),
        "{}",
        done.text
    );
    assert!(!done.text.contains(">a viewer<"), "{}", done.text);
    assert_eq!(world.newest().await["reason"], "left");
    browser.get("/settings").await.is(303);
    let all = world.page("/settings/tokens?all=1").await.is(200);
    assert!(all.text.contains("revoked"), "{}", all.text);
    // The last admin's own stays, and says why.
    let own = tokens.iter().find(|one| one["role"] == "admin").unwrap();
    let path = format!("/settings/tokens/{}/revoke", own["id"].as_str().unwrap());
    let refused = world.form(&path, &[]).await.is(409);
    assert!(refused.text.contains("last admin"), "{}", refused.text);
}

#[tokio::test]
async fn bad_texts_in_names_act_on_no_page() {
    let world = World::new().await;
    let mut made = 0;
    for text in bad_texts() {
        let fields = [("name", &*text), ("role", "viewer"), ("ttl", "never")];
        let answer = world.form("/settings/tokens", &fields).await;
        made += u32::from(answer.status == 201);
        if answer.status == 201 {
            is_inert(&answer);
            let secret = secret_on(&answer).unwrap();
            for path in PAGES {
                is_inert(&world.page_as(path, &secret).await.is(200));
            }
        }
        is_inert(&world.page("/settings/tokens?all=1").await.is(200));
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let search = world.page(&format!("/settings/tokens?q={encoded}")).await;
        assert!(!search.text.contains("<script>alert"), "{}", search.text);
        assert!(!search.text.contains("<img"), "{}", search.text);
    }
    assert!(made >= 2, "the names that may be are tried");
    let long = "a".repeat(10_000);
    let fields = [("name", &*long), ("role", "viewer"), ("ttl", "never")];
    world.form("/settings/tokens", &fields).await.is(422);
    world
        .form("/settings/environments", &[("key", &long)])
        .await
        .is(422);
}

#[tokio::test]
async fn systems_outside_are_named_without_their_secrets() {
    let resolver: Arc<dyn Resolver> = Arc::new(SystemResolver);
    let endpoint = |url: &str| {
        Endpoint::new(&Secret::new(url))
            .unwrap()
            .allow_private(true)
    };
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let mut channels = Channels::default();
    let webhook = ChannelSettings::Webhook {
        endpoint: endpoint("https://hooks.test:8443/in/path-secret?token=query-secret"),
        key: Secret::new(key),
    };
    channels.open("room", webhook, &resolver).unwrap();
    let program = ChannelSettings::Command {
        argv: vec!["/usr/bin/page".to_owned(), "argument-secret".to_owned()],
        timeout: std::time::Duration::from_secs(1),
    };
    channels.open("pager", program, &resolver).unwrap();
    let mut sources = Sources::default();
    let prometheus = SourceSettings::Prometheus {
        endpoint: endpoint("http://prom.test:9090/path-secret"),
        credentials: None,
    };
    sources.open("prom", prometheus, &resolver).unwrap();
    let options = Options {
        outside: Outside {
            sources,
            channels,
            page: vec!["pager".into(), "room".into()],
            ..Outside::default()
        },
        ..Options::default()
    };
    let world = World::on(options, |_| {}).await;
    let viewer = world.token("viewer", &[], &[]).await;
    let page = world.page_as("/settings/outside", &viewer).await.is(200);
    for shown in [
        "prom",
        "prometheus",
        "http://prom.test:9090",
        "room",
        "webhook",
        "https://hooks.test:8443",
        "/usr/bin/page",
        "pager, then room",
        "lever serve --config",
        "none yet",
    ] {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
    for hidden in [
        "secret\"",
        "path-secret",
        "query-secret",
        "argument-secret",
        key,
    ] {
        assert!(!page.text.contains(hidden), "{hidden}: {}", page.text);
    }
    let nobody = World::new().await.page("/settings/outside").await.is(200);
    assert!(nobody.text.contains("Nobody is paged"), "{}", nobody.text);
}

#[tokio::test]
async fn one_sees_where_else_one_is_signed_in_and_ends_it() {
    let world = World::new().await;
    let viewer = world.token("viewer", &[], &[]).await;
    let mut here = Browser::of(&world, &viewer).await;
    let page = here.get("/settings/signing-in").await.is(200);
    assert!(
        page.text.contains("signed in nowhere else"),
        "{}",
        page.text
    );
    assert!(page.text.contains("a viewer"), "{}", page.text);
    let mut there = Browser::of(&world, &viewer).await;
    let mut admin = Browser::of(&world, &world.admin).await;
    let page = here.get("/settings/signing-in").await.is(200);
    assert!(page.text.contains("1 other browser is"), "{}", page.text);
    let done = here.post("/settings/signing-in/others", &[]).await.is(303);
    let page = here.get(done.header("location")).await.is(200);
    assert!(page.text.contains("1 other session is"), "{}", page.text);
    there.get("/settings").await.is(303);
    admin.get("/settings").await.is(200);
}

#[tokio::test]
async fn nothing_was_stored_because_an_address_says_so() {
    let world = World::new().await;
    for path in ["/settings/tokens", "/settings/environments"] {
        world.flag(&path[10..], &json!({})).await;
        let newest = world.newest().await["revision"].clone();
        for revision in [newest.to_string(), "99999999".to_owned()] {
            let page = world
                .page(&format!("{path}?r={revision}"))
                .await
                .is(200)
                .text;
            assert!(!page.contains("Stored as"), "{path} r{revision}: {page}");
        }
    }
    let guard = "/settings/environments/dev/guard";
    for said in ["Stored as", "Nothing to change"] {
        let page = world.form(guard, &[("guarded", "1")]).await.is(200).text;
        assert!(page.contains(said), "{said}: {page}");
    }
}
