//! As a program reads it: one JSON document for each command.

use serde_json::{Value, json};

use super::{RULE, assert_unharmed};
use crate::bench::{Bench, Evaluator};

#[test]
fn every_command_of_the_issue_answers_a_program_with_one_document_across_a_crash() {
    let mut bench = Bench::new();
    assert_eq!(bench.server().said()["first_start"], true);
    define(&bench);
    let evaluators = [bench.follow("one"), bench.follow("two")];
    let before = pull(&bench, &evaluators);

    bench.crash();
    assert_eq!(bench.server().said()["first_start"], false);
    assert_eq!(bench.server().said()["revision"], before);
    look(&bench, before);
    files(&bench);
    tokens(&bench);
    keep(&bench);

    bench.until_current("one", 1);
    bench.until_current("two", 1);
    let reopened = bench.json("open new-checkout -e prod --to 100% -r again --wait=20s");
    assert_eq!(reopened["confirmation"]["state"], "confirmed");
    assert_eq!(reopened["confirmation"]["expected"], 2);
    let revision = reopened["revision"].as_u64().unwrap();
    assert!(evaluators.iter().all(|one| one.at(revision)));
    assert_unharmed(&bench, bench.revision());
}

/// A change: what a receipt always has.
#[track_caller]
fn changed(bench: &Bench, line: &str) -> Value {
    let before = bench.revision();
    let receipt = bench.json(line);
    assert_eq!(receipt["revision"], before + 1, "{line}: {receipt:#}");
    assert_eq!(receipt["stored"], true, "{line}: {receipt:#}");
    assert_eq!(receipt["dry_run"], false, "{line}: {receipt:#}");
    assert_eq!(receipt["unchanged"], false, "{line}: {receipt:#}");
    let changes = receipt["changes"].as_array().unwrap();
    assert!(!changes.is_empty(), "{line}: {receipt:#}");
    receipt
}

/// A pull that two evaluators have confirmed.
#[track_caller]
fn pulled(bench: &Bench, line: &str) -> u64 {
    let receipt = changed(bench, line);
    let revision = receipt["revision"].as_u64().unwrap();
    assert_eq!(receipt["undo"], format!("lever undo r{revision} -r \"…\""));
    let confirmation = &receipt["confirmation"];
    assert_eq!(confirmation["state"], "confirmed", "{receipt:#}");
    assert_eq!(confirmation["expected"], 2, "{receipt:#}");
    assert_eq!(confirmation["confirmed"], 2, "{receipt:#}");
    assert_eq!(confirmation["stragglers"], json!([]), "{receipt:#}");
    let ms = &confirmation["confirm_ms"];
    let [p50, p99, max] = ["p50", "p99", "max"].map(|name| ms[name].as_f64().unwrap());
    assert!(0.0 < p50 && p50 <= p99 && p99 <= max, "{receipt:#}");
    revision
}

fn define(bench: &Bench) {
    let list = bench.json("env list");
    let names: Vec<&str> = list["environments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|environment| environment["key"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["dev", "prod", "staging"]);
    for line in [
        "env create qa",
        "env guard qa",
        "flag create new-checkout --owner team-pay --kind release --sunset 30d \
         --runbook 'Legacy payment path; 3-D Secure off'",
        "flag create img-quality --type integer --variants low=40,normal=70,high=90 \
         --closed low --open normal --kind ops --owner web",
        r#"segment create staff --when 'email ends_with "@acme.test"'"#,
        r#"segment edit staff --when 'email ends_with "@acme.example"'"#,
        &format!("flag rule add new-checkout -e prod --id beta --when '{RULE}' --serve on"),
        "flag rule add new-checkout -e prod --id staff --when 'segment staff' --serve on",
        "flag rule move new-checkout staff -e prod --to 1",
    ] {
        changed(bench, line);
    }
    let staff = bench.json("segment show staff");
    assert_eq!(
        staff["definition"]["when"],
        r#"email ends_with "@acme.example""#
    );
    assert_eq!(staff["used_by"], json!(["flag new-checkout"]));
    assert_eq!(bench.json("segment list")["segments"], json!([staff]));
    let rules = bench.json("flag rule list new-checkout");
    assert_eq!(rules["rules"][0]["id"], "staff");
    assert_eq!(rules["rules"][1]["id"], "beta");
    changed(bench, "flag rule remove new-checkout staff -e prod");
}

fn pull(bench: &Bench, evaluators: &[Evaluator]) -> u64 {
    pulled(
        bench,
        "open new-checkout -e prod --to 1% -r 'first percent'",
    );
    pulled(
        bench,
        "ramp new-checkout --to 25% -e prod -r 'metrics clean'",
    );
    let opened = pulled(bench, "open new-checkout -e prod --to 100% -r all");
    pulled(bench, "pin img-quality low -e prod -r 'CDN cost'");
    let by_rule = bench.json(
        "eval new-checkout -e prod --user u-123 --attr plan=beta --attr country=NO --explain",
    );
    for (name, value) in [
        ("key", json!("new-checkout")),
        ("value", json!(true)),
        ("variant", json!("on")),
        ("reason", json!("TARGETING_MATCH")),
        ("rule", json!("beta")),
        ("revision", json!(opened + 1)),
    ] {
        assert_eq!(by_rule[name], value, "{by_rule:#}");
    }
    assert!(by_rule["steps"].as_array().unwrap().len() > 1);
    let killed = pulled(bench, "kill new-checkout -e prod -r INC-412");
    for evaluator in evaluators {
        assert!(evaluator.at(opened));
        assert!(!evaluator.at(killed));
    }
    let undone = pulled(bench, &format!("undo r{killed} -r 'false alarm'"));
    let again = pulled(bench, "kill new-checkout -e prod -r 'INC-412 again'");
    for evaluator in evaluators {
        assert!(evaluator.at(undone));
        assert!(!evaluator.at(again));
    }
    again
}

fn look(bench: &Bench, head: u64) {
    let status = bench.json("status -e prod");
    assert_eq!(status["guarded"], true);
    assert_eq!(status["revision"], head);
    let lever = &status["levers"][0]["lever"];
    assert_eq!(lever["flag"], "new-checkout");
    assert_eq!(lever["position"]["state"], "closed");
    assert_eq!(lever["position"]["latched"], true);
    assert_eq!(lever["position"]["value"], false);
    assert_eq!(lever["reason"], "INC-412 again");
    assert_eq!(lever["moved_revision"], head);
    let everywhere = bench.json("status");
    assert_eq!(everywhere["environments"].as_array().unwrap().len(), 4);

    let last = bench.json("log --since 30m -n 1");
    let last = &last["records"][0];
    assert_eq!(last["revision"], head);
    assert_eq!(last["actor_name"], "first admin");
    assert_eq!(last["reason"], "INC-412 again");
    assert_eq!(last["changes"][0]["to"], "closed");

    let fleet = bench.json("fleet -e prod");
    let mut builds: Vec<&str> = fleet["evaluators"]
        .as_array()
        .unwrap()
        .iter()
        .map(|evaluator| evaluator["build"].as_str().unwrap())
        .collect();
    builds.sort_unstable();
    assert_eq!(builds, ["one", "two"]);

    let flags = bench.json("flag list");
    assert_eq!(flags["flags"].as_array().unwrap().len(), 2);
    let shown = bench.json("flag show new-checkout");
    assert_eq!(shown["definition"]["owner"], "team-pay");
    changed(bench, "flag edit new-checkout --tag pay");
    let verified = bench.json("audit verify");
    assert_eq!(verified["intact"], true);
    let disabled = bench.json("eval new-checkout -e prod --user u-1");
    assert_eq!(disabled["value"], false);
    assert_eq!(disabled["reason"], "DISABLED");
}

fn files(bench: &Bench) {
    let written = bench.lever("export -o files/ -o json").exits(0).json();
    assert_eq!(written["flags"], 2);
    assert_eq!(written["segments"], 1);
    let none = bench.json("diff -f files/");
    assert_eq!(none["changes"], json!([]));
    bench.json("flag edit new-checkout --owner team-shop");
    let different = bench.lever("diff -f files/ -o json").exits(10).json();
    assert_eq!(different["changes"][0]["key"], "new-checkout");
    assert_eq!(different["changes"][0]["action"], "edit");
    let applied = bench.json("apply -f files/ -r 'as reviewed'");
    assert_eq!(applied["changes"].as_array().unwrap().len(), 1);
    assert_eq!(applied["changes"][0]["revision"], bench.revision());
    let shown = bench.json("flag show new-checkout");
    assert_eq!(shown["definition"]["owner"], "team-pay");
}

fn tokens(bench: &Bench) {
    let made = bench.json("token create ci --role brake -e prod --ttl 30d");
    assert!(made["token"].as_str().unwrap().starts_with("lever_"));
    assert_eq!(made["receipt"]["stored"], true);
    let id = made["about"]["id"].as_str().unwrap();
    let list = bench.json("token list");
    let listed = list["tokens"].as_array().unwrap();
    assert!(listed.iter().any(|token| token["id"] == id), "{list:#}");
    changed(bench, &format!("token revoke {id}"));
}

fn keep(bench: &Bench) {
    let backup = bench.json("backup --data data -O backup.db");
    assert_eq!(backup["revision"], bench.revision());
    assert_eq!(backup["file"], "backup.db");
    let restored = bench.json("restore backup.db --data elsewhere --close-all");
    assert_eq!(restored["backup_revision"], backup["revision"]);
    assert!(restored["epoch"].as_u64() > Some(1), "{restored:#}");
    let diagnosis = bench.json("doctor");
    assert_eq!(diagnosis["ok"], true, "{diagnosis:#}");
    let who = bench.json("whoami");
    assert_eq!(who["token"]["role"], "admin");
}
