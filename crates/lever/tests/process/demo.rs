//! `lever dev`: the main job without a person, and as a first minute with one.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::bench::{Bench, Outcome, Pending, Signal};

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

/// How long a scenario may take on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(240);

/// Begins a scenario.
fn begun(bench: &Bench, scenario: &str, seed: u64) -> Pending {
    let line = format!(
        "dev --headless --scenario {scenario} --seed {seed} --listen 127.0.0.1:0 --json --no-profile"
    );
    Pending::start(&line, bench.bare_command(&line))
}

/// Runs a scenario with each of twenty seeds, four at a time: most of it is waiting for visitors.
fn twenty(bench: &Bench, scenario: &str) -> Vec<Outcome> {
    let seeds: Vec<u64> = (1..=20).collect();
    let by_four = seeds.chunks(4).flat_map(|four| {
        let runs: Vec<Pending> = four
            .iter()
            .map(|seed| begun(bench, scenario, *seed))
            .collect();
        runs.into_iter().map(|run| run.outcome_within(PATIENCE))
    });
    by_four.collect()
}

/// What is true of a bad release for every seed; how long it took, and how many were hit.
fn is_rolled_back(outcome: Outcome, seed: u64) -> (f64, u64) {
    let outcome = outcome.exits(0);
    let report = outcome.json();
    assert_eq!(report["scenario"], "bad-release", "{outcome}");
    assert_eq!(report["seed"], seed, "{outcome}");
    assert_eq!(report["outcome"], "rolled_back", "{outcome}");
    assert_eq!(report["stage"], "5 %", "{outcome}");
    assert_eq!(report["verdict"], "bad", "{outcome}");
    assert_eq!(report["evaluators"], 12, "{outcome}");
    assert_eq!(report["confirmed"], 12, "{outcome}");
    assert_eq!(report["pages"], 1, "{outcome}");
    let hit = report["users_hit"].as_u64().unwrap();
    let late = report["late"].as_u64().unwrap();
    let by_the_shop = report["users_hit_by_the_shop"].as_u64().unwrap();
    assert!(5 <= hit && hit <= by_the_shop, "{outcome}");
    assert!(by_the_shop - hit <= late, "{outcome}");
    let sentence = report["sentence"].as_str().unwrap();
    assert!(sentence.contains("users hit"), "{outcome}");
    assert!(sentence.contains("at the 5 % stage"), "{outcome}");
    let after = report["convicted_after_s"].as_f64().unwrap();
    (after, hit)
}

/// What is true of a good release for every seed; how long it took.
fn is_completed(outcome: Outcome, seed: u64) -> f64 {
    let outcome = outcome.exits(0);
    let report = outcome.json();
    assert_eq!(report["scenario"], "good", "{outcome}");
    assert_eq!(report["seed"], seed, "{outcome}");
    assert_eq!(report["outcome"], "completed", "{outcome}");
    assert_eq!(report["stage"], "100 %", "{outcome}");
    assert_eq!(report["confirmed"], 12, "{outcome}");
    assert_eq!(report["pages"], 0, "{outcome}");
    assert!(report["convicted_after_s"].is_null(), "{outcome}");
    report["took_s"].as_f64().unwrap()
}

#[test]
fn a_bad_release_is_rolled_back_by_itself_and_a_good_one_reaches_everybody() {
    let bench = home();
    let bad = [1, 2].map(|seed| (seed, begun(&bench, "bad-release", seed)));
    let good = [1, 2].map(|seed| (seed, begun(&bench, "good", seed)));
    for (seed, run) in bad {
        is_rolled_back(run.outcome_within(PATIENCE), seed);
    }
    for (seed, run) in good {
        is_completed(run.outcome_within(PATIENCE), seed);
    }
}

#[test]
#[ignore = "long: cargo xtask soak"]
#[expect(clippy::print_stdout, reason = "figures to read")]
fn twenty_seeds_of_each_release_end_as_they_should() {
    let bench = home();
    let ends = twenty(&bench, "bad-release");
    let (mut afters, mut hits) = (Vec::new(), Vec::new());
    for (outcome, seed) in ends.into_iter().zip(1..) {
        let (after, hit) = is_rolled_back(outcome, seed);
        println!("bad-release, seed {seed}: convicted after {after:.1} s, {hit} users hit");
        assert!(after <= 30.0, "within half a minute");
        afters.push(after);
        hits.push(hit);
    }
    afters.sort_by(f64::total_cmp);
    hits.sort_unstable();
    println!(
        "bad-release: convicted after {:.1} s in the middle, {:.1} s at most; {} users hit in the middle, {} at most",
        afters[10], afters[19], hits[10], hits[19]
    );
    let ends = twenty(&bench, "good");
    for (outcome, seed) in ends.into_iter().zip(1..) {
        let took = is_completed(outcome, seed);
        println!("good, seed {seed}: done after {took:.1} s");
    }
}

#[test]
fn whoever_looks_on_reads_why_it_was_rolled_back_and_can_ask_in_a_second_terminal() {
    let bench = home();
    let dev = Pending::start("dev", bench.bare_command("dev --listen 127.0.0.1:0"));
    dev.until_writes("the traffic (200 req/s, seed 7) is simulated");
    dev.until_writes("The plan is compressed, not the clock");
    dev.until_writes_within("■ ROLLED BACK at the 5 % stage", PATIENCE);
    dev.until_writes("users hit");
    dev.until_writes("12/12 evaluators at r");
    dev.until_writes("the on-call of team-pay, once");
    let paste = dev.until_writes("rollout explain new-checkout -e prod");
    let (_, arguments) = paste.trim().split_once(' ').unwrap();
    let explained = Pending::start(arguments, bench.bare_command(arguments)).outcome();
    explained.exits(0).says("users hit").says("errors");
    dev.until_writes("rollout start new-checkout -e prod --plan demo --again");
    dev.until_writes("kill new-checkout -e prod -r \"INC-412 5xx\"");
    dev.signal(Signal::Interrupt);
    dev.outcome().exits(0);
}

#[test]
fn a_second_terminal_needs_no_settings_and_ctrl_c_leaves_nothing_behind() {
    let bench = home();
    let line = "dev --scenario kill --listen 127.0.0.1:0";
    let dev = Pending::start(line, bench.bare_command(line));
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
