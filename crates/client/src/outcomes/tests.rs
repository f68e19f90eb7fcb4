//! What is added up, kept and sent, without a server.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests, one of which prints a figure"
)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use leverframe_wire::frame::MESSAGE_BYTES_MAX;
use leverframe_wire::outcome::{Grid, Outcomes};

use super::recorder::bucket;
use super::{Guard, Observed, Recorder, observed};

/// Intervals of a minute, so that a test stays in one; the server is far ahead of it.
fn grid(settled_until_ms: i64) -> Grid {
    Grid {
        interval_ms: 60_000,
        watermark_ms: 90_000,
        now_ms: 1_000_000_010,
        settled_until_ms,
    }
}

fn told() -> Arc<Recorder> {
    let recorder = Arc::new(Recorder::new());
    recorder.told(&grid(0), true);
    recorder
}

fn guard(recorder: &Arc<Recorder>, unit: u64, arm: u8) -> Guard {
    observed(recorder, "new-checkout", Some(Observed { unit, arm }))
}

/// Every unit with its arm, whether it was an error, and whether it has a latency.
fn units(messages: &[Outcomes]) -> BTreeSet<(u64, u8, u8, bool)> {
    let flags = messages.iter().flat_map(|message| &message.flags);
    flags
        .flat_map(|flag| {
            flag.units.iter().map(|unit| {
                let parts = unit.parts();
                (unit.0, parts.arm, parts.bad, parts.latency.is_some())
            })
        })
        .collect()
}

#[test]
fn a_guard_says_once_how_it_went_and_silence_is_a_failure() {
    let recorder = told();
    guard(&recorder, 1, 0).ok();
    guard(&recorder, 2, 1).fail();
    guard(&recorder, 3, 0).fail_as("payment");
    drop(guard(&recorder, 4, 0));
    guard(&recorder, 5, 0).discard();
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _guard = guard(&recorder, 6, 2);
        std::panic::resume_unwind(Box::new("on purpose"));
    }));
    assert_eq!(
        guard(&recorder, 7, 0).result(Err::<(), _>("why")),
        Err("why")
    );
    let messages = recorder.due(true);
    assert_eq!(messages.len(), 1);
    let flag = &messages[0].flags[0];
    assert_eq!(flag.flag, "new-checkout");
    assert_eq!(flag.names, ["errors", "payment", "unfinished"]);
    assert_eq!(messages[0].at_ms, 999_960_000);
    let said = units(&messages);
    let expected = [
        (1, 0, 0, true),
        (2, 1, 0b001, true),
        (3, 0, 0b011, true),
        (4, 0, 0b101, true),
        (6, 2, 0b101, true),
        (7, 0, 0b001, true),
    ];
    assert_eq!(said, expected.into());
}

#[test]
fn a_unit_counts_once_with_all_that_went_wrong_and_by_each_arm() {
    let recorder = told();
    for _ in 0..100 {
        guard(&recorder, 1, 0).ok();
    }
    guard(&recorder, 1, 0).fail();
    guard(&recorder, 1, 1).ok();
    let said = units(&recorder.due(true));
    assert_eq!(said, [(1, 0, 1, true), (1, 1, 1, true)].into());
}

#[test]
fn what_is_not_over_is_not_sent_and_what_was_sent_is_not_sent_again() {
    let recorder = told();
    guard(&recorder, 1, 0).ok();
    assert_eq!(recorder.due(false), []);
    assert_eq!(recorder.due(true).len(), 1);
    assert_eq!(recorder.due(true), []);
    // Something new of the same unit.
    guard(&recorder, 1, 0).fail();
    guard(&recorder, 2, 0).ok();
    let again = recorder.due(true);
    assert_eq!(units(&again), [(1, 0, 1, true), (2, 0, 0, true)].into());
    assert_eq!(again[0].sequence, 2);
}

#[test]
fn a_new_connection_hears_everything_that_is_not_settled_and_nothing_else() {
    let recorder = told();
    guard(&recorder, 1, 0).ok();
    let first = units(&recorder.due(true));
    recorder.told(&grid(0), true);
    assert_eq!(units(&recorder.due(true)), first);
    recorder.told(&grid(0), false);
    assert_eq!(recorder.due(true), []);
    // Settled: it may have been in time, and is not said again.
    guard(&recorder, 2, 0).ok();
    recorder.told(&grid(1_000_020_000), true);
    let late = units(&recorder.due(true));
    assert_eq!(late, [(2, 0, 0, true)].into(), "never said, and so late");
    recorder.told(&grid(1_000_020_000), true);
    assert_eq!(recorder.due(true), []);
}

#[test]
fn without_a_server_that_wants_it_nothing_is_kept() {
    let recorder = Arc::new(Recorder::new());
    guard(&recorder, 1, 0).ok();
    recorder.gauge("queue_depth", 1.0);
    assert_eq!(recorder.look_every(), None);
    recorder.told(&grid(0), true);
    assert_eq!(recorder.due(true), []);
}

#[test]
fn another_length_of_intervals_makes_what_was_kept_useless() {
    let recorder = told();
    guard(&recorder, 1, 0).ok();
    let other = Grid {
        interval_ms: 10_000,
        ..grid(0)
    };
    recorder.told(&other, true);
    assert_eq!(recorder.due(true), []);
}

#[test]
fn a_gauge_is_its_extremes_in_an_interval() {
    let recorder = told();
    for value in [3.0, -1.5, f64::NAN, 2.0, f64::INFINITY] {
        recorder.gauge("queue_depth", value);
    }
    recorder.gauge("No Name", 1.0);
    let messages = recorder.due(true);
    let gauges: Vec<_> = messages
        .iter()
        .flat_map(|message| &message.gauges)
        .collect();
    assert_eq!(gauges.len(), 1);
    assert_eq!((gauges[0].min, gauges[0].max), (-1.5, 3.0));
    assert_eq!(recorder.due(true), []);
}

/// The storm: a million units in bounded memory, of both arms the same part, and in messages that a
/// server takes.
#[test]
fn in_a_storm_the_units_with_the_smallest_fingerprints_are_kept_of_both_arms() {
    let recorder = told();
    for number in 0..1_000_000_u64 {
        let unit = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let one = guard(&recorder, unit, u8::from(!number.is_multiple_of(4)));
        if number % 100 < 4 {
            one.fail();
        } else {
            one.ok();
        }
    }
    let messages = recorder.due(true);
    let said = units(&messages);
    assert!((4_096..=8_192).contains(&said.len()), "{}", said.len());
    let threshold = messages[0].flags[0].threshold.unwrap();
    for message in &messages {
        assert!(
            message
                .flags
                .iter()
                .all(|flag| flag.threshold == Some(threshold))
        );
        assert!(serde_json::to_string(message).unwrap().len() <= MESSAGE_BYTES_MAX);
    }
    let all_below =
        (0..1_000_000_u64).filter(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) < threshold);
    assert_eq!(said.len(), all_below.count(), "none below it is missing");
    let exposed = said.iter().filter(|(_, arm, ..)| *arm == 0).count();
    assert!(
        (exposed * 4).abs_diff(said.len()) * 10 < said.len(),
        "{exposed}"
    );
}

#[test]
fn many_flags_go_out_in_messages_of_bounded_size() {
    let recorder = told();
    for flag in 0..2_000 {
        let name = format!("a-flag-with-a-rather-long-name-{flag}");
        let of = Observed { unit: flag, arm: 0 };
        observed(&recorder, &name, Some(of)).ok();
    }
    let messages = recorder.due(true);
    let flags: usize = messages.iter().map(|message| message.flags.len()).sum();
    assert_eq!(flags, 1_000, "those beyond the bound are left out");
    for message in &messages {
        assert!(serde_json::to_string(message).unwrap().len() <= MESSAGE_BYTES_MAX);
    }
    let sequences: Vec<u64> = messages.iter().map(|message| message.sequence).collect();
    assert_eq!(sequences, (1..=messages.len() as u64).collect::<Vec<_>>());
}

#[test]
fn buckets_are_the_servers() {
    // The ends of the first buckets: 1 ms, 1.1 ms, 1.21 ms.
    for (micros, expected) in [
        (0, 0),
        (999, 0),
        (1_000, 1),
        (1_099, 1),
        (1_100, 2),
        (1_209, 2),
        (1_210, 3),
    ] {
        assert_eq!(
            bucket(Duration::from_micros(micros), false),
            expected,
            "{micros}"
        );
    }
    assert_eq!(bucket(Duration::from_secs(3_600), false), 94);
    assert_eq!(bucket(Duration::ZERO, true), 95);
}

/// Prints what a guard costs; run it alone with `--release` for a figure.
#[test]
fn a_guard_costs_little() {
    let client = crate::Client::fixed([("new-checkout", true)]);
    let flag = client.flag("new-checkout");
    let context = crate::Context::new("user-42");
    let recorder = told();
    let rounds = 100_000_u32;
    let plain = Instant::now();
    for _ in 0..rounds {
        std::hint::black_box(flag.is_on(&context));
    }
    let plain = plain.elapsed() / rounds;
    let guarded = Instant::now();
    for round in 0..rounds {
        guard(&recorder, u64::from(round % 4_000) << 52, 0).ok();
    }
    let guarded = guarded.elapsed() / rounds;
    println!("is_on {plain:?}, a guard {guarded:?} more");
    assert!(guarded < Duration::from_micros(50));
}
