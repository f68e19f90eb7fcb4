use serde_json::{Value, json};

use crate::program::{self, Program, Run};
use crate::stage::{Stage, Told, confirmation, lever, ok, problem, receipt};

const START: &str = "POST /environments/prod/flags/new-checkout/rollout";
const OF_LEVER: &str = "GET /environments/prod/flags/new-checkout/rollout";
const EVIDENCE: &str = "GET /rollouts/ro_1/evidence";
const LEVER: &str = "GET /flags/new-checkout/environments/prod";
const ROLLBACK: &str = "POST /environments/prod/flags/new-checkout/rollback";
const PROBE: &str = "GET /environments/prod/flags/new-checkout/probe";

fn rollout(state: &str, moves: usize) -> Value {
    let moves: Vec<Value> = (0..moves)
        .map(|number| {
            json!({
                "revision": 57 + number, "at": "2026-11-21T12:00:00Z", "to": state, "stage": 0,
                "cause": "proved", "by": "system", "sentence": format!("move {number}"),
            })
        })
        .collect();
    json!({
        "id": "ro_1", "flag": "new-checkout", "environment": "prod", "state": state, "stage": 0,
        "plan": {"key": "safe", "stages": [{"percentage": 1.0}], "metrics": [{"key": "errors"}]},
        "since": "2026-11-21T12:00:00Z", "sentence": "100 % of users are fine",
        "stages": [{"label": "1 %", "progress": "current"}],
        "started_by": "ana", "started_at": "2026-11-21T12:00:00Z", "reason": "r", "moves": moves,
    })
}

fn evidence(state: &str, moves: usize) -> Told {
    ok(json!({
        "rollout": rollout(state, moves), "at": "2026-11-21T12:00:10Z", "analysed_ms": 1000,
        "bake_ms": 2000, "lasted_ms": 1000, "hold_ms_max": 9000, "metrics": [],
        "shared_harm": false, "share": "as-meant", "users_hit": 3, "holds": [],
    }))
}

async fn stage() -> Stage {
    let stage = Stage::open().await;
    let mut started = receipt(57);
    started["rollout"] = json!("ro_1");
    stage
        .tell(LEVER, [ok(lever(41))])
        .tell(START, [ok(started)])
        .tell(OF_LEVER, [ok(rollout("baking", 1))])
        .tell("GET /rollouts/ro_1", [ok(rollout("baking", 1))])
        .tell(EVIDENCE, [evidence("baking", 1)])
        .tell(ROLLBACK, [ok(receipt(57))])
        .tell(
            "GET /environments/prod/confirmations/57",
            [ok(confirmation(57, 2, 2))],
        );
    stage
}

async fn lever_does(stage: &Stage, line: &str) -> Run {
    let words: Vec<&str> = line.split(' ').collect();
    Program::talking_to(&stage.url).lever(&words).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_shows_what_it_has_seen_and_how_to_watch_and_go_back() {
    let stage = stage().await;
    let run = lever_does(
        &stage,
        "rollout start new-checkout -e prod --plan safe -r launch",
    )
    .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stdout
            .starts_with("▶ ro_1 of new-checkout in prod started · r57\n"),
        "{run:?}"
    );
    assert!(
        run.stdout
            .contains("lever rollout watch new-checkout -e prod")
    );
    assert!(run.stdout.contains("lever rollback new-checkout -e prod"));
    let asked = &stage.asked(START)[0];
    assert_eq!(asked.headers["if-match"], "\"r41\"");
    assert_eq!(
        asked.body,
        json!({"plan": "safe", "why": {"reason": "launch"}})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_that_are_typed_are_a_plan() {
    let stage = stage().await;
    let run = lever_does(
        &stage,
        "rollout start new-checkout -e prod --stages staff,1%,100% --bake 20m --metric errors \
         --metric latency_p95 --replace --again --undeclared-too",
    )
    .await;
    assert_eq!(run.code, 0, "{run:?}");
    let body = &stage.asked(START)[0].body;
    assert_eq!(
        body["definition"]["stages"],
        json!([{"cohorts": ["staff"]}, {"percentage": 1.0}, {"percentage": 100.0}])
    );
    assert_eq!(body["definition"]["bake"], "20m");
    assert_eq!(body["definition"]["metrics"][1]["key"], "latency_p95");
    assert_eq!(
        (&body["replace"], &body["again"], &body["undeclared_too"]),
        (&json!(true), &json!(true), &json!(true))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_plan_is_exit_2_and_nothing_is_asked() {
    let stage = stage().await;
    for wrong in [
        "--stages 5",
        "--stages 1%,5% --bake -10m",
        "--stages 1% --metric apdex",
        "--plan safe --stages 1%",
        "--bake 10m",
    ] {
        let run = lever_does(
            &stage,
            &format!("rollout start new-checkout -e prod {wrong}"),
        )
        .await;
        assert_eq!(run.code, 2, "{wrong}: {run:?}");
    }
    let program = Program::talking_to(&stage.url);
    let file = program.path().join("plan.yaml");
    for (text, why) in [
        (
            "key: p\nstages: [{percentage: 5}]\nbake: -10m\nmetrics: [{key: errors}]\n",
            "not a length of time",
        ),
        (
            "key: p\nstages: [{percentage: 5, look: {by: ana}}]\nmetrics: [{key: errors}]\n",
            "stages[0]: say exactly one",
        ),
        (
            "key: p\nstages: [{percentage: 5}]\nmetrics: [{key: apdex}]\n",
            "no metric \"apdex\"",
        ),
        (
            "key: p\nstages: [{percentage: 5}]\nmetrics: [{key: errors}]\non_bed: close\n",
            "on_bed",
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        let line = [
            "rollout",
            "start",
            "new-checkout",
            "-e",
            "prod",
            "--file",
            "plan.yaml",
        ];
        let run = program.lever(&line).await;
        assert_eq!(run.code, 2, "{why}: {run:?}");
        assert!(run.stderr.contains(why), "{why}: {run:?}");
    }
    assert!(stage.asked(START).is_empty(), "nothing was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_is_exit_6() {
    let stage = stage().await;
    stage.tell(START, [problem(409, "conflict", "ro_0 is under way")]);
    let run = lever_does(&stage, "rollout start new-checkout -e prod").await;
    assert_eq!(run.code, 6, "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_ends_with_the_rollout_and_its_exit_code_says_how() {
    for (end, code, word) in [
        ("done", 0, "DONE"),
        ("rolled-back", 3, "ROLLED BACK"),
        ("ended", 3, "ENDED"),
    ] {
        let stage = stage().await;
        stage.tell(EVIDENCE, [evidence("baking", 1), evidence(end, 2)]);
        let run = lever_does(&stage, "rollout wait new-checkout -e prod").await;
        assert_eq!(run.code, code, "{run:?}");
        assert!(run.stdout.contains(word), "{run:?}");
        assert!(run.stderr.contains("r58  move 1"), "progress: {run:?}");
        let stage = self::stage().await;
        stage.tell(EVIDENCE, [evidence(end, 2)]);
        let run = lever_does(&stage, "rollout wait ro_1 -o json").await;
        assert_eq!(run.code, code, "{run:?}");
        assert_eq!(run.json()["rollout"]["state"], end);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_is_too_short_is_exit_8() {
    let stage = stage().await;
    let run = lever_does(&stage, "rollout wait ro_1 --timeout 300ms").await;
    assert_eq!(run.code, 8, "{run:?}");
    assert!(run.stdout.contains("RUNNING"), "{run:?}");
    let run = lever_does(&stage, "rollout start new-checkout -e prod --wait=300ms").await;
    assert_eq!(run.code, 8, "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_through_a_pipe_gets_plain_lines_with_their_times() {
    let stage = stage().await;
    let ticks = || {
        [
            evidence("baking", 1),
            evidence("baking", 2),
            evidence("done", 3),
        ]
    };
    stage.tell(EVIDENCE, ticks());
    let run = lever_does(&stage, "rollout watch new-checkout -e prod").await;
    assert_eq!(run.code, 0, "{run:?}");
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(
        lines.get(..3).unwrap(),
        [
            "2026-11-21 12:00:10 UTC  ro_1 of new-checkout in prod is running at stage 1 %",
            "2026-11-21 12:00:00 UTC  r58  move 1",
            "2026-11-21 12:00:00 UTC  r59  move 2",
        ]
    );
    assert!(!run.stdout.contains('\u{1b}'), "{run:?}");
    stage.tell(EVIDENCE, ticks());
    let run = lever_does(&stage, "rollout watch ro_1 -o ndjson").await;
    let states: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["rollout"]["state"].clone())
        .collect();
    assert_eq!(states, ["baking", "baking", "done"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_github_actions_gets_its_annotation() {
    let stage = stage().await;
    stage.tell(EVIDENCE, [evidence("rolled-back", 2)]);
    let github = || Program::talking_to(&stage.url).variable("GITHUB_ACTIONS", "true");
    let run = github().lever(&["rollout", "wait", "ro_1", "-q"]).await;
    assert_eq!(
        run.stderr,
        "::error title=rollout::new-checkout in prod (ro_1): rolled back: 100 %25 of users are fine\n"
    );
    stage.tell(EVIDENCE, [evidence("done", 2)]);
    let run = github()
        .lever(&["rollout", "wait", "ro_1", "-q", "-o", "json"])
        .await;
    assert!(
        run.stderr.starts_with("::notice title=rollout::"),
        "{run:?}"
    );
    run.json();
    let elsewhere = lever_does(&stage, "rollout wait ro_1 -q").await;
    assert_eq!(elsewhere.stderr, "");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_watch_says_that_the_rollout_goes_on() {
    let stage = stage().await;
    let program = Program::talking_to(&stage.url);
    let child = program.start(&["rollout", "watch", "ro_1"]);
    stage.until_asked(EVIDENCE).await;
    let interrupt = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupt.success());
    let run = program::end(child).await;
    assert_eq!(run.code, 130, "{run:?}");
    assert!(run.stderr.contains("ro_1 goes on without you"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn going_on_shows_what_it_has_seen_and_stopping_asks_for_nothing() {
    for (verb, is_opening) in [
        ("pause", false),
        ("resume", true),
        ("advance", true),
        ("skip", true),
        ("approve", true),
    ] {
        let stage = stage().await;
        let call = format!("POST /rollouts/ro_1/{verb}");
        stage.tell(&call, [ok(receipt(57))]);
        let run = lever_does(
            &stage,
            &format!("rollout {verb} new-checkout -e prod -r checked"),
        )
        .await;
        assert_eq!(run.code, 0, "{run:?}");
        let asked = &stage.asked(&call)[0];
        assert_eq!(asked.body, json!({"why": {"reason": "checked"}}));
        assert_eq!(asked.headers.contains_key("if-match"), is_opening, "{verb}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_asks_for_nothing_and_waits_until_everybody_has_it() {
    let stage = stage().await;
    let run = lever_does(&stage, "rollback new-checkout -e prod").await;
    assert_eq!(
        run.stdout,
        "■ new-checkout rolled back in prod: closed · r57 · 2/2 evaluators confirmed in 4 ms\n  \
         undo: lever undo r57 -r \"…\"\n"
    );
    assert_eq!(
        stage.calls(),
        [ROLLBACK, "GET /environments/prod/confirmations/57"],
        "nothing is asked before it is out"
    );
    assert!(!stage.asked(ROLLBACK)[0].headers.contains_key("if-match"));
    let run = lever_does(&stage, "rollback ro_1 -r INC-7").await;
    assert_eq!(run.code, 0, "a rollout's own name says where: {run:?}");
    stage.tell(
        "GET /environments/prod/confirmations/57",
        [ok(confirmation(57, 1, 2))],
    );
    let run = lever_does(&stage, "rollback new-checkout -e prod --timeout 200ms").await;
    assert_eq!(run.code, 9, "{run:?}");
    assert!(run.stdout.contains("still answers OPEN"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_with_rollouts_in_two_places_asks_which() {
    let stage = stage().await;
    let mut other = rollout("baking", 1);
    other["environment"] = json!("staging");
    stage.tell(
        "GET /rollouts",
        [ok(json!({"rollouts": [rollout("baking", 1), other]}))],
    );
    let run = lever_does(&stage, "rollout status new-checkout").await;
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("prod and staging"), "{run:?}");
    stage.tell(
        "GET /rollouts",
        [ok(json!({"rollouts": [rollout("baking", 1)]}))],
    );
    let run = lever_does(&stage, "rollout status new-checkout").await;
    assert_eq!(run.code, 0, "{run:?}");
}

fn probe(state: &str) -> Told {
    ok(json!({
        "flag": "new-checkout", "environment": "prod", "window": "10m", "error_budget": 0.5,
        "state": state, "sentence": "what is known", "exposed": {"units": 10, "bad": 1}, "assigned": {"units": 0, "bad": 0},
        "held_back": {"units": 0, "bad": 0}, "intervals": 3,
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_is_a_gate_and_nothing_known_does_not_open_it() {
    let stage = stage().await;
    let line = "probe new-checkout -e prod --window 10m --error-budget 0.5%";
    for (state, more, code) in [
        ("within", "", 0),
        ("spent", "", 3),
        ("no-data", "", 3),
        ("no-data", " --allow-no-data", 0),
        ("spent", " --allow-no-data", 3),
    ] {
        stage.tell(PROBE, [probe(state)]);
        let run = lever_does(&stage, &format!("{line}{more}")).await;
        assert_eq!(run.code, code, "{state}{more}: {run:?}");
        assert!(run.stdout.contains("what is known"), "{run:?}");
    }
    assert_eq!(stage.asked(PROBE)[0].query, "window=10m&error_budget=0.5");
    let run = lever_does(&stage, &format!("{line} -o json")).await;
    assert_eq!((run.code, &run.json()["state"]), (3, &json!("spent")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_is_free_and_a_thaw_says_why() {
    let stage = stage().await;
    stage
        .tell("PUT /environments/prod/freeze", [ok(receipt(60))])
        .tell("DELETE /environments/prod/freeze", [ok(receipt(61))]);
    let run = lever_does(&stage, "freeze -e prod --for 2h -r INC").await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        stage.asked("PUT /environments/prod/freeze")[0].body,
        json!({"for": "2h", "why": {"reason": "INC"}})
    );
    let run = lever_does(&stage, "thaw -e prod -r over").await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        stage.asked("DELETE /environments/prod/freeze")[0].body,
        json!({"why": {"reason": "over"}})
    );
}

fn drill(state: &str) -> Told {
    ok(json!({
        "revision": 57, "flag": "new-checkout", "environment": "prod",
        "at": "2026-11-21T12:00:00Z", "by": "ana", "state": state, "expected": 2, "confirmed": 1,
        "missing": ["shop-1"], "restored": true, "sentence": "one had not",
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_waits_until_it_is_over_and_its_exit_code_says_how_it_went() {
    let stage = stage().await;
    let run_drill = "POST /environments/prod/flags/new-checkout/drill";
    stage.tell(run_drill, [ok(receipt(57))]);
    for (end, code) in [("passed", 0), ("failed", 3)] {
        stage.tell("GET /drills/57", [drill("running"), drill(end)]);
        let run = lever_does(&stage, "drill run new-checkout -e prod -r practice").await;
        assert_eq!(run.code, code, "{run:?}");
        assert!(run.stdout.contains("shop-1"), "{run:?}");
    }
    assert_eq!(stage.asked(run_drill)[0].headers["if-match"], "\"r41\"");
    let schedule = "PUT /environments/prod/flags/new-checkout/drill";
    stage.tell(schedule, [ok(receipt(62))]);
    let run = lever_does(&stage, "drill schedule new-checkout -e prod --every 30d").await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(stage.asked(schedule)[0].body["every"], "30d");
}
