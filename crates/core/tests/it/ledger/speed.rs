//! What a tick costs.

use std::time::Instant;

use leverframe_core::rollout::{Histogram, Plan, Seen, step};

use super::journey::{Journey, units};

/// In microseconds, on any machine that is not drowning; ten times that without optimisation.
const TICK_MICROS_MAX: u128 = if cfg!(debug_assertions) { 2_000 } else { 50 };

#[test]
#[expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it measures, and what was measured is worth reading"
)]
fn a_look_and_a_step_hours_into_a_rollout_are_soon_done() {
    let mut journey = Journey::of(Plan::safe());
    journey.is_frozen = true;
    let mut times = Histogram::default();
    times.add(40, 480);
    times.add(60, 20);
    for _ in 0..3 * 360 {
        let latency = Seen::Latency {
            exposed: times.clone(),
            held_back: times.clone(),
            assigned: Histogram::default(),
            late: (0, 0),
        };
        journey.pass(vec![
            ("errors", units((5, 0), (495, 5))),
            ("latency_p95", latency),
        ]);
    }
    // The quickest of several, because others work on this machine, too.
    let micros = (0..20)
        .map(|_| {
            let begin = Instant::now();
            let transition = step(&journey.rollout, &journey.look());
            assert_eq!(transition, None);
            begin.elapsed().as_micros()
        })
        .min()
        .unwrap();
    println!("a look and a step: {micros} µs");
    assert!(micros < TICK_MICROS_MAX, "{micros} µs");
}
