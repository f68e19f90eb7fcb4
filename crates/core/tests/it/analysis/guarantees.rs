//! What the tests promise whatever the traffic is, and how soon they find harm: simulated.

use leverframe_core::analysis::{Harm, Harmless, Share, ShareGuard};

use super::chance::{Chance, Traffic};
use super::wilson;

/// 3 000 requests a minute in intervals of ten seconds.
const UNITS: f64 = 500.0;
/// The plan `safe` up to its last comparison: ten minutes each.
const SHARES: [f64; 4] = [0.01, 0.05, 0.25, 0.5];
const INTERVALS_A_STAGE: usize = 60;

/// The interval at which harm was found, if it was.
fn convicted_at(
    seed: u64,
    tolerance: f64,
    alpha: f64,
    rates: impl Fn(usize) -> (f64, f64),
) -> Option<usize> {
    let mut chance = Chance::new(seed);
    let mut harm = Harm::beyond(tolerance);
    for interval in 0..SHARES.len() * INTERVALS_A_STAGE {
        let (exposed_rate, held_back_rate) = rates(interval);
        let traffic = Traffic {
            units: UNITS,
            share: SHARES[interval / INTERVALS_A_STAGE],
            exposed_rate,
            held_back_rate,
        };
        harm.observe(traffic.interval(&mut chance));
        if harm.convicts(alpha) {
            return Some(interval);
        }
    }
    None
}

fn convictions(
    runs: usize,
    tolerance: f64,
    alpha: f64,
    rates: impl Fn(usize) -> (f64, f64),
) -> Vec<usize> {
    let mut found: Vec<usize> = (0..runs)
        .filter_map(|run| convicted_at(0xC0FF_EE00 + run as u64, tolerance, alpha, &rates))
        .collect();
    found.sort_unstable();
    found
}

#[test]
fn a_good_release_is_convicted_less_often_than_alpha_though_it_is_looked_at_after_every_interval() {
    for tolerance in [1.0, 1.2] {
        // Exactly at the tolerance: the worst good release there is.
        let found = convictions(400, tolerance, 0.05, |_| (0.01 * tolerance, 0.01));
        assert!(
            wilson::lower(found.len(), 400) <= 0.05,
            "{tolerance}: {}",
            found.len()
        );
        println!(
            "tolerance {tolerance}: {} of 400 at alpha 0.05",
            found.len()
        );
    }
}

#[test]
fn an_outage_of_both_arms_convicts_nobody() {
    let outage = |interval: usize| {
        let rate = if (70..130).contains(&interval) {
            0.2
        } else {
            0.01
        };
        (rate, rate)
    };
    let found = convictions(300, 1.2, 0.01, outage);
    assert!(wilson::lower(found.len(), 300) <= 0.01, "{}", found.len());
}

#[test]
fn a_doubled_error_rate_is_found_nearly_always_and_a_larger_one_soon() {
    for (times, minutes_max) in [(2.0, 25.0), (5.0, 8.0), (20.0, 3.0)] {
        let found = convictions(200, 1.2, 0.01, |_| (0.01 * times, 0.01));
        let median = (found[found.len() / 2] + 1) as f64 / 6.0;
        println!("{times}x: {} of 200, median {median:.1} min", found.len());
        assert!(
            wilson::upper(found.len(), 200) >= 0.99,
            "{times}: {}",
            found.len()
        );
        assert!(median <= minutes_max, "{times}: {median} min");
    }
}

#[test]
fn harm_that_begins_after_hours_is_found_about_as_soon() {
    let runs = 50;
    let begins = 3 * 360;
    let mut delays = Vec::new();
    for run in 0..runs {
        let mut chance = Chance::new(77 + run);
        let mut harm = Harm::beyond(1.2);
        let found = (0..begins + 360).find(|interval| {
            let traffic = Traffic {
                units: UNITS,
                share: 0.25,
                exposed_rate: if *interval < begins { 0.01 } else { 0.05 },
                held_back_rate: 0.01,
            };
            harm.observe(traffic.interval(&mut chance));
            harm.convicts(0.01)
        });
        delays.push(found.unwrap() - begins);
    }
    delays.sort_unstable();
    println!(
        "late 5x: median {} intervals, longest {}",
        delays[25], delays[49]
    );
    assert!(delays[25] <= 18, "{delays:?}");
}

#[test]
fn a_release_at_the_margin_is_seldom_called_harmless_and_an_equal_one_usually() {
    for (share, margin, minutes) in [(0.05, 3.0, 10), (0.25, 2.0, 10), (0.5, 1.5, 10)] {
        let proofs = |exposed_rate: f64| {
            (0..200)
                .filter(|run| {
                    let mut chance = Chance::new(run + 1);
                    let mut harmless = Harmless::within(margin);
                    (0..minutes * 6).any(|_| {
                        let traffic = Traffic {
                            units: UNITS,
                            share,
                            exposed_rate,
                            held_back_rate: 0.01,
                        };
                        harmless.observe(traffic.interval(&mut chance));
                        harmless.relative().rejects(0.05)
                    })
                })
                .count()
        };
        let (wrong, right) = (proofs(0.01 * margin), proofs(0.01));
        println!("share {share}, margin {margin}: wrong {wrong}, right {right} of 200");
        assert!(wilson::lower(wrong, 200) <= 0.05, "{wrong}");
        assert!(right >= 150, "{right}");
    }
}

#[test]
fn a_right_share_is_hardly_ever_called_wrong_and_a_fifth_missing_is() {
    let look = |seed: u64, kept: f64| {
        let guard = ShareGuard::of(0.05);
        let mut chance = Chance::new(seed);
        let mut all = leverframe_core::analysis::Counts::default();
        for _ in 0..60 {
            let mut interval = Traffic {
                units: UNITS,
                share: 0.05,
                exposed_rate: 0.0,
                held_back_rate: 0.0,
            }
            .interval(&mut chance);
            interval.exposed.units = (interval.exposed.units as f64 * kept).round() as u64;
            all += interval;
            if guard.look(all) != Share::AsMeant {
                return guard.look(all);
            }
        }
        Share::AsMeant
    };
    let wrong = (0..300)
        .filter(|seed| look(*seed, 1.0) != Share::AsMeant)
        .count();
    assert!(wilson::lower(wrong, 300) <= 0.001, "{wrong}");
    let missing = (0..100)
        .filter(|seed| look(*seed, 0.8) == Share::TooFew)
        .count();
    assert!(missing >= 99, "{missing}");
}
