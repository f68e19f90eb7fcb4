//! What a rollout does on what its ledger has folded.

use leverframe_core::analysis::{Share, Tally};
use leverframe_core::rollout::{Cause, Measure, Phase, Plan, Reading, Seen, Standing};

use super::journey::{Journey, units};

/// Errors alone.
fn plan() -> Plan {
    let mut plan = Plan::safe();
    plan.metrics.truncate(1);
    plan
}

/// 500 units in an interval, and one in a hundred of both arms bad but for what is said.
fn even(journey: &Journey, times: f64, both: f64) -> Seen {
    let exposed = (500.0 * journey.share()).round() as u64;
    let held_back = 500 - exposed;
    let bad = |units: u64, rate: f64| (units as f64 * rate).round() as u64;
    units(
        (exposed, bad(exposed, 0.01 * times * both).min(exposed)),
        (held_back, bad(held_back, 0.01 * both).min(held_back)),
    )
}

/// The cause of the first transition within so many intervals.
fn until(
    journey: &mut Journey,
    intervals: usize,
    seen: impl Fn(&Journey) -> Seen,
) -> Option<(usize, Cause)> {
    (0..intervals).find_map(|interval| {
        let seen = seen(journey);
        Some((interval, journey.pass(vec![("errors", seen)])?.cause))
    })
}

#[test]
fn a_canary_that_fails_nearly_always_is_taken_back_though_it_has_not_settled() {
    let mut plan = plan();
    plan.settle_ms = 300_000;
    let mut journey = Journey::of(plan);
    let (interval, cause) = until(&mut journey, 30, |_| units((10, 8), (490, 5))).unwrap();
    assert!(matches!(cause, Cause::Harm { .. }), "{cause:?}");
    assert!(interval <= 4, "{interval}");
    assert_eq!(journey.rollout.phase, Phase::RolledBack);
}

#[test]
fn a_clean_service_advances_and_ends_open() {
    let mut journey = Journey::of(plan());
    for _ in 0..2_000 {
        let seen = even(&journey, 0.0, 0.0);
        journey.pass(vec![("errors", seen)]);
    }
    let causes: Vec<_> = journey
        .rollout
        .moves
        .iter()
        .map(|made| &made.cause)
        .collect();
    assert_eq!(journey.rollout.phase, Phase::Done, "{causes:?}");
    assert!(!causes.contains(&&Cause::Inconclusive), "{causes:?}");
}

#[test]
fn those_who_are_missing_take_the_step_back() {
    let mut journey = Journey::of(plan());
    let found = until(&mut journey, 60, |_| units((0, 0), (500, 5)));
    assert_eq!(found.unwrap().1, Cause::MissingUnits);
    assert_eq!(
        journey.look().share,
        Share::AsMeant,
        "of the retreat nothing is known yet"
    );
}

#[test]
fn a_canary_that_falls_silent_takes_the_step_back() {
    let mut plan = plan();
    plan.stages.remove(0);
    let mut journey = Journey::of(plan);
    // The same people all the time: nobody arrives after the first interval.
    let again = |exposed| Seen::Units {
        exposed: Tally {
            units: exposed,
            bad: 0,
        },
        held_back: Tally { units: 475, bad: 0 },
        assigned: Default::default(),
        late: (0, 0),
        arrivals: Some(Default::default()),
        is_approximate: false,
    };
    assert_eq!(until(&mut journey, 20, |_| again(25)), None);
    let (interval, cause) = until(&mut journey, 20, |_| again(0)).unwrap();
    assert_eq!(cause, Cause::MissingUnits);
    assert!(interval <= 5, "{interval}");
}

#[test]
fn an_outage_after_a_step_takes_it_back_and_goes_on_when_it_outlasts_that() {
    let mut journey = Journey::of(plan());
    while journey.rollout.moves.len() < 2 {
        let seen = even(&journey, 1.0, 1.0);
        journey.pass(vec![("errors", seen)]);
    }
    let (interval, cause) = until(&mut journey, 30, |now| even(now, 1.0, 20.0)).unwrap();
    assert_eq!(cause, Cause::SharedHarm);
    assert!(interval <= 12, "{interval}");
    assert!(matches!(
        journey.rollout.phase,
        Phase::Retreated {
            from: 1,
            to: Some(0)
        }
    ));
    // It goes on for a whole bake, and so the step is not to blame.
    assert_eq!(until(&mut journey, 60, |now| even(now, 1.0, 20.0)), None);
    let (interval, cause) = until(&mut journey, 200, |now| even(now, 1.0, 1.0)).unwrap();
    assert_eq!(cause, Cause::Recovered);
    assert!(interval >= 50, "{interval}");
}

#[test]
fn an_outage_that_ends_with_the_retreat_waits_for_a_person() {
    let mut journey = Journey::of(plan());
    while journey.rollout.moves.len() < 2 {
        let seen = even(&journey, 1.0, 1.0);
        journey.pass(vec![("errors", seen)]);
    }
    until(&mut journey, 30, |now| even(now, 1.0, 20.0)).unwrap();
    assert_eq!(until(&mut journey, 600, |now| even(now, 1.0, 1.0)), None);
    assert_eq!(journey.look().both.outlasts_retreat, Some(false));
}

#[test]
fn an_outage_long_after_the_step_stops_where_it_stands() {
    let mut plan = plan();
    plan.stages.drain(..2);
    let mut journey = Journey::of(plan);
    journey.is_frozen = true;
    assert_eq!(until(&mut journey, 120, |now| even(now, 1.0, 1.0)), None);
    let (_, cause) = until(&mut journey, 30, |now| even(now, 1.0, 40.0)).unwrap();
    assert_eq!(cause, Cause::Outage);
    assert!(matches!(journey.rollout.phase, Phase::Paused { .. }));
}

#[test]
fn late_reports_are_not_trusted() {
    let mut journey = Journey::of(plan());
    let late = |late: (u64, u64)| Seen::Units {
        exposed: Tally { units: 5, bad: 0 },
        held_back: Tally { units: 495, bad: 0 },
        assigned: Default::default(),
        late,
        arrivals: None,
        is_approximate: false,
    };
    for _ in 0..20 {
        journey.pass(vec![("errors", late((1, 40)))]);
    }
    let reading = journey.look().sights.remove(0).reading;
    assert!(matches!(reading, Reading::Untrusted { .. }), "{reading:?}");
}

#[test]
fn a_source_that_falls_silent_is_no_data_and_never_forward() {
    let mut journey = Journey::of(plan());
    for _ in 0..50 {
        let seen = even(&journey, 1.0, 1.0);
        journey.pass(vec![("errors", seen)]);
    }
    for _ in 0..30 {
        assert_eq!(journey.pass(Vec::new()), None);
    }
    assert_eq!(journey.look().sights[0].reading, Reading::NoData);
    let mut last = None;
    for _ in 0..1_000 {
        last = journey.pass(Vec::new()).or(last);
    }
    assert!(matches!(last.unwrap().cause, Cause::Blind { .. }));
}

#[test]
fn a_gauge_on_the_wrong_side_so_often_in_a_row_takes_it_back() {
    let mut plan = plan();
    plan.metrics.push(leverframe_core::rollout::Metric {
        key: "cpu".into(),
        measure: Measure::Gauge {
            source: "prom".into(),
            query: "cpu".into(),
            limit: 0.9,
            above: false,
            in_a_row: 3,
        },
        ..plan.metrics[0].clone()
    });
    let mut journey = Journey::of(plan);
    let values = [0.5, 0.95, 0.95, 0.5, 0.95, f64::NAN, 0.95, 0.95, 0.5, 0.5];
    let mut found = None;
    for (index, value) in values.into_iter().enumerate() {
        let seen = even(&journey, 1.0, 1.0);
        let transition = journey.pass(vec![("errors", seen), ("cpu", Seen::Gauge { value })]);
        found = found.or(transition.map(|transition| (index, transition.cause)));
    }
    let limit = Cause::Limit {
        metrics: vec!["cpu".into()],
    };
    assert_eq!(found, Some((9, limit)));
}

#[test]
fn what_browsers_say_can_hold_and_no_more() {
    let mut plan = plan();
    plan.metrics.push(leverframe_core::rollout::Metric {
        key: "browser".into(),
        standing: Standing::Signals,
        measure: Measure::Outcomes {
            name: "browser".into(),
        },
        ..plan.metrics[0].clone()
    });
    let mut journey = Journey::of(plan);
    let mut causes = Vec::new();
    for _ in 0..1_000 {
        let seen = even(&journey, 1.0, 1.0);
        let forged = units((500, 499), (500, 0));
        let transition = journey.pass(vec![("errors", seen), ("browser", forged)]);
        causes.extend(transition.map(|transition| transition.cause));
    }
    let held = Cause::NotProved {
        metrics: vec!["browser".into()],
    };
    assert_eq!(causes, [held, Cause::Inconclusive]);
    assert_eq!(journey.look().users_hit, 0);
}

#[test]
fn what_was_opened_to_everybody_is_closed_when_nearly_everybody_fails() {
    let mut plan = Plan::watch(leverframe_flags::Percentage::FULL);
    plan.metrics.truncate(1);
    let mut journey = Journey::of(plan);
    journey.rollout.is_watch = true;
    // Where nobody is held back, nobody is exposed by chance either.
    let everybody = |bad: u64| Seen::Units {
        exposed: Tally::default(),
        held_back: Tally::default(),
        assigned: Tally { units: 500, bad },
        late: (0, 0),
        arrivals: None,
        is_approximate: false,
    };
    assert_eq!(until(&mut journey, 5, |_| everybody(5)), None);
    let (_, cause) = until(&mut journey, 10, |_| everybody(450)).unwrap();
    assert!(matches!(cause, Cause::Harm { .. }), "{cause:?}");
    assert!(journey.rollout.is_over());
}

#[test]
fn an_interval_in_which_nobody_came_is_no_part_of_a_bake() {
    let mut journey = Journey::of(plan());
    let mut moved = None;
    for index in 0..60 {
        let seen = match index % 10 {
            0 => even(&journey, 0.0, 0.0),
            _ => units((0, 0), (0, 0)),
        };
        moved = moved.or(journey.pass(vec![("errors", seen)]));
    }
    assert!(moved.is_none(), "{moved:?}");
}
