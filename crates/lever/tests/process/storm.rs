//! Ten thousand evaluators that lose their server at once, and come back at once.

use std::time::{Duration, Instant};

use crate::bench::{Bench, Crowd, figure, progress};
use crate::measure::resident_kib;

const EVALUATORS: usize = 10_000;
/// Longest until all are back.
const BACK_TIME_MAX: Duration = Duration::from_secs(60);
/// Most that the server keeps in memory, in KiB.
const MEMORY_MAX_KIB: u64 = 1024 * 1024;

#[test]
#[ignore = "long: cargo xtask soak"]
fn ten_thousand_evaluators_are_back_within_60_s_and_a_kill_in_the_storm_is_confirmed() {
    assert!(
        descriptors_max() >= 2 * EVALUATORS,
        "too few descriptors: ulimit -n {}",
        2 * EVALUATORS
    );
    let mut bench = Bench::with_open_checkout();
    progress(&format!("{EVALUATORS} clients connect"));
    let mut crowd = Crowd::start(&bench.recipe("crowd"), EVALUATORS);
    let calm_kib = resident_kib(bench.server().id());
    let crowd_kib = resident_kib(crowd.id());
    assert_eq!(crowd.standing().connected, EVALUATORS);

    progress("the server dies");
    bench.kill_server();
    let died = Instant::now();
    bench.start();
    let killed = bench
        .begin("kill new-checkout -e prod -r storm --wait=60s")
        .outcome_within(BACK_TIME_MAX * 2)
        .exits(0);
    let confirmed = died.elapsed();
    crowd.until_within(BACK_TIME_MAX, killed.revision());
    // One whose first connection was too slow is between two of them.
    while crowd.standing().connected < EVALUATORS {
        assert!(died.elapsed() < BACK_TIME_MAX, "{:?}", crowd.standing());
    }
    let back = died.elapsed();
    let storm_kib = resident_kib(bench.server().id()).max(peak_kib(bench.server().id()));
    assert_eq!(crowd.asked("new-checkout", "u-1"), (0, EVALUATORS));
    bench.until_current("crowd", EVALUATORS);

    progress("a second kill, in the calm");
    let opened = bench.open("new-checkout");
    crowd.until_within(BACK_TIME_MAX, opened);
    let calm_kill = bench
        .begin("kill new-checkout -e prod -r calm --wait=60s")
        .outcome_within(BACK_TIME_MAX * 2)
        .exits(0)
        .says(&format!("{EVALUATORS}/{EVALUATORS} evaluators confirmed"));
    let words = killed.stdout.lines().next().unwrap_or_default().to_owned();
    figure(&format!(
        "{EVALUATORS} whole clients ({} MiB) back {:.1} s after SIGKILL, the kill in the storm \
         confirmed after {:.1} s; server {} MiB before, {} MiB at most; a kill in the calm {:.2} s",
        crowd_kib / 1024,
        back.as_secs_f64(),
        confirmed.as_secs_f64(),
        calm_kib / 1024,
        storm_kib / 1024,
        calm_kill.took.as_secs_f64()
    ));
    assert!(words.contains("evaluators confirmed"), "{words}");
    assert!(back <= BACK_TIME_MAX, "{back:?}");
    assert!(storm_kib < MEMORY_MAX_KIB, "{storm_kib} KiB");
}

/// The most that a process ever kept in memory.
fn peak_kib(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    peak.unwrap()
}

/// How many descriptors a process may have here; children inherit it.
fn descriptors_max() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
    soft.unwrap_or(0)
}
