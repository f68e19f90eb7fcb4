//! What charts show is what was decided by.

use leverframe_core::rollout::{Measurement, Plan, Reading, Seen, course};
use proptest::prelude::*;

use super::journey::{INTERVAL_MS, Journey, units};

/// Everything that was stored of the errors.
fn rows(journey: &Journey) -> Vec<Measurement> {
    let errors = journey.stored.iter().filter(|(row, _)| &**row == "errors");
    errors.map(|(_, row)| row.clone()).collect()
}

proptest! {
    #[test]
    fn the_last_step_is_what_the_decision_rests_on(
        looks in prop::collection::vec((1u64..60, 1u64..600, 0u64..2, 0u64..4), 8..60),
    ) {
        let plan = Plan { bake_ms: 6 * INTERVAL_MS, hold_ms_max: 30 * INTERVAL_MS, ..Plan::safe() };
        let mut journey = Journey::of(plan);
        for (exposed, held_back, bad, other) in looks {
            let seen = units((exposed, bad.min(exposed)), (held_back, other.min(held_back)));
            journey.pass(vec![("errors", seen)]);
            let rows = rows(&journey);
            let course = course(&journey.rollout, "errors", &rows).unwrap();
            prop_assert_eq!(course.steps.len(), rows.len());
            let look = journey.look();
            let sight = look.sights.iter().find(|sight| &*sight.metric == "errors").unwrap();
            let (Some(last), Reading::Judged { judgement, detail }) =
                (course.steps.last(), &sight.reading)
            else {
                continue;
            };
            // After a step back to nobody the decision is about nobody; the interval was before it.
            if !detail.is_alone {
                prop_assert_eq!(last.so_far, judgement.total);
            }
        }
    }
}

#[test]
fn what_settles_and_what_cannot_be_read_is_no_part_of_it() {
    let mut journey = Journey::of(Plan::safe());
    journey.pass(vec![("errors", units((10, 1), (100, 1)))]);
    for _ in 0..3 {
        journey.pass(vec![("errors", units((10, 1), (100, 1)))]);
    }
    for _ in 0..3 {
        journey.pass(vec![("errors", Seen::NoData)]);
    }
    let course = course(&journey.rollout, "errors", &rows(&journey)).unwrap();
    let first = course.steps.first().unwrap();
    assert!(!first.is_counted, "the lever moved in it");
    assert_eq!(first.so_far.exposed.units, 0);
    let ratio = course.ratio.unwrap();
    assert!(ratio.low < ratio.high, "{ratio:?}");
    assert!(leverframe_core::rollout::course(&journey.rollout, "nothing", &[]).is_none());
}
