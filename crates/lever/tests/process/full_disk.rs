//! A disk that takes no more: nothing is acknowledged that is not stored, and everything that needs
//! no disk goes on. The limit is one on the size of files, set by the shell that starts the server.

use std::process::Command;

use crate::bench::{Bench, Start};

/// Blocks of 512 bytes: 160 KiB.
const FILES_AT_MOST: &str = "trap '' XFSZ; ulimit -S -f 320";

#[test]
fn on_a_full_disk_changes_are_refused_evaluation_goes_on_and_space_heals_it() {
    let mut bench = Bench::with(Start::default().after(FILES_AT_MOST));
    bench
        .lever("flag create new-checkout --owner team-pay --kind ops")
        .exits(0);
    bench
        .lever("open new-checkout -e prod --to 100 -r x")
        .exits(0);
    let recipe = bench.recipe("b1");
    let mut evaluator = recipe.start();
    evaluator.until(true);

    // Large reasons fill it within a few changes.
    let reason = "x".repeat(900);
    let mut accepted = bench.revision();
    let refused = loop {
        assert!(accepted < 2_000, "the disk never fills");
        let line = format!("flag edit new-checkout --description {accepted} -r {reason} -o json");
        let outcome = bench.lever(&line);
        if outcome.exit != Some(0) {
            break outcome;
        }
        accepted = outcome.json()["revision"].as_u64().unwrap();
    };
    let refused = refused.exits(1);
    let problem = refused.problem();
    assert_eq!(problem["status"], 503, "{refused}");
    assert_eq!(problem["code"], "unavailable", "{refused}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("could not append to "), "{refused}");
    assert!(detail.contains("lever.db"), "{refused}");
    assert_eq!(bench.revision(), accepted, "nothing of it is visible");

    // What needs no disk goes on.
    bench.json("flag list");
    assert_eq!(
        bench.json("eval new-checkout -e prod --user u-1")["value"],
        true
    );
    assert!(evaluator.asked("u-2"));
    let joiner = recipe.start();
    assert!(joiner.next().ends_with(" true"));
    bench.until_current("b1", 2);
    bench.lever("doctor").exits(1).says("✗");

    // Space again: the same server takes changes again.
    raise_limit(bench.server().id());
    bench
        .lever("flag edit new-checkout --description healed -r x")
        .exits(0);
    assert_eq!(bench.revision(), accepted + 1, "no revision was used up");
    bench
        .lever("kill new-checkout -e prod")
        .exits(0)
        .says("2/2 evaluators confirmed");
    bench.crash();
    assert_eq!(bench.json("audit verify")["intact"], true);
    assert_eq!(bench.position("new-checkout", "prod")["state"], "closed");
}

/// `prlimit` of util-linux: the soft limit of a process that runs.
fn raise_limit(id: u32) {
    let raised = Command::new("prlimit")
        .args(["--pid", &id.to_string(), "--fsize=unlimited:"])
        .status()
        .unwrap();
    assert!(raised.success());
}
