//! Freezing and thawing from a page.

use serde_json::json;

use crate::world::World;

async fn is_frozen(world: &World, environment: &str) -> bool {
    let path = format!("/api/v1/environments/{environment}/status");
    let status = world.get(&path).send().await.is(200).json();
    status["freeze"].is_object()
}

#[tokio::test]
async fn a_freeze_stops_openings_and_not_the_kill_and_is_shown() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let fields = [
        ("where", "here"),
        ("for", "30m"),
        ("reason", "INC-500"),
        ("idempotency", "f"),
    ];
    world.sent("/freeze?env=prod", &fields).await.is(303);
    assert!(is_frozen(&world, "prod").await && !is_frozen(&world, "dev").await);
    for path in [
        "/kill?env=prod",
        "/freeze?env=prod",
        "/kill/checkout?env=prod",
    ] {
        let page = world.page(path).await.is(200).text;
        assert!(page.contains("INC-500"), "{path}: {page}");
    }
    let lever = world
        .get("/api/v1/flags/checkout/environments/prod")
        .send()
        .await
        .json();
    let seen = lever["revision"].to_string();
    let open = [
        ("if_match", &*seen),
        ("percentage", "100"),
        ("reason", "now"),
    ];
    let page = world
        .sent("/levers/checkout/open?env=prod", &open)
        .await
        .is(409)
        .text;
    assert!(page.contains("prod is frozen"), "{page}");
    world
        .sent("/kill?env=prod", &[("flag", "checkout")])
        .await
        .is(303);

    world
        .sent("/thaw?env=prod", &[("where", "here"), ("reason", "over")])
        .await
        .is(303);
    assert!(!is_frozen(&world, "prod").await);
}

#[tokio::test]
async fn everything_is_frozen_at_once_and_it_is_told_what_was_not() {
    let world = World::new().await;
    let fields = [
        ("where", "everywhere"),
        ("for", "2h"),
        ("reason", "all hands"),
        ("idempotency", "f"),
    ];
    world.sent("/freeze?env=prod", &fields).await.is(303);
    for environment in ["dev", "staging", "prod"] {
        assert!(is_frozen(&world, environment).await, "{environment}");
    }
    let head = world.node.state().revision();
    world.sent("/freeze?env=prod", &fields).await.is(303);
    assert_eq!(world.node.state().revision(), head, "twice is once");
    world
        .sent(
            "/thaw?env=prod",
            &[("where", "everywhere"), ("reason", "over")],
        )
        .await
        .is(303);
    assert!(!is_frozen(&world, "staging").await);

    let bad = [
        ("where", "everywhere"),
        ("for", "soon"),
        ("reason", "all hands"),
    ];
    let page = world.sent("/freeze?env=prod", &bad).await.is(422).text;
    for kept in ["role=\"alert\"", "Not frozen: prod", "value=\"all hands\""] {
        assert!(page.contains(kept), "{kept}: {page}");
    }
    let viewer = world.token("viewer", &[], &[]).await;
    let page = world
        .page_as("/freeze?env=prod", &viewer)
        .await
        .is(200)
        .text;
    assert!(
        page.contains("You cannot do this") && !page.contains("action=\"/freeze"),
        "{page}"
    );
    world
        .sent_as("/freeze?env=prod", &fields, &viewer)
        .await
        .is(403);
    assert!(!is_frozen(&world, "prod").await);
}
