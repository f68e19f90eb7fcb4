//! Whatever is reported, in whatever order, and wherever a restart comes.

use leverframe_store::memory::Disk;
use leverframe_store::{MemoryStore, Store};
use proptest::prelude::*;

use super::super::note::Note;
use super::super::{recalled, stage};
use super::*;

/// What evaluators might say, in a few parts, and the order in which it comes.
fn reports() -> impl Strategy<Value = Vec<Report>> {
    let one = (0..5_i64, 0..40_u64, 0..3_usize, 0..4_u8, 0..200_u8);
    let one = one.prop_map(|(interval, hash, arm, bad, choice)| {
        let mut one = report(interval * 10, Vec::new());
        one.names = vec![ERRORS.into(), "payment".into()];
        // Few change sides.
        let arm = if arm == 2 {
            Arm::ALL[hash as usize % 3]
        } else {
            Arm::ALL[hash as usize % 2]
        };
        one.units = vec![ReportedUnit {
            hash,
            arm,
            bad,
            latency: (choice < 100).then(|| Chosen {
                choice: u16::from(choice),
                bucket: choice / 4,
            }),
        }];
        if choice == 150 {
            one.threshold = 20;
            one.units.retain(|unit| unit.hash < 20);
        }
        one
    });
    proptest::collection::vec(one, 1..60)
}

fn folded(reports: &[Report]) -> Vec<StoredMeasurement> {
    let mut book = book();
    // All that are in time: the first interval is closed after the last has begun.
    for (sequence, one) in (1..).zip(reports) {
        book.take(&prod(), &batch(sequence, vec![one.clone()]), at(45));
    }
    book.close(at(60), at(75), |_, _| 7)
}

proptest! {
    #[test]
    fn the_same_reports_in_any_order_and_repeated_give_the_same_measurements(
        (reports, other) in reports().prop_flat_map(|reports| {
            let twice: Vec<Report> = reports.iter().chain(&reports).cloned().collect();
            (Just(reports), Just(twice).prop_shuffle())
        })
    ) {
        prop_assert_eq!(folded(&reports), folded(&other));
    }

    #[test]
    fn a_restart_between_two_intervals_changes_nothing(reports in reports(), split in 1..5_i64) {
        let disk = Disk::new();
        let beside = MemoryStore::open(&disk).beside();
        let watched = [Watched {
            environment: prod(),
            flag: "new-checkout".parse().unwrap(),
            names: vec!["payment".into()],
        }];
        let take = |book: &mut Book, until: i64| {
            book.watch(&watched);
            for (sequence, one) in (1..).zip(&reports) {
                if one.at.as_ms() < until * 10_000 || one.at >= book.closed_until() {
                    book.take(&prod(), &batch(sequence, vec![one.clone()]), at(45));
                }
            }
        };
        let whole = {
            let mut book = book();
            take(&mut book, 0);
            book.close(at(60), at(75), |_, _| 7)
        };
        let mut parts = {
            let mut book = book();
            take(&mut book, split);
            let rows = book.close(at(split * 10), at(split * 10), |_, _| 7);
            beside.save_measurements(&rows).unwrap();
            rows
        };
        {
            let mut book = recalled(GRID, at(split * 10 + 1), &*beside).unwrap();
            prop_assert_eq!(book.closed_until(), at(split * 10));
            // They say everything again that may not have been folded, and more.
            take(&mut book, 100);
            parts.extend(book.close(at(60), at(75), |_, _| 7));
        }
        let units = |rows: &[StoredMeasurement]| -> Vec<_> {
            let mut kept: Vec<_> = rows
                .iter()
                // Latencies rest for the rest of the minute.
                .filter(|row| *row.series.metric != *"latency")
                .map(|row| (row.series.clone(), row.measurement.clone()))
                .collect();
            kept.sort_by(|(a, m), (b, n)| (a, m.at).cmp(&(b, n.at)));
            kept
        };
        prop_assert_eq!(units(&parts), units(&whole));
    }

    #[test]
    fn a_note_is_read_as_it_was_written_and_nothing_else_is(
        learned in proptest::collection::vec((any::<u64>(), any::<u8>(), any::<u8>()), 0..20),
        threshold: u64,
        cut in 0..400_usize,
    ) {
        let note = Note {
            names: vec![ERRORS.into(), "payment".into()],
            threshold,
            learned: learned
                .into_iter()
                .map(|(hash, arms, bad)| (hash, stage::Known { arms, bad }))
                .collect(),
        };
        let bytes = note.write();
        let torn = bytes.get(..cut).filter(|torn| torn.len() < bytes.len());
        if let Some(torn) = torn
            && let Some(read) = Note::read(torn)
        {
            // Broken off between two units it is a shorter note.
            prop_assert!(read.learned.len() < note.learned.len());
        }
        prop_assert_eq!(Note::read(&bytes), Some(note));
    }
}
