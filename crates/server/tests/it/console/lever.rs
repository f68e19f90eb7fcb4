//! Levers moved from a page: opened, ramped, pinned, taken back.

use serde_json::json;

use crate::world::World;

/// The hidden fields of a form of the page, as a browser would send them.
fn hidden(page: &str, name: &str, action: &str) -> String {
    let form = page
        .find(&format!("action=\"{action}"))
        .unwrap_or_else(|| panic!("{action}: {page}"));
    let field = form
        + page[form..]
            .find(&format!("name=\"{name}\" value=\""))
            .unwrap();
    let start = field + format!("name=\"{name}\" value=\"").len();
    page[start..start + page[start..].find('"').unwrap()].to_owned()
}

async fn percentage(world: &World, key: &str) -> serde_json::Value {
    let path = format!("/api/v1/flags/{key}/environments/prod");
    let lever = world.get(&path).send().await.is(200).json();
    lever["position"]["exposure"]["percentage"].clone()
}

#[tokio::test]
async fn a_lever_is_opened_ramped_and_pinned_from_its_page() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let page = world.page("/levers/checkout?env=prod").await.is(200).text;
    assert!(page.contains("never moved here"), "{page}");
    let seen = hidden(&page, "if_match", "/levers/checkout/open");
    let fields = [
        ("if_match", &*seen),
        ("percentage", "5"),
        ("reason", "looked fine"),
    ];
    let answer = world.sent("/levers/checkout/open?env=prod", &fields).await;
    let page = world.follow(answer).await.text;
    assert!(
        page.contains("nobody follows prod") && page.contains("looked fine"),
        "{page}"
    );
    assert_eq!(percentage(&world, "checkout").await, 5.0);
    assert_eq!(world.newest().await["via"], "console");

    let seen = hidden(&page, "if_match", "/levers/checkout/ramp");
    let fields = [
        ("if_match", &*seen),
        ("percentage", "5"),
        ("quick", "25"),
        ("reason", "fine at five"),
    ];
    let answer = world.sent("/levers/checkout/ramp?env=prod", &fields).await;
    let page = world.follow(answer).await.text;
    assert_eq!(percentage(&world, "checkout").await, 25.0);

    let seen = hidden(&page, "if_match", "/levers/checkout/pin");
    let fields = [
        ("if_match", &*seen),
        ("variant", "on"),
        ("reason", "everybody"),
    ];
    let answer = world.sent("/levers/checkout/pin?env=prod", &fields).await;
    let page = world.follow(answer).await.text;
    assert!(page.contains("pinned to on"), "{page}");
}

#[tokio::test]
async fn an_opening_without_its_reason_is_refused_at_the_field_and_nothing_is_lost() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let page = world.page("/levers/checkout?env=prod").await.is(200).text;
    let seen = hidden(&page, "if_match", "/levers/checkout/open");
    let path = "/levers/checkout/open?env=prod";
    let page = world
        .sent(path, &[("if_match", &seen), ("percentage", "12.5")])
        .await
        .is(422)
        .text;
    for said in [
        "role=\"alert\"",
        "aria-invalid=\"true\"",
        "needs a reason",
        "value=\"12.5\"",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let fields = [
        ("if_match", &*seen),
        ("percentage", "lots"),
        ("reason", "because"),
    ];
    let page = world.sent(path, &fields).await.is(422).text;
    assert!(page.contains("value=\"because\""), "{page}");
    world.sent("/levers/checkout/open", &fields).await.is(400);
    assert_eq!(
        percentage(&world, "checkout").await,
        serde_json::Value::Null
    );
}

#[tokio::test]
async fn who_has_not_seen_the_last_change_moves_nothing_and_is_told_what_is_there_now() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.open("checkout", "prod").await;
    let page = world.page("/levers/checkout?env=prod").await.is(200).text;
    let stale = hidden(&page, "if_match", "/levers/checkout/ramp");
    world.kill("checkout", "prod").await;
    let fields = [
        ("if_match", &*stale),
        ("percentage", "100"),
        ("reason", "fine at five"),
    ];
    let path = "/levers/checkout/open?env=prod";
    let page = world.sent(path, &fields).await.is(412).text;
    for said in [
        "It is now: checkout closed in prod",
        "value=\"fine at five\"",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert_ne!(
        hidden(&page, "if_match", "/levers/checkout/open"),
        stale,
        "what is there now was seen"
    );
}

#[tokio::test]
async fn a_kill_is_undone_by_its_form_with_a_reason_where_that_opens() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.open("checkout", "prod").await;
    let answer = world.sent("/kill?env=prod", &[("flag", "checkout")]).await;
    let page = world.follow(answer).await.text;
    let revision = hidden(&page, "revision", "/undo");
    let without = world
        .sent("/undo?env=prod", &[("revision", &revision)])
        .await
        .is(422)
        .text;
    assert!(
        without.contains("role=\"alert\"") && without.contains("Undo r"),
        "{without}"
    );
    let fields = [
        ("revision", &*revision),
        ("reason", "it was the cache"),
        ("idempotency", "u-1"),
    ];
    let answer = world.sent("/undo?env=prod", &fields).await;
    let page = world.follow(answer).await.text;
    assert!(page.contains("checkout open to 100"), "{page}");
    assert_eq!(percentage(&world, "checkout").await, 100.0);
    // Twice is once; and by another name it is told that it was undone.
    let head = world.node.state().revision();
    world.sent("/undo?env=prod", &fields).await.is(303);
    let page = world
        .sent(
            "/undo?env=prod",
            &[("revision", &revision), ("reason", "again")],
        )
        .await
        .is(409)
        .text;
    assert!(page.contains("was undone already"), "{page}");
    assert_eq!(world.node.state().revision(), head);
    world
        .sent("/undo?env=prod", &[("reason", "which?")])
        .await
        .is(422);
    world
        .page(&format!("/undo?env=prod&r={revision}"))
        .await
        .is(200);
}

#[tokio::test]
async fn a_token_that_may_not_gets_words_and_no_forms() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let viewer = world.token("viewer", &[], &[]).await;
    let page = world
        .page_as("/levers/checkout?env=prod", &viewer)
        .await
        .is(200)
        .text;
    assert!(page.contains("You cannot move this lever"), "{page}");
    assert!(!page.contains("action=\"/levers"), "{page}");
    world.page("/levers/nothing?env=prod").await.is(404);
    world
        .sent("/levers/nothing/open?env=prod", &[])
        .await
        .is(404);
}
