#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use leverframe_flags::{FlagKey, VariantKey};

use super::{Layout, Tally};

fn layout() -> Arc<Layout> {
    let variants = |names: &[&str]| {
        names
            .iter()
            .map(|name| VariantKey::new(name).unwrap())
            .collect::<Box<[_]>>()
    };
    Arc::new(Layout::of([
        (FlagKey::new("a").unwrap(), variants(&["off", "on"])),
        (
            FlagKey::new("b").unwrap(),
            variants(&["low", "normal", "high"]),
        ),
    ]))
}

fn taken(tally: &Tally) -> Vec<(String, String, u64)> {
    tally
        .take()
        .into_iter()
        .map(|((flag, variant), count)| (flag.to_string(), variant.to_string(), count))
        .collect()
}

fn entry(flag: &str, variant: &str, count: u64) -> (String, String, u64) {
    (flag.to_owned(), variant.to_owned(), count)
}

#[test]
fn every_answer_is_taken_exactly_once() {
    let tally = Tally::default();
    let block = tally.open(&layout());
    assert!(block.count(0, "on"));
    assert!(block.count(0, "on"));
    assert!(block.count(1, "high"));
    assert_eq!(taken(&tally), [entry("a", "on", 2), entry("b", "high", 1)]);
    assert_eq!(taken(&tally), []);
    assert!(block.count(1, "low"));
    assert_eq!(taken(&tally), [entry("b", "low", 1)]);
}

#[test]
fn threads_that_count_at_once_lose_nothing_even_when_they_end() {
    let tally = Arc::new(Tally::default());
    let layout = layout();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (tally, layout) = (Arc::clone(&tally), Arc::clone(&layout));
            std::thread::spawn(move || {
                let block = tally.open(&layout);
                for _ in 0..10_000 {
                    assert!(block.count(0, "on"));
                }
            })
        })
        .collect();
    let mut sum = 0;
    for thread in threads {
        sum += taken(&tally).iter().map(|(_, _, count)| count).sum::<u64>();
        thread.join().unwrap();
    }
    sum += taken(&tally).iter().map(|(_, _, count)| count).sum::<u64>();
    assert_eq!(sum, 40_000);
    assert!(
        tally.lock().blocks.is_empty(),
        "ended threads leave nothing"
    );
}

#[test]
fn a_variant_the_layout_does_not_know_is_counted_apart() {
    let tally = Tally::default();
    let block = tally.open(&layout());
    assert!(!block.count(0, "gone"));
    assert!(!block.count(9, "on"));
    tally.count_apart("a", "gone");
    tally.count_apart("no key!", "gone");
    assert_eq!(taken(&tally), [entry("a", "gone", 1)]);
}
