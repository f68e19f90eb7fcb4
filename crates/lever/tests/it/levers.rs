use serde_json::json;

use crate::program::{self, Program};
use crate::stage::{Stage, confirmation, lever, ok, problem, receipt};

const KILL: &str = "POST /environments/prod/kill";
const OPEN: &str = "POST /flags/new-checkout/environments/prod/open";
const LEVER: &str = "GET /flags/new-checkout/environments/prod";
const CONFIRMATION: &str = "GET /environments/prod/confirmations/57";

async fn stage() -> Stage {
    let stage = Stage::open().await;
    stage
        .tell(KILL, [ok(receipt(57))])
        .tell(OPEN, [ok(receipt(57))])
        .tell(LEVER, [ok(lever(41))])
        .tell(CONFIRMATION, [ok(confirmation(57, 12, 12))]);
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_is_told_in_one_line_with_the_way_back() {
    let stage = stage().await;
    let program = Program::talking_to(&stage.url);
    let run = program
        .lever(&["kill", "new-checkout", "-e", "prod", "-r", "INC-412 5xx"])
        .await;
    assert_eq!(
        run.stdout,
        "■ new-checkout closed in prod · r57 · 12/12 evaluators confirmed in 4 ms\n  \
         undo: lever undo r57 -r \"…\"\n"
    );
    assert_eq!(run.code, 0, "{run:?}");
    let asked = stage.asked(KILL);
    assert_eq!(
        asked[0].body,
        json!({"flags": ["new-checkout"], "why": {"reason": "INC-412 5xx"}})
    );
    assert_eq!(asked[0].headers["authorization"], "Bearer lever_test");
    assert!(asked[0].headers["user-agent"].starts_with("lever-cli/"));
    assert!(
        !asked[0].headers.contains_key("if-match"),
        "closing is free"
    );
    assert_eq!(
        stage.calls(),
        [KILL, CONFIRMATION],
        "nothing is asked before the kill is out"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_never_waits_for_a_reason() {
    let stage = stage().await;
    let run = Program::talking_to(&stage.url)
        .lever(&["kill", "new-checkout", "-e", "prod"])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(stage.asked(KILL)[0].body["why"], json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_that_is_refused_says_that_nothing_was_closed() {
    let stage = stage().await;
    stage.tell(KILL, [problem(404, "not-found", "there is no flag \"b\"")]);
    let run = Program::talking_to(&stage.url)
        .lever(&["kill", "new-checkout", "b", "-e", "prod"])
        .await;
    assert_eq!(run.code, 5, "{run:?}");
    assert_eq!(
        run.stderr,
        "✗ error: there is no flag \"b\"\n  nothing was closed\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_types_close_means_kill() {
    let run = Program::talking_to(&stage().await.url)
        .lever(&["close", "new-checkout", "-e", "prod"])
        .await;
    assert!(
        run.stdout.starts_with("■ new-checkout closed in prod"),
        "{run:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_that_somebody_has_not_exits_9_and_names_them() {
    let stage = stage().await;
    stage.tell(CONFIRMATION, [ok(confirmation(57, 11, 12))]);
    let program = Program::talking_to(&stage.url);
    let kill = ["kill", "new-checkout", "-e", "prod", "--timeout", "200ms"];
    let run = program.lever(&kill).await;
    assert_eq!(run.code, 9, "{run:?}");
    for part in [
        "PARTIAL: 11/12",
        "shop-11",
        "1.4.2",
        "still answers OPEN",
        "stop the process",
    ] {
        assert!(run.stdout.contains(part), "{part}: {run:?}");
    }
    let run = program.lever(&[&kill[..], &["-o", "json"]].concat()).await;
    assert_eq!(run.code, 9, "{run:?}");
    let document = run.json();
    assert_eq!(document["revision"], 57);
    assert_eq!(document["confirmation"]["state"], "pending");
    assert_eq!(
        document["confirmation"]["stragglers"][0]["instance"],
        "shop-11"
    );
    assert_eq!(document["undo"], "lever undo r57 -r \"…\"");
    assert_eq!(run.stderr, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_as_soon_as_the_last_one_has_it() {
    let stage = stage().await;
    stage.tell(
        CONFIRMATION,
        [ok(confirmation(57, 11, 12)), ok(confirmation(57, 12, 12))],
    );
    let run = Program::talking_to(&stage.url)
        .lever(&["kill", "new-checkout", "-e", "prod", "--wait=30s"])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("12/12"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_roll_is_done_and_never_confirmed() {
    let stage = stage().await;
    stage.tell(CONFIRMATION, [ok(confirmation(57, 0, 0))]);
    let run = Program::talking_to(&stage.url)
        .lever(&["kill", "new-checkout", "-e", "prod"])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stdout.contains("stored as r57; nobody follows prod"),
        "{run:?}"
    );
    assert!(!run.stdout.contains("confirmed"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_waiting_nobody_is_asked_and_nothing_is_called_confirmed() {
    let stage = stage().await;
    let run = Program::talking_to(&stage.url)
        .lever(&[
            "kill",
            "new-checkout",
            "-e",
            "prod",
            "--no-wait",
            "-o",
            "json",
        ])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.json()["confirmation"], json!(null));
    assert_eq!(stage.calls(), [KILL]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_shows_the_revision_it_has_seen() {
    let stage = stage().await;
    let run = Program::talking_to(&stage.url)
        .lever(&[
            "open",
            "new-checkout",
            "-e",
            "prod",
            "--to",
            "1%",
            "--cohort",
            "staff",
            "-r",
            "first",
        ])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stdout
            .starts_with("▲ new-checkout opened to staff + 1 % in prod · r57 · 12/12"),
        "{run:?}"
    );
    let asked = &stage.asked(OPEN)[0];
    assert_eq!(asked.headers["if-match"], "\"r41\"");
    assert_eq!(
        asked.body["exposure"],
        json!({"cohorts": ["staff"], "percentage": 1.0})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_reason_is_exit_2_where_nobody_can_be_asked() {
    let stage = stage().await;
    stage.tell(
        OPEN,
        [problem(
            422,
            "reason-required",
            "an opening in prod needs a reason",
        )],
    );
    let run = Program::talking_to(&stage.url)
        .lever(&["open", "new-checkout", "-e", "prod", "--to", "1%"])
        .await;
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("needs a reason"), "{run:?}");
    assert_eq!(run.stdout, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_refuses_has_its_exit_code_and_its_problem_as_json() {
    for (status, code, exit) in [
        (401, "unauthenticated", 4),
        (403, "denied", 7),
        (404, "not-found", 5),
        (409, "conflict", 6),
        (412, "stale", 6),
        (428, "match-required", 6),
        (422, "invalid", 2),
        (500, "internal", 1),
    ] {
        let stage = stage().await;
        stage.tell(OPEN, [problem(status, code, "no\u{1b}[2J")]);
        let program = Program::talking_to(&stage.url);
        let open = [
            "open",
            "new-checkout",
            "-e",
            "prod",
            "--to",
            "1%",
            "-r",
            "x",
        ];
        let run = program.lever(&open).await;
        assert_eq!(run.code, exit, "{status}: {run:?}");
        assert!(run.stderr.contains("no\\u{1b}[2J"), "{run:?}");
        let run = program.lever(&[&open[..], &["-o", "json"]].concat()).await;
        assert_eq!(run.code, exit, "{status}: {run:?}");
        assert_eq!(run.problem()["code"], code);
        assert_eq!(run.stdout, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_is_the_servers_and_waits_for_nobody() {
    let stage = stage().await;
    let mut tried = receipt(57);
    tried["dry_run"] = json!(true);
    tried["stored"] = json!(false);
    stage.tell(KILL, [ok(tried)]);
    let run = Program::talking_to(&stage.url)
        .lever(&["kill", "new-checkout", "-e", "prod", "--dry-run"])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stdout
            .contains("dry run: this would be r57; nothing was stored"),
        "{run:?}"
    );
    assert!(
        run.stdout
            .contains("new-checkout in prod: open to 25 % → closed"),
        "{run:?}"
    );
    assert!(!run.stdout.contains("undo"), "{run:?}");
    assert_eq!(stage.asked(KILL)[0].query, "dry_run=true");
    assert_eq!(stage.calls(), [KILL]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_in_a_guarded_environment_takes_its_name_on_the_command_line() {
    let environments = |guarded: bool| {
        ok(json!({"environments": [{
            "key": "prod", "guarded": guarded, "revision": 1, "not_closed": 0, "evaluators": 0,
        }]}))
    };
    let stage = stage().await;
    stage.tell("GET /environments", [environments(true)]);
    let program = Program::talking_to(&stage.url).variable("LEVER_ENV", "prod");
    let run = program.lever(&["kill", "new-checkout"]).await;
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("-e prod"), "{run:?}");
    assert!(stage.asked(KILL).is_empty(), "nothing changed");

    stage.tell("GET /environments", [environments(false)]);
    assert_eq!(program.lever(&["kill", "new-checkout"]).await.code, 0);

    let unnamed = Program::talking_to(&stage.url);
    let run = unnamed.lever(&["kill", "new-checkout", "-o", "json"]).await;
    assert_eq!(run.code, 2, "{run:?}");
    assert_eq!(run.problem()["code"], "environment-required");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_wait_says_that_the_server_goes_on() {
    let stage = stage().await;
    stage.tell(CONFIRMATION, [ok(confirmation(57, 11, 12))]);
    let program = Program::talking_to(&stage.url);
    let child = program.start(&["kill", "new-checkout", "-e", "prod", "--wait=60s"]);
    stage.until_asked(CONFIRMATION).await;
    let interrupt = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupt.success());
    let run = program::end(child).await;
    assert_eq!(run.code, 130, "{run:?}");
    assert!(
        run.stderr.contains("r57 is out and the server goes on"),
        "{run:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_names_what_it_took_back() {
    let stage = stage().await;
    let mut undone = receipt(58);
    undone["changes"][0]["to"] = json!("open to 25 %");
    stage.tell("POST /undo", [ok(undone)]).tell(
        "GET /environments/prod/confirmations/58",
        [ok(confirmation(58, 1, 1))],
    );
    let run = Program::talking_to(&stage.url)
        .lever(&["undo", "r57", "-r", "false alarm"])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stdout
            .starts_with("↶ r57 undone: new-checkout is open to 25 % in prod again · r58 · 1/1"),
        "{run:?}"
    );
    assert_eq!(
        stage.asked("POST /undo")[0].body,
        json!({"revision": 57, "why": {"reason": "false alarm"}})
    );
}
