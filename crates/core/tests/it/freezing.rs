//! Freezes: nothing is opened by anybody, everything is closed by everybody.

use leverframe_core::access::{Actor, Role};
use leverframe_core::analysis::Finding;
use leverframe_core::drill::DrillResult;
use leverframe_core::limit::FREEZE_MS_MAX;
use leverframe_core::rollout::{Phase, Steer};
use leverframe_core::{Command, Decision, Rejection, Timestamp};
use leverframe_flags::Position;

use crate::journey::{BAKE_MS, HOLD_MS, glance, observe, plan, rollback, start, steered};
use crate::world::{
    World, close, exposure, is_latched, key, open, pin, ramp, rule, rules_of, scoped, token, undo,
};

fn freeze(environment: &str, until: Timestamp) -> Command {
    Command::Freeze {
        environment: key(environment),
        until,
    }
}

fn thaw(environment: &str) -> Command {
    Command::Thaw {
        environment: key(environment),
    }
}

impl World {
    fn frozen_for(&mut self, environment: &str, ms: i64) -> u64 {
        let until = self.now.plus_ms(ms);
        self.by("oncall").done(freeze(environment, until))
    }
}

const HOUR_MS: i64 = 3_600_000;

#[test]
fn a_brake_token_freezes_without_a_word_and_does_not_thaw() {
    let mut world = World::new();
    let long = "x".repeat(100_000);
    let until = world.now.plus_ms(HOUR_MS);
    world
        .by("oncall")
        .because(&long)
        .done(freeze("prod", until));
    let denied = world.by("oncall").because("x").refused(thaw("prod"));
    assert!(matches!(denied, Rejection::Denied { .. }));
    let unreasoned = world.by("ana").refused(thaw("prod"));
    assert!(matches!(unreasoned, Rejection::ReasonRequired { .. }));
    world.by("ana").because("over").done(thaw("prod"));
    assert!(world.state.freeze("prod", world.now).is_none());
    assert!(world.refolded() == world.state);
}

#[test]
fn a_freeze_ends_by_itself_and_a_shorter_one_does_not_shorten_it() {
    let mut world = World::with_flags(["a"]);
    let revision = world.frozen_for("prod", 2 * HOUR_MS);
    let until = world.now.plus_ms(HOUR_MS);
    let shorter = world.by("oncall").ask(freeze("prod", until));
    assert_eq!(shorter, Ok(Decision::Unchanged { revision }));
    world.frozen_for("prod", 3 * HOUR_MS);
    world.later(3 * HOUR_MS - 1);
    let seen = world.etag("a", "prod");
    let still = world.by("ana").because("x").seen(seen);
    let still = still.refused(open("a", "prod", "1"));
    assert!(matches!(still, Rejection::Conflict { .. }));
    world.later(1);
    world.open("a", "prod", "1");
    for until in [world.now, world.now.plus_ms(FREEZE_MS_MAX + 1)] {
        let invalid = world.by("oncall").refused(freeze("prod", until));
        assert!(matches!(invalid, Rejection::Invalid { .. }));
    }
}

#[test]
fn a_freeze_is_of_one_environment_and_for_tokens_of_all_its_flags() {
    let mut world = World::with_flags(["a"]);
    world.frozen_for("prod", HOUR_MS);
    world.open("a", "dev", "1");
    world.admit(scoped(token("there", Role::Brake), &["dev"], &[]));
    world.admit(scoped(token("some", Role::Brake), &[], &["a*"]));
    let until = world.now.plus_ms(HOUR_MS);
    let denied = world.by("there").refused(freeze("staging", until));
    assert!(matches!(denied, Rejection::Denied { .. }));
    let denied = world.by("some").refused(freeze("staging", until));
    assert!(matches!(denied, Rejection::Denied { .. }));
    world.by("there").done(freeze("dev", until));
}

/// A world with one of everything that could be opened in prod.
fn everything() -> (World, Box<str>, Box<str>, u64) {
    let mut world = World::with_flags(["closed", "half", "killed", "paused", "rolling"]);
    world.open("half", "prod", "50");
    world.kill("killed", "prod");
    let rolling = world.roll("rolling", "prod", plan("p"));
    let paused = world.roll("paused", "prod", plan("p"));
    let pause = steered(&paused, Steer::Pause, None);
    world.by("oncall").done(pause);
    let lowered = world.by("oncall").done(ramp("half", "prod", "40"));
    world.frozen_for("prod", HOUR_MS);
    (world, rolling, paused, lowered)
}

#[test]
fn every_opening_is_refused_while_it_is_frozen() {
    let (mut world, rolling, paused, lowered) = everything();
    world.later(1_000);
    let mut edited = (*world.flag("half").definition).clone();
    rules_of(&mut edited, "prod").rules = vec![rule("plan == \"x\"")];
    let commands = [
        ("closed", open("closed", "prod", "1")),
        ("half", ramp("half", "prod", "60")),
        ("half", pin("half", "prod", "on")),
        ("killed", open("killed", "prod", "1")),
        ("half", undo(lowered)),
        ("closed", start("closed", "prod", plan("p"))),
        (
            "half",
            Command::EditFlag {
                definition: Box::new(edited),
            },
        ),
        (
            "killed",
            Command::ArchiveFlag {
                flag: key("killed"),
            },
        ),
        (
            "half",
            Command::StartDrill {
                flag: key("half"),
                environment: key("prod"),
            },
        ),
        (
            "half",
            Command::GuardEnvironment {
                key: key("prod"),
                guarded: false,
            },
        ),
        ("rolling", steered(&rolling, Steer::Skip, None)),
        (
            "rolling",
            steered(
                &rolling,
                Steer::Advance,
                Some(glance(&world, world.rollout(&rolling), Finding::Ok)),
            ),
        ),
        ("paused", steered(&paused, Steer::Resume, None)),
    ];
    for (flag, command) in commands {
        let seen = match command {
            Command::EditFlag { .. } | Command::ArchiveFlag { .. } => {
                world.flag(flag).defined_revision
            }
            _ => world.etag(flag, "prod"),
        };
        let ask = world.by("root").because("x").seen(seen);
        match ask.refused(command.clone()) {
            Rejection::Conflict { why } => assert!(why.contains("lever thaw"), "{why}"),
            other => panic!("{command:?}: {other:?}"),
        }
    }
}

#[test]
fn every_closing_works_while_it_is_frozen() {
    let (mut world, rolling, paused, _) = everything();
    world.by("oncall").done(ramp("half", "prod", "1"));
    world
        .by("oncall")
        .done(steered(&rolling, Steer::Pause, None));
    world.by("oncall").done(rollback("rolling", "prod"));
    world.by("oncall").done(close(["half"], "prod"));
    world.convict(&paused);
    assert!(is_latched(world.position("paused", "prod")));
}

#[test]
fn a_step_forward_waits_for_the_thaw_although_the_tick_did_not_know() {
    let mut world = World::with_flags(["a"]);
    let id = world.roll("a", "prod", plan("p"));
    world.later(BAKE_MS);
    let seen = glance(&world, world.rollout(&id), Finding::Ok);
    assert!(!seen.is_frozen);
    world.frozen_for("prod", HOUR_MS);
    let answer = world.by_system().ask(observe(&id, seen.clone()));
    assert!(matches!(answer, Ok(Decision::Unchanged { .. })));
    world.by("ana").because("over").done(thaw("prod"));
    world.by_system().done(observe(&id, seen));
    assert_eq!(world.stage_of(&id), Some(1));
}

#[test]
fn the_warm_time_does_not_end_while_it_is_frozen() {
    let mut world = World::with_flags(["a"]);
    let id = world.roll("a", "prod", plan("p"));
    for _ in 0..3 {
        world.prove(&id);
    }
    world.later(HOLD_MS);
    world.frozen_for("prod", HOUR_MS);
    let seen = glance(&world, world.rollout(&id), Finding::Ok);
    let answer = world.by_system().ask(observe(&id, seen));
    assert!(matches!(answer, Ok(Decision::Unchanged { .. })));
    assert_eq!(world.rollout(&id).phase, Phase::Warm);
}

#[test]
fn a_drill_that_began_before_puts_its_lever_back() {
    let mut world = World::with_flags(["a"]);
    world.open("a", "prod", "50");
    let drill = world.by("ana").because("drill").done(Command::StartDrill {
        flag: key("a"),
        environment: key("prod"),
    });
    world.frozen_for("prod", HOUR_MS);
    let finish = Command::FinishDrill {
        drill,
        result: DrillResult {
            confirmed_ms: Some(40),
            expected: 1,
            confirmed: 1,
            missing: Vec::new(),
        },
    };
    let meta = world.meta(Actor::System);
    assert_eq!(meta.actor, Actor::System);
    world.by_system().done(finish);
    let back = Position::Open {
        exposure: exposure(&[], "50"),
    };
    assert_eq!(*world.position("a", "prod"), back);
}
