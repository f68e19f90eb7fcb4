//! What a rollout does on what is seen of it, tick by tick.

use std::collections::BTreeSet;

use leverframe_core::Timestamp;
use leverframe_core::analysis::{Counts, EValue, Finding, Judgement, Share};
use leverframe_core::position::is_opening;
use leverframe_core::rollout::{
    Both, Cause, Detail, Inconclusive, Measure, Metric, Observation, OnBad, Part, Phase, Plan,
    Reading, Rollout, Sight, Stage, Standing, Target, Transition, step,
};
use leverframe_flags::{Exposure, Percentage, Position};
use proptest::prelude::*;

const BAKE: i64 = 600_000;
const HOLD: i64 = 3_600_000;

fn percent(whole: u32) -> Percentage {
    Percentage::from_thousandths(whole * 1_000).unwrap()
}

fn stage(whole: u32) -> Stage {
    Stage {
        to: Target::Share {
            percentage: percent(whole),
        },
        bake_ms: None,
        hold_ms_max: None,
        margin: None,
    }
}

fn metric(key: &str, standing: Standing) -> Metric {
    Metric {
        key: key.into(),
        standing,
        tolerance: 1.2,
        tolerable: 0.001,
        ceiling: None,
        measure: Measure::Outcomes { name: key.into() },
    }
}

fn plan() -> Plan {
    Plan {
        key: "safe".into(),
        stages: [1, 5, 25, 50, 100].map(stage).into(),
        bake_ms: BAKE,
        hold_ms_max: HOLD,
        metrics: vec![
            metric("errors", Standing::Convicts),
            metric("latency_p95", Standing::Convicts),
            metric("queue", Standing::Signals),
        ],
        on_bad: OnBad::Close,
        inconclusive: Inconclusive::Ask,
        hold_back: percent(1),
        warm_ms: HOLD,
        settle_ms: 0,
        notify: Vec::new(),
        page: Vec::new(),
    }
}

fn rollout(phase: Phase, proved: Option<usize>) -> Rollout {
    Rollout {
        id: "ro_1".into(),
        flag: "checkout".parse().unwrap(),
        environment: "prod".parse().unwrap(),
        plan: plan().into(),
        before: Position::start(),
        lever_revision: 7,
        phase,
        since: Timestamp::from_ms(0),
        proved,
        started_by: "ana".into(),
        started_by_id: "tok_1".into(),
        reason: None,
        baselines: Vec::new(),
        builds: BTreeSet::new(),
        is_watch: false,
        moves: Vec::new(),
        started_at: Timestamp::from_ms(0),
    }
}

fn at(index: usize) -> Rollout {
    let phase = Phase::Stage {
        index,
        part: Part::Baking,
    };
    rollout(phase, index.checked_sub(1))
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

fn seen(analysed_ms: i64, readings: [Reading; 3]) -> Observation {
    let keys = ["errors", "latency_p95", "queue"];
    Observation {
        now: Timestamp::from_ms(analysed_ms),
        looked_since: Timestamp::from_ms(0),
        move_revision: 7,
        lever_revision: 7,
        is_frozen: false,
        analysed_ms,
        sights: keys
            .into_iter()
            .zip(readings)
            .map(|(metric, reading)| Sight {
                metric: metric.into(),
                reading,
            })
            .collect(),
        share: Share::AsMeant,
        new_build: None,
        both: Both::default(),
        users_hit: 0,
    }
}

fn all(analysed_ms: i64, finding: Finding) -> Observation {
    seen(analysed_ms, [(); 3].map(|()| judged(finding)))
}

fn open(whole: u32) -> Option<Position> {
    Some(Position::Open {
        exposure: Exposure::of(percent(whole)),
    })
}

#[test]
fn a_stage_that_is_baked_and_proved_goes_on() {
    assert_eq!(step(&at(1), &all(BAKE - 1, Finding::Ok)), None);
    let next = step(&at(1), &all(BAKE, Finding::Ok)).unwrap();
    assert_eq!(next.position, open(25));
    assert_eq!(next.proved, Some(1));
    assert_eq!(next.cause, Cause::Proved);
}

#[test]
fn the_last_stage_leaves_some_held_back_until_the_way_back_has_cooled() {
    let warm = step(&at(4), &all(BAKE, Finding::Ok)).unwrap();
    assert_eq!((warm.to, warm.position), (Phase::Warm, open(99)));
    let mut observation = all(HOLD - 1, Finding::Ok);
    assert_eq!(step(&rollout(Phase::Warm, Some(4)), &observation), None);
    observation.now = Timestamp::from_ms(HOLD);
    let done = step(&rollout(Phase::Warm, Some(4)), &observation).unwrap();
    assert_eq!((done.to, done.position), (Phase::Done, open(100)));
}

#[test]
fn a_stage_that_is_not_proved_holds_and_then_asks() {
    let holding = step(&at(1), &all(BAKE, Finding::Learning)).unwrap();
    let phase = |part| Phase::Stage { index: 1, part };
    assert_eq!(holding.to, phase(Part::Holding));
    assert_eq!(holding.position, None);
    let asking = step(
        &rollout(phase(Part::Holding), Some(0)),
        &all(HOLD, Finding::Learning),
    );
    assert_eq!(asking.unwrap().to, phase(Part::Asking));
    let still = step(
        &rollout(phase(Part::Asking), Some(0)),
        &all(10 * HOLD, Finding::Learning),
    );
    assert_eq!(still, None);
}

#[test]
fn a_signal_may_hold_but_never_convicts_nor_has_to_be_proved() {
    let with = |finding| {
        let observation = seen(
            BAKE,
            [judged(Finding::Ok), judged(Finding::Ok), judged(finding)],
        );
        step(&at(1), &observation).unwrap()
    };
    assert_eq!(with(Finding::Learning).position, open(25));
    assert_eq!(
        with(Finding::Bad).cause,
        Cause::NotProved {
            metrics: vec!["queue".into()]
        }
    );
}

#[test]
fn both_arms_worse_takes_one_step_back_and_convicts_nobody() {
    let mut observation = all(60_000, Finding::Learning);
    observation.both.is_worse = true;
    let back = step(&at(2), &observation).unwrap();
    assert_eq!(back.position, open(5));
    assert_eq!(back.cause, Cause::SharedHarm);
    let none = step(&rollout(at(0).phase, None), &observation).unwrap();
    assert_eq!(none.position, Some(Position::start()));
}

#[test]
fn a_source_that_dies_holds_and_in_the_end_takes_back_what_was_not_proved() {
    let dead = |ms| {
        seen(
            ms,
            [judged(Finding::Ok), Reading::NoData, judged(Finding::Ok)],
        )
    };
    assert_eq!(step(&at(2), &dead(BAKE)), None);
    let back = step(&at(2), &dead(HOLD)).unwrap();
    assert_eq!(back.position, open(5));
    assert!(matches!(back.cause, Cause::Blind { .. }));
}

#[test]
fn time_in_which_nobody_looked_takes_nothing_back_and_ends_no_watch() {
    let away = |looked_ms| {
        let mut seen = seen(
            3 * HOLD,
            [judged(Finding::Ok), Reading::NoData, judged(Finding::Ok)],
        );
        seen.analysed_ms = 0;
        seen.looked_since = Timestamp::from_ms(3 * HOLD - looked_ms);
        seen
    };
    assert_eq!(step(&at(2), &away(BAKE - 1)), None, "blind, and just back");
    let back = step(&at(2), &away(BAKE)).unwrap();
    assert!(matches!(back.cause, Cause::Blind { .. }));

    let mut look = at(1);
    std::sync::Arc::make_mut(&mut look.plan).stages[1].to = Target::Look {
        by: "eva".into(),
        links: Vec::new(),
    };
    assert_eq!(step(&look, &away(BAKE - 1)), None, "nobody could say ok");
    let expired = step(&look, &away(BAKE)).unwrap();
    assert_eq!(expired.cause, Cause::LookExpired);

    let mut watch = at(0);
    watch.is_watch = true;
    assert_eq!(step(&watch, &away(BAKE - 1)), None, "nothing was watched");
    assert_eq!(step(&watch, &away(BAKE)).unwrap().cause, Cause::WatchOver);

    let mut warm = at(4);
    warm.phase = Phase::Warm;
    let mut seen = away(BAKE - 1);
    seen.sights = all(0, Finding::Ok).sights;
    assert_eq!(step(&warm, &seen), None, "the last ones wait, too");
    seen.looked_since = Timestamp::from_ms(3 * HOLD - BAKE);
    assert_eq!(step(&warm, &seen).unwrap().cause, Cause::Cooled);
}

#[test]
fn nobody_who_looks_in_time_takes_back_what_was_to_be_looked_at() {
    let mut rollout = at(1);
    std::sync::Arc::make_mut(&mut rollout.plan).stages[1].to = Target::Look {
        by: "eva".into(),
        links: Vec::new(),
    };
    assert_eq!(step(&rollout, &all(HOLD - 1, Finding::Ok)), None);
    let end = step(&rollout, &all(HOLD, Finding::Ok)).unwrap();
    assert_eq!(
        (end.position, end.cause),
        (Some(Position::start()), Cause::LookExpired)
    );
}

#[test]
fn cohorts_stay_in_when_percentages_come() {
    let mut plan = plan();
    let cohorts = BTreeSet::from(["staff".parse().unwrap()]);
    plan.stages[0].to = Target::Cohorts {
        cohorts: cohorts.clone(),
    };
    assert_eq!(plan.check(), Ok(()));
    let exposure = plan.exposure(1);
    assert_eq!(
        (exposure.cohorts, exposure.percentage),
        (cohorts, percent(5))
    );
}

#[test]
fn what_is_wrong_with_a_plan_is_named() {
    let wrong = |change: fn(&mut Plan)| {
        let mut plan = plan();
        change(&mut plan);
        plan.check().unwrap_err().to_string()
    };
    type Case = (fn(&mut Plan), &'static str);
    let cases: [Case; 9] = [
        (|plan| plan.stages.clear(), "stages: "),
        (
            |plan| plan.stages.swap(1, 2),
            "stages[2]: 5 % does not come",
        ),
        (
            |plan| plan.stages.push(stage(100)),
            "stages[5]: 100 % does not",
        ),
        (|plan| plan.stages[0] = stage(0), "stages[0]: 0 %"),
        (|plan| plan.bake_ms = -1, "stages[0].bake: "),
        (|plan| plan.hold_ms_max = BAKE - 1, "stages[0].max_hold: "),
        (|plan| plan.metrics.clear(), "metrics: "),
        (
            |plan| plan.metrics[1].key = "errors".into(),
            "metrics.errors: it is named twice",
        ),
        (
            |plan| plan.metrics[0].tolerance = f64::NAN,
            "metrics.errors: a tolerance",
        ),
    ];
    for (change, beginning) in cases {
        let found = wrong(change);
        assert!(found.starts_with(beginning), "{found}");
    }
}

fn reading() -> impl Strategy<Value = Reading> {
    prop_oneof![
        Just(judged(Finding::Ok)),
        Just(judged(Finding::Learning)),
        Just(judged(Finding::Bad)),
        Just(Reading::NoData),
        Just(Reading::Error { why: "503".into() }),
        Just(Reading::Untrusted { why: "late".into() }),
    ]
}

fn both() -> impl Strategy<Value = Both> {
    let odd = || prop::bool::weighted(0.1);
    (odd(), odd(), odd(), any::<bool>(), any::<bool>()).prop_map(
        |(is_worse, is_outage, is_burning, is_step_recent, is_clean)| Both {
            is_worse,
            is_outage,
            is_burning,
            is_step_recent,
            is_clean,
            outlasts_retreat: Some(is_clean),
        },
    )
}

fn observation() -> impl Strategy<Value = Observation> {
    let readings = [reading().boxed(), reading().boxed(), reading().boxed()];
    let share = prop_oneof![
        8 => Just(Share::AsMeant), 1 => Just(Share::TooFew), 1 => Just(Share::TooMany)
    ];
    (
        0..2 * HOLD,
        0..2 * HOLD,
        readings,
        any::<bool>(),
        both(),
        share,
    )
        .prop_map(
            |(now, analysed, readings, is_frozen, both, share)| Observation {
                now: Timestamp::from_ms(now),
                is_frozen,
                both,
                share,
                ..seen(analysed, readings)
            },
        )
}

fn phase() -> impl Strategy<Value = (Phase, Option<usize>)> {
    let part = prop_oneof![Just(Part::Baking), Just(Part::Holding), Just(Part::Asking)];
    prop_oneof![
        4 => (0usize..5, part).prop_map(|(index, part)| {
            (Phase::Stage { index, part }, index.checked_sub(1))
        }),
        1 => (1usize..5).prop_map(|from| {
            (Phase::Retreated { from, to: Some(from - 1) }, Some(from - 1))
        }),
        1 => Just((Phase::Warm, Some(4))),
        1 => (0usize..5).prop_map(|index| {
            let at = Phase::Stage { index, part: Part::Baking };
            (Phase::Paused { at: Box::new(at) }, index.checked_sub(1))
        }),
    ]
}

/// Where the lever stands while the rollout is in this phase.
fn stands(rollout: &Rollout) -> Position {
    let exposure = match &rollout.phase {
        Phase::Stage { index, .. }
        | Phase::Retreated {
            to: Some(index), ..
        } => rollout.exposure(*index),
        Phase::Warm => Exposure::of(percent(99)),
        Phase::Paused { at } => {
            return stands(&Rollout {
                phase: (**at).clone(),
                ..rollout.clone()
            });
        }
        _ => return rollout.before.clone(),
    };
    Position::Open { exposure }
}

fn goes_forward(rollout: &Rollout, transition: &Transition) -> bool {
    let closed = "off".parse().unwrap();
    transition
        .position
        .as_ref()
        .is_some_and(|to| is_opening(&stands(rollout), to, &closed))
}

proptest! {
    #[test]
    fn nothing_goes_forward_on_bad_missing_or_stopped_evidence(
        (phase, proved) in phase(), observation in observation(),
    ) {
        let rollout = rollout(phase, proved);
        let Some(transition) = step(&rollout, &observation) else { return Ok(()) };
        if goes_forward(&rollout, &transition) {
            prop_assert!(!observation.is_frozen && !observation.both.is_harmed());
            let is_paused = matches!(rollout.phase, Phase::Paused { .. });
            prop_assert!(!is_paused);
            for sight in &observation.sights {
                let is_judged = matches!(sight.reading, Reading::Judged { .. });
                prop_assert!(is_judged);
            }
        }
    }

    #[test]
    fn harm_takes_the_lever_back_from_anywhere(
        (phase, proved) in phase(), mut observation in observation(),
    ) {
        observation.sights[0].reading = judged(Finding::Bad);
        let transition = step(&rollout(phase, proved), &observation).unwrap();
        prop_assert_eq!(transition.to, Phase::RolledBack);
        prop_assert_eq!(transition.position, Some(Position::start()));
    }

    #[test]
    fn a_lever_that_somebody_moved_is_left_alone(
        (phase, proved) in phase(), mut observation in observation(),
    ) {
        observation.lever_revision = 8;
        let transition = step(&rollout(phase, proved), &observation).unwrap();
        prop_assert_eq!((transition.position, transition.cause), (None, Cause::MovedByHand));
    }

    #[test]
    fn a_tick_that_changed_something_changes_nothing_when_it_comes_again(
        (phase, proved) in phase(), observation in observation(),
    ) {
        let before = rollout(phase, proved);
        let Some(transition) = step(&before, &observation) else { return Ok(()) };
        let after = Rollout {
            phase: transition.to,
            since: observation.now,
            proved: transition.proved.or(before.proved),
            ..before
        };
        let fresh = Observation { analysed_ms: 0, both: Both::default(), ..observation };
        let again = step(&after, &fresh);
        let goes_on = again.is_some_and(|again| goes_forward(&after, &again));
        prop_assert!(!goes_on);
    }
}
