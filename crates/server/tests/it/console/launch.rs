//! Rollouts listed and started from pages, and the plans they follow.

use serde_json::json;

use super::rollouts::{hidden, newest, start};
use crate::world::{Answer, World};

const NEW: &str = "/rollouts/new?env=prod&flag=checkout&plan=safe";

/// Sends the start form as the page has it.
async fn launch(world: &World, page: &str, more: &[(&str, &str)]) -> Answer {
    let key = hidden(page, "/rollouts?", "idempotency");
    let if_match = hidden(page, "/rollouts?", "if_match");
    let mut fields = vec![
        ("idempotency", key.as_str()),
        ("if_match", if_match.as_str()),
        ("flag", "checkout"),
        ("plan", "safe"),
    ];
    fields.extend(more);
    world.form("/rollouts?env=prod", &fields).await
}

#[tokio::test]
async fn a_rollout_starts_from_what_was_found_before_it() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let choosing = world.page("/rollouts/new?env=prod").await.is(200).text;
    assert!(
        choosing.contains("<option value=\"safe\" selected"),
        "{choosing}"
    );
    assert!(!choosing.contains("method=\"post\" action=\"/rollouts?"));
    let page = world.page(NEW).await.is(200).text;
    for wanted in [
        "Nothing has been seen of errors",
        "Nobody follows prod",
        "10 min to 2 h 30 min",
        "needed: prod is guarded",
        "Start checkout at 1 %",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    assert!(
        !page.contains("type=\"checkbox\""),
        "no term is needed: {page}"
    );

    let none = launch(&world, &page, &[]).await.is(422);
    assert!(none.text.contains("role=\"alert\""), "{}", none.text);
    let fields = [("flag", "checkout"), ("plan", "safe"), ("reason", "go")];
    world.form("/rollouts?env=prod", &fields).await.is(428);
    let list = world.get("/api/v1/rollouts").send().await.is(200).json();
    assert_eq!(list["rollouts"], json!([]), "nothing was started");

    let started = launch(&world, &page, &[("reason", "first launch")]).await;
    assert!(started.is(200).text.contains("Stored as"));
    assert_eq!(newest(&world).await["reason"], "first launch");

    // It runs: the page says so, offers to take its place, and refuses without.
    let page = world.page(NEW).await.is(200).text;
    assert!(page.contains("name=\"replace\""), "{page}");
    assert!(!page.contains("name=\"again\""), "{page}");
    let refused = launch(&world, &page, &[("reason", "I <want> it")])
        .await
        .is(409);
    assert!(
        refused.text.contains("value=\"I &#60;want&#62; it\""),
        "{}",
        refused.text
    );
    launch(&world, &page, &[("reason", "anew"), ("replace", "1")])
        .await
        .is(200);
    world.kill("checkout", "prod").await;
    let page = world.page(NEW).await.is(200).text;
    assert!(page.contains("name=\"again\""), "it was killed: {page}");
}

#[tokio::test]
async fn what_cannot_be_looked_at_is_said_and_the_choice_is_kept() {
    let world = World::new().await;
    let path = "/rollouts/new?env=prod&flag=%3Cb%3Enothing&plan=safe";
    let page = world.page(path).await.is(404).text;
    assert!(page.contains("role=\"alert\""), "{page}");
    assert!(page.contains("value=\"&#60;b&#62;nothing\""), "{page}");
    world.flag("checkout", &json!({})).await;
    let viewer = world.token("viewer", &[], &[]).await;
    let page = world.page_as(NEW, &viewer).await.is(200).text;
    assert!(
        !page.contains("name=\"if_match\""),
        "a viewer only looks: {page}"
    );
    world
        .form_as("/rollouts?env=prod", &[], &viewer)
        .await
        .is(403);
    let bold = "/rollouts/new?env=prod&flag=checkout&plan=bold";
    world.page(bold).await.is(404);
}

#[tokio::test]
async fn a_rollout_starts_only_where_the_form_says() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let before = world.node.state().revision();
    let fields = [("flag", "checkout"), ("plan", "safe"), ("reason", "r")];
    let page = world.form("/rollouts", &fields).await.is(400).text;
    assert!(page.contains("in which environment"), "{page}");
    assert_eq!(world.node.state().revision(), before);
}

#[tokio::test]
async fn those_that_run_are_listed_before_those_that_are_over() {
    let world = World::new().await;
    for key in ["checkout", "search"] {
        world.flag(key, &json!({})).await;
    }
    let empty = world.page("/rollouts?env=prod").await.is(200).text;
    assert!(empty.contains("None runs in prod"), "{empty}");
    let first = start(&world, json!({"plan": "safe"})).await;
    let rollback = "/api/v1/environments/prod/flags/checkout/rollback";
    world.post(rollback, &json!({})).send().await.is(200);
    let second = start(&world, json!({"plan": "safe", "again": true})).await;
    let page = world.page("/rollouts?env=prod").await.is(200).text;
    let at = |id: &str| page.find(&format!("/rollouts/{id}?env=prod"));
    assert!(at(&second).unwrap() < at(&first).unwrap());
    assert!(page.contains("by a person"), "{page}");
    assert!(page.contains("next 5 % when errors"), "{page}");
    let running = world.page("/rollouts?env=prod&state=running").await;
    assert!(!running.is(200).text.contains(&first));
    let other = world
        .page("/rollouts?env=prod&flag=search")
        .await
        .is(200)
        .text;
    assert!(
        !other.contains(&first) && !other.contains(&second),
        "{other}"
    );
    let dev = world.page("/rollouts?env=dev").await.is(200).text;
    assert!(!dev.contains(&first), "{dev}");
    world
        .page("/rollouts?env=prod&after=ro_nobody")
        .await
        .is(422);
}

#[tokio::test]
async fn plans_are_shown_with_what_they_decide_by_and_who_owns_them() {
    let world = World::new().await;
    let body = json!({"definition": {
        "key": "careful", "stages": [{"percentage": 5, "margin": 3}],
        "metrics": [{"key": "errors", "ceiling": 2}, {"key": "latency_p95"}],
    }});
    let ask = world.ask("PUT", "/api/v1/plans/careful").json(&body);
    ask.send().await.is(200);
    let list = world.page("/plans?env=prod").await.is(200).text;
    for wanted in ["careful", "internal", "safe", "lever apply", "1 % → 5 %"] {
        assert!(list.contains(wanted), "{wanted}: {list}");
    }
    let page = world.page("/plans/careful?env=prod").await.is(200).text;
    for wanted in [
        "has to rule out that it is 3 times as bad",
        "Harm is more than 1.2 times as many bad",
        "More than 2 % is harm",
        "1.2 times the 95 % quantile",
        "Applied from a file",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    assert!(
        !page.contains("method=\"post\" action=\"/plans"),
        "files own them"
    );
    world.page("/plans/bold?env=prod").await.is(404);
}
