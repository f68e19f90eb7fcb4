//! What people are told.

use leverframe_core::rollout::{Cause, Plan, Steer, Transition, sentence, standing, steer, step};

use super::journey::{Journey, units};

fn plan() -> Plan {
    let mut plan = Plan::safe();
    plan.metrics.truncate(1);
    plan
}

/// The sentence of the first transition that is for this cause.
fn told(journey: &mut Journey, seen: [(u64, u64); 2], is_it: fn(&Cause) -> bool) -> String {
    for _ in 0..2_000 {
        let before = journey.rollout.clone();
        let made = journey.pass(vec![("errors", units(seen[0], seen[1]))]);
        if let Some(made) = made.filter(|made| is_it(&made.cause)) {
            // What was seen is as it was: the ledger knows no interval of the new position yet.
            let ledger = journey.ledger.clone();
            journey.ledger.follow(&before);
            let seen = journey.look();
            journey.ledger = ledger;
            return sentence(&before, &made, Some(&seen));
        }
    }
    panic!("it did not come to that");
}

#[test]
fn a_conviction_says_who_fails_against_whom_how_many_were_hit_and_what_was_done() {
    let mut journey = Journey::of(plan());
    let said = told(&mut journey, [(50, 4), (950, 3)], |cause| {
        matches!(cause, Cause::Harm { .. })
    });
    assert_eq!(
        said,
        "8.0 % of users on checkout fail against 0.32 % (limit 1.2×); 16 users hit; closed at the 1 % stage"
    );
}

#[test]
fn what_is_not_proved_says_how_much_more_it_takes() {
    let mut journey = Journey::of(plan());
    let said = told(&mut journey, [(5, 0), (495, 0)], |cause| {
        matches!(cause, Cause::NotProved { .. })
    });
    assert!(said.contains("errors is waiting for"), "{said}");
    assert!(said.contains("more units, about 1 h"), "{said}");
    let standing = standing(&journey.rollout, &journey.look());
    assert!(standing[0].contains("errors: waiting for"), "{standing:?}");
}

#[test]
fn what_proves_nothing_says_what_could_not_be_ruled_out() {
    let mut journey = Journey::of(plan());
    let said = told(&mut journey, [(1, 0), (99, 0)], |cause| {
        *cause == Cause::Inconclusive
    });
    assert!(said.contains("2 h 30 min at the 1 % stage"), "{said}");
    assert!(said.contains("6 times as bad"), "{said}");
    assert!(
        said.ends_with("it holds, and asks whether to go on"),
        "{said}"
    );
}

#[test]
fn a_cohort_says_that_there_is_nothing_to_compare_with() {
    let mut plan = Plan::internal();
    plan.metrics.truncate(1);
    let mut journey = Journey::of(plan);
    let assigned = |units, bad| leverframe_core::rollout::Seen::Units {
        exposed: Default::default(),
        held_back: leverframe_core::analysis::Tally { units: 400, bad: 4 },
        assigned: leverframe_core::analysis::Tally { units, bad },
        late: (0, 0),
        arrivals: None,
        is_approximate: false,
    };
    let mut said = None;
    for _ in 0..80 {
        let before = journey.rollout.clone();
        let seen = journey.look();
        if let Some(made) = journey.pass(vec![("errors", assigned(20, 1))]) {
            assert_eq!(made.cause, Cause::Proved);
            said = said.or(Some(sentence(&before, &made, Some(&seen))));
        }
    }
    assert_eq!(
        said.unwrap(),
        "No sign of harm at the stage of staff (5.0 % of users on checkout fail, with nothing to compare \
         with); now open to beta + staff + 0 %"
    );
}

#[test]
fn a_stop_by_hand_needs_no_numbers() {
    let journey = Journey::of(plan());
    let made: Transition = steer(&journey.rollout, Steer::Pause, None).unwrap();
    assert_eq!(
        sentence(&journey.rollout, &made, None),
        "Somebody paused it at the 1 % stage"
    );
    assert_eq!(step(&journey.rollout, &journey.look()), None);
}
