//! Drills: closed the way a kill closes, put back exactly as it was, and never in the way of a person.

use leverframe_core::drill::DrillResult;
use leverframe_core::limit::UNDRILLED_MS_MAX;
use leverframe_core::{Command, Decision, Rejection};
use leverframe_flags::{Position, Value};

use crate::world::{World, close, create, exposure, flag, is_latched, key, pin};

fn start(flag: &str, environment: &str) -> Command {
    Command::StartDrill {
        flag: key(flag),
        environment: key(environment),
    }
}

fn finish(drill: u64) -> Command {
    let result = DrillResult {
        confirmed_ms: Some(80),
        expected: 3,
        confirmed: 3,
        missing: Vec::new(),
    };
    Command::FinishDrill { drill, result }
}

/// `checkout` open to 25 % in prod, and a drill of it under way.
fn drilling() -> (World, u64) {
    let mut world = World::with_flags(["checkout"]);
    world.open("checkout", "prod", "25");
    let drill = world
        .by("ana")
        .because("practice")
        .done(start("checkout", "prod"));
    (world, drill)
}

fn is_put_back(world: &World, drill: u64) -> bool {
    world.state.drill(drill).unwrap().is_restored
}

#[test]
fn a_drill_closes_like_a_kill_and_puts_back_what_was_there() {
    let (mut world, drill) = drilling();
    assert!(is_latched(world.position("checkout", "prod")));
    world.by_system().done(finish(drill));
    assert_eq!(
        *world.position("checkout", "prod"),
        Position::Open {
            exposure: exposure(&[], "25")
        }
    );
    assert!(is_put_back(&world, drill));
    assert_eq!(
        world.by_system().ask(finish(drill)),
        Ok(Decision::Unchanged { revision: drill }),
        "finishing it twice changes nothing"
    );
    assert!(world.refolded() == world.state);
}

#[test]
fn a_lever_that_was_closed_and_not_killed_is_drilled_too_and_is_no_killed_one_afterwards() {
    let mut world = World::with_flags(["checkout"]);
    let drill = world
        .by("ana")
        .because("practice")
        .done(start("checkout", "prod"));
    world.by_system().done(finish(drill));
    assert_eq!(*world.position("checkout", "prod"), Position::start());
}

#[test]
fn a_kill_during_a_drill_stays() {
    let (mut world, drill) = drilling();
    let kill = world.by("oncall").done(close(["checkout"], "prod"));
    world.by_system().done(finish(drill));
    assert!(world.position("checkout", "prod").is_closed());
    assert!(!is_put_back(&world, drill));
    assert_eq!(
        world.by("oncall").ask(close(["checkout"], "prod")),
        Ok(Decision::Unchanged { revision: kill }),
        "and killing it again changes nothing, as ever"
    );
}

#[test]
fn what_somebody_opened_during_a_drill_stays_as_they_meant_it() {
    let (mut world, drill) = drilling();
    world.open("checkout", "prod", "50");
    world.by_system().done(finish(drill));
    assert_eq!(
        *world.position("checkout", "prod"),
        Position::Open {
            exposure: exposure(&[], "50")
        }
    );
    assert!(!is_put_back(&world, drill));
}

#[test]
fn a_lever_is_not_put_back_to_a_variant_that_is_gone() {
    let mut world = World::with_flags(["checkout"]);
    world
        .edit("checkout", |definition| {
            definition.variants.insert(key("new"), Value::Boolean(true));
        })
        .unwrap();
    let seen = world.etag("checkout", "prod");
    let command = pin("checkout", "prod", "new");
    world.by("ana").because("go").seen(seen).done(command);
    let drill = world
        .by("ana")
        .because("practice")
        .done(start("checkout", "prod"));
    world
        .edit("checkout", |definition| {
            definition.variants.remove("new");
        })
        .unwrap();
    world.by_system().done(finish(drill));
    assert!(world.position("checkout", "prod").is_closed());
    assert!(!is_put_back(&world, drill));
}

#[test]
fn what_was_killed_is_not_drilled_nor_what_is_being_drilled() {
    let (mut world, drill) = drilling();
    let again = world
        .by("ana")
        .because("practice")
        .refused(start("checkout", "prod"));
    assert!(matches!(again, Rejection::Conflict { .. }), "{again}");
    world.by_system().done(finish(drill));
    world.kill("checkout", "prod");
    let killed = world
        .by("ana")
        .because("practice")
        .refused(start("checkout", "prod"));
    assert!(killed.to_string().contains("killed"), "{killed}");
}

#[test]
fn a_drill_is_an_opening_in_the_end_and_needs_what_one_needs() {
    let mut world = World::with_flags(["checkout"]);
    world.open("checkout", "prod", "25");
    let brake = world
        .by("oncall")
        .because("practice")
        .refused(start("checkout", "prod"));
    assert!(matches!(brake, Rejection::Denied { .. }));
    let silent = world.by("ana").refused(start("checkout", "prod"));
    assert!(matches!(silent, Rejection::ReasonRequired { .. }));
    let person = world.by("root").refused(finish(1));
    assert!(matches!(person, Rejection::Denied { .. }));
}

#[test]
fn a_drill_passed_only_if_somebody_followed_and_everybody_had_it_in_time() {
    for (confirmed_ms, expected, confirmed, passes, words) in [
        (Some(80), 3, 3, true, "3/3 evaluators had it after 80 ms"),
        (Some(75_000), 3, 3, false, "only after 75 s"),
        (None, 3, 2, false, "only 2 of 3 evaluators had it in time"),
        (None, 0, 0, false, "nobody follows"),
    ] {
        let (mut world, drill) = drilling();
        let result = DrillResult {
            confirmed_ms,
            expected,
            confirmed,
            missing: Vec::new(),
        };
        let ended = world
            .by_system()
            .done(Command::FinishDrill { drill, result });
        let drill = world.state.drill(drill).unwrap();
        assert_eq!(drill.is_passed(), passes);
        assert_eq!(drill.ended_revision, Some(ended));
        let sentence = drill.sentence();
        assert!(sentence.contains(words), "{sentence}");
    }
}

#[test]
fn levers_that_are_open_and_long_not_drilled_are_named() {
    let mut world = World::with_flags(["drilled", "open", "shut"]);
    for flag in ["drilled", "open"] {
        world.open(flag, "prod", "25");
    }
    let undrilled = |world: &World| -> Vec<String> {
        let names = world.state.undrilled(&key("prod"), world.now);
        names.into_iter().map(ToString::to_string).collect()
    };
    world.later(UNDRILLED_MS_MAX);
    assert_eq!(
        undrilled(&world),
        <[&str; 0]>::default(),
        "they are too young"
    );
    world.later(1);
    let drill = world
        .by("ana")
        .because("practice")
        .done(start("drilled", "prod"));
    world.by_system().done(finish(drill));
    assert_eq!(undrilled(&world), ["open"]);
    world.later(UNDRILLED_MS_MAX + 1);
    assert_eq!(undrilled(&world), ["drilled", "open"]);
}

#[test]
fn only_the_server_makes_flags_with_names_of_its_own() {
    let mut world = World::new();
    let command = create(flag("leverframe.canary"));
    let refused = world.by("root").refused(command.clone());
    assert!(
        refused.to_string().contains("the server's own"),
        "{refused}"
    );
    world.by_system().done(command);
    assert!(world.flag("leverframe.canary").is_internal());
}
