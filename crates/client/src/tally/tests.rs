#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use leverframe_flags::{AnswerArm, FlagKey, Outcome, Reason, Value, VariantKey};

use super::{Layout, Tally};

fn layout() -> Arc<Layout> {
    let variants = |names: &[&str]| {
        names
            .iter()
            .map(|name| VariantKey::new(name).unwrap())
            .collect::<Vec<_>>()
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

/// An answer of this variant; its number, if the definition has it.
fn answer(variant: &str, variant_number: Option<u32>) -> Outcome<'_> {
    Outcome {
        value: &Value::Boolean(true),
        variant,
        variant_number,
        reason: Reason::Static,
        rule: None,
        arm: AnswerArm::Assigned,
        cause: None,
        revision: 1,
    }
}

#[test]
fn every_answer_is_taken_exactly_once() {
    let tally = Tally::default();
    let block = tally.open(&layout());
    assert!(block.count(0, &answer("on", Some(1))));
    assert!(block.count(0, &answer("on", Some(1))));
    assert!(block.count(1, &answer("high", Some(2))));
    assert_eq!(taken(&tally), [entry("a", "on", 2), entry("b", "high", 1)]);
    assert_eq!(taken(&tally), []);
    assert!(block.count(1, &answer("low", Some(0))));
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
                    assert!(block.count(0, &answer("on", Some(1))));
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
    assert!(!block.count(0, &answer("gone", None)));
    assert!(!block.count(0, &answer("gone", Some(2))));
    assert!(!block.count(9, &answer("on", Some(1))));
    tally.count_apart("a", "gone");
    tally.count_apart("no key!", "gone");
    assert_eq!(taken(&tally), [entry("a", "gone", 1)]);
}

#[test]
fn an_answer_from_no_definition_is_counted_by_its_name() {
    let tally = Tally::default();
    let block = tally.open(&layout());
    assert!(block.count(1, &answer("normal", None)));
    assert_eq!(taken(&tally), [entry("b", "normal", 1)]);
}
