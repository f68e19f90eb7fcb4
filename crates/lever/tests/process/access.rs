//! Who may do what: the roles as tokens at the real server.

use serde_json::Value;

use crate::bench::{Bench, Outcome, PATIENCE};

#[track_caller]
fn denied(outcome: &Outcome) -> Value {
    assert_eq!(outcome.exit, Some(7), "{outcome}");
    outcome.problem()
}

#[test]
fn a_brake_may_close_and_lower_and_nothing_else() {
    let bench = Bench::with_checkout();
    bench
        .lever("open new-checkout -e prod --to 50 -r x")
        .exits(0);
    let brake = bench.token("ci --role brake -e prod");
    let as_brake = |line: &str| bench.lever_as(&brake, &format!("{line} -o json"));
    let head = bench.revision();
    for line in [
        "open new-checkout -e prod --to 60 -r x",
        "ramp new-checkout -e prod --to 50.001 -r x",
        "pin new-checkout on -e prod -r x",
        "flag edit new-checkout --owner me -r x",
        "flag archive new-checkout -r x",
        "flag create other --owner me --kind ops",
        "flag rule add new-checkout -e prod --when 'a == 1' --serve on -r x",
        "segment create staff --include u-1",
        "env create qa",
        "env guard prod --off -r x",
        "token create mine --role admin",
    ] {
        denied(&as_brake(line));
    }
    assert_eq!(bench.revision(), head, "nothing changed");

    as_brake("ramp new-checkout -e prod --to 10 -r lower").exits(0);
    let killed = as_brake("kill new-checkout -e prod -r INC-1")
        .exits(0)
        .json();
    // Its own kill either: taking a close back is an opening.
    denied(&as_brake(&format!("undo r{} -r x", killed["revision"])));
    as_brake("status -e prod").exits(0).json();
    as_brake("log").exits(0).json();
}

#[test]
fn a_token_is_for_its_environments_and_keys_only() {
    let bench = Bench::with_checkout();
    bench
        .lever("flag create team-a.one --owner team-a --kind ops")
        .exits(0);
    let brake = bench.token("ci --role brake -e staging --key 'team-a.*'");
    let head = bench.revision();
    let as_brake = |line: &str| bench.lever_as(&brake, &format!("{line} -o json"));
    for line in [
        "kill new-checkout -e prod",
        "kill new-checkout -e staging",
        "kill team-a.one -e prod",
        "kill team-a.one new-checkout -e staging",
    ] {
        denied(&as_brake(line));
    }
    assert_eq!(bench.revision(), head, "nothing changed");
    as_brake("kill team-a.one -e staging").exits(0);
}

#[test]
fn a_viewer_only_looks() {
    let bench = Bench::with_checkout();
    let viewer = bench.token("board --role viewer");
    for line in [
        "status",
        "log",
        "flag list",
        "fleet -e prod",
        "whoami",
        "audit verify",
    ] {
        bench
            .lever_as(&viewer, &format!("{line} -o json"))
            .exits(0)
            .json();
    }
    for line in [
        "kill new-checkout -e prod",
        "ramp new-checkout -e prod --to 0 -r x",
        "undo -r x",
        "flag edit new-checkout --owner me",
        "token create x --role viewer",
    ] {
        denied(&bench.lever_as(&viewer, &format!("{line} -o json")));
    }
}

#[test]
fn an_evaluators_token_administers_nothing() {
    let bench = Bench::with_checkout();
    let evaluator = bench.token("shop --role evaluator -e prod");
    for line in [
        "kill new-checkout -e prod",
        "flag list",
        "log",
        "token list",
    ] {
        denied(&bench.lever_as(&evaluator, &format!("{line} -o json")));
    }
}

#[test]
fn a_token_that_is_missing_wrong_revoked_or_expired_exits_4() {
    let bench = Bench::with_checkout();
    let kill = "kill new-checkout -e prod -o json";
    let refused = |token: &str| {
        let outcome = bench.lever_as(token, kill).exits(4);
        assert!(!outcome.stderr.contains("secret"), "{outcome}");
        outcome.problem();
    };
    let head = bench.revision();
    refused("");
    refused("lever_0123456789abcdef_00");
    refused("Bearer of bad news");
    let secret = bench.admin_secret();
    let (start, _) = secret.split_at(secret.len() - 1);
    refused(start);
    assert_eq!(bench.revision(), head);

    let made = bench.json("token create short --role brake -e prod");
    let token = made["token"].as_str().unwrap();
    bench.lever_as(token, kill).exits(0);
    let id = made["about"]["id"].as_str().unwrap();
    bench.lever(&format!("token revoke {id}")).exits(0);
    refused(token);
    bench.lever("undo -r x").exits(6);
    refused(token);

    let brief = bench.token("brief --role brake -e prod --ttl 1s");
    let deadline = std::time::Instant::now() + PATIENCE;
    while bench.lever_as(&brief, kill).exit != Some(4) {
        assert!(std::time::Instant::now() < deadline, "it never expires");
    }
    refused(&brief);
}
