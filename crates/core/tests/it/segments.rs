//! Segments: references, users, and edits that reach what is open.

use leverframe_core::access::Role;
use leverframe_core::{Command, Decision, Rejection};

use crate::world::{
    World, create, create_segment, edit_segment, exposure, flag, key, open_to, rule, rules_of,
    scoped, segment, token,
};

/// `inner` is asked by `outer`, `outer` by a rule of `checkout` in prod.
fn nested() -> World {
    let mut world = World::new();
    world
        .by("ana")
        .done(create_segment(segment("inner", "plan == \"a\"")));
    world
        .by("ana")
        .done(create_segment(segment("outer", "segment inner")));
    let mut definition = flag("checkout");
    rules_of(&mut definition, "prod")
        .rules
        .push(rule("segment outer"));
    world.by("ana").done(create(definition));
    world
}

#[test]
fn a_segment_that_is_used_cannot_be_deleted_and_the_users_are_named() {
    let mut world = nested();
    world
        .by("ana")
        .done(create_segment(segment("staff", "plan == \"s\"")));
    let command = open_to("checkout", "dev", exposure(&["staff"], "0"));
    world.by("ana").done(command);
    for (name, users) in [
        ("inner", "segment outer"),
        ("outer", "checkout in prod"),
        ("staff", "checkout in dev"),
    ] {
        let seen = world.state.segment(name).unwrap().revision;
        let command = Command::DeleteSegment { segment: key(name) };
        let rejection = world.by("ana").seen(seen).refused(command);
        assert_eq!(rejection.code(), "conflict");
        assert!(rejection.to_string().contains(users), "{rejection}");
    }
    world.kill("checkout", "dev");
    let seen = world.state.segment("staff").unwrap().revision;
    let command = Command::DeleteSegment {
        segment: key("staff"),
    };
    assert_eq!(
        world.by("ana").refused(command.clone()).code(),
        "match-required"
    );
    world.by("ana").seen(seen).done(command);
    assert!(world.state.segment("staff").is_none());
}

#[test]
fn segments_never_lead_round_in_a_circle() {
    let mut world = nested();
    let seen = world.state.segment("inner").unwrap().revision;
    let command = edit_segment(segment("inner", "plan == \"a\" or segment outer"));
    let rejection = world.by("ana").seen(seen).refused(command);
    let sentence = rejection.to_string();
    assert!(sentence.contains("inner → outer → inner"), "{sentence}");
    let rejection = world
        .by("ana")
        .refused(create_segment(segment("self", "segment self")));
    assert_eq!(rejection.code(), "invalid");
}

#[test]
fn a_chain_of_segments_has_a_longest_length() {
    let mut world = World::new();
    world
        .by("ana")
        .done(create_segment(segment("s0", "plan == \"a\"")));
    let most = leverframe_flags::limit::SEGMENT_DEPTH_MAX;
    for depth in 1..=most {
        let before = format!("segment s{}", depth - 1);
        world
            .by("ana")
            .done(create_segment(segment(&format!("s{depth}"), &before)));
    }
    let before = format!("segment s{most}");
    let rejection = world
        .by("ana")
        .refused(create_segment(segment("more", &before)));
    assert_eq!(rejection.code(), "invalid");
    // Nor from below.
    world
        .by("ana")
        .done(create_segment(segment("base", "plan == \"b\"")));
    let seen = world.state.segment("s0").unwrap().revision;
    let command = edit_segment(segment("s0", "segment base"));
    assert_eq!(
        world.by("ana").seen(seen).refused(command).code(),
        "invalid"
    );
}

#[test]
fn what_a_segment_names_must_exist() {
    let mut world = World::new();
    let rejection = world
        .by("ana")
        .refused(create_segment(segment("a", "segment b")));
    assert!(
        matches!(
            rejection,
            Rejection::NotFound {
                noun: "segment",
                ..
            }
        ),
        "{rejection}"
    );
}

#[test]
fn an_edit_of_a_segment_that_something_open_uses_is_an_opening() {
    let mut world = nested();
    let wider = || edit_segment(segment("inner", "plan in [\"a\", \"b\"]"));
    let seen = world.state.segment("inner").unwrap().revision;
    assert_eq!(world.by("ana").refused(wider()).code(), "match-required");

    let seen = world.by("ana").seen(seen).done(wider());
    let again = world.by("ana").ask(wider());
    assert_eq!(again, Ok(Decision::Unchanged { revision: seen }));

    world.open("checkout", "prod", "0");
    let narrow = edit_segment(segment("inner", "plan == \"a\""));
    let rejection = world.by("ana").seen(seen).refused(narrow.clone());
    assert_eq!(rejection.code(), "reason-required", "through outer");
    world.by("ana").seen(seen).because("why").done(narrow);
}

#[test]
fn a_cohort_makes_its_segment_part_of_what_is_open() {
    let mut world = World::with_flags(["checkout"]);
    let made = create_segment(segment("staff", "plan == \"s\""));
    let made = world.by("ana").done(made);
    let seen = world.etag("checkout", "prod");
    let command = open_to("checkout", "prod", exposure(&["staff"], "0"));
    world.by("ana").because("go").seen(seen).done(command);
    let wider = edit_segment(segment("staff", "plan missing"));
    let rejection = world.by("ana").seen(made).refused(wider);
    assert_eq!(rejection.code(), "reason-required");
}

#[test]
fn a_token_of_one_environment_may_not_edit_a_segment_that_another_uses() {
    let mut world = nested();
    world.admit(scoped(token("stg", Role::Operator), &["staging"], &[]));
    world.admit(scoped(token("pay", Role::Operator), &[], &["pay-*"]));
    let seen = world.state.segment("inner").unwrap().revision;
    let wider = || edit_segment(segment("inner", "plan in [\"a\", \"b\"]"));
    for name in ["stg", "pay"] {
        assert_eq!(world.by(name).seen(seen).refused(wider()).code(), "denied");
    }
    let own = world
        .by("stg")
        .done(create_segment(segment("own", "plan == \"a\"")));
    let command = edit_segment(segment("own", "plan == \"b\""));
    world.by("stg").seen(own).done(command);
}
