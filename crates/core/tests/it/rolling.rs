//! Rollouts among people: a person's move always stands, and nothing opens by itself but on evidence.

use leverframe_core::access::Actor;
use leverframe_core::analysis::Finding;
use leverframe_core::command::Terms;
use leverframe_core::rollout::{Cause, Phase, Reading, Sight, Steer};
use leverframe_core::{Command, Decision, Entry, Rejection, Selection, decide};
use leverframe_flags::Position;

use crate::journey::{
    BAKE_MS, HOLD_MS, baking, cohort, glance, look, observe, plan, rollback, share, start,
    start_with, steered,
};
use crate::world::{
    World, create_segment, edit_segment, exposure, is_latched, key, needs, pin, ramp, rule,
    rules_of, segment, undo,
};

fn rolling() -> (World, Box<str>) {
    let mut world = World::with_flags(["a"]);
    let id = world.roll("a", "prod", plan("p"));
    (world, id)
}

fn open_to(percentage: &str) -> Position {
    Position::Open {
        exposure: exposure(&[], percentage),
    }
}

fn last_cause(world: &World, id: &str) -> Cause {
    world.rollout(id).moves.last().unwrap().cause.clone()
}

#[track_caller]
fn agrees(world: &World, id: &str) {
    let rollout = world.rollout(id);
    let lever = world.flag(rollout.flag.as_str());
    let moved = lever.lever(rollout.environment.as_str());
    assert_eq!(
        rollout.lever_revision,
        moved.map_or(0, |lever| lever.moved_revision)
    );
    assert!(world.refolded() == world.state);
}

#[test]
fn evidence_takes_a_lever_through_its_stages_to_everybody() {
    let (mut world, id) = rolling();
    assert_eq!(*world.position("a", "prod"), open_to("5"));
    world.prove(&id);
    assert_eq!(*world.position("a", "prod"), open_to("25"));
    world.prove(&id);
    // One in a hundred is held back, so that there is still something to compare with.
    assert_eq!(*world.position("a", "prod"), open_to("99"));
    world.prove(&id);
    assert_eq!(*world.position("a", "prod"), open_to("99"));
    world.later(HOLD_MS);
    let seen = glance(&world, world.rollout(&id), Finding::Ok);
    world.by_system().done(observe(&id, seen));
    assert_eq!(*world.position("a", "prod"), open_to("100"));
    assert_eq!(world.rollout(&id).phase, Phase::Done);
    agrees(&world, &id);
}

#[test]
fn a_plan_that_ends_before_everybody_lets_nobody_more_through() {
    let mut world = World::with_flags(["a"]);
    world
        .by("ana")
        .done(create_segment(segment("staff", "plan == \"x\"")));
    let mut short = plan("p");
    short.stages = vec![cohort("staff"), share("5")];
    let id = world.roll("a", "prod", short);
    world.prove(&id);
    world.prove(&id);
    world.later(HOLD_MS);
    let seen = glance(&world, world.rollout(&id), Finding::Ok);
    world.by_system().done(observe(&id, seen));
    assert_eq!(world.rollout(&id).phase, Phase::Done);
    let end = Position::Open {
        exposure: exposure(&["staff"], "5"),
    };
    assert_eq!(*world.position("a", "prod"), end);
}

#[test]
fn a_conviction_closes_and_is_not_tried_again_without_a_new_build() {
    let (mut world, id) = rolling();
    world.convict(&id);
    assert_eq!(world.rollout(&id).phase, Phase::RolledBack);
    assert!(is_latched(world.position("a", "prod")));
    let seen = world.etag("a", "prod");
    let again = world.by("ana").because("x").seen(seen);
    let Rejection::Conflict { why } = again.refused(start("a", "prod", plan("p"))) else {
        panic!()
    };
    assert!(why.contains("--again"), "{why}");
    let terms = Terms {
        again: true,
        ..Terms::default()
    };
    world
        .by("ana")
        .because("x")
        .seen(seen)
        .done(start_with("a", "prod", plan("p"), terms));
}

#[test]
fn a_start_follows_the_policy_of_an_opening() {
    let mut world = World::with_flags(["a"]);
    let go = || start("a", "prod", plan("p"));
    let seen = world.etag("a", "prod");
    let denied = world.by("oncall").because("x").seen(seen).refused(go());
    assert!(matches!(denied, Rejection::Denied { .. }));
    let unreasoned = world.by("ana").seen(seen).refused(go());
    assert!(matches!(unreasoned, Rejection::ReasonRequired { .. }));
    let unmatched = world.by("ana").because("x").refused(go());
    assert_eq!(unmatched, Rejection::MatchRequired { current: seen });
    let stale = world.by("ana").because("x").seen(seen + 9).refused(go());
    assert!(matches!(stale, Rejection::Stale { .. }));
    world.by("ana").done(start("a", "dev", plan("p")));
}

#[test]
fn a_start_that_is_sent_twice_is_one_start() {
    let mut world = World::with_flags(["a"]);
    let seen = world.etag("a", "prod");
    let mut ask = || {
        let ask = world.by("ana").because("x").seen(seen).under_key("k", "b");
        ask.ask(start("a", "prod", plan("p")))
    };
    assert!(matches!(ask(), Ok(Decision::Append(_))));
    let repeated = ask();
    let revision = world.revision();
    assert_eq!(repeated, Ok(Decision::Repeat { revision }));
}

#[test]
fn a_second_rollout_of_a_lever_waits_or_takes_the_place_of_the_first() {
    let (mut world, first) = rolling();
    world.prove(&first);
    let seen = world.etag("a", "prod");
    let refused = world.by("ana").because("x").seen(seen);
    let refused = refused.refused(start("a", "prod", plan("p")));
    assert!(matches!(refused, Rejection::Conflict { .. }));
    let terms = Terms {
        replace: true,
        ..Terms::default()
    };
    let mut wider = plan("q");
    wider.stages = vec![share("50"), share("100")];
    let command = start_with("a", "prod", wider, terms);
    world.by("ana").because("x").seen(seen).done(command);
    assert_eq!(world.rollout(&first).phase, Phase::Ended);
    assert_eq!(last_cause(&world, &first), Cause::Replaced);
    let second = world.running("a", "prod").id.clone();
    assert_eq!(*world.position("a", "prod"), open_to("50"));
    agrees(&world, &second);
    // What the first had let through was never proved: the way back leads before both.
    world.convict(&second);
    assert!(is_latched(world.position("a", "prod")));
}

#[test]
fn a_rollout_begins_where_the_lever_stands_or_above() {
    let mut world = World::with_flags(["a"]);
    world.open("a", "prod", "10");
    let seen = world.etag("a", "prod");
    let ask = world.by("ana").because("x").seen(seen);
    let refused = ask.refused(start("a", "prod", plan("p")));
    assert!(matches!(refused, Rejection::Invalid { .. }), "{refused:?}");
    let ask = world.by("ana").because("x").seen(seen);
    ask.done(pin("a", "prod", "on"));
    let seen = world.etag("a", "prod");
    let ask = world.by("ana").because("x").seen(seen);
    let refused = ask.refused(start("a", "prod", plan("p")));
    assert!(matches!(refused, Rejection::Conflict { .. }));
}

#[test]
fn a_rollback_of_a_rollout_that_runs_is_one_record() {
    let (mut world, id) = rolling();
    world.prove(&id);
    let before = world.revision();
    // A brake token, no reason, no If-Match.
    world.by("oncall").done(rollback("a", "prod"));
    assert_eq!(world.revision(), before + 1);
    assert_eq!(world.rollout(&id).phase, Phase::RolledBack);
    assert_eq!(last_cause(&world, &id), Cause::RolledBackByHand);
    assert!(is_latched(world.position("a", "prod")));
    agrees(&world, &id);
    // Taken back by a person it was not convicted; a repeat changes nothing.
    let again = world.by("oncall").ask(rollback("a", "prod"));
    assert!(matches!(again, Ok(Decision::Unchanged { .. })));
}

#[test]
fn a_rollback_goes_before_the_last_rollout_that_is_over() {
    let mut world = World::with_flags(["a"]);
    world.open("a", "prod", "1");
    let id = world.roll("a", "prod", plan("p"));
    for _ in 0..3 {
        world.prove(&id);
    }
    world.later(HOLD_MS);
    let seen = glance(&world, world.rollout(&id), Finding::Ok);
    world.by_system().done(observe(&id, seen));
    world.by("oncall").done(rollback("a", "prod"));
    assert_eq!(*world.position("a", "prod"), open_to("1"));
}

#[test]
fn a_rollback_never_lifts_a_kill_and_never_opens() {
    let mut world = World::with_flags(["a"]);
    world.open("a", "prod", "1");
    let id = world.roll("a", "prod", plan("p"));
    world.kill("a", "prod");
    assert_eq!(world.rollout(&id).phase, Phase::Ended);
    let answer = world.by("ana").because("x").ask(rollback("a", "prod"));
    assert!(matches!(answer, Ok(Decision::Unchanged { .. })));
    assert!(is_latched(world.position("a", "prod")));

    let mut world = World::with_flags(["a"]);
    world.open("a", "prod", "5");
    let id = world.roll("a", "prod", plan("p"));
    world.by("oncall").done(ramp("a", "prod", "1"));
    // The lever stood at 5 % before, and a person wants it at 1 %.
    world.by("oncall").done(rollback("a", "prod"));
    assert_eq!(world.rollout(&id).phase, Phase::RolledBack);
    assert_eq!(*world.position("a", "prod"), open_to("1"));
}

#[test]
fn harm_after_a_person_lowered_the_lever_does_not_raise_it() {
    let mut world = World::with_flags(["a"]);
    world.open("a", "prod", "5");
    let id = world.roll("a", "prod", plan("p"));
    world.by("oncall").done(ramp("a", "prod", "1"));
    assert!(matches!(world.rollout(&id).phase, Phase::Paused { .. }));
    world.convict(&id);
    assert_eq!(world.rollout(&id).phase, Phase::RolledBack);
    assert_eq!(*world.position("a", "prod"), open_to("1"));
}

#[test]
fn a_rollback_where_nothing_was_rolled_out_says_what_to_type() {
    let mut world = World::with_flags(["a"]);
    let Rejection::Conflict { why } = world.by("oncall").refused(rollback("a", "prod")) else {
        panic!()
    };
    assert!(why.contains("lever kill a -e prod"), "{why}");
}

#[test]
fn a_kill_ends_a_rollout_wherever_it_stands() {
    for steps in 0..4 {
        for is_paused in [false, true] {
            let (mut world, id) = rolling();
            for _ in 0..steps {
                world.prove(&id);
            }
            if is_paused {
                world.steer("oncall", &id, Steer::Pause).unwrap();
            }
            world.kill("a", "prod");
            assert_eq!(world.rollout(&id).phase, Phase::Ended);
            assert_eq!(last_cause(&world, &id), Cause::Killed);
            assert!(is_latched(world.position("a", "prod")));
            let rejection = world.observe(&id, |_| {}).unwrap_err();
            assert!(matches!(rejection, Rejection::Conflict { .. }));
            agrees(&world, &id);
        }
    }
}

#[test]
fn a_kill_stands_although_the_rollout_had_closed_the_lever_itself() {
    let (mut world, id) = rolling();
    world.later(1_000);
    let mut seen = glance(&world, world.rollout(&id), Finding::Learning);
    seen.both.is_worse = true;
    world.by_system().done(observe(&id, seen));
    assert!(matches!(world.rollout(&id).phase, Phase::Retreated { .. }));
    assert!(is_latched(world.position("a", "prod")));
    world.kill("a", "prod");
    assert_eq!(world.rollout(&id).phase, Phase::Ended);
    agrees(&world, &id);
}

#[test]
fn a_kill_of_an_owner_ends_the_rollouts_of_a_flag_and_of_what_it_needs() {
    // The prerequisite is closed first, and must not only pause what is closed itself after it.
    let mut world = World::with_flags(["base", "top"]);
    world
        .edit("top", |flag| {
            rules_of(flag, "prod").prerequisites = vec![needs("base")];
        })
        .unwrap();
    let base = world.roll("base", "prod", plan("p"));
    let top = world.roll("top", "prod", plan("p"));
    world.by("oncall").done(Command::Close {
        flags: Selection::Owner("team-a".to_owned()),
        environment: key("prod"),
    });
    for id in [&base, &top] {
        assert_eq!(world.rollout(id).phase, Phase::Ended, "{id}");
        agrees(&world, id);
    }
    // Both ended in one record, and both are still there when the state was stored and read.
    let text = world.state.to_text().unwrap();
    assert!(leverframe_core::State::from_text(&text).unwrap() == world.state);
}

#[test]
fn a_prerequisite_that_is_shut_by_anybody_pauses_what_needs_it() {
    let shut: [fn(&mut World); 3] = [
        |world| {
            world.kill("base", "prod");
        },
        |world| {
            world.by("oncall").done(pin("base", "prod", "off"));
        },
        |world| {
            let id = world.running("base", "prod").id.clone();
            world.convict(&id);
        },
    ];
    for shut in shut {
        let mut world = World::with_flags(["base", "middle", "top"]);
        for (flag, needed) in [("middle", "base"), ("top", "middle")] {
            world
                .edit(flag, |flag| {
                    rules_of(flag, "prod").prerequisites = vec![needs(needed)];
                })
                .unwrap();
        }
        world.roll("base", "prod", plan("p"));
        let top = world.roll("top", "prod", plan("p"));
        shut(&mut world);
        let cause = Cause::PrerequisiteClosed { flag: key("base") };
        assert_eq!(last_cause(&world, &top), cause);
        assert!(matches!(world.rollout(&top).phase, Phase::Paused { .. }));
        assert_eq!(*world.position("top", "prod"), open_to("5"));
        agrees(&world, &top);
    }
}

#[test]
fn lowering_by_hand_pauses_and_opening_by_hand_is_refused() {
    let (mut world, id) = rolling();
    world.prove(&id);
    let seen = world.etag("a", "prod");
    let wider = world.by("ana").because("x").seen(seen);
    let Rejection::Conflict { why } = wider.refused(ramp("a", "prod", "50")) else {
        panic!()
    };
    assert!(why.contains("lever rollout advance a -e prod"), "{why}");
    world.by("oncall").done(ramp("a", "prod", "2"));
    assert_eq!(last_cause(&world, &id), Cause::MovedByHand);
    let paused = Phase::Paused {
        at: Box::new(baking(1)),
    };
    assert_eq!(world.rollout(&id).phase, paused);
    agrees(&world, &id);
    // Nothing goes forward, however good the evidence is.
    world.later(10 * HOLD_MS);
    let seen = glance(&world, world.rollout(&id), Finding::Ok);
    let answer = world.by_system().ask(observe(&id, seen));
    assert!(matches!(answer, Ok(Decision::Unchanged { .. })));
    // A resume goes back to the stage, under an opening's policy.
    let denied = world.steer("oncall", &id, Steer::Resume).unwrap_err();
    assert!(matches!(denied, Rejection::Denied { .. }));
    world.steer("ana", &id, Steer::Resume).unwrap();
    assert_eq!(*world.position("a", "prod"), open_to("25"));
    assert_eq!(world.stage_of(&id), Some(1));
    agrees(&world, &id);
}

#[test]
fn an_undo_of_a_step_pauses_and_one_that_opens_is_refused_while_the_rollout_runs() {
    let (mut world, id) = rolling();
    let step = world.prove(&id);
    world.by("oncall").done(undo(step));
    assert_eq!(*world.position("a", "prod"), open_to("5"));
    assert!(matches!(world.rollout(&id).phase, Phase::Paused { .. }));
    agrees(&world, &id);
    let back = world.revision();
    let refused = world.by("ana").because("x").refused(undo(back));
    let Rejection::Conflict { why } = refused else {
        panic!()
    };
    assert!(why.contains("lever rollout resume a -e prod"), "{why}");
}

#[test]
fn an_undo_of_the_start_closes_and_ends_it() {
    let (mut world, id) = rolling();
    let start = world.revision();
    world.by("oncall").done(undo(start));
    assert!(world.position("a", "prod").is_closed());
    assert_eq!(world.rollout(&id).phase, Phase::Ended);
    agrees(&world, &id);
}

#[test]
fn an_undo_of_a_rollback_is_an_opening_by_name() {
    let (mut world, id) = rolling();
    let rolled_back = world.convict(&id);
    let denied = world.by("oncall").refused(undo(rolled_back));
    assert!(matches!(denied, Rejection::Denied { .. }));
    let unreasoned = world.by("ana").refused(undo(rolled_back));
    assert!(matches!(unreasoned, Rejection::ReasonRequired { .. }));
    world.by("ana").because("not us").done(undo(rolled_back));
    assert_eq!(*world.position("a", "prod"), open_to("5"));
    assert!(world.rollout(&id).is_over());
}

#[test]
fn a_pause_that_is_there_already_is_no_refusal() {
    let (mut world, id) = rolling();
    let paused = steered(&id, Steer::Pause, None);
    let revision = world.by("oncall").done(paused.clone());
    let again = world.by("oncall").ask(paused);
    assert_eq!(again, Ok(Decision::Unchanged { revision }));
}

#[test]
fn what_was_seen_before_a_move_decides_nothing_after_it() {
    let (mut world, id) = rolling();
    world.later(BAKE_MS);
    let old = glance(&world, world.rollout(&id), Finding::Ok);
    world.steer("oncall", &id, Steer::Pause).unwrap();
    world.steer("ana", &id, Steer::Resume).unwrap();
    let unchanged = world.by_system().ask(observe(&id, old.clone()));
    assert!(matches!(unchanged, Ok(Decision::Unchanged { .. })));
    let advance = steered(&id, Steer::Advance, Some(old.clone()));
    let refused = world.by("ana").because("x").refused(advance);
    assert!(matches!(refused, Rejection::Conflict { .. }));
    assert_eq!(world.stage_of(&id), Some(0));
    // Nor does it end a rollout whose lever it does not know of.
    world.prove(&id);
    let unchanged = world.by_system().ask(observe(&id, old));
    assert!(matches!(unchanged, Ok(Decision::Unchanged { .. })));
    assert_eq!(world.stage_of(&id), Some(1));
}

#[test]
fn a_step_that_two_leaders_see_is_made_once() {
    let (mut world, id) = rolling();
    world.later(BAKE_MS);
    let seen = glance(&world, world.rollout(&id), Finding::Ok);
    world.by_system().done(observe(&id, seen.clone()));
    let again = world.by_system().ask(observe(&id, seen));
    assert!(matches!(again, Ok(Decision::Unchanged { .. })));
    assert_eq!(world.stage_of(&id), Some(1));
}

#[test]
fn only_the_node_says_what_is_seen() {
    let (mut world, id) = rolling();
    world.later(BAKE_MS);
    let seen = glance(&world, world.rollout(&id), Finding::Ok);
    let denied = world.by("root").because("x").refused(observe(&id, seen));
    assert!(matches!(denied, Rejection::Denied { .. }));
}

#[test]
fn stages_are_timed_by_the_steady_clock_whatever_the_wall_says() {
    let (mut world, id) = rolling();
    let mut ask = world.by("oncall");
    ask.meta.now = ask.meta.now.plus_ms(10 * 365 * 86_400_000);
    ask.done(steered(&id, Steer::Pause, None));
    assert_eq!(world.rollout(&id).since, world.now);
}

#[test]
fn a_skip_by_two_people_at_once_is_one_skip() {
    let (mut world, id) = rolling();
    let seen = world.etag("a", "prod");
    let skip = steered(&id, Steer::Skip, None);
    world.by("ana").because("x").seen(seen).done(skip.clone());
    let stale = world.by("ana").because("x").seen(seen).refused(skip);
    assert!(matches!(stale, Rejection::Stale { .. }));
    assert_eq!(world.stage_of(&id), Some(1));
}

#[test]
fn a_brake_stops_and_never_lets_go_on() {
    for steer in [Steer::Resume, Steer::Advance, Steer::Skip, Steer::Approve] {
        let (mut world, id) = rolling();
        let denied = world.steer("oncall", &id, steer).unwrap_err();
        assert!(matches!(denied, Rejection::Denied { .. }), "{steer:?}");
    }
    for steer in [Steer::Pause, Steer::RollBack] {
        let (mut world, id) = rolling();
        let long = "x".repeat(100_000);
        world
            .by("oncall")
            .because(&long)
            .done(steered(&id, steer, None));
    }
}

#[test]
fn a_token_steers_only_what_it_is_for() {
    use crate::world::{scoped, token};
    use leverframe_core::access::Role;
    for (environments, keys) in [(&["dev"][..], &[][..]), (&[], &["b*"])] {
        let (mut world, id) = rolling();
        world.admit(scoped(token("ops", Role::Operator), environments, keys));
        let seen = world.etag("a", "prod");
        for command in [
            steered(&id, Steer::Pause, None),
            steered(&id, Steer::Skip, None),
            rollback("a", "prod"),
            start("a", "prod", plan("p")),
        ] {
            let ask = world.by("ops").because("x").seen(seen);
            assert!(matches!(ask.refused(command), Rejection::Denied { .. }));
        }
    }
}

#[test]
fn a_look_passes_by_whom_it_names() {
    let mut world = World::with_flags(["a"]);
    let mut looking = plan("p");
    looking.stages = vec![share("5"), look("ana"), share("100")];
    let id = world.roll("a", "prod", looking);
    world.prove(&id);
    assert_eq!(*world.position("a", "prod"), open_to("5"));
    let denied = world.steer("root", &id, Steer::Approve).unwrap_err();
    assert!(matches!(denied, Rejection::Denied { .. }));
    world.steer("ana", &id, Steer::Approve).unwrap();
    assert_eq!(*world.position("a", "prod"), open_to("99"));
    agrees(&world, &id);
}

#[test]
fn an_edit_of_what_decides_pauses_and_of_anything_else_does_not() {
    let (mut world, id) = rolling();
    world
        .edit("a", |flag| flag.description = "other".to_owned())
        .unwrap();
    world
        .edit("a", |flag| {
            rules_of(flag, "dev").rules = vec![rule("plan == \"x\"")];
        })
        .unwrap();
    assert_eq!(world.stage_of(&id), Some(0));
    world
        .edit("a", |flag| {
            rules_of(flag, "prod").rules = vec![rule("plan == \"x\"")];
        })
        .unwrap();
    assert_eq!(last_cause(&world, &id), Cause::Edited);
    assert!(matches!(world.rollout(&id).phase, Phase::Paused { .. }));
    agrees(&world, &id);
}

#[test]
fn a_segment_that_is_edited_pauses_and_one_that_is_planned_stays() {
    let mut world = World::with_flags(["a"]);
    for name in ["staff", "beta"] {
        let segment = segment(name, "plan == \"x\"");
        world.by("ana").done(create_segment(segment));
    }
    let mut internal = plan("p");
    internal.stages = vec![cohort("staff"), cohort("beta"), share("100")];
    let id = world.roll("a", "prod", internal);
    let seen = world.state.segment("beta").unwrap().revision;
    let delete = Command::DeleteSegment {
        segment: key("beta"),
    };
    let refused = world.by("ana").seen(seen).refused(delete);
    assert!(matches!(refused, Rejection::Conflict { .. }));
    let seen = world.state.segment("staff").unwrap().revision;
    world
        .by("ana")
        .because("x")
        .seen(seen)
        .done(edit_segment(segment("staff", "plan == \"y\"")));
    assert_eq!(last_cause(&world, &id), Cause::Edited);
    agrees(&world, &id);
}

#[test]
fn a_killed_lever_is_not_rolled_out_unless_that_is_said() {
    let mut world = World::with_flags(["a"]);
    world.kill("a", "prod");
    let seen = world.etag("a", "prod");
    let ask = world.by("ana").because("x").seen(seen);
    let Rejection::Conflict { why } = ask.refused(start("a", "prod", plan("p"))) else {
        panic!()
    };
    assert!(why.contains("was killed in prod by oncall"), "{why}");
    let terms = Terms {
        again: true,
        ..Terms::default()
    };
    let ask = world.by("ana").because("x").seen(seen);
    ask.done(start_with("a", "prod", plan("p"), terms));
    let id = world.running("a", "prod").id.clone();
    world.convict(&id);
    assert!(is_latched(world.position("a", "prod")));
}

#[test]
fn a_restore_pauses_what_ran_and_ends_what_is_kept_closed() {
    let mut world = World::with_flags(["a", "b"]);
    let a = world.roll("a", "prod", plan("p"));
    let b = world.roll("b", "prod", plan("p"));
    world.by("root").done(Command::Restore {
        epoch: 2,
        keep_closed: vec![(key("b"), key("prod"))],
    });
    assert_eq!(last_cause(&world, &a), Cause::Restored);
    assert!(matches!(world.rollout(&a).phase, Phase::Paused { .. }));
    assert_eq!(world.rollout(&b).phase, Phase::Ended);
    assert!(is_latched(world.position("b", "prod")));
    agrees(&world, &a);
    agrees(&world, &b);
}

#[test]
fn an_open_after_a_kill_starts_with_a_clean_slate() {
    let (mut world, id) = rolling();
    world.kill("a", "prod");
    world.open("a", "prod", "1");
    assert!(world.rollout(&id).is_over());
    let again = world.roll("a", "prod", plan("p"));
    assert_ne!(again, id);
}

#[test]
fn what_could_not_be_read_again_is_never_sealed() {
    let (mut world, id) = rolling();
    world.later(1_000);
    let mut seen = glance(&world, world.rollout(&id), Finding::Bad);
    seen.sights.push(Sight {
        metric: "queue".into(),
        reading: Reading::Gauge {
            value: f64::INFINITY,
            limit: 1.0,
            is_floor: false,
            wrong_in_a_row: 0,
            in_a_row_max: 3,
        },
    });
    let meta = world.meta(Actor::System);
    let Ok(Decision::Append(events)) = decide(&world.state, &observe(&id, seen), &meta) else {
        panic!()
    };
    let record = world.state.next_record(events, &meta);
    assert!(Entry::seal(record, world.state.head()).is_err());
}

#[test]
fn an_advance_in_the_warm_time_waits_for_the_evidence_and_a_skip_does_not() {
    let (mut world, id) = rolling();
    for _ in 0..10 {
        if world.rollout(&id).phase == Phase::Warm {
            break;
        }
        world.prove(&id);
    }
    assert_eq!(world.rollout(&id).phase, Phase::Warm);
    let refused = world.steer("ana", &id, Steer::Advance).unwrap_err();
    assert!(
        refused.to_string().contains("does not allow it yet"),
        "{refused}"
    );
    world.steer("ana", &id, Steer::Skip).unwrap();
    assert_eq!(world.rollout(&id).phase, Phase::Done);
}
