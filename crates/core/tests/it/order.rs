//! The partial order of positions.

use leverframe_core::position::{is_opening, is_shut};
use leverframe_flags::{Latch, Position, Value, VariantKey};
use proptest::prelude::*;

use crate::world::{exposure, key};

fn pinned(variant: &str) -> Position {
    Position::Pinned {
        variant: key(variant),
    }
}

fn opened(cohorts: &[&str], percentage: &str) -> Position {
    Position::Open {
        exposure: exposure(cohorts, percentage),
    }
}

fn killed() -> Position {
    Position::Closed {
        latch: Some(Latch {
            variant: key("off"),
            value: Value::Boolean(false),
        }),
    }
}

#[test]
fn openings_and_closings_as_people_know_them() {
    let closed: VariantKey = key("off");
    for (from, to, wanted) in [
        (Position::start(), opened(&[], "0"), true),
        (Position::start(), pinned("off"), false),
        (Position::start(), pinned("on"), true),
        (Position::start(), killed(), false),
        (opened(&[], "25"), opened(&[], "25"), false),
        (opened(&[], "25"), opened(&[], "24.999"), false),
        (opened(&[], "25"), opened(&[], "25.001"), true),
        (opened(&["a", "b"], "25"), opened(&["a"], "25"), false),
        (opened(&["a"], "25"), opened(&["b"], "1"), true),
        (opened(&["a"], "25"), opened(&["a", "b"], "1"), true),
        (opened(&[], "100"), opened(&["a"], "1"), false),
        (opened(&[], "100"), pinned("on"), true),
        (opened(&[], "100"), pinned("off"), false),
        (opened(&[], "100"), killed(), false),
        (pinned("on"), opened(&[], "0"), true),
        (pinned("off"), opened(&[], "0"), true),
        (pinned("on"), pinned("on"), false),
        (pinned("on"), pinned("dim"), true),
        (pinned("on"), pinned("off"), false),
        (pinned("off"), killed(), false),
    ] {
        assert_eq!(
            is_opening(&from, &to, &closed),
            wanted,
            "{from:?} to {to:?}"
        );
    }
}

pub(crate) fn any_position() -> impl Strategy<Value = Position> {
    let cohorts = prop::collection::btree_set(prop::sample::select(vec!["a", "b", "c"]), 0..3);
    let percentage = prop::sample::select(vec!["0", "1", "25", "100"]);
    prop_oneof![
        Just(Position::start()),
        Just(killed()),
        prop::sample::select(vec!["off", "on", "dim"]).prop_map(pinned),
        (cohorts, percentage).prop_map(|(cohorts, percentage)| {
            opened(&cohorts.into_iter().collect::<Vec<_>>(), percentage)
        }),
    ]
}

proptest! {
    #[test]
    fn staying_is_never_an_opening(position in any_position()) {
        prop_assert!(!is_opening(&position, &position, &key("off")));
    }

    #[test]
    fn two_closings_in_a_row_are_a_closing(
        a in any_position(), b in any_position(), c in any_position()
    ) {
        let closed = key("off");
        let opens = |from, to| is_opening(from, to, &closed);
        prop_assert!(opens(&a, &b) || opens(&b, &c) || !opens(&a, &c));
    }

    #[test]
    fn what_is_shut_stays_shut_without_an_opening(a in any_position(), b in any_position()) {
        let closed = key("off");
        prop_assume!(is_shut(&a, &closed) && !is_opening(&a, &b, &closed));
        prop_assert!(is_shut(&b, &closed));
    }

    #[test]
    fn there_and_back_without_an_opening_is_no_way_at_all(a in any_position(), b in any_position()) {
        let closed = key("off");
        prop_assume!(!is_opening(&a, &b, &closed) && !is_opening(&b, &a, &closed));
        let is_everybody = |position: &Position| matches!(
            position, Position::Open { exposure } if exposure.percentage.thousandths() == 100_000
        );
        prop_assert!(
            a == b || (is_shut(&a, &closed) && is_shut(&b, &closed))
                || (is_everybody(&a) && is_everybody(&b))
        );
    }
}
