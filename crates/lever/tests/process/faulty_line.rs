//! Faults of the line between the server and its evaluators: nothing is applied in part, nobody
//! goes back, and nobody is counted that is not heard.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::bench::{Bench, Call, Crowd, Line, Mishap, PATIENCE, Proxy, figure, progress, seed};
use crate::measure::resident_kib;

/// Either side takes the other for gone after this much silence.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// An evaluator has caught up this long after its server came back.
const CATCH_UP_MAX: Duration = Duration::from_secs(2);

#[test]
fn frames_that_are_lost_repeated_or_overtaken_are_never_applied_in_part() {
    lose_frames(30);
}

#[test]
#[ignore = "long: cargo xtask soak"]
fn a_thousand_changes_over_a_line_that_loses_frames_are_never_applied_in_part() {
    lose_frames(1_000);
}

fn lose_frames(changes: usize) {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    let bench = Bench::with_open_checkout();
    let proxy = Proxy::to(bench.server().address());
    let recipe = bench.recipe("b1").variable("LEVER_URL", &proxy.url());
    let mut evaluator = recipe.start();
    bench.until_current("b1", 1);
    let mut right = BTreeMap::from([(0, true)]);
    let mut befallen = 0;
    for change in 0..changes {
        if random.random_bool(0.5) {
            let mishaps = [Mishap::Drop, Mishap::Duplicate, Mishap::Overtaken];
            proxy.befall(&[mishaps[random.random_range(0..mishaps.len())]]);
            befallen += 1;
        }
        let is_open = random.random_bool(0.5);
        let revision = if is_open {
            bench.open("new-checkout")
        } else {
            bench.kill("new-checkout")
        };
        right.insert(revision, is_open);
        if change % 100 == 99 {
            progress(&format!("{} of {changes} changes", change + 1));
        }
    }
    // And one more on a line that is good again: whatever is missing is noticed now.
    let mut is_good = false;
    while !is_good {
        is_good = proxy.has_befallen();
        right.insert(bench.open("new-checkout"), true);
        right.insert(bench.kill("new-checkout"), false);
    }
    bench.until_current("b1", 1);
    assert!(!evaluator.asked("u-1"));
    let answers = evaluator.answers();
    let mut seen = Vec::new();
    for line in answers.lines().filter(|line| !line.ends_with(" u-1")) {
        let (revision, answer) = line.strip_prefix('r').unwrap().split_once(' ').unwrap();
        let revision: u64 = revision.parse().unwrap();
        let (_, right) = right.range(..=revision).next_back().unwrap();
        assert_eq!(answer, format!("new-checkout {right}"), "{line}");
        seen.push(revision);
    }
    assert!(seen.is_sorted(), "{seen:?}");
    let resyncs = evaluator.log().matches("asking for a snapshot").count();
    assert!(resyncs > 0, "no gap was noticed:\n{}", evaluator.log());
    figure(&format!(
        "{changes} changes, {befallen} frames lost, repeated or overtaken, {resyncs} snapshots asked for"
    ));
}

#[test]
#[ignore = "long: cargo xtask soak"]
fn a_half_open_line_is_seen_by_both_sides_within_15_s_and_is_not_counted_as_confirmed() {
    let bench = Bench::with_open_checkout();
    let proxy = Proxy::to(bench.server().address());
    let recipe = bench.recipe("b-half").variable("LEVER_URL", &proxy.url());
    let evaluator = recipe.start();
    let well = bench.follow("b-well");
    bench.until_current("b-half", 1);
    evaluator.until(true);

    proxy.set(Line::Swallowing);
    let silent_since = Instant::now();
    bench
        .lever("kill new-checkout -e prod --timeout 2s")
        .exits(9)
        .says("1/2 evaluators confirmed")
        .says("build b-half");
    well.until(false);
    let seen_by_server = until(|| !is_connected(&bench, "b-half")) - silent_since;
    let seen_by_evaluator = until(|| {
        let log = evaluator.log();
        log.contains("no connection; going on with what is known")
    }) - silent_since;
    bench.lever("status -e prod").exits(0).says("✗ 1/2");
    assert_eq!(evaluator.answers().matches(" false").count(), 0);
    // What the silence is measured with looks every second or so.
    let tolerance = Duration::from_secs(1);
    assert!(
        seen_by_server <= SILENCE_MAX + tolerance,
        "{seen_by_server:?}"
    );
    assert!(
        seen_by_evaluator <= SILENCE_MAX + tolerance,
        "{seen_by_evaluator:?}"
    );

    proxy.set(Line::Good);
    evaluator.until(false);
    bench.until_current("b-half", 1);
    figure(&format!(
        "seen by the server after {:.1} s, by the evaluator after {:.1} s",
        seen_by_server.as_secs_f64(),
        seen_by_evaluator.as_secs_f64()
    ));
}

fn is_connected(bench: &Bench, build: &str) -> bool {
    let fleet = bench
        .call(&Call::get("/api/v1/environments/prod/fleet"))
        .unwrap()
        .ok();
    let evaluators = fleet["evaluators"].as_array().unwrap();
    let of_build = evaluators.iter().find(|one| one["build"] == build);
    of_build.unwrap()["connected"] == true
}

/// How many changes a measurement of the others' time takes: enough that a moment in which somebody
/// else had the machine is no hundredth of them.
const TIMED: usize = 300;
/// Evaluators that read a byte a second.
const SLOW: usize = 20;

#[test]
#[ignore = "long: cargo xtask soak"]
fn evaluators_that_read_a_byte_a_second_cost_bounded_memory_and_the_others_no_time() {
    let bench = Bench::with_open_checkout();
    // Every change of it carries this much to every evaluator.
    let ballast = "x".repeat(15_000);
    let variants = format!("on={ballast},off=none");
    bench
        .lever(&format!(
            "flag create banner --type string --variants {variants} --closed off --open on --kind ops --owner web"
        ))
        .exits(0);
    let crowd = Crowd::start(&bench.recipe("b-well"), 50);
    let mut without = Vec::new();
    let mut with = Vec::new();
    let proxy = Proxy::to(bench.server().address());
    // Alternated, so that whatever else this machine does falls on both.
    let mut grown = 0;
    for round in 0..3 {
        without.extend(reach_times(&bench, &crowd));
        let before = resident_kib(bench.server().id());
        proxy.set(Line::Good);
        let recipe = bench.recipe(&format!("b-slow-{round}"));
        let slow = Crowd::start(&recipe.variable("LEVER_URL", &proxy.url()), SLOW);
        proxy.set(Line::Trickle);
        with.extend(reach_times(&bench, &crowd));
        grown = resident_kib(bench.server().id())
            .saturating_sub(before)
            .max(grown);
        drop(slow);
        proxy.set(Line::Cut);
        progress(&format!("round {} of 3", round + 1));
    }
    let (without, with) = (p99(without), p99(with));
    // 20 who read nothing of 300 changes of 15 kB would be 90 MB if each had a queue of its own.
    assert!(grown < 16 * 1024, "{grown} KiB for {SLOW} slow readers");
    let allowed = without.mul_f64(1.1) + Duration::from_millis(1);
    figure(&format!(
        "p99 to 50 others {:.1} ms without and {:.1} ms with {SLOW} slow readers; server grew by {grown} KiB",
        without.as_secs_f64() * 1e3,
        with.as_secs_f64() * 1e3
    ));
    assert!(with <= allowed, "{with:?} with, {without:?} without");
}

/// How long each of many changes takes from the request to the last of the crowd.
fn reach_times(bench: &Bench, crowd: &Crowd) -> Vec<Duration> {
    let mut times = Vec::new();
    for change in 0..TIMED {
        let sent = Instant::now();
        let revision = bench.edit("banner", &format!("change {change}"));
        crowd.until(revision);
        times.push(sent.elapsed());
    }
    times
}

fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[(times.len() * 99).div_ceil(100) - 1]
}

/// How long the server is away; ten minutes in life. What an evaluator does then does not change
/// after its longest pause between two attempts, 1.5 s.
const AWAY: Duration = Duration::from_secs(30);

#[test]
#[ignore = "long: cargo xtask soak"]
fn evaluators_whose_server_is_away_serve_the_last_good_and_catch_up_within_2_s() {
    let bench = Bench::with_open_checkout();
    let proxy = Proxy::to(bench.server().address());
    let url = proxy.url();
    let recipe = bench.recipe("b1").variable("LEVER_URL", &url);
    let mut crowd = Crowd::start(&recipe, 100);
    let mut evaluator = recipe.start();
    bench.until_current("b1", 101);
    proxy.set(Line::Cut);
    evaluator.until_logs("no connection; going on with what is known");
    let gone = Instant::now();
    let mut changes = 0;
    while gone.elapsed() < AWAY {
        assert!(evaluator.asked("u-1"), "the last good");
        assert_eq!(crowd.asked("new-checkout", "u-1"), (100, 100));
        bench.kill("new-checkout");
        bench.open("new-checkout");
        changes += 2;
    }
    assert_eq!(crowd.standing().connected, 0);
    let killed = bench.kill("new-checkout");
    proxy.set(Line::Good);
    let back = Instant::now();
    crowd.until(killed);
    let caught_up = back.elapsed();
    assert!(!evaluator.at(killed));
    assert_eq!(crowd.asked("new-checkout", "u-1"), (0, 100));
    figure(&format!(
        "away {} s for ten minutes, {changes} changes missed, 100 evaluators caught up in {:.2} s",
        AWAY.as_secs(),
        caught_up.as_secs_f64()
    ));
    assert!(caught_up <= CATCH_UP_MAX, "{caught_up:?}");
}

/// When it was so.
#[track_caller]
fn until(is_so: impl Fn() -> bool) -> Instant {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it never was so");
    }
    Instant::now()
}
