//! The command list of the issue, in its order, against `lever serve`, with evaluators that follow
//! all along and a `kill -9` in the middle: once as a person reads it, once as a program does.

mod person;
mod program;

use crate::bench::Bench;

/// The rule the issue adds.
const RULE: &str = r#"plan == "beta" and country in ["NO","SE"]"#;

/// How many evaluators the issue shows.
const TWELVE: usize = 12;

/// `12/12 evaluators confirmed in 4 ms`, with whatever time it took.
#[track_caller]
fn assert_confirmed(line: &str, start: &str, count: usize) {
    let rest = line
        .strip_prefix(start)
        .unwrap_or_else(|| panic!("does not begin with {start}: {line}"));
    let took = rest
        .strip_prefix(&format!(" · {count}/{count} evaluators confirmed in "))
        .unwrap_or_else(|| panic!("not confirmed by {count}: {line}"));
    let (number, unit) = took.split_once(' ').unwrap();
    assert!(number.parse::<f64>().unwrap() > 0.0, "{line}");
    assert!(["ms", "s"].contains(&unit), "{line}");
}

/// Nothing that was stored is lost, whoever asks and however.
#[track_caller]
fn assert_unharmed(bench: &Bench, head: u64) {
    let verified = bench.json("audit verify");
    assert_eq!(verified["intact"], true, "{verified:#}");
    assert_eq!(verified["revision"], head, "{verified:#}");
    let log = bench.json("log --since 30m -n 1000");
    let revisions: Vec<u64> = log["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["revision"].as_u64().unwrap())
        .collect();
    assert_eq!(revisions, (1..=head).rev().collect::<Vec<_>>());
}
