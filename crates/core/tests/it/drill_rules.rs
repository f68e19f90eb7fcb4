//! Drills: a lever is closed the real way and put back exactly, unless somebody meant something else.

use leverframe_core::command::Terms;
use leverframe_core::drill::DrillResult;
use leverframe_core::limit::{DRILL_EVERY_MS_MIN, DRILLS_KEPT_MAX};
use leverframe_core::{Command, Decision, Event, Rejection};
use leverframe_flags::Position;

use crate::journey::{plan, start_with};
use crate::world::{
    World, create_segment, exposure, is_latched, key, open_to, pin, rule, rules_of, segment, undo,
};

fn drill(flag: &str, environment: &str) -> Command {
    Command::StartDrill {
        flag: key(flag),
        environment: key(environment),
    }
}

fn finish(drill: u64) -> Command {
    Command::FinishDrill {
        drill,
        result: DrillResult {
            confirmed_ms: Some(40),
            expected: 3,
            confirmed: 3,
            missing: Vec::new(),
        },
    }
}

fn schedule(every_ms: Option<i64>) -> Command {
    Command::ScheduleDrill {
        flag: key("a"),
        environment: key("prod"),
        every_ms,
    }
}

#[test]
fn a_drill_puts_every_position_back_exactly() {
    let mut world = World::with_flags(["shut", "part", "pinned"]);
    world
        .by("ana")
        .done(create_segment(segment("staff", "plan == \"x\"")));
    let to = open_to("part", "prod", exposure(&["staff"], "12.345"));
    let seen = world.etag("part", "prod");
    world.by("ana").because("x").seen(seen).done(to);
    let seen = world.etag("pinned", "prod");
    let ask = world.by("ana").because("x").seen(seen);
    ask.done(pin("pinned", "prod", "on"));
    for name in ["shut", "part", "pinned"] {
        let before = world.position(name, "prod").clone();
        let number = world.by("ana").because("drill").done(drill(name, "prod"));
        assert!(is_latched(world.position(name, "prod")));
        world.by_system().done(finish(number));
        assert_eq!(*world.position(name, "prod"), before);
        assert!(world.state.drill(number).unwrap().is_restored);
        let again = world.by_system().ask(finish(number));
        assert_eq!(again, Ok(Decision::Unchanged { revision: number }));
    }
    assert!(world.refolded() == world.state);
}

#[test]
fn a_kill_during_a_drill_stays() {
    let mut world = World::with_flags(["a"]);
    world.open("a", "prod", "50");
    let number = world.by("ana").because("drill").done(drill("a", "prod"));
    let kill = world.kill("a", "prod");
    assert!(kill > number, "it is a record of its own");
    world.by_system().done(finish(number));
    assert!(is_latched(world.position("a", "prod")));
    assert!(!world.state.drill(number).unwrap().is_restored);
}

#[test]
fn what_was_edited_while_a_drill_held_the_lever_is_not_opened_by_its_end() {
    let mut world = World::with_flags(["a"]);
    world.open("a", "prod", "50");
    let number = world.by("ana").because("drill").done(drill("a", "prod"));
    world
        .edit("a", |flag| {
            rules_of(flag, "prod").rules = vec![rule("plan == \"x\"")];
        })
        .unwrap();
    world.by_system().done(finish(number));
    assert!(is_latched(world.position("a", "prod")));
}

#[test]
fn a_drill_is_an_opening_to_whoever_asks_for_it() {
    let mut world = World::with_flags(["a"]);
    let denied = world.by("oncall").because("x").refused(drill("a", "prod"));
    assert!(matches!(denied, Rejection::Denied { .. }));
    let unreasoned = world.by("ana").refused(drill("a", "prod"));
    assert!(matches!(unreasoned, Rejection::ReasonRequired { .. }));
    world.kill("a", "prod");
    let killed = world.by("ana").because("x").refused(drill("a", "prod"));
    assert!(matches!(killed, Rejection::Conflict { .. }));
}

#[test]
fn a_drill_and_a_rollout_never_hold_one_lever() {
    let mut world = World::with_flags(["a"]);
    world.roll("a", "prod", plan("p"));
    let rolling = world.by("ana").because("x").refused(drill("a", "prod"));
    assert!(matches!(rolling, Rejection::Conflict { .. }));

    let mut world = World::with_flags(["a"]);
    world.by("ana").because("x").done(drill("a", "prod"));
    let second = world.by("ana").because("x").refused(drill("a", "prod"));
    assert!(matches!(second, Rejection::Conflict { .. }));
    let seen = world.etag("a", "prod");
    let terms = Terms {
        again: true,
        ..Terms::default()
    };
    let ask = world.by("ana").because("x").seen(seen);
    let drilling = ask.refused(start_with("a", "prod", plan("p"), terms));
    assert!(matches!(drilling, Rejection::Conflict { .. }));
}

#[test]
fn only_the_node_says_what_a_drill_measured() {
    let mut world = World::with_flags(["a"]);
    let number = world.by("ana").because("x").done(drill("a", "prod"));
    let denied = world.by("root").because("x").refused(finish(number));
    assert!(matches!(denied, Rejection::Denied { .. }));
    let missing = world.by_system().refused(finish(number + 1));
    assert!(matches!(missing, Rejection::NotFound { .. }));
    let final_ = world.by("root").because("x").refused(undo(number));
    assert!(matches!(final_, Rejection::Conflict { .. }));
}

#[test]
fn drills_are_scheduled_as_an_opening_and_stopped_by_an_operator() {
    let mut world = World::with_flags(["a"]);
    let unreasoned = world.by("ana").refused(schedule(Some(DRILL_EVERY_MS_MIN)));
    assert!(matches!(unreasoned, Rejection::ReasonRequired { .. }));
    let often = world.by("ana").because("x");
    let often = often.refused(schedule(Some(DRILL_EVERY_MS_MIN - 1)));
    assert!(matches!(often, Rejection::Invalid { .. }));
    let every = schedule(Some(DRILL_EVERY_MS_MIN));
    let revision = world.by("ana").because("x").done(every.clone());
    let same = world.by("ana").because("x").ask(every);
    assert_eq!(same, Ok(Decision::Unchanged { revision }));
    assert!(world.refolded() == world.state);
    let denied = world.by("oncall").refused(schedule(None));
    assert!(matches!(denied, Rejection::Denied { .. }));
    world.by("ana").done(schedule(None));
    let none = world.by("ana").refused(schedule(None));
    assert!(matches!(none, Rejection::Conflict { .. }));
}

#[test]
fn the_oldest_drills_are_forgotten() {
    let mut world = World::with_flags(["a"]);
    let meta = world.meta(leverframe_core::access::Actor::System);
    let start = || Event::DrillStarted {
        flag: key("a"),
        environment: key("prod"),
        before: Position::start(),
    };
    for _ in 0..=DRILLS_KEPT_MAX {
        world.append(vec![start()], &meta);
    }
    assert_eq!(world.state.drills().count(), DRILLS_KEPT_MAX);
    let text = world.state.to_text().unwrap();
    assert!(leverframe_core::State::from_text(&text).unwrap() == world.state);
}
