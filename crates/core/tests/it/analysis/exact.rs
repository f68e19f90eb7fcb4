//! The folded evidence is the formula of the books.

use leverframe_core::analysis::{Counts, Harm, Harmless, ShareGuard, Tally, above, below, bounds};
use proptest::prelude::*;

fn counts() -> impl Strategy<Value = Counts> {
    (0u64..40, 0u64..200, 0u64..6, 0u64..6).prop_map(|(exposed, held_back, bad, other)| Counts {
        exposed: Tally {
            units: exposed,
            bad: bad.min(exposed),
        },
        held_back: Tally {
            units: held_back,
            bad: other.min(held_back),
        },
    })
}

fn grid(low: f64, high: f64) -> Vec<f64> {
    (0..24)
        .map(|index| low * (high / low).powf(f64::from(index) / 23.0))
        .collect()
}

/// Π over intervals of θ(ρ)^c (1−θ(ρ))^b over the same for the null, in plain arithmetic.
fn likelihood_ratio(intervals: &[Counts], ratio: f64, null: f64) -> f64 {
    let mut product = 1.0;
    for counts in intervals {
        let Some(share) = counts.exposed_share() else {
            continue;
        };
        let theta = |ratio: f64| share * ratio / (share * ratio + 1.0 - share);
        let power = |base: f64, count: u64| base.powi(i32::try_from(count).unwrap());
        product *= power(theta(ratio) / theta(null), counts.exposed.bad);
        product *= power(
            (1.0 - theta(ratio)) / (1.0 - theta(null)),
            counts.held_back.bad,
        );
    }
    product
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    values.iter().sum::<f64>() / values.len() as f64
}

/// Whether a start is still looked at: it lives for twice the largest power of two that divides it.
fn is_kept(start: usize, now: usize) -> bool {
    now - start < 2 * (1 << start.trailing_zeros())
}

fn is_close(ln: f64, direct: f64) -> bool {
    (ln - direct.ln()).abs() < 1e-6
}

proptest! {
    #[test]
    fn harm_is_half_the_whole_and_half_its_later_starts(
        intervals in prop::collection::vec(counts(), 0..40),
        tolerance in 1.0..3.0f64,
    ) {
        let mut harm = Harm::beyond(tolerance);
        for counts in &intervals {
            harm.observe(*counts);
        }
        let since = |start: usize| {
            mean(grid(1.1 * tolerance, 20.0 * tolerance).into_iter().map(|ratio| {
                likelihood_ratio(&intervals[start - 1..], ratio, tolerance)
            }))
        };
        let whole = if intervals.is_empty() { 1.0 } else { since(1) };
        let starts: f64 = (1..=intervals.len())
            .filter(|start| is_kept(*start, intervals.len()))
            .map(|start| since(start) / (start * (start + 1)) as f64)
            .sum();
        prop_assert!(is_close(harm.evidence().ln(), 0.5 * whole + 0.5 * starts));
    }

    #[test]
    fn harmlessness_is_the_same_ratio_with_the_margin_as_its_null(
        intervals in prop::collection::vec(counts(), 0..40),
        margin in 1.1..6.0f64,
    ) {
        let mut harmless = Harmless::within(margin);
        for counts in &intervals {
            harmless.observe(*counts);
        }
        let direct = mean(grid(0.3, 0.95 * margin).into_iter().map(|ratio| {
            likelihood_ratio(&intervals, ratio, margin)
        }));
        prop_assert!(is_close(harmless.relative().ln(), direct));
    }

    #[test]
    fn one_arm_against_a_rate_is_the_binomial_likelihood(
        bad in 0u64..20, good in 0u64..400, rate in 0.001..0.2f64,
    ) {
        let tally = Tally { units: bad + good, bad };
        let direct = |low: f64, high: f64| mean(grid(low, high).into_iter().map(|other| {
            (bad as f64 * (other / rate).ln() + good as f64 * ((1.0 - other) / (1.0 - rate)).ln()).exp()
        }));
        prop_assert!(is_close(below(tally, rate).ln(), direct(0.001 * rate, 0.9 * rate)));
        let highest = (20.0 * rate).min(0.999);
        prop_assert!(is_close(above(tally, rate).ln(), direct(1.1 * rate, highest)));
    }

    #[test]
    fn the_share_guard_is_the_product_of_what_each_unit_was_expected_to_be(
        exposed in 0u64..60, held_back in 0u64..60, meant in 0.01..0.99f64,
    ) {
        let mut product = 1.0;
        for unit in 0..exposed {
            product *= (100.0 * meant + unit as f64) / (100.0 + unit as f64) / meant;
        }
        for unit in 0..held_back {
            product *= (100.0 * (1.0 - meant) + unit as f64) / (100.0 + (exposed + unit) as f64)
                / (1.0 - meant);
        }
        let counts = Counts {
            exposed: Tally { units: exposed, bad: 0 },
            held_back: Tally { units: held_back, bad: 0 },
        };
        prop_assert!(is_close(ShareGuard::of(meant).evidence(counts).ln(), product));
    }

    #[test]
    fn evidence_survives_being_stored(intervals in prop::collection::vec(counts(), 0..40)) {
        let mut harm = Harm::beyond(1.2);
        for counts in &intervals {
            harm.observe(*counts);
        }
        let text = serde_json::to_string(&harm).unwrap();
        prop_assert_eq!(serde_json::from_str::<Harm>(&text).unwrap(), harm);
    }

    #[test]
    fn the_bounds_contain_what_was_observed(intervals in prop::collection::vec(counts(), 1..40)) {
        let mut all = Counts::default();
        for counts in &intervals {
            all += *counts;
        }
        let bounds = bounds(&intervals, 0.01);
        prop_assert!(bounds.low <= bounds.high);
    }
}

#[test]
fn no_number_of_failures_overflows() {
    let mut harm = Harm::beyond(1.2);
    for _ in 0..1_000 {
        harm.observe(Counts {
            exposed: Tally {
                units: 1_000_000,
                bad: 900_000,
            },
            held_back: Tally {
                units: 1_000_000,
                bad: 0,
            },
        });
    }
    assert!(harm.evidence().ln().is_finite());
    assert!(harm.convicts(0.01));
}

#[test]
fn four_bad_units_convict_nobody() {
    let of = |bad| {
        let mut harm = Harm::beyond(1.2);
        harm.observe(Counts {
            exposed: Tally { units: 10, bad },
            held_back: Tally {
                units: 1_000_000,
                bad: 0,
            },
        });
        harm
    };
    assert!(of(4).evidence().rejects(0.01));
    assert!(!of(4).convicts(0.01));
    assert!(of(5).convicts(0.01));
}

#[test]
fn about_three_thousand_clean_units_prove_a_thousandth() {
    let clean = |units| below(Tally { units, bad: 0 }, 0.001);
    let needed = (0..).step_by(10).find(|units| clean(*units).rejects(0.05));
    assert!((2_900..3_600).contains(&needed.unwrap()), "{needed:?}");
}

#[test]
fn what_is_no_rate_proves_nothing() {
    let tally = Tally {
        units: 100,
        bad: 50,
    };
    for rate in [0.0, 1.0, -1.0, 2.0, f64::NAN, f64::INFINITY] {
        assert_eq!(below(tally, rate).ln(), 0.0, "{rate}");
        assert_eq!(above(tally, rate).ln(), 0.0, "{rate}");
    }
}
