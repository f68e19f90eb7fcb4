//! What an opening needs, and where.

use leverframe_core::{Decision, Rejection};
use leverframe_flags::Position;

use crate::world::{
    World, close, create_segment, exposure, key, open, open_to, pin, ramp, segment,
};

#[test]
fn an_opening_in_a_guarded_environment_needs_a_reason_and_a_current_match() {
    let mut world = World::with_flags(["checkout"]);
    let current = world.etag("checkout", "prod");
    let command = || open("checkout", "prod", "25");
    assert_eq!(
        world.by("ana").seen(current).refused(command()),
        Rejection::ReasonRequired {
            environment: "prod".to_owned()
        }
    );
    assert_eq!(
        world
            .by("ana")
            .seen(current)
            .because("  ")
            .refused(command())
            .code(),
        "reason-required",
        "a blank is no reason"
    );
    assert_eq!(
        world.by("ana").because("go").refused(command()),
        Rejection::MatchRequired { current }
    );
    let given = current - 1;
    assert_eq!(
        world.by("ana").because("go").seen(given).refused(command()),
        Rejection::Stale { given, current }
    );
    world.by("ana").because("go").seen(current).done(command());
}

#[test]
fn elsewhere_an_opening_needs_neither_but_a_stale_match_is_refused() {
    let mut world = World::with_flags(["checkout"]);
    world.by("ana").done(open("checkout", "dev", "25"));
    let current = world.etag("checkout", "dev");
    let rejection = world
        .by("ana")
        .seen(1)
        .refused(open("checkout", "dev", "26"));
    assert_eq!(rejection, Rejection::Stale { given: 1, current });
}

#[test]
fn of_two_editors_who_saw_the_same_revision_one_wins() {
    let mut world = World::with_flags(["checkout"]);
    let seen = world.open("checkout", "prod", "5");
    let ramped = ramp("checkout", "prod", "25");
    world.by("ana").because("one").seen(seen).done(ramped);
    let rejection = world
        .by("root")
        .because("two")
        .seen(seen)
        .refused(ramp("checkout", "prod", "50"));
    assert_eq!(rejection.code(), "stale");
}

#[test]
fn the_etag_of_a_lever_moves_with_its_definition_and_not_with_other_environments() {
    let mut world = World::with_flags(["checkout"]);
    let opened = world.open("checkout", "prod", "5");
    world.open("checkout", "dev", "5");
    assert_eq!(world.etag("checkout", "prod"), opened);
    world
        .edit("checkout", |definition| {
            definition.owner = "team-b".to_owned();
        })
        .unwrap();
    assert_eq!(world.etag("checkout", "prod"), world.revision());
    assert_eq!(world.etag("checkout", "staging"), world.revision());
}

#[test]
fn opening_to_where_it_stands_changes_nothing() {
    let mut world = World::with_flags(["checkout"]);
    let opened = world.open("checkout", "prod", "5");
    for command in [open("checkout", "prod", "5"), ramp("checkout", "prod", "5")] {
        let decision = world.by("ana").ask(command);
        assert_eq!(decision, Ok(Decision::Unchanged { revision: opened }));
    }
}

#[test]
fn a_ramp_keeps_the_cohorts() {
    let mut world = World::with_flags(["checkout"]);
    world
        .by("ana")
        .done(create_segment(segment("staff", "plan == \"s\"")));
    let command = open_to("checkout", "dev", exposure(&["staff"], "1"));
    world.by("ana").done(command);
    world.by("ana").done(ramp("checkout", "dev", "30"));
    assert_eq!(
        *world.position("checkout", "dev"),
        Position::Open {
            exposure: exposure(&["staff"], "30")
        }
    );
}

#[test]
fn a_ramp_of_what_is_not_open_says_to_open_it() {
    let mut world = World::with_flags(["checkout"]);
    for step in ["start", "pinned", "killed"] {
        match step {
            "pinned" => world.by("ana").done(pin("checkout", "dev", "on")),
            "killed" => world.by("ana").done(close(["checkout"], "dev")),
            _ => 0,
        };
        let rejection = world.by("ana").refused(ramp("checkout", "dev", "30"));
        assert_eq!(rejection.code(), "conflict", "{step}");
        let sentence = rejection.to_string();
        assert!(
            sentence.contains("lever open checkout -e dev --to 30%"),
            "{sentence}"
        );
    }
}

#[test]
fn a_pin_opens_unless_it_pins_the_closed_variant() {
    let mut world = World::with_flags(["checkout"]);
    world.open("checkout", "prod", "100");
    let rejection = world.by("ana").refused(pin("checkout", "prod", "on"));
    assert_eq!(rejection.code(), "reason-required");
    world.by("oncall").done(pin("checkout", "prod", "off"));
    let rejection = world.by("ana").refused(open("checkout", "prod", "0"));
    assert_eq!(
        rejection.code(),
        "reason-required",
        "out of a pin is an opening"
    );
}

#[test]
fn what_is_named_must_exist_and_the_nearest_name_is_told() {
    let mut world = World::with_flags(["checkout"]);
    world
        .by("ana")
        .done(create_segment(segment("staff", "plan == \"s\"")));
    for (command, noun, near) in [
        (open("checkuot", "dev", "1"), "flag", "checkout"),
        (open("checkout", "porod", "1"), "environment", "prod"),
        (pin("checkout", "dev", "of"), "variant", "off"),
        (
            open_to("checkout", "dev", exposure(&["stuff"], "1")),
            "segment",
            "staff",
        ),
    ] {
        let rejection = world.by("ana").refused(command);
        let Rejection::NotFound {
            noun: said,
            similar,
            ..
        } = &rejection
        else {
            panic!("{rejection}");
        };
        assert_eq!((*said, similar.as_deref()), (noun, Some(near)));
    }
}

#[test]
fn an_archived_flag_is_neither_opened_nor_closed() {
    let mut world = World::with_flags(["checkout"]);
    let seen = world.flag("checkout").defined_revision;
    let archived = world
        .by("ana")
        .seen(seen)
        .done(leverframe_core::Command::ArchiveFlag {
            flag: key("checkout"),
        });
    for command in [open("checkout", "dev", "1"), close(["checkout"], "dev")] {
        let rejection = world.by("ana").refused(command);
        assert_eq!(rejection.code(), "conflict");
        let sentence = rejection.to_string();
        assert!(
            sentence.contains(&format!("lever undo r{archived}")),
            "{sentence}"
        );
    }
}
