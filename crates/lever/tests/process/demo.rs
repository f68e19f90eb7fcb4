//! `lever dev`: the main job without a person, and as a first minute with one.

use std::collections::BTreeSet;

use crate::bench::{Bench, Pending, Signal};

/// A home with no server in it.
fn home() -> Bench {
    let mut bench = Bench::new();
    bench.stop_server();
    bench
}

#[test]
#[expect(clippy::print_stdout, reason = "figures to read")]
fn the_kill_scenario_keeps_the_promise_for_every_seed() {
    let bench = home();
    let mut evaluations = BTreeSet::new();
    let begin = |seed: u64| {
        let line = format!(
            "dev --headless --scenario kill --seed {seed} --listen 127.0.0.1:0 --json --no-profile"
        );
        (seed, Pending::start(&line, bench.bare_command(&line)))
    };
    // Two at a time: most of it is waiting for visitors.
    let seeds: Vec<u64> = (1..=5).collect();
    let outcomes = seeds.chunks(2).flat_map(|pair| {
        let begun: Vec<_> = pair.iter().copied().map(begin).collect();
        begun
            .into_iter()
            .map(|(seed, run)| (seed, run.outcome().exits(0)))
    });
    for (seed, outcome) in outcomes {
        let report = outcome.json();
        assert_eq!(report["scenario"], "kill", "{outcome}");
        assert_eq!(report["seed"], seed, "{outcome}");
        assert_eq!(report["evaluators"], 12, "{outcome}");
        assert_eq!(report["confirmed"], 12, "{outcome}");
        assert_eq!(report["open_after_confirmed"], 0, "{outcome}");
        assert!(report["revision"].as_u64().unwrap() > 1, "{outcome}");
        let ms = &report["confirm_ms"];
        let [p50, p99, max] = ["p50", "p99", "max"].map(|name| ms[name].as_f64().unwrap());
        assert!(0.0 < p50 && p50 <= p99 && p99 <= max, "{outcome}");
        // Without traffic on both sides of the kill nothing would have been shown.
        assert!(report["open_before"].as_u64().unwrap() > 100, "{outcome}");
        assert!(
            report["evaluations_after"].as_u64().unwrap() > 1_000,
            "{outcome}"
        );
        evaluations.insert(report["open_before"].as_u64().unwrap());
        println!("seed {seed}: confirmed in {p50:.1} ms p50, {p99:.1} ms p99, {max:.1} ms max");
    }
    assert!(evaluations.len() > 1, "the numbers come from the traffic");
}

#[test]
fn a_second_terminal_needs_no_settings_and_ctrl_c_leaves_nothing_behind() {
    let bench = home();
    let dev = Pending::start("dev", bench.bare_command("dev --listen 127.0.0.1:0"));
    // The three commands to try, ready to paste.
    let paste = dev.until_writes("kill new-checkout -e prod -r \"INC-412 5xx\"");
    dev.until_writes("eval new-checkout -e prod --user u-123 --explain");
    dev.until_writes("status -e prod");

    let (program, arguments) = paste.trim().split_once(' ').unwrap();
    let program = bench.home().join(program);
    assert!(program.ends_with("lever"), "the full command: {paste}");
    let kill = bench.bare_command(arguments);
    let killed = Pending::start(arguments, kill).outcome().exits(0);
    let line = killed.stdout.lines().next().unwrap();
    assert!(
        line.starts_with("■ new-checkout closed in prod · r")
            && line.contains(" · 12/12 evaluators confirmed in "),
        "{killed}"
    );
    // It knows the environment for reading.
    let status = Pending::start("status", bench.bare_command("status"));
    status.outcome().exits(0).says("INC-412 5xx");
    // The terminal tells of it too.
    dev.until_writes("closed");

    dev.signal(Signal::Interrupt);
    dev.outcome().exits(0);
    let without = Pending::start("status", bench.bare_command("status -e prod"));
    without.outcome().exits(4);
}
