//! Idempotency keys: a repeat gets the same answer, and only a repeat.

use leverframe_core::limit::IDEMPOTENCY_MS_MAX;
use leverframe_core::{Decision, Rejection};

use crate::world::{World, close, open};

#[test]
fn the_same_key_with_the_same_body_is_a_repeat() {
    let mut world = World::with_flags(["checkout"]);
    let command = || open("checkout", "dev", "10");
    let revision = world.by("ana").under_key("k1", "body").done(command());
    world.kill("checkout", "dev");
    let again = world.by("ana").under_key("k1", "body").ask(command());
    assert_eq!(again, Ok(Decision::Repeat { revision }));
    assert!(
        world.position("checkout", "dev").is_closed(),
        "the kill stands"
    );
}

#[test]
fn the_same_key_with_another_body_is_refused() {
    let mut world = World::with_flags(["checkout"]);
    world
        .by("ana")
        .under_key("k1", "a")
        .done(open("checkout", "dev", "10"));
    let rejection = world
        .by("ana")
        .under_key("k1", "b")
        .refused(open("checkout", "dev", "11"));
    assert_eq!(
        rejection,
        Rejection::IdempotencyReused {
            key: "k1".to_owned()
        }
    );
}

#[test]
fn a_key_belongs_to_one_token() {
    let mut world = World::with_flags(["checkout"]);
    world
        .by("ana")
        .under_key("k1", "a")
        .done(open("checkout", "dev", "10"));
    world
        .by("root")
        .under_key("k1", "b")
        .done(close(["checkout"], "dev"));
}

#[test]
fn a_key_is_forgotten_after_a_day() {
    let mut world = World::with_flags(["checkout"]);
    let command = || open("checkout", "dev", "10");
    let revision = world.by("ana").under_key("k1", "a").done(command());
    world.later(IDEMPOTENCY_MS_MAX);
    let again = world.by("ana").under_key("k1", "a").ask(command());
    assert_eq!(again, Ok(Decision::Repeat { revision }));
    world.later(1);
    let changed = world
        .by("ana")
        .under_key("k1", "b")
        .done(open("checkout", "dev", "11"));
    let again = world
        .by("ana")
        .under_key("k1", "b")
        .ask(open("checkout", "dev", "11"));
    assert_eq!(again, Ok(Decision::Repeat { revision: changed }));
}

#[test]
fn a_refused_command_does_not_use_its_key_up() {
    let mut world = World::with_flags(["checkout"]);
    let rejection = world
        .by("ana")
        .under_key("k1", "a")
        .refused(open("checkout", "prod", "10"));
    assert_eq!(rejection.code(), "reason-required");
    world
        .by("ana")
        .under_key("k1", "b")
        .done(open("checkout", "dev", "10"));
}
