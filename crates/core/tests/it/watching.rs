//! Watches: what a person opens in a guarded environment is closed again by the evidence that convicts
//! a stage, and nobody has a watch in their way.

use leverframe_core::analysis::{Counts, EValue, Finding, Judgement, Share};
use leverframe_core::command::{PlanChoice, Survey, Terms};
use leverframe_core::rollout::{
    Both, Cause, Detail, Observation, Phase, Reading, Rollout, Sight, Steer,
};
use leverframe_core::{Command, Decision};

use crate::world::{World, close, exposure, is_latched, key, open, ramp, undo};

const HOUR_MS: i64 = 60 * 60 * 1_000;

fn start(opened: u64) -> Command {
    Command::StartWatch {
        flag: key("checkout"),
        environment: key("prod"),
        opened,
        survey: Box::default(),
    }
}

/// `checkout` opened to 25 % in prod by ana, with the revision of that.
fn opened() -> (World, u64) {
    let mut world = World::with_flags(["checkout"]);
    let opened = world.open("checkout", "prod", "25");
    (world, opened)
}

fn watched() -> (World, Box<str>) {
    let (mut world, opened) = opened();
    world.by_system().done(start(opened));
    let watch = running(&world).unwrap().id.clone();
    (world, watch)
}

fn running(world: &World) -> Option<&Rollout> {
    let running = world.state.running_of(&key("checkout"), &key("prod"));
    running.map(|watch| &**watch)
}

/// The revisions that the node would have watched.
fn unwatched(world: &World) -> Vec<u64> {
    let since = world.now.plus_ms(-HOUR_MS);
    let found = world.state.unwatched(&key("prod"), since);
    found.into_iter().map(|(_, revision)| revision).collect()
}

fn ended(world: &World, watch: &str) -> (Phase, Cause) {
    let watch = world.state.rollout(watch).unwrap();
    let last = watch.moves.last().unwrap();
    (watch.phase.clone(), last.cause.clone())
}

fn judged(finding: Finding) -> Reading {
    Reading::Judged {
        judgement: Judgement {
            finding,
            harm: None,
            total: Counts::default(),
            stage: Counts::default(),
            e_bad: EValue::NOTHING,
            e_ok: EValue::NOTHING,
        },
        detail: Detail::default(),
    }
}

/// The node sees that of every metric, so long after the watch began; whether anything comes of it.
fn observe(world: &mut World, later_ms: i64, reading: &Reading, both: Both) -> bool {
    let watch = running(world).unwrap();
    let sights = watch.plan.metrics.iter().map(|metric| Sight {
        metric: metric.key.clone(),
        reading: reading.clone(),
    });
    let seen = Observation {
        now: watch.since.plus_ms(later_ms),
        looked_since: watch.since,
        move_revision: watch.moves.last().unwrap().revision,
        lever_revision: watch.lever_revision,
        is_frozen: false,
        new_build: None,
        analysed_ms: later_ms,
        sights: sights.collect(),
        share: Share::AsMeant,
        both,
        users_hit: 0,
    };
    let command = Command::Observe {
        rollout: watch.id.clone(),
        seen: Box::new(seen),
    };
    match world.by_system().ask(command).unwrap() {
        Decision::Append(_) => true,
        Decision::Unchanged { .. } => false,
        Decision::Repeat { .. } => panic!("no key was given"),
    }
}

#[test]
fn what_a_person_opened_is_closed_again_by_the_evidence_that_convicts() {
    let (mut world, watch) = watched();
    let begun = world.state.rollout(&watch).unwrap();
    assert_eq!(&*begun.started_by, "ana");
    assert_eq!(begun.reason.as_deref(), Some("go"));
    assert!(observe(
        &mut world,
        60_000,
        &judged(Finding::Bad),
        Both::default()
    ));
    let (phase, cause) = ended(&world, &watch);
    assert_eq!(phase, Phase::RolledBack);
    assert!(matches!(cause, Cause::Harm { .. }));
    assert!(is_latched(world.position("checkout", "prod")));
    assert_eq!(world.state.unsettled().count(), 1, "somebody is paged");
    assert!(world.refolded() == world.state);
}

#[test]
fn what_hits_both_arms_right_after_the_opening_takes_it_back_as_well() {
    let (mut world, watch) = watched();
    let both = Both {
        is_worse: true,
        ..Both::default()
    };
    observe(&mut world, 60_000, &judged(Finding::Learning), both);
    assert_eq!(
        ended(&world, &watch),
        (Phase::RolledBack, Cause::SharedHarm)
    );
    assert!(world.position("checkout", "prod").is_closed());
}

#[test]
fn a_watch_never_opens_nor_minds_being_blind_and_ends_quietly_after_an_hour() {
    let (mut world, watch) = watched();
    let before = world.position("checkout", "prod").clone();
    for reading in [judged(Finding::Ok), Reading::NoData] {
        assert!(!observe(&mut world, HOUR_MS - 1, &reading, Both::default()));
    }
    assert!(observe(
        &mut world,
        HOUR_MS,
        &Reading::NoData,
        Both::default()
    ));
    assert_eq!(ended(&world, &watch), (Phase::Ended, Cause::WatchOver));
    assert_eq!(*world.position("checkout", "prod"), before);
    assert_eq!(world.state.effects().count(), 0, "nobody is told of it");
    assert_eq!(unwatched(&world), [0; 0], "nor is there another one");
    assert_eq!(
        world.state.last_of(&key("checkout"), &key("prod")),
        None,
        "and it is nothing to roll back to"
    );
}

#[test]
fn only_openings_by_hand_are_watched_and_each_once() {
    let (mut world, opened) = opened();
    assert_eq!(unwatched(&world), [opened]);
    world.later(HOUR_MS + 1);
    assert_eq!(unwatched(&world), [0; 0], "that was too long ago");
    world.later(-HOUR_MS);
    world.by_system().done(start(opened));
    assert_eq!(unwatched(&world), [0; 0], "it is watched");
    assert!(
        matches!(
            world.by_system().ask(start(opened)),
            Ok(Decision::Unchanged { .. })
        ),
        "once"
    );
    world.by("ana").done(ramp("checkout", "prod", "5"));
    assert_eq!(unwatched(&world), [0; 0], "that was a closing");
    let seen = world.etag("checkout", "prod");
    let up = world
        .by("ana")
        .because("up")
        .seen(seen)
        .done(ramp("checkout", "prod", "50"));
    assert_eq!(unwatched(&world), [up]);
    let kill = world.kill("checkout", "prod");
    assert_eq!(unwatched(&world), [0; 0]);
    let back = world.by("ana").because("back").done(undo(kill));
    assert_eq!(
        unwatched(&world),
        [back],
        "taking a kill back opens as well"
    );
}

#[test]
fn what_the_node_or_a_drill_opened_is_not_watched() {
    let (mut world, opened) = opened();
    world.by_system().done(start(opened));
    let drill = Command::StartDrill {
        flag: key("checkout"),
        environment: key("prod"),
    };
    let drill = world.by("ana").because("practice").done(drill);
    assert!(running(&world).is_none(), "a drill ends a watch");
    let result = leverframe_core::drill::DrillResult {
        confirmed_ms: None,
        expected: 0,
        confirmed: 0,
        missing: Vec::new(),
    };
    let finish = Command::FinishDrill { drill, result };
    world.by_system().done(finish);
    assert!(!world.position("checkout", "prod").is_closed());
    assert_eq!(unwatched(&world), [0; 0]);
}

#[test]
fn who_declines_the_watch_is_not_watched_until_the_next_opening() {
    let mut world = World::with_flags(["checkout"]);
    let seen = world.etag("checkout", "prod");
    let command = Command::Unwatched {
        opening: Box::new(open("checkout", "prod", "5")),
    };
    world.by("ana").because("go").seen(seen).done(command);
    assert_eq!(
        *world.position("checkout", "prod"),
        leverframe_flags::Position::Open {
            exposure: exposure(&[], "5")
        }
    );
    assert_eq!(unwatched(&world), [0; 0]);
    assert!(world.refolded() == world.state);
    let next = world.open("checkout", "prod", "25");
    assert_eq!(unwatched(&world), [next]);
    let close = Command::Unwatched {
        opening: Box::new(close(["checkout"], "prod")),
    };
    world.by("ana").because("no").refused(close);
}

#[test]
fn a_watch_is_in_nobodys_way() {
    type Act = fn(&mut World);
    let acts: [(&str, Act); 4] = [
        ("open further", |world| {
            world.open("checkout", "prod", "50");
        }),
        ("lower", |world| {
            world.by("ana").done(ramp("checkout", "prod", "5"));
        }),
        ("kill", |world| {
            world.kill("checkout", "prod");
        }),
        ("edit", |world| {
            let edited = world.edit("checkout", |definition| {
                definition.salt = "other".into();
            });
            edited.unwrap();
        }),
    ];
    for (name, act) in acts {
        let (mut world, watch) = watched();
        act(&mut world);
        assert_eq!(ended(&world, &watch).0, Phase::Ended, "{name}");
        assert_eq!(world.state.effects().count(), 0, "{name}");
    }
}

#[test]
fn a_rollout_takes_the_place_of_a_watch_without_being_told_to() {
    let (mut world, watch) = watched();
    let seen = world.etag("checkout", "prod");
    let mut plan = leverframe_core::rollout::Plan::safe();
    plan.stages.drain(..3);
    let start = Command::StartRollout {
        flag: key("checkout"),
        environment: key("prod"),
        plan: PlanChoice::Inline(Box::new(plan)),
        terms: Terms::default(),
        survey: Box::new(Survey::default()),
    };
    world.by("ana").because("go").seen(seen).done(start);
    assert_eq!(ended(&world, &watch), (Phase::Ended, Cause::Replaced));
    let rollout = running(&world).unwrap();
    assert!(!rollout.is_watch);
    assert!(
        !rollout.before.is_closed(),
        "it goes back to what ana opened"
    );
    assert!(world.refolded() == world.state);
}

#[test]
fn a_watch_is_steered_by_nobody_but_taken_back_like_a_rollout() {
    let (mut world, watch) = watched();
    let steer = |steer| Command::SteerRollout {
        rollout: watch.clone(),
        steer,
        seen: None,
    };
    for what in [Steer::Pause, Steer::Skip, Steer::Advance] {
        let refused = world.by("ana").because("so").refused(steer(what));
        assert!(refused.to_string().contains("only watches"), "{refused}");
    }
    let rollback = Command::Rollback {
        flag: key("checkout"),
        environment: key("prod"),
    };
    world.by("oncall").done(rollback);
    assert!(is_latched(world.position("checkout", "prod")));
}
