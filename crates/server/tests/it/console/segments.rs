//! Segments in the console.

use serde_json::json;

use crate::world::World;

const HOSTILE: &str = "\"><img src=x onerror=alert(1)>";

async fn revision(world: &World) -> u64 {
    world.newest().await["revision"].as_u64().unwrap()
}

fn if_match(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"if_match\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn a_segment_is_made_looked_at_edited_and_deleted() {
    let world = World::new().await;
    let empty = world.page("/segments?env=prod").await.is(200).text;
    assert!(empty.contains("There is no segment yet."), "{empty}");
    let hostile = format!("u-1\r\n\r\n {HOSTILE} \r\n");
    let fields = [
        ("key", "staff"),
        ("when", "email ends_with \"@acme.test\""),
        ("include", hostile.as_str()),
        ("exclude", "u-9"),
        ("idempotency", "a"),
        ("step", "preview"),
    ];
    let before = revision(&world).await;
    let shown = world.form("/segments?env=prod", &fields).await.is(200).text;
    assert!(shown.contains("<li class=\"added\">"), "{shown}");
    assert!(!shown.contains("<img"), "{shown}");
    assert_eq!(revision(&world).await, before);
    let mut save = fields;
    save[5] = ("step", "save");
    let page = world.form("/segments?env=prod", &save).await.is(200).text;
    assert!(page.contains("everybody if email ends with"), "{page}");
    assert!(!page.contains("<img"), "{page}");
    let made = world
        .get("/api/v1/segments/staff")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(made["definition"]["include"], json!(["u-1", HOSTILE]));
    let list = world.page("/segments?env=prod&q=STA").await.is(200).text;
    assert!(list.contains("2 users by name; never 1 user"), "{list}");

    let seen = if_match(&page);
    let edit = [
        ("key", "staff"),
        ("when", ""),
        ("include", "u-1\nu-2"),
        ("if_match", &seen),
        ("idempotency", "b"),
        ("step", "save"),
    ];
    let path = "/segments/staff?env=prod";
    world.form(path, &edit).await.is(200);
    let before = revision(&world).await;
    world.form(path, &edit).await.is(200);
    assert_eq!(revision(&world).await, before, "sent twice, changed once");
    let stale = [
        ("key", "staff"),
        ("include", "u-3"),
        ("if_match", &seen),
        ("idempotency", "c"),
        ("step", "save"),
    ];
    let stale = world.form(path, &stale).await.is(412).text;
    assert!(stale.contains("it has changed since"), "{stale}");
    assert!(stale.contains("u-3") && stale.contains("u-2"), "{stale}");

    let page = world.page(path).await.is(200).text;
    let seen = if_match(&page);
    let gone = [
        ("if_match", seen.as_str()),
        ("idempotency", "d"),
        ("reason", "unused"),
    ];
    let list = world.form("/segments/staff/delete?env=prod", &gone).await;
    assert!(list.is(200).text.contains("There is no segment yet."));
}

#[tokio::test]
async fn a_segment_that_is_used_says_by_whom_and_stays() {
    let world = World::new().await;
    let body = json!({"definition": {"key": "staff", "include": ["u-1"]}});
    world.post("/api/v1/segments", &body).send().await.is(201);
    let rules = json!({"rules": [{"when": "segment staff", "serve": "on"}]});
    world
        .flag("checkout", &json!({"environments": {"prod": rules}}))
        .await;
    let page = world.page("/segments/staff?env=prod").await.is(200).text;
    assert!(page.contains("href=\"/flags/checkout?env=prod\""), "{page}");
    let seen = if_match(&page);
    let gone = [("if_match", seen.as_str()), ("idempotency", "a")];
    let refused = world.form("/segments/staff/delete?env=prod", &gone).await;
    assert!(refused.is(409).text.contains("is used by checkout in prod"));

    world.open("checkout", "prod").await;
    let edit = |step: &'static str| {
        [
            ("key", "staff"),
            ("include", "u-1\nu-2"),
            ("if_match", seen.as_str()),
            ("step", step),
        ]
    };
    let shown = world
        .form("/segments/staff?env=prod", &edit("preview"))
        .await;
    assert!(shown.is(200).text.contains("it needs a reason"));
    let refused = world.form("/segments/staff?env=prod", &edit("save")).await;
    assert!(refused.is(422).text.contains("id=\"wrong-reason\""));
}

#[tokio::test]
async fn what_is_wrong_with_a_segment_is_said_at_its_field() {
    let world = World::new().await;
    for (fields, field) in [
        ([("key", "a b"), ("when", "true")], "wrong-key"),
        (
            [("key", "staff"), ("when", "email endswith 3")],
            "wrong-when",
        ),
    ] {
        let page = world.form("/segments?env=prod", &fields).await.is(422).text;
        assert!(page.contains(&format!("id=\"{field}\"")), "{page}");
    }
    let page = world
        .form(
            "/segments",
            &[("key", "staff"), ("when", "email endswith 3")],
        )
        .await
        .text;
    assert!(page.contains("did you mean `ends_with`"), "{page}");
    assert!(page.contains("      ^"), "{page}");
}

#[tokio::test]
async fn lists_that_are_too_long_for_a_form_stay_as_they_are() {
    let world = World::new().await;
    let units: Vec<String> = (0..10_000).map(|number| format!("user-{number}")).collect();
    let body = json!({"definition": {"key": "many", "include": units}});
    world.post("/api/v1/segments", &body).send().await.is(201);
    let page = world.page("/segments/many?env=prod").await.is(200).text;
    assert!(page.len() < 60_000, "{} bytes", page.len());
    assert!(
        page.contains("and 9950 more") && page.contains("name=\"keep\""),
        "{page}"
    );
    let seen = if_match(&page);
    let edit = [
        ("key", "many"),
        ("when", "plan == \"beta\""),
        ("keep", "1"),
        ("if_match", &seen),
        ("step", "save"),
    ];
    world.form("/segments/many?env=prod", &edit).await.is(200);
    let stored = world
        .get("/api/v1/segments/many")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(
        stored["definition"]["include"].as_array().unwrap().len(),
        10_000
    );
    assert_eq!(stored["definition"]["when"], "plan == \"beta\"");
}

#[tokio::test]
async fn who_may_not_edit_segments_gets_no_form() {
    let world = World::new().await;
    let body = json!({"definition": {"key": "staff", "include": ["u-1"]}});
    world.post("/api/v1/segments", &body).send().await.is(201);
    for role in ["viewer", "brake"] {
        let token = world.token(role, &[], &[]).await;
        let page = world.page_as("/segments/staff", &token).await.is(200).text;
        assert!(!page.contains("name=\"include\""), "{page}");
        world.page_as("/segments/new", &token).await.is(403);
        for path in ["/segments", "/segments/staff", "/segments/staff/delete"] {
            let fields = [("key", "staff"), ("if_match", "1"), ("step", "save")];
            world.form_as(path, &fields, &token).await.is(403);
        }
    }
}
