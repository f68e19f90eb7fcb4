//! Folding: once, in the order of time, and again after a restart.

use leverframe_core::analysis::Tally;
use leverframe_core::rollout::{Cause, Histogram, Phase, Plan, Seen, Steer, Transition, steer};
use proptest::prelude::*;

use super::journey::{INTERVAL_MS, Journey, units};

/// The plan `safe` with shorter bakes, and every sort of measure.
fn plan() -> Plan {
    Plan {
        bake_ms: 6 * INTERVAL_MS,
        hold_ms_max: 30 * INTERVAL_MS,
        ..Plan::safe()
    }
}

fn seen() -> impl Strategy<Value = Seen> {
    let counts = (0u64..60, 0u64..600, 0u64..4, 0u64..6);
    prop_oneof![
        12 => counts.prop_map(|(exposed, held_back, bad, other)| {
            units((exposed, bad.min(exposed)), (held_back, other.min(held_back)))
        }),
        1 => (0u64..40, 0u64..40).prop_map(|(one, other)| Seen::Units {
            exposed: Tally { units: one, bad: one / 2 },
            held_back: Tally { units: other, bad: 0 },
            assigned: Tally { units: one, bad: 1 },
            late: (one, other / 2),
            arrivals: None,
            is_approximate: one % 2 == 0,
        }),
        1 => Just(Seen::NoData),
        1 => Just(Seen::Error { why: "503".into() }),
    ]
}

fn latency() -> impl Strategy<Value = Seen> {
    let histogram = || {
        prop::collection::vec((0usize..96, 0u64..80), 0..6).prop_map(|counts| {
            let mut histogram = Histogram::default();
            for (bucket, count) in counts {
                histogram.add(bucket, count);
            }
            histogram
        })
    };
    (histogram(), histogram()).prop_map(|(exposed, held_back)| Seen::Latency {
        exposed,
        held_back,
        assigned: Histogram::default(),
        late: (0, 0),
    })
}

/// What somebody does between two intervals.
#[derive(Debug, Clone)]
enum Doing {
    Nothing,
    Steer(Steer),
    Build,
}

fn doing() -> impl Strategy<Value = Doing> {
    prop_oneof![
        20 => Just(Doing::Nothing),
        2 => Just(Doing::Steer(Steer::Skip)),
        1 => Just(Doing::Steer(Steer::Pause)),
        1 => Just(Doing::Steer(Steer::Resume)),
        1 => Just(Doing::Build),
    ]
}

fn do_it(journey: &mut Journey, doing: &Doing) {
    let transition = match doing {
        Doing::Nothing => None,
        Doing::Steer(what) => steer(&journey.rollout, *what, None).ok(),
        Doing::Build => match &journey.rollout.phase {
            stage @ Phase::Stage { .. } => Some(Transition {
                to: stage.clone(),
                position: None,
                proved: None,
                cause: Cause::NewBuild {
                    build: format!("b{}", journey.rollout.moves.len()).into(),
                },
            }),
            _ => None,
        },
    };
    if let Some(transition) = transition {
        journey.make(&transition);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_folded_again_after_a_restart_is_what_was_folded_live(
        passing in prop::collection::vec((seen(), latency(), doing()), 1..80),
    ) {
        let mut journey = Journey::of(plan());
        for (errors, latency, doing) in passing {
            do_it(&mut journey, &doing);
            journey.pass(vec![("errors", errors), ("latency_p95", latency)]);
            if journey.rollout.is_over() {
                break;
            }
            prop_assert_eq!(journey.look(), journey.look_at(&journey.refolded()));
        }
    }

    #[test]
    fn what_is_repeated_or_comes_too_late_changes_nothing(
        passing in prop::collection::vec((seen(), latency()), 1..40),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let mut journey = Journey::of(plan());
        for (errors, latency) in passing {
            journey.pass(vec![("errors", errors), ("latency_p95", latency)]);
        }
        let mut ledger = journey.ledger.clone();
        for index in again {
            if !journey.stored.is_empty() {
                let (metric, measurement) = index.get(&journey.stored);
                ledger.take(metric, measurement);
            }
        }
        prop_assert_eq!(ledger, journey.ledger);
    }
}

#[test]
fn the_interval_in_which_the_lever_moved_and_what_settles_after_it_are_left_out() {
    let mut journey = Journey::of(plan());
    let seen = || vec![("errors", units((100, 1), (900, 9)))];
    // Begun at 3 s of an interval, which is left out; so is the one that begins before 13 s.
    for _ in 0..6 {
        journey.pass(seen());
    }
    let analysed = journey.look().sights.len();
    assert_eq!(analysed, 2);
    let wanted = journey.ledger.wanted();
    let errors = wanted.iter().find(|wanted| &*wanted.metric == "errors");
    let folded = errors.unwrap().from.ms_since(journey.rollout.started_at);
    assert_eq!((errors.unwrap().row.as_ref(), folded), ("errors", 37_000));
    let counted = |journey: &Journey| match &journey.look().sights[0].reading {
        leverframe_core::rollout::Reading::Judged { judgement, .. } => {
            judgement.stage.exposed.units
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(counted(&journey), 200);
}

#[test]
fn a_row_is_wanted_from_an_hour_before_the_start() {
    let journey = Journey::of(plan());
    let wanted = journey.ledger.wanted();
    let rows: Vec<_> = wanted.iter().map(|wanted| &*wanted.row).collect();
    assert_eq!(rows, ["errors", "latency"]);
    assert_eq!(
        journey.rollout.started_at.ms_since(wanted[0].from),
        3_600_000
    );
}
