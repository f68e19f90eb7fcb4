//! Tokens that do not work are counted by address; a token that works is never held up.

use serde_json::json;

use crate::world::{Answer, World};

const KILL: &str = "/api/v1/environments/prod/kill";

async fn with_most(bad_tokens_max: u32) -> World {
    let world = World::with(|settings| settings.bad_tokens_max = bad_tokens_max).await;
    world.flag("checkout", &json!({})).await;
    world
}

async fn guess(world: &World, from: &str) -> Answer {
    world
        .post(KILL, &json!({"flags": ["checkout"]}))
        .token("lever_0123456789abcdef_00")
        .header("x-forwarded-for", from)
        .send()
        .await
}

#[tokio::test]
async fn further_guesses_are_told_to_wait() {
    let world = with_most(3).await;
    for _ in 0..3 {
        guess(&world, "192.0.2.1")
            .await
            .fails(401, "unauthenticated");
    }
    let slowed = guess(&world, "192.0.2.1").await;
    let seconds: u32 = slowed.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    slowed.fails(429, "too-many-bad-tokens");
    // As OFREP has it.
    let slowed = world
        .post("/ofrep/v1/evaluate/flags", &json!({}))
        .token("lever_0_0")
        .header("x-forwarded-for", "192.0.2.1")
        .send()
        .await
        .is(429);
    assert!(slowed.headers.contains_key("retry-after"));
    assert!(slowed.json()["errorDetails"].is_string());
}

#[tokio::test]
async fn the_brake_works_from_an_address_that_others_guess_from() {
    let world = with_most(1).await;
    for _ in 0..20 {
        guess(&world, "192.0.2.1").await;
    }
    guess(&world, "192.0.2.1").await.is(429);
    let brake = world.token("brake", &["prod"], &[]).await;
    for _ in 0..3 {
        world
            .post(KILL, &json!({"flags": ["checkout"]}))
            .token(&brake)
            .header("x-forwarded-for", "192.0.2.1")
            .send()
            .await
            .is(200);
    }
    guess(&world, "192.0.2.1").await.is(429);
}

#[tokio::test]
async fn other_addresses_and_those_that_show_nothing_are_not_counted_in() {
    let world = with_most(1).await;
    for _ in 0..5 {
        guess(&world, "192.0.2.1").await;
    }
    guess(&world, "192.0.2.1").await.is(429);
    // One of a few addresses may share its counter; not all of them do.
    let mut fresh = 0;
    for last in 1..=5 {
        let answer = guess(&world, &format!("198.51.100.{last}")).await;
        fresh += u32::from(answer.status == 401);
    }
    assert!(fresh >= 3, "{fresh}");
    for _ in 0..5 {
        let nothing = world
            .post(KILL, &json!({}))
            .nobody()
            .header("x-forwarded-for", "192.0.2.1");
        nothing.send().await.fails(401, "unauthenticated");
    }
}
