//! The editor of rules.

use serde_json::{Value as Json, json};

use crate::world::World;

const PATH: &str = "/flags/checkout/rules?env=prod";

async fn revision(world: &World) -> u64 {
    world.newest().await["revision"].as_u64().unwrap()
}

async fn inside(world: &World) -> Json {
    let flag = world
        .get("/api/v1/flags/checkout")
        .send()
        .await
        .is(200)
        .json();
    flag["definition"]["environments"]["prod"].clone()
}

async fn seen(world: &World) -> String {
    let flag = world
        .get("/api/v1/flags/checkout")
        .send()
        .await
        .is(200)
        .json();
    flag["defined_revision"].to_string()
}

/// Looks at a change, and then saves it as the page that shows it would.
async fn look_and_save(world: &World, fields: &[(&str, &str)], key: &str) -> String {
    let before = revision(world).await;
    let seen = seen(world).await;
    let mut all = vec![("if_match", seen.as_str())];
    all.extend(fields);
    let shown = world.form(PATH, &all).await.is(200).text;
    assert!(shown.contains("What this changes"), "{shown}");
    assert_eq!(revision(world).await, before, "a look changes nothing");
    all.retain(|(name, _)| *name != "step");
    all.extend([
        ("idempotency", key),
        ("step", "save"),
        ("reason", "as agreed"),
    ]);
    world.form(PATH, &all).await.is(200);
    assert_eq!(revision(world).await, before + 1);
    world.form(PATH, &all).await.is(200);
    assert_eq!(
        revision(world).await,
        before + 1,
        "sent twice, changed once"
    );
    shown
}

#[tokio::test]
async fn rules_are_added_moved_edited_and_removed_and_each_change_is_shown_first() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let shown = look_and_save(
        &world,
        &[
            ("when", "plan   ==  \"beta\""),
            ("serve", "1"),
            ("step", "preview"),
        ],
        "a",
    )
    .await;
    assert!(shown.contains("everybody gets on"), "{shown}");
    assert!(shown.contains("<li class=\"added\">"), "{shown}");
    let first = inside(&world).await["rules"][0].clone();
    assert_eq!(first["serve"], "on");
    let beta = first["id"].as_str().unwrap().to_owned();

    let split = [
        ("when", "segment in [staff]"),
        ("serve", "split"),
        ("weight", "40 %"),
        ("weight", "60"),
        ("at", "0"),
    ];
    world
        .post(
            "/api/v1/segments",
            &json!({"definition": {"key": "staff", "include": ["u-1"]}}),
        )
        .send()
        .await
        .is(201);
    look_and_save(&world, &split, "b").await;
    let rules = inside(&world).await["rules"].clone();
    assert_eq!(
        rules[0]["serve"]["split"][0],
        json!({"variant": "off", "weight": 40.0})
    );
    let salt = rules[0]["serve"]["salt"].clone();
    let staff = rules[0]["id"].as_str().unwrap().to_owned();

    let shown = look_and_save(&world, &[("shift", &format!("1:{staff}"))], "c").await;
    assert!(shown.contains("<li class=\"removed\">"), "{shown}");
    assert_eq!(inside(&world).await["rules"][1]["id"], staff.as_str());

    let edit = world
        .page(&format!("{PATH}&rule={staff}"))
        .await
        .is(200)
        .text;
    assert!(edit.contains(&format!("Edit rule {staff}")), "{edit}");
    assert!(edit.contains("value=\"40\""), "{edit}");
    let other = [
        ("rule", staff.as_str()),
        ("when", "segment in [staff] and age > 17"),
        ("serve", "split"),
        ("weight", "50"),
        ("weight", "50"),
    ];
    look_and_save(&world, &other, "d").await;
    let rules = inside(&world).await["rules"].clone();
    assert_eq!(rules[1]["when"], "segment staff and age > 17");
    assert_eq!(
        rules[1]["serve"]["salt"], salt,
        "everybody stays on their side"
    );

    look_and_save(&world, &[("remove", &beta)], "e").await;
    assert_eq!(inside(&world).await["rules"].as_array().unwrap().len(), 1);
    let page = world.page(PATH).await.is(200).text;
    assert!(
        page.contains("they are in the segment staff and age is above 17"),
        "{page}"
    );
}

#[tokio::test]
async fn prerequisites_are_edited_in_their_form() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.flag("accounts", &json!({})).await;
    let fields = [
        ("needs", "1"),
        ("need_flag", "accounts"),
        ("need_variants", "on"),
        ("need_flag", ""),
        ("need_variants", ""),
    ];
    let shown = look_and_save(&world, &fields, "a").await;
    assert!(
        shown.contains("Only while accounts gives them on"),
        "{shown}"
    );
    let wanted = json!([{"flag": "accounts", "variants": ["on"]}]);
    assert_eq!(inside(&world).await["prerequisites"], wanted);
    let seen = seen(&world).await;
    let nothing = [
        ("needs", "1"),
        ("need_flag", "nothing"),
        ("need_variants", ""),
        ("if_match", &seen),
    ];
    let refused = world.form(PATH, &nothing).await.is(404).text;
    assert!(refused.contains("there is no flag"), "{refused}");
    assert!(refused.contains("value=\"nothing\""), "{refused}");
}

#[tokio::test]
async fn a_condition_that_cannot_be_read_is_shown_with_the_place() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let seen = seen(&world).await;
    let before = revision(&world).await;
    let fields = [
        ("when", "plan = \"<script>\""),
        ("serve", "1"),
        ("if_match", &seen),
    ];
    let page = world.form(PATH, &fields).await.is(422).text;
    assert!(page.contains("write `==` to compare"), "{page}");
    assert!(page.contains("(at character 6)"), "{page}");
    assert!(page.contains("     ^"), "{page}");
    assert!(page.contains("id=\"wrong-when\""), "{page}");
    assert!(
        page.contains("plan = &#34;&#60;script&#62;&#34;</textarea>"),
        "{page}"
    );
    assert!(!page.contains("<script>"), "{page}");
    for serve in [[("serve", "7")], [("serve", "split")]] {
        let mut fields = vec![("when", "true"), ("if_match", seen.as_str())];
        fields.extend(serve);
        world.form(PATH, &fields).await.is(422);
    }
    let fields = [
        ("when", "a == 1"),
        ("attribute", "plan"),
        ("operator", "=="),
        ("value", "beta"),
        ("step", "compose"),
    ];
    let page = world.form(PATH, &fields).await.is(200).text;
    assert!(
        page.contains("(a == 1) and plan == &#34;beta&#34;</textarea>"),
        "{page}"
    );
    assert_eq!(revision(&world).await, before);
}

#[tokio::test]
async fn a_rule_that_reaches_people_asks_why_and_an_old_page_is_told_so() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let old = seen(&world).await;
    let body = json!({"rule": {"when": "a == 1", "serve": "on"}});
    let etag = format!("\"r{old}\"");
    world
        .post("/api/v1/flags/checkout/environments/prod/rules", &body)
        .header("if-match", &etag)
        .send()
        .await
        .is(201);
    world.open("checkout", "prod").await;
    let fields = [
        ("when", "b == 2"),
        ("serve", "1"),
        ("if_match", old.as_str()),
        ("step", "save"),
        ("reason", "x"),
    ];
    let stale = world.form(PATH, &fields).await.is(412).text;
    assert!(stale.contains("it has changed since"), "{stale}");
    assert!(stale.contains("b is 2"), "{stale}");
    let now = seen(&world).await;
    let fields = [
        ("when", "b == 2"),
        ("serve", "1"),
        ("if_match", now.as_str()),
        ("step", "save"),
    ];
    let refused = world.form(PATH, &fields).await.is(422).text;
    assert!(refused.contains("id=\"wrong-reason\""), "{refused}");
    let look = [
        ("when", "b == 2"),
        ("serve", "1"),
        ("if_match", now.as_str()),
    ];
    let shown = world.form(PATH, &look).await.is(200).text;
    assert!(shown.contains("needs a reason"), "{shown}");
    assert_eq!(inside(&world).await["rules"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn who_may_not_edit_reads_the_rules_and_gets_no_form() {
    let world = World::new().await;
    let patch = json!({"environments": {"prod": {"rules": [{"when": "a == 1", "serve": "on"}]}}});
    world.flag("checkout", &patch).await;
    let seen = seen(&world).await;
    for role in ["viewer", "brake"] {
        let token = world.token(role, &[], &[]).await;
        let page = world.page_as(PATH, &token).await.is(200).text;
        assert!(page.contains("If a is 1"), "{page}");
        assert!(
            !page.contains("name=\"when\"") && !page.contains("name=\"remove\""),
            "{page}"
        );
        let fields = [
            ("when", "true"),
            ("serve", "1"),
            ("if_match", seen.as_str()),
            ("step", "save"),
        ];
        world.form_as(PATH, &fields, &token).await.is(403);
    }
    let token = world.token("operator", &[], &["pay-*"]).await;
    let page = world.page_as(PATH, &token).await.is(200).text;
    assert!(!page.contains("name=\"when\""), "{page}");
    let nowhere = world
        .form("/flags/checkout/rules", &[("when", "true")])
        .await;
    assert!(nowhere.is(400).text.contains("which environment"));
}
