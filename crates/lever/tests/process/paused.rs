//! A server that stands still and goes on: to itself no time has passed.

use std::time::{Duration, Instant};

use crate::bench::{Bench, Signal, figure, kill};

#[test]
fn a_kill_that_a_paused_server_was_sent_is_taken_once_and_confirmed_when_it_goes_on() {
    let bench = Bench::with_open_checkout();
    let mut evaluator = bench.follow("b1");
    evaluator.until(true);
    let head = bench.revision();
    bench.server().signal(Signal::Stop);
    let address = bench.server().address();
    let asked = kill("new-checkout").ask(address, &bench.admin_secret());
    assert!(evaluator.asked("u-1"), "nobody has heard of it");
    bench.server().signal(Signal::Continue);
    let receipt = asked.unwrap().answer().unwrap().ok();
    assert_eq!(receipt["revision"], head + 1, "{receipt:#}");
    assert!(!evaluator.at(head + 1));
    bench.until_current("b1", 1);
    assert_eq!(bench.revision(), head + 1);
}

#[test]
#[ignore = "long: cargo xtask soak"]
fn evaluators_of_a_server_that_is_paused_for_20_s_leave_it_and_come_back() {
    let bench = Bench::with_open_checkout();
    let mut evaluator = bench.follow("b1");
    evaluator.until(true);
    bench.server().signal(Signal::Stop);
    let paused = Instant::now();
    evaluator.until_logs("no connection; going on with what is known");
    let left = paused.elapsed();
    assert!(left < Duration::from_secs(17), "{left:?}");
    let deadline = Duration::from_secs(20);
    while paused.elapsed() < deadline {
        assert!(evaluator.asked("u-1"), "the last good");
    }
    bench.server().signal(Signal::Continue);
    let continued = Instant::now();
    let killed = bench
        .lever("kill new-checkout -e prod --wait=20s")
        .exits(0)
        .says("1/1 evaluators confirmed")
        .revision();
    assert!(!evaluator.at(killed));
    bench.until_current("b1", 1);
    assert_eq!(bench.json("audit verify")["intact"], true);
    figure(&format!(
        "left after {:.1} s, a kill confirmed {:.1} s after the server went on",
        left.as_secs_f64(),
        continued.elapsed().as_secs_f64()
    ));
}
