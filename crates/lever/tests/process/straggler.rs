//! P4: confirmed means confirmed. An evaluator that has not acknowledged is named, with what a
//! person needs to find it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::bench::{Bench, Signal};

/// The evaluator of this build, as the fleet shows it.
#[track_caller]
fn evaluator(bench: &Bench, build: &str) -> Value {
    let fleet = bench.json("fleet -e prod");
    let evaluators = fleet["evaluators"].as_array().unwrap();
    let found = evaluators.iter().find(|one| one["build"] == build);
    found
        .unwrap_or_else(|| panic!("no {build}: {fleet:#}"))
        .clone()
}

#[test]
fn a_kill_with_one_evaluator_stopped_exits_9_and_names_it_until_it_continues() {
    let bench = Bench::with_open_checkout();
    let well = bench.follow("b-well");
    let stopped = bench.follow("b-stopped");
    well.until(true);
    stopped.until(true);
    let instance = evaluator(&bench, "b-stopped")["instance"].clone();
    let instance = instance.as_str().unwrap();

    stopped.signal(Signal::Stop);
    let partial = bench
        .lever("kill new-checkout -e prod -r INC-412 --timeout 1s")
        .exits(9)
        .says("■ new-checkout closed in prod · r")
        .says("PARTIAL: 1/2 evaluators confirmed after 1s")
        .says("look again: lever status -e prod")
        .says("  undo: lever undo r")
        .never_says("b-well");
    assert!(partial.took >= Duration::from_secs(1), "{partial}");
    assert!(partial.took < Duration::from_secs(4), "{partial}");
    let named: Vec<&str> = partial
        .stdout
        .lines()
        .filter(|line| line.contains('✗'))
        .collect();
    let [line] = named.as_slice() else {
        panic!("exactly one is named\n{partial}");
    };
    for part in [
        instance,
        "shop",
        "build b-stopped",
        "last seen ",
        "still answers OPEN",
    ] {
        assert!(line.contains(part), "no {part}: {line}");
    }
    assert!(!well.until(false).is_empty());

    let document = bench
        .lever("kill new-checkout -e prod -o json --timeout 0s")
        .exits(9)
        .json();
    assert_eq!(document["unchanged"], true);
    let confirmation = &document["confirmation"];
    assert_eq!(confirmation["state"], "pending");
    assert_eq!(confirmation["expected"], 2);
    assert_eq!(confirmation["confirmed"], 1);
    let stragglers = confirmation["stragglers"].as_array().unwrap();
    assert_eq!(stragglers.len(), 1, "{document:#}");
    let straggler = stragglers.first().unwrap();
    for (name, value) in [
        ("instance", json!(instance)),
        ("application", json!("shop")),
        ("build", json!("b-stopped")),
    ] {
        assert_eq!(straggler[name], value, "{document:#}");
    }
    assert!(!straggler["advice"].as_str().unwrap().is_empty());
    bench
        .lever("status -e prod")
        .exits(0)
        .says("✗ 1/2")
        .says(instance);

    stopped.signal(Signal::Continue);
    stopped.until(false);
    let status = bench.eventually("status -e prod", |status| {
        status["fleet"]["state"] == "confirmed"
    });
    assert_eq!(status["fleet"]["confirmed"], 2);
    assert_eq!(status["levers"][0]["confirmed"], 2);
    bench
        .lever("kill new-checkout -e prod")
        .exits(0)
        .says("closed in prod already")
        .says("2/2 evaluators confirmed");
}

#[test]
fn without_a_wait_nothing_is_called_confirmed() {
    let bench = Bench::with_open_checkout();
    let evaluator = bench.follow("b1");
    evaluator.until(true);
    bench
        .lever("kill new-checkout -e prod --no-wait")
        .exits(0)
        .says("stored as r")
        .says("not waited for the evaluators")
        .never_says("confirmed");
    evaluator.until(false);
}

#[test]
fn an_interrupted_wait_exits_130_and_says_that_the_server_goes_on() {
    let bench = Bench::with_open_checkout();
    let evaluator = bench.follow("b1");
    evaluator.until(true);
    evaluator.signal(Signal::Stop);
    let kill = bench.begin("kill new-checkout -e prod --timeout 60s");
    kill.until_says("waiting for 1 of 1 evaluators in prod");
    kill.signal(Signal::Interrupt);
    kill.outcome()
        .exits(130)
        .complains("the server goes on")
        .complains("lever status -e prod");
    assert_eq!(bench.position("new-checkout", "prod")["state"], "closed");
    evaluator.signal(Signal::Continue);
    evaluator.until(false);
}
