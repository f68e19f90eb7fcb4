//! Bounds are enforced with their names.

use leverframe_core::limit::{EVENTS_PER_RECORD_MAX, REASON_BYTES_MAX, TAGS_MAX};
use leverframe_core::{Command, Rejection, Selection};

use crate::world::{World, create, exposure, flag, key, open_to};

#[test]
fn a_reason_has_a_longest_length() {
    let mut world = World::with_flags(["checkout"]);
    let long = "x".repeat(REASON_BYTES_MAX + 1);
    let rejection =
        world
            .by("ana")
            .because(&long)
            .refused(open_to("checkout", "dev", exposure(&[], "1")));
    assert!(matches!(rejection, Rejection::Invalid { ref field, .. } if field == "reason"));
    world
        .by("ana")
        .because(&long[1..])
        .done(open_to("checkout", "dev", exposure(&[], "1")));
}

#[test]
fn tags_and_cohorts_are_counted() {
    let mut world = World::new();
    let mut definition = flag("checkout");
    definition.tags = (0..=TAGS_MAX).map(|n| n.to_string()).collect();
    let rejection = world.by("ana").refused(create(definition));
    assert!(matches!(rejection, Rejection::Invalid { ref field, .. } if field == "tags"));

    let mut many = exposure(&[], "1");
    many.cohorts = (0..=leverframe_core::limit::COHORTS_MAX)
        .map(|n| key(&format!("s{n}")))
        .collect();
    let rejection = world.by("ana").refused(open_to("checkout", "dev", many));
    assert!(matches!(rejection, Rejection::Invalid { ref field, .. } if field == "cohorts"));
}

#[test]
fn environments_are_counted() {
    let mut world = World::new();
    let make = |n: usize| Command::CreateEnvironment {
        key: key(&format!("e{n}")),
        guarded: false,
    };
    let most = leverframe_core::limit::ENVIRONMENTS_MAX;
    for n in 3..most {
        world.by("root").done(make(n));
    }
    let rejection = world.by("root").refused(make(most));
    assert_eq!(
        rejection,
        Rejection::Full {
            noun: "environments",
            max: most
        }
    );
}

#[test]
fn one_revision_closes_however_many_levers_there_are() {
    let mut world = World::new();
    for n in 0..=EVENTS_PER_RECORD_MAX {
        world.by("ana").done(create(flag(&format!("f{n}"))));
    }
    let revision = world.by("oncall").done(Command::Close {
        flags: Selection::Owner("team-a".to_owned()),
        environment: key("prod"),
    });
    let undo = Command::Undo {
        revision: Some(revision),
    };
    let rejection = world.by("ana").because("over").refused(undo);
    assert!(
        rejection.to_string().contains("in parts"),
        "an opening of so many is bounded: {rejection}"
    );
}
