//! What every adapter promises of measurements.

use leverframe_core::Timestamp;
use leverframe_core::analysis::Tally;
use leverframe_core::rollout::{Histogram, Measurement, Seen};
use leverframe_store::{Series, StoredMeasurement, limit};

use crate::contract::Adapter;

pub(crate) fn of(series: &Series, at_ms: i64, units: u64) -> StoredMeasurement {
    let tally = |units| Tally {
        units,
        bad: units / 2,
    };
    StoredMeasurement {
        series: series.clone(),
        measurement: Measurement {
            at: Timestamp::from_ms(at_ms),
            length_ms: 10_000,
            lever_revision: 7,
            seen: Seen::Units {
                exposed: tally(units),
                held_back: tally(3 * units),
                assigned: tally(0),
                late: (1, 2),
                arrivals: None,
                is_approximate: false,
            },
        },
        private: Some(vec![0, 1, 255]),
    }
}

pub(crate) fn errors() -> Series {
    Series::new("prod", "new-checkout", "errors")
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

const ALWAYS: (Timestamp, Timestamp) = (Timestamp::from_ms(0), Timestamp::from_ms(i64::MAX));

fn all<A: Adapter>(place: &A, series: &Series) -> Vec<StoredMeasurement> {
    let beside = place.open().beside();
    beside
        .measurements(series, ALWAYS.0, ALWAYS.1, usize::MAX)
        .unwrap()
}

pub(crate) fn measurements_are_there_after_reopening_oldest_first<A: Adapter>() {
    let place = A::fresh();
    assert_eq!(all(&place, &errors()), []);
    let mut histogram = Histogram::default();
    histogram.add(3, 5);
    let mut kinds = vec![of(&errors(), 10_000, 4)];
    for (number, seen) in [
        Seen::Latency {
            exposed: histogram,
            held_back: Histogram::default(),
            assigned: Histogram::default(),
            late: (0, 0),
        },
        Seen::Gauge { value: -0.125 },
        Seen::NoData,
        Seen::Error {
            why: "503 \" \0 '); --".into(),
        },
        Seen::Untrusted { why: "why".into() },
    ]
    .into_iter()
    .enumerate()
    {
        let mut one = of(&errors(), 20_000 + 10_000 * number as i64, 0);
        one.measurement.seen = seen;
        one.private = None;
        kinds.push(one);
    }
    {
        let beside = place.open().beside();
        let mut backwards = kinds.clone();
        backwards.reverse();
        beside.save_measurements(&backwards).unwrap();
        beside.save_measurements(&[]).unwrap();
    }
    assert_eq!(all(&place, &errors()), kinds);
}

pub(crate) fn a_closed_interval_never_changes<A: Adapter>() {
    let place = A::fresh();
    let first = of(&errors(), 10_000, 4);
    let other = of(&errors(), 10_000, 99);
    let next = of(&errors(), 20_000, 5);
    {
        let beside = place.open().beside();
        beside
            .save_measurements(&[first.clone(), other.clone()])
            .unwrap();
        beside.save_measurements(&[other, next.clone()]).unwrap();
    }
    assert_eq!(all(&place, &errors()), [first, next]);
}

pub(crate) fn measurements_are_read_by_what_they_are_of_and_in_pages<A: Adapter>() {
    let place = A::fresh();
    let others = [
        Series::new("staging", "new-checkout", "errors"),
        Series::new("prod", "old-checkout", "errors"),
        Series::new("prod", "new-checkout", "latency"),
    ];
    let beside = place.open().beside();
    let mine: Vec<_> = (1..=9).map(|n| of(&errors(), n * 10_000, 1)).collect();
    beside.save_measurements(&mine).unwrap();
    for series in &others {
        beside.save_measurements(&[of(series, 50_000, 8)]).unwrap();
    }
    let read = |from, until, limit| {
        beside
            .measurements(&errors(), at(from), at(until), limit)
            .unwrap()
    };
    // From is in it, until is not.
    assert_eq!(read(20_000, 50_000, 100), mine[1..4]);
    assert_eq!(read(20_000, 20_000, 100), []);
    assert_eq!(read(50_000, 20_000, 100), []);
    assert_eq!(read(0, i64::MAX, 0), []);
    let mut from = 0;
    let mut paged = Vec::new();
    loop {
        let page = read(from, i64::MAX, 2);
        let Some(last) = page.last() else { break };
        from = last.measurement.at.as_ms() + 1;
        paged.extend(page);
    }
    assert_eq!(paged, mine);
    for series in &others {
        assert_eq!(all(&place, series).len(), 1);
    }
}

pub(crate) fn what_was_measured_lately_is_listed_with_its_last_interval<A: Adapter>() {
    let place = A::fresh();
    let latency = Series::new("prod", "new-checkout", "latency");
    {
        let beside = place.open().beside();
        assert_eq!(beside.measured_since(at(0)).unwrap(), []);
        let batch = [
            of(&errors(), 10_000, 1),
            of(&errors(), 30_000, 1),
            of(&latency, 20_000, 1),
        ];
        beside.save_measurements(&batch).unwrap();
    }
    let since = |ms| place.open().beside().measured_since(at(ms)).unwrap();
    let errors = (errors(), at(30_000));
    assert_eq!(since(0), [errors.clone(), (latency, at(20_000))]);
    assert_eq!(since(20_000).len(), 2);
    assert_eq!(since(20_001), [errors]);
    assert_eq!(since(30_001), []);
}

pub(crate) fn old_measurements_are_dropped_and_the_others_stay<A: Adapter>() {
    let place = A::fresh();
    let kept = of(&errors(), 30_000, 1);
    {
        let beside = place.open().beside();
        assert_eq!(beside.drop_measurements_before(at(5)).unwrap(), 0);
        let old = Series::new("prod", "gone", "errors");
        let batch = [
            of(&errors(), 10_000, 1),
            of(&errors(), 20_000, 1),
            kept.clone(),
            of(&old, 10_000, 1),
        ];
        beside.save_measurements(&batch).unwrap();
        assert_eq!(beside.drop_measurements_before(at(30_000)).unwrap(), 3);
        assert_eq!(beside.drop_measurements_before(at(30_000)).unwrap(), 0);
    }
    assert_eq!(all(&place, &errors()), [kept]);
    let listed = place.open().beside().measured_since(at(0)).unwrap();
    assert_eq!(listed.len(), 1);
}

pub(crate) fn a_measurement_that_is_too_large_is_refused_with_the_whole_batch<A: Adapter>() {
    let place = A::fresh();
    let beside = place.open().beside();
    let fine = of(&errors(), 10_000, 1);
    let mut large = of(&errors(), 20_000, 1);
    large.private = Some(vec![0; limit::MEASUREMENT_NOTE_BYTES_MAX + 1]);
    let mut long = of(&errors(), 20_000, 1);
    long.series.flag = "f".repeat(limit::MEASUREMENT_NAME_BYTES_MAX + 1).into();
    for wrong in [large, long] {
        assert!(beside.save_measurements(&[fine.clone(), wrong]).is_err());
    }
    assert_eq!(all(&place, &errors()), []);
}
