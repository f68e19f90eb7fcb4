//! What goes wrong round a rollout: the store, the pager, the server itself, its sources, its clock, and
//! people who are faster. The line of the list of faults stands above each part.

mod world;

use std::time::Duration;

use leverframe_core::position::latch;
use leverframe_core::rollout::{
    Cause, Measure, Measurement, Metric, Part, Phase, Plan, Seen, Standing,
};
use leverframe_core::{Event, Timestamp};
use leverframe_node::Clock;
use leverframe_node::outcomes::{BROWSER, Origin};
use leverframe_store::memory::Failure;
use leverframe_store::{MemoryStore, Series, Store as _, StoredMeasurement};

use crate::bench::hello;
pub(crate) use world::plan;
use world::{Weather, World, prod};

/// So many of those exposed fail that it cannot be chance.
const BAD: Weather = Weather {
    exposed: 30,
    held_back: 0,
};

fn is_killed(world: &World) -> bool {
    let state = world.bench().node.state();
    latch(state.flag("checkout").unwrap().position("prod")).is_some()
}

/// How often its lever was opened further, by the journal.
fn openings(world: &World) -> usize {
    let entries = world.bench().node.reader().read(0, 10_000).unwrap();
    let events = entries.iter().flat_map(|entry| &entry.record.events);
    events
        .filter(|event| matches!(event, Event::PositionMoved { to, .. } if !to.is_closed()))
        .count()
}

// --- the rollback itself fails: retries, pages, says what to do by hand, never reports success ---

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_that_the_store_refuses_closes_pages_once_and_is_no_success_before_it_is_stored()
{
    let mut world = World::rolling(plan()).await;
    world
        .disk
        .faults()
        .fail_appends(Some(Failure::BeforeDurable));
    world.weather = BAD;
    world
        .until("a page", |world| {
            (!world.first.pages().is_empty()).then_some(())
        })
        .await;
    let brakes = world.bench().node.brakes();
    assert!(
        brakes.iter().any(|brake| brake.flags.contains("checkout")),
        "the lever is closed ahead of the journal: {brakes:?}"
    );
    let page = world.first.pages().remove(0);
    assert!(page.done.contains("NOT STORED"), "{page:?}");
    assert!(
        page.sentence.contains("fail"),
        "the verdict is in it: {page:?}"
    );
    let problems = world.problems().join("\n");
    assert!(problems.contains("NOT STORED"), "{problems}");
    let rollout = world.rollout();
    assert!(!rollout.is_over(), "nothing is a success yet: {rollout:?}");

    world.disk.faults().fail_appends(None);
    let rollout = world.until_over().await;
    assert!(is_killed(&world));
    world.until_settled().await;
    assert_eq!(rollout.phase, Phase::RolledBack, "{:?}", rollout.moves);
    let last = rollout.moves.last().unwrap();
    assert!(matches!(last.cause, Cause::Harm { .. }), "{last:?}");
    assert_eq!(world.first.pages().len(), 1, "{:?}", world.first.pages());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_does_not_wait_for_a_store_that_hangs_and_is_told_once() {
    let mut world = World::rolling(plan()).await;
    let hang = world.disk.faults().hang_appends();
    world.weather = BAD;
    world
        .until("a brake and a page", |world| {
            let is_out = !world.bench().node.brakes().is_empty();
            (is_out && !world.first.pages().is_empty()).then_some(())
        })
        .await;
    assert!(!world.rollout().is_over());
    drop(hang);
    let rollout = world.until_over().await;
    assert_eq!(rollout.phase, Phase::RolledBack, "{:?}", rollout.moves);
    assert!(is_killed(&world));
    world.until_settled().await;
    assert_eq!(world.first.pages().len(), 1, "{:?}", world.first.pages());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_write_that_fails_is_tried_again_and_nobody_hears_of_it() {
    let mut world = World::rolling(plan()).await;
    world.until_settled().await;
    world.disk.faults().fail_next_append(Failure::BeforeDurable);
    world.weather = BAD;
    let rollout = world.until_over().await;
    assert_eq!(rollout.phase, Phase::RolledBack, "{:?}", rollout.moves);
    assert!(world.bench().node.brakes().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_that_was_stored_though_the_disk_said_no_is_made_once() {
    let mut world = World::rolling(plan()).await;
    world.until_settled().await;
    world.disk.faults().fail_next_append(Failure::AfterDurable);
    world.weather = BAD;
    let rollout = world.until_over().await;
    assert_eq!(rollout.phase, Phase::RolledBack, "{:?}", rollout.moves);
    assert_eq!(rollout.moves.len(), 2, "{:?}", rollout.moves);
    world.until_settled().await;
    assert_eq!(world.first.pages().len(), 1, "{:?}", world.first.pages());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_measured_and_cannot_be_stored_takes_nothing_forward() {
    let mut world = World::rolling(plan()).await;
    world.until_at(1).await;
    world.disk.faults().fail_measurements(true);
    let revision = world.bench().node.state().revision();
    let since = world.bench().node.steady_now();
    world
        .until("some bakes", |world| {
            let node = &world.bench().node;
            (node.steady_now().ms_since(since) > 800).then_some(())
        })
        .await;
    let went = world.rollout().moves.last().unwrap().revision > revision + 1;
    assert!(!went, "{:?}", world.rollout().moves);
    world.disk.faults().fail_measurements(false);
    assert_eq!(world.until_over().await.phase, Phase::Done);
}

// --- pager down: the second channel, a banner ---

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pager_that_is_down_is_a_banner_and_the_second_channel_is_told() {
    let mut world = World::rolling(plan()).await;
    world.first.set_down(true);
    world.second.set_down(true);
    world.weather = BAD;
    world.until_over().await;
    let banner = world
        .until_with(
            "a banner",
            |_| (),
            |world| {
                let problems = world.problems();
                problems
                    .into_iter()
                    .find(|one| one.contains("nobody could be paged"))
            },
        )
        .await;
    assert!(banner.contains("the pager is down"), "{banner}");
    assert!(is_killed(&world), "the lever did not wait for a pager");
    world.second.set_down(false);
    world
        .until_with(
            "a page",
            |_| (),
            |world| (!world.second.pages().is_empty()).then_some(()),
        )
        .await;
    world
        .until_with(
            "no banner",
            |_| (),
            |world| {
                let problems = world.problems();
                (!problems
                    .iter()
                    .any(|one| one.contains("nobody could be paged")))
                .then_some(())
            },
        )
        .await;
    assert_eq!(world.first.pages().len() + world.second.pages().len(), 1);
}

// --- a human acts during an automatic step: the human wins; both are in the journal ---

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_while_a_step_forward_is_being_stored_stands_and_both_are_in_the_journal() {
    let mut world = World::rolling(plan()).await;
    world
        .until("some evidence", |world| {
            let look = world.bench().node.look(&world.rollout().id)?;
            (look.observation.analysed_ms > 80).then_some(())
        })
        .await;
    let hang = world.disk.faults().hang_appends();
    world
        .until("the step's turn", |world| {
            let look = world.bench().node.look(&world.rollout().id)?;
            (look.observation.analysed_ms > 400).then_some(())
        })
        .await;
    let killed = world.bench().kill("checkout", "prod").await.unwrap();
    assert!(killed.brake.is_some(), "it went out though the store hangs");
    drop(hang);
    let rollout = world.until_over().await;
    assert_eq!(rollout.phase, Phase::Ended, "{:?}", rollout.moves);
    let last = rollout.moves.last().unwrap();
    assert_eq!(last.cause, Cause::Killed);
    assert!(is_killed(&world));
    assert!(
        rollout.moves.iter().any(|made| made.cause == Cause::Proved),
        "the step that was under way is in the journal: {:?}",
        rollout.moves
    );
    let revision = world.bench().node.state().revision();
    let since = world.bench().node.steady_now();
    world
        .until("some ticks", |world| {
            (world.bench().node.steady_now().ms_since(since) > 300).then_some(())
        })
        .await;
    assert!(
        world.bench().node.state().revision() <= revision + 2,
        "settlements and no more"
    );
    assert!(is_killed(&world), "and stays killed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_while_the_rollback_cannot_be_stored_is_one_kill() {
    let mut world = World::rolling(plan()).await;
    world.disk.faults().fail_appends(Some(Failure::Full));
    world.weather = BAD;
    world
        .until("a brake", |world| {
            (!world.bench().node.brakes().is_empty()).then_some(())
        })
        .await;
    let killed = world.bench().kill("checkout", "prod").await.unwrap();
    assert!(!killed.stored);
    world.disk.faults().fail_appends(None);
    world.until_over().await;
    world
        .until_with(
            "no brake",
            |_| (),
            |world| world.bench().node.brakes().is_empty().then_some(()),
        )
        .await;
    assert!(is_killed(&world));
    assert_eq!(world.first.pages().len(), 1, "{:?}", world.first.pages());
}

// --- a deploy during a stage: the bake restarts ---

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deploy_during_a_stage_begins_its_bake_anew() {
    let mut world = World::rolling(Plan {
        bake_ms: 600,
        ..plan()
    })
    .await;
    world.bench().follow("prod", "shop-1");
    world
        .until("half a bake", |world| {
            let look = world.bench().node.look(&world.rollout().id)?;
            (look.observation.analysed_ms > 300).then_some(())
        })
        .await;
    let mut deployed = hello("shop-2");
    deployed.build = "b2".into();
    let feed = world.bench().feed("prod");
    feed.presence().join(deployed).unwrap();
    world.bench().acknowledge("prod", "shop-2", feed.revision());
    let at = world
        .until("the news", |world| {
            let rollout = world.rollout();
            let mut moves = rollout.moves.iter();
            moves
                .find(|made| matches!(&made.cause, Cause::NewBuild { build } if &**build == "shop b2"))
                .map(|made| made.at)
        })
        .await;
    let rollout = world
        .until("the next stage", |world| {
            Some(world.rollout()).filter(|rollout| rollout.proved == Some(0))
        })
        .await;
    let proved = rollout
        .moves
        .iter()
        .find(|made| made.cause == Cause::Proved)
        .unwrap();
    assert!(
        proved.at.ms_since(at) >= 600,
        "a whole bake of the new build: {:?}",
        rollout.moves
    );
    let news = rollout
        .moves
        .iter()
        .filter(|made| matches!(made.cause, Cause::NewBuild { .. }));
    assert_eq!(news.count(), 1);
}

// --- metrics ---

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_dies_holds_then_goes_back_and_never_forward() {
    let mut world = World::rolling(Plan {
        hold_ms_max: 900,
        ..plan()
    })
    .await;
    world.until_at(1).await;
    let openings_before = openings(&world);
    let rollout = world
        .until_with(
            "the way back",
            |_| (),
            |world| {
                let rollout = world.rollout();
                matches!(rollout.phase, Phase::Retreated { .. }).then_some(rollout)
            },
        )
        .await;
    let last = rollout.moves.last().unwrap();
    assert!(matches!(last.cause, Cause::Blind { .. }), "{last:?}");
    assert!(last.at.ms_since(rollout.moves[rollout.moves.len() - 2].at) > 0);
    assert_eq!(world.bench().position("checkout", "prod"), "open to 50 %");
    // What was on its way when the source died may have proved one stage more.
    assert!(
        openings(&world) <= openings_before + 2,
        "{:?}",
        rollout.moves
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_that_all_come_too_late_take_nothing_forward() {
    let mut world = World::rolling(Plan {
        hold_ms_max: 900,
        ..plan()
    })
    .await;
    let late = |world: &mut World| {
        let batch = world.batch(Origin::Evaluator, Weather::default(), 20);
        let outcomes = world.bench().node.outcomes();
        // Only what is closed is late; a loaded machine closes later.
        if batch
            .reports
            .iter()
            .all(|one| one.at < outcomes.settled_until())
        {
            assert_eq!(outcomes.take(&prod(), &batch).counted, 0);
        }
    };
    let rollout = world
        .until_with("the way back", late, |world| {
            let rollout = world.rollout();
            matches!(rollout.phase, Phase::Retreated { .. }).then_some(rollout)
        })
        .await;
    assert_eq!(openings(&world), 1, "the start: {:?}", rollout.moves);
    assert_eq!(rollout.proved, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_that_come_twice_and_out_of_order_count_once() {
    let mut world = World::rolling(Plan {
        bake_ms: 400,
        ..plan()
    })
    .await;
    let mut said = 0_u64;
    let mut held: Vec<_> = Vec::new();
    let came = |world: &mut World| {
        held.push(world.batch(Origin::Evaluator, Weather::default(), 0));
        if held.len() == 3 {
            for batch in held.iter().rev().chain(&held) {
                world.bench().node.outcomes().take(&prod(), batch);
            }
            said += 3 * 40;
            held.clear();
        }
    };
    let rollout = world
        .until_with("the next stage", came, |world| {
            Some(world.rollout()).filter(|rollout| rollout.proved == Some(0))
        })
        .await;
    let beside = MemoryStore::open(&world.disk).beside();
    let series = Series::new("prod", "checkout", "errors");
    let rows = beside
        .measurements(
            &series,
            Timestamp::from_ms(0),
            Timestamp::from_ms(i64::MAX),
            10_000,
        )
        .unwrap();
    let counted: u64 = rows
        .iter()
        .map(|row| match &row.measurement.seen {
            Seen::Units {
                exposed, held_back, ..
            } => exposed.units + held_back.units,
            _ => 0,
        })
        .sum();
    assert!(counted <= said, "{counted} of {said}: {:?}", rollout.moves);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_browser_outcomes_can_hold_and_neither_convict_nor_advance() {
    let metrics = [
        plan().metrics,
        vec![Metric {
            key: "page".into(),
            standing: Standing::Signals,
            measure: Measure::Outcomes {
                name: format!("{BROWSER}errors").into(),
            },
            ..plan().metrics[0].clone()
        }],
    ]
    .concat();
    let mut world = World::rolling(Plan { metrics, ..plan() }).await;
    let forged = |world: &mut World| {
        world.come();
        for _ in 0..4 {
            let batch = world.batch(Origin::Browser, BAD, 0);
            world.bench().node.outcomes().take(&prod(), &batch);
        }
    };
    let looks_bad = |world: &World| {
        let look = world.bench().node.look(&world.rollout().id)?;
        let sight = look
            .observation
            .sights
            .iter()
            .find(|sight| &*sight.metric == "page")?;
        sight.reading.is_bad().then_some(())
    };
    world
        .until_with("what is forged looks bad", forged, looks_bad)
        .await;
    let held = world
        .until_with("the bake is over", forged, |world| {
            let rollout = world.rollout();
            matches!(
                rollout.phase,
                Phase::Stage {
                    part: Part::Holding,
                    ..
                }
            )
            .then_some(rollout)
        })
        .await;
    assert!(!held.is_over());
    assert!(world.first.pages().is_empty());
    assert_eq!(openings(&world), 1, "{:?}", held.moves);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_arms_worse_after_a_step_goes_back_and_pages_and_convicts_nobody() {
    let mut world = World::rolling(Plan {
        bake_ms: 2_000,
        ..plan()
    })
    .await;
    world.until_at(1).await;
    world.weather = Weather {
        exposed: 60,
        held_back: 60,
    };
    let rollout = world
        .until("the way back", |world| {
            let rollout = world.rollout();
            matches!(rollout.phase, Phase::Retreated { .. }).then_some(rollout)
        })
        .await;
    let last = rollout.moves.last().unwrap();
    assert_eq!(last.cause, Cause::SharedHarm, "{last:?}");
    world
        .until("a page", |world| {
            (!world.first.pages().is_empty()).then_some(())
        })
        .await;
    assert_eq!(world.bench().position("checkout", "prod"), "open to 50 %");
}

// --- the server is away: no stage passes that was not analysed, none is taken back blindly ---

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_long_absence_a_blind_stage_is_looked_at_for_a_bake_before_it_is_taken_back() {
    let mut world = World::rolling(Plan {
        bake_ms: 700,
        hold_ms_max: 700,
        ..plan()
    })
    .await;
    world.kill_node().await;
    away_for(Duration::from_millis(900)).await;
    world.start_node().await;
    let back_at = world.bench().node.steady_now();
    let rollout = world
        .until_with(
            "the way back",
            |_| (),
            |world| {
                let rollout = world.rollout();
                matches!(rollout.phase, Phase::Retreated { .. }).then_some(rollout)
            },
        )
        .await;
    let last = rollout.moves.last().unwrap();
    assert!(matches!(last.cause, Cause::Blind { .. }), "{last:?}");
    assert!(
        last.at.ms_since(back_at) >= 700 - 20,
        "it looked for a bake first: {} ms",
        last.at.ms_since(back_at)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_long_absence_a_good_release_goes_on_where_it_stood() {
    let mut world = World::rolling(Plan {
        bake_ms: 1_500,
        hold_ms_max: 1_500,
        ..plan()
    })
    .await;
    world.kill_node().await;
    away_for(Duration::from_millis(1_700)).await;
    world.start_node().await;
    let back_at = world.bench().node.steady_now();
    let made = world
        .until("a move", |world| {
            let rollout = world.rollout();
            rollout.moves.get(1).cloned()
        })
        .await;
    assert!(made.at.ms_since(back_at) >= 1_480, "{made:?}");
    assert!(
        matches!(
            made.cause,
            Cause::Proved | Cause::NotProved { .. } | Cause::Inconclusive
        ),
        "by what it saw: {made:?}"
    );
}

/// The server is not there for so long.
async fn away_for(time: Duration) {
    tokio::time::sleep(time).await;
}

// --- wall clock ±10 y: no step early or skipped; intervals are monotonic ---

#[test]
fn the_steady_clock_never_falls_behind_what_was_timed_before() {
    let clock = Clock::start();
    let ten_years = clock.steady().plus_ms(10 * 365 * 86_400_000);
    let ahead = clock.clone().not_before(ten_years);
    assert!(ahead.steady() >= ten_years);
    assert!(ahead.wall() < ten_years, "dates are told as they are");
    let same = clock.clone().not_before(Timestamp::from_ms(0));
    assert!(same.steady().ms_since(clock.steady()) < 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wall_clock_set_back_over_a_restart_neither_blinds_nor_hastens_a_rollout() {
    let mut world = World::rolling(plan()).await;
    world.until_at(1).await;
    world.kill_node().await;
    // Since then the wall clock was set ten years back: what was measured lies in the future.
    let future = Clock::start().wall().plus_ms(10 * 365 * 86_400_000);
    let row = StoredMeasurement {
        series: Series::new("prod", "other", "errors"),
        measurement: Measurement {
            at: future,
            length_ms: 40,
            lever_revision: 1,
            seen: Seen::NoData,
        },
        private: None,
    };
    let beside = MemoryStore::open(&world.disk).beside();
    beside.save_measurements(&[row]).unwrap();
    world.start_node().await;
    assert!(world.bench().node.steady_now() > future);
    let rollout = world.until_over().await;
    assert_eq!(rollout.phase, Phase::Done, "{:?}", rollout.moves);
    let stages: Vec<_> = rollout
        .moves
        .iter()
        .filter(|made| made.cause == Cause::Proved)
        .collect();
    assert_eq!(stages.len(), 3, "each once: {:?}", rollout.moves);
    let mut times = rollout.moves.iter().map(|made| made.at);
    assert!(
        times
            .clone()
            .zip(times.by_ref().skip(1))
            .all(|(one, next)| one <= next)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_release_is_still_caught_after_the_wall_clock_was_set_back() {
    let mut world = World::rolling(plan()).await;
    world.until_at(1).await;
    world.kill_node().await;
    let future = Clock::start().wall().plus_ms(3_600_000);
    let row = StoredMeasurement {
        series: Series::new("prod", "checkout", "errors"),
        measurement: Measurement {
            at: future,
            length_ms: 40,
            lever_revision: 1,
            seen: Seen::NoData,
        },
        private: None,
    };
    MemoryStore::open(&world.disk)
        .beside()
        .save_measurements(&[row])
        .unwrap();
    world.start_node().await;
    world.weather = BAD;
    let rollout = world.until_over().await;
    assert_eq!(rollout.phase, Phase::RolledBack, "{:?}", rollout.moves);
    let last = rollout.moves.last().unwrap();
    assert!(matches!(last.cause, Cause::Harm { .. }), "{last:?}");
}
