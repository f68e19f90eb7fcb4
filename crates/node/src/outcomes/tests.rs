//! What is folded, from any reports in any order, and what a restart leaves.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::time::Duration;

use leverframe_core::analysis::Tally;
use leverframe_core::rollout::{Arrivals, Histogram, Seen, source_row};
use leverframe_store::memory::Disk;
use leverframe_store::{MemoryStore, Store};

use super::book::Book;
use super::*;

mod properties;

const GRID: Grid = Grid {
    length: Duration::from_secs(10),
    watermark: Duration::from_secs(15),
};

fn prod() -> EnvironmentKey {
    EnvironmentKey::new("prod").unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_ms(seconds * 1_000)
}

fn unit(hash: u64, arm: Arm, is_bad: bool) -> ReportedUnit {
    ReportedUnit {
        hash,
        arm,
        bad: u8::from(is_bad),
        latency: None,
    }
}

fn report(seconds: i64, units: Vec<ReportedUnit>) -> Report {
    Report {
        at: at(seconds),
        flag: "new-checkout".parse().unwrap(),
        threshold: u64::MAX,
        names: vec![ERRORS.into()],
        units,
    }
}

fn batch(sequence: u64, reports: Vec<Report>) -> Batch {
    Batch {
        instance: "web-1".into(),
        sequence,
        origin: Origin::Evaluator,
        reports,
        gauges: Vec::new(),
    }
}

fn book() -> Book {
    Book::new(GRID, at(0), at(0))
}

/// The row of a metric in an interval.
fn row<'a>(rows: &'a [StoredMeasurement], metric: &str, seconds: i64) -> &'a Seen {
    let found = rows
        .iter()
        .find(|row| *row.series.metric == *metric && row.measurement.at == at(seconds));
    &found
        .unwrap_or_else(|| panic!("no {metric} at {seconds}: {rows:#?}"))
        .measurement
        .seen
}

/// Exposed and held back, each as units and bad ones.
fn tallies(seen: &Seen) -> ((u64, u64), (u64, u64)) {
    let Seen::Units {
        exposed, held_back, ..
    } = seen
    else {
        panic!("{seen:?}");
    };
    let pair = |tally: &Tally| (tally.units, tally.bad);
    (pair(exposed), pair(held_back))
}

fn late(seen: &Seen) -> (u64, u64) {
    match seen {
        Seen::Units { late, .. } | Seen::Latency { late, .. } => *late,
        other => panic!("{other:?}"),
    }
}

fn arrivals(seen: &Seen) -> Arrivals {
    match seen {
        Seen::Units { arrivals, .. } => arrivals.unwrap(),
        other => panic!("{other:?}"),
    }
}

use Arm::{Exposed, HeldBack};

#[test]
fn an_interval_is_folded_once_at_its_watermark_and_what_comes_later_is_late() {
    let mut book = book();
    let one = report(0, vec![unit(1, Exposed, true), unit(2, HeldBack, false)]);
    book.take(&prod(), &batch(1, vec![one.clone()]), at(5));
    assert_eq!(book.close(GRID.closed_until(at(24)), at(24), |_, _| 7), []);
    let rows = book.close(GRID.closed_until(at(25)), at(25), |_, _| 7);
    assert_eq!(tallies(row(&rows, ERRORS, 0)), ((1, 1), (1, 0)));
    assert!(rows.iter().all(|row| row.measurement.lever_revision == 7));
    // Too late, once, whatever is repeated.
    for _ in 0..3 {
        let taken = book.take(&prod(), &batch(2, vec![one.clone()]), at(26));
        assert_eq!(taken.late, 2);
    }
    let rows = book.close(at(20), at(35), |_, _| 7);
    assert_eq!(tallies(row(&rows, ERRORS, 10)), ((0, 0), (0, 0)));
    assert_eq!(late(row(&rows, ERRORS, 10)), (1, 1));
    let rows = book.close(at(30), at(45), |_, _| 7);
    assert_eq!(late(row(&rows, ERRORS, 20)), (0, 0));
}

#[test]
fn a_unit_is_bad_once_a_stage_and_again_in_the_next() {
    let mut book = book();
    let mut bad = Vec::new();
    for interval in 0..6 {
        // Moved at 30: noticed by the tick at 30, before the interval from 30 begins to count.
        let revision = if interval < 3 { 7 } else { 8 };
        let _ = book.close(at(interval * 10), at(interval * 10), |_, _| revision);
        let one = report(interval * 10, vec![unit(1, Exposed, true)]);
        book.take(&prod(), &batch(1, vec![one]), at(interval * 10 + 1));
        let rows = book.close(at(interval * 10 + 10), at(interval * 10 + 9), |_, _| {
            revision
        });
        let seen = row(&rows, ERRORS, interval * 10);
        bad.push((tallies(seen).0, arrivals(seen).exposed));
    }
    let (first, again) = (((1, 1), 1), ((1, 0), 0));
    assert_eq!(bad, [first, again, again, first, again, again]);
}

#[test]
fn a_unit_that_both_arms_answer_in_a_stage_counts_no_more() {
    let mut book = book();
    let both = vec![unit(1, Exposed, true), unit(1, HeldBack, false)];
    let other = unit(2, Exposed, true);
    book.take(&prod(), &batch(1, vec![report(0, both)]), at(1));
    book.take(&prod(), &batch(2, vec![report(0, vec![other])]), at(1));
    let later = report(10, vec![unit(1, Exposed, true), unit(2, HeldBack, true)]);
    book.take(&prod(), &batch(3, vec![later]), at(11));
    let rows = book.close(at(20), at(35), |_, _| 7);
    assert_eq!(tallies(row(&rows, ERRORS, 0)), ((1, 1), (0, 0)));
    assert_eq!(tallies(row(&rows, ERRORS, 10)), ((0, 0), (0, 0)));
}

#[test]
fn names_count_apart_and_every_unit_counts_for_each() {
    let mut book = book();
    let mut one = report(0, vec![unit(1, Exposed, false), unit(2, Exposed, false)]);
    one.names = vec!["payment".into(), ERRORS.into()];
    one.units[0].bad = 0b11;
    book.take(&prod(), &batch(1, vec![one]), at(1));
    let rows = book.close(at(10), at(25), |_, _| 7);
    assert_eq!(tallies(row(&rows, "payment", 0)).0, (2, 1));
    assert_eq!(tallies(row(&rows, ERRORS, 0)).0, (2, 1));
}

#[test]
fn a_flag_that_falls_silent_has_empty_intervals_for_ten_minutes_and_longer_while_watched() {
    let mut book = book();
    let one = report(0, vec![unit(1, Exposed, true)]);
    book.take(&prod(), &batch(1, vec![one]), at(1));
    let rows = book.close(at(2_000), at(2_015), |_, _| 7);
    let errors = |rows: &[StoredMeasurement]| {
        let of_errors = |row: &&StoredMeasurement| *row.series.metric == *ERRORS;
        rows.iter().filter(of_errors).count()
    };
    assert_eq!(errors(&rows), 61);
    book.watch(&[Watched {
        environment: prod(),
        flag: "other".parse().unwrap(),
        // Latency has a row anyway, and what browsers say is theirs.
        names: vec!["payment".into(), "latency".into(), "browser:errors".into()],
    }]);
    let rows = book.close(at(4_000), at(4_015), |_, _| 7);
    assert_eq!(errors(&rows), 200);
    for name in ["payment", "browser:errors"] {
        assert_eq!(tallies(row(&rows, name, 3_000)), ((0, 0), (0, 0)));
    }
    let mut keys: Vec<_> = rows
        .iter()
        .map(|row| (&row.series, row.measurement.at))
        .collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), rows.len(), "one row for each interval and name");
    assert!(matches!(row(&rows, "latency", 3_000), Seen::Latency { .. }));
    book.watch(&[]);
    let rows = book.close(at(6_000), at(6_015), |_, _| 7);
    assert_eq!(rows, []);
}

#[test]
fn browsers_have_rows_of_their_own_and_never_reach_the_errors() {
    let mut book = book();
    let real = report(0, vec![unit(1, Exposed, false)]);
    book.take(&prod(), &batch(1, vec![real]), at(1));
    let forged: Vec<_> = (10..1_000).map(|hash| unit(hash, Exposed, true)).collect();
    let forged = Batch {
        origin: Origin::Browser,
        gauges: vec![gauge(0, 1e9, 1e9)],
        ..batch(1, vec![report(0, forged)])
    };
    book.take(&prod(), &forged, at(1));
    let rows = book.close(at(10), at(25), |_, _| 7);
    assert_eq!(tallies(row(&rows, ERRORS, 0)).0, (1, 0));
    assert_eq!(tallies(row(&rows, "browser:errors", 0)).0, (990, 990));
    let theirs = |row: &StoredMeasurement| row.series.metric.starts_with(BROWSER);
    assert_eq!(rows.iter().filter(|row| !theirs(row)).count(), 2);
}

fn gauge(seconds: i64, min: f64, max: f64) -> Gauge {
    Gauge {
        at: at(seconds),
        name: "queue_depth".into(),
        min,
        max,
    }
}

#[test]
fn of_a_gauge_the_extremes_of_all_evaluators_are_kept_and_silence_is_no_data() {
    let mut book = book();
    for (sequence, (min, max)) in [(3.0, 4.0), (1.0, 2.0), (f64::NAN, 9.0)]
        .into_iter()
        .enumerate()
    {
        let gauges = vec![gauge(0, min, max)];
        let one = Batch {
            gauges,
            ..batch(sequence as u64, Vec::new())
        };
        book.take(&prod(), &one, at(1));
    }
    let rows = book.close(at(20), at(35), |_, _| 7);
    let max = source_row("outcomes", &["queue_depth"]);
    let min = source_row("outcomes", &["min(queue_depth)"]);
    assert_eq!(*row(&rows, &max, 0), Seen::Gauge { value: 4.0 });
    assert_eq!(*row(&rows, &min, 0), Seen::Gauge { value: 1.0 });
    assert_eq!(*row(&rows, &max, 10), Seen::NoData);
    assert!(rows.iter().all(|row| *row.series.flag == *NO_FLAG));
}

#[test]
fn one_latency_a_unit_and_minute_is_counted() {
    let mut book = book();
    let slow = |hash, choice, bucket| ReportedUnit {
        latency: Some(Chosen { choice, bucket }),
        ..unit(hash, Exposed, false)
    };
    for interval in 6..18 {
        let units = vec![slow(1, 9, 50), slow(1, 2, 10), slow(2, 5, 20)];
        let one = report(interval * 10, units);
        book.take(&prod(), &batch(1, vec![one]), at(interval * 10));
    }
    let rows = book.close(at(180), at(195), |_, _| 7);
    let mut all = Histogram::default();
    for row in &rows {
        if let Seen::Latency { exposed, .. } = &row.measurement.seen {
            all += exposed;
        }
    }
    let mut expected = Histogram::default();
    expected.add(10, 2);
    expected.add(20, 2);
    assert_eq!(all, expected);
}

#[test]
fn what_is_of_no_interval_is_not_taken() {
    let mut book = book();
    for seconds in [1, 9, 40, 1_000_000] {
        let one = report(seconds, vec![unit(1, Exposed, true)]);
        let taken = book.take(&prod(), &batch(1, vec![one]), at(25));
        assert_eq!(taken.astray, 1, "{seconds}");
    }
}

#[test]
fn a_storm_keeps_the_units_with_the_smallest_hashes_of_both_arms() {
    let mut book = book();
    let step = u64::MAX / 400_000;
    for chunk in 0..400 {
        let units = (0..1_000)
            .map(|n| {
                let arm = if n % 4 == 0 { Exposed } else { HeldBack };
                unit((chunk * 1_000 + n) * step, arm, n % 100 < 4)
            })
            .collect();
        book.take(&prod(), &batch(1, vec![report(0, units)]), at(1));
    }
    let rows = book.close(at(10), at(25), |_, _| 7);
    let (exposed, held_back) = tallies(row(&rows, ERRORS, 0));
    let kept = exposed.0 + held_back.0;
    assert_eq!(kept, limit::OUTCOME_INTERVAL_UNITS_MAX as u64);
    // One in four is exposed, and of both one in 25 is bad.
    for (part, whole) in [(exposed.0 * 4, kept), (exposed.1 * 25, exposed.0)] {
        assert!(part.abs_diff(whole) * 100 < whole, "{part} of {whole}");
    }
}

#[test]
fn a_stage_forgets_the_largest_hashes_and_counts_both_arms_alike() {
    let mut stage = stage::Stage::new(7, 0);
    let mut total = [0; 3];
    for interval in 0..100_u64 {
        let mut open = interval::Interval::default();
        for n in 0..100_u64 {
            let hash = (interval * 100 + n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let arm = if n % 2 == 0 { Exposed } else { HeldBack };
            open.join(unit(hash, arm, false), 0, usize::MAX);
        }
        let added = stage.add(&open, 1_000);
        assert!(stage.len() <= 1_000);
        for (sum, units) in total.iter_mut().zip(added.units) {
            *sum += units;
        }
    }
    let [exposed, held_back, _] = total;
    // 1 000, and the harmonic sum of what came after that: about 3 300.
    assert!((2_500..4_000).contains(&(exposed + held_back)), "{total:?}");
    assert!(exposed.abs_diff(held_back) < 400, "{total:?}");
}

/// The edge: with a store that fails, and one that is opened again.
struct Scene {
    disk: Disk,
    outcomes: Outcomes,
}

impl Scene {
    fn open(disk: Disk, grid: Grid) -> Self {
        let beside = MemoryStore::open(&disk).beside();
        let outcomes = Outcomes::resume(grid, Clock::start(), beside);
        Self { disk, outcomes }
    }

    fn say(&self, at: Timestamp, is_bad: bool) -> Taken {
        let one = Report {
            at,
            ..report(0, vec![unit(1, Exposed, is_bad)])
        };
        self.outcomes.take(&prod(), &batch(1, vec![one]))
    }
}

#[test]
fn what_cannot_be_stored_is_not_settled_and_is_handed_out_once_it_is() {
    let scene = Scene::open(Disk::new(), GRID);
    let now = scene.outcomes.clock.steady();
    let began = GRID.begin(now);
    let before = scene.outcomes.settled_until();
    assert!(before < began, "who reported before a restart is heard");
    assert_eq!(scene.say(began, true).counted, 1);
    scene.disk.faults().fail_measurements(true);
    let later = began.plus_ms(25_000);
    assert_eq!(scene.outcomes.close_until(later, |_, _| 7), []);
    assert_eq!(scene.outcomes.settled_until(), before);
    scene.disk.faults().fail_measurements(false);
    let rows = scene.outcomes.close_until(later, |_, _| 7);
    assert_eq!(rows.len(), 2);
    assert_eq!(scene.outcomes.settled_until(), began.plus_ms(10_000));
    assert_eq!(scene.outcomes.close_until(later, |_, _| 7), []);
}

#[test]
fn after_a_restart_what_is_said_again_is_counted_once() {
    let disk = Disk::new();
    let (began, closed) = {
        let scene = Scene::open(disk.clone(), GRID);
        let began = GRID.begin(scene.outcomes.clock.steady());
        scene.say(began, true);
        let rows = scene.outcomes.close_until(began.plus_ms(25_000), |_, _| 7);
        assert_eq!(rows.len(), 2);
        (began, rows)
    };
    let scene = Scene::open(disk, GRID);
    assert_eq!(scene.outcomes.settled_until(), began.plus_ms(10_000));
    // The first interval again, which is closed, and the next.
    assert_eq!(scene.say(began, true).late, 1);
    assert_eq!(scene.say(began.plus_ms(10_000), true).counted, 1);
    // Nothing is closed before those who report had the time to come back.
    let soon = scene.outcomes.clock.steady().plus_ms(14_000);
    assert_eq!(scene.outcomes.close_until(soon, |_, _| 7), []);
    let rows = scene.outcomes.close_until(began.plus_ms(60_000), |_, _| 7);
    let next = rows
        .iter()
        .find(|row| *row.series.metric == *ERRORS)
        .unwrap();
    assert_eq!(next.measurement.at, began.plus_ms(10_000));
    assert_eq!(late(&next.measurement.seen), (0, 0));
    assert!(!rows.iter().any(|row| closed.contains(row)));
}
