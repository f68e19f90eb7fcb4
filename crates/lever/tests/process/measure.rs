//! Figures, printed and held only against what would be absurd.

use std::time::Duration;

use crate::bench::{Bench, Evaluator};

#[test]
#[expect(clippy::print_stdout, reason = "figures to read")]
fn a_kill_from_the_shell_with_twelve_evaluators_is_quick_and_an_idle_server_is_small() {
    let bench = Bench::with_open_checkout();
    let idle = resident_kib(bench.server().id());
    let recipe = bench.recipe("b1");
    let evaluators: Vec<Evaluator> = (0..12).map(|_| recipe.start()).collect();
    bench.until_current("b1", 12);
    for evaluator in &evaluators {
        evaluator.until(true);
    }
    let mut took = Vec::new();
    for _ in 0..5 {
        let killed = bench
            .lever("kill new-checkout -e prod -r INC-412")
            .exits(0)
            .says("12/12 evaluators confirmed");
        took.push(killed.took);
        bench
            .lever("open new-checkout -e prod --to 100 -r again")
            .exits(0);
    }
    took.sort_unstable();
    let median = took.get(2).unwrap();
    println!(
        "lever kill, 12 evaluators, from the shell: median {median:?}, worst {:?}; \
         server idle {idle} KiB, with 12 evaluators {} KiB",
        took.last().unwrap(),
        resident_kib(bench.server().id()),
    );
    assert!(*median < Duration::from_secs(3), "{took:?}");
    assert!(idle < 150 * 1024, "{idle} KiB");
}

/// What a process keeps in memory.
pub(crate) fn resident_kib(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap()
}
