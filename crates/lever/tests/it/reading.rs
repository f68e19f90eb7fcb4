use serde_json::json;

use crate::program::Program;
use crate::stage::{Stage, confirmation, lever, ok, problem};

#[tokio::test(flavor = "multi_thread")]
async fn an_evaluation_is_told_and_written_whole_as_json() {
    let stage = Stage::open().await;
    let evaluation = json!({
        "key": "new-checkout", "value": true, "variant": "on", "reason": "TARGETING_MATCH",
        "rule": "beta", "arm": "assigned", "revision": 57,
        "steps": [{"step": "rule", "decided": true, "sentence": "plan is beta"}],
    });
    stage.tell("POST /environments/prod/evaluate", [ok(evaluation.clone())]);
    let program = Program::talking_to(&stage.url).variable("LEVER_ENV", "prod");
    let eval = [
        "eval",
        "new-checkout",
        "--user",
        "u-123",
        "--attr",
        "plan=beta",
        "--attr",
        "age=42",
        "--explain",
    ];
    let run = program.lever(&eval).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("new-checkout = true"), "{run:?}");
    assert!(run.stdout.contains("plan is beta"), "{run:?}");
    assert_eq!(
        stage.asked("POST /environments/prod/evaluate")[0].body,
        json!({
            "flag": "new-checkout", "explain": true,
            "context": {"plan": "beta", "age": 42, "targetingKey": "u-123"},
        })
    );
    let run = program.lever(&[&eval[..], &["-o", "json"]].concat()).await;
    assert_eq!(run.json(), evaluation);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_read_over_all_their_pages() {
    let stage = Stage::open().await;
    let segment = |key: &str| json!({"definition": {"key": key, "include": ["ana"]}, "revision": 1, "used_by": []});
    stage.tell(
        "GET /segments",
        [
            ok(json!({"segments": [segment("a")], "next": "a"})),
            ok(json!({"segments": [segment("b")]})),
        ],
    );
    let run = Program::talking_to(&stage.url)
        .lever(&["segment", "list", "-o", "name"])
        .await;
    assert_eq!(run.stdout, "a\nb\n", "{run:?}");
    assert_eq!(stage.asked("GET /segments")[1].query, "after=a");
}

#[tokio::test(flavor = "multi_thread")]
async fn status_shows_levers_and_who_has_them() {
    let stage = Stage::open().await;
    let status = json!({
        "environment": "prod", "guarded": true, "revision": 57, "never_moved": 2,
        "levers": [{"lever": lever(57), "owner": "team-pay", "expected": 12, "confirmed": 11}],
        "fleet": confirmation(57, 11, 12),
    });
    stage.tell("GET /environments/prod/status", [ok(status.clone())]);
    let program = Program::talking_to(&stage.url);
    let run = program.lever(&["status", "-e", "prod"]).await;
    assert_eq!(run.code, 0, "{run:?}");
    for part in [
        "prod guarded · r57",
        "▲ open to 25 %",
        "✗ 11/12",
        "team-pay",
        "shop-11",
    ] {
        assert!(run.stdout.contains(part), "{part}: {run:?}");
    }
    assert!(!run.stdout.contains('\u{1b}'), "plain where nobody looks");
    let run = program.lever(&["status", "-e", "prod", "-o", "yaml"]).await;
    let yaml: serde_json::Value = serde_saphyr::from_str(&run.stdout).unwrap();
    assert_eq!(yaml, status);
    let coloured = Program::talking_to(&stage.url).variable("CLICOLOR_FORCE", "1");
    let run = coloured.lever(&["status", "-e", "prod"]).await;
    assert!(run.stdout.contains('\u{1b}'), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_read_back_to_the_time_that_was_named() {
    let stage = Stage::open().await;
    let record = |revision: u64| {
        json!({
            "revision": revision, "at": "2026-11-21T12:00:00Z", "actor": "tok_1",
            "actor_name": "ana", "via": "lever-cli/0.1.0", "reason": "INC-412\u{202e}",
            "changes": [], "hash": "00",
        })
    };
    stage.tell(
        "GET /journal",
        [
            ok(json!({"records": [record(57)], "next": 57})),
            ok(json!({"records": [record(56)]})),
        ],
    );
    let program = Program::talking_to(&stage.url);
    let run = program
        .lever(&[
            "log",
            "--since",
            "30m",
            "--flag",
            "new-checkout",
            "-o",
            "ndjson",
        ])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.stdout.lines().count(), 2, "{run:?}");
    assert!(!run.stdout.contains('\u{202e}'), "{run:?}");
    let asked = stage.asked("GET /journal");
    assert!(asked[0].query.contains("since=20"), "{asked:?}");
    assert!(asked[0].query.contains("flag=new-checkout"), "{asked:?}");
    assert!(asked[1].query.contains("before=57"), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_journal_is_exit_3() {
    let stage = Stage::open().await;
    stage.tell(
        "POST /journal/verify",
        [ok(json!({
            "intact": false, "records": 41, "revision": 57, "head": "ab", "first_bad": 42,
            "detail": "its hash does not follow; restore a backup",
        }))],
    );
    let program = Program::talking_to(&stage.url);
    let run = program.lever(&["audit", "verify"]).await;
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stdout.contains("broken at r42"), "{run:?}");
    let run = program.lever(&["audit", "verify", "-o", "json"]).await;
    assert_eq!((run.code, &run.json()["first_bad"]), (3, &json!(42)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_token_is_shown_with_its_secret() {
    let stage = Stage::open().await;
    stage.tell(
        "POST /tokens",
        [ok(json!({
            "token": "lever_secret",
            "about": {"id": "tok_1", "name": "ci", "role": "brake", "environments": ["prod"],
                "keys": [], "created_at": "2026-11-21T12:00:00Z"},
            "receipt": {"revision": 9, "at": "2026-11-21T12:00:00Z", "stored": true, "changes": []},
        }))],
    );
    let program = Program::talking_to(&stage.url);
    let create = [
        "token", "create", "ci", "--role", "brake", "-e", "prod", "--ttl", "30d",
    ];
    let run = program.lever(&create).await;
    assert!(run.stdout.contains("lever_secret"), "{run:?}");
    let asked = &stage.asked("POST /tokens")[0].body;
    assert_eq!(
        (&asked["role"], &asked["ttl_s"], &asked["environments"]),
        (&json!("brake"), &json!(2_592_000), &json!(["prod"]))
    );
    let run = program
        .lever(&[&create[..], &["-o", "json"]].concat())
        .await;
    assert_eq!(run.json()["token"], "lever_secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_sign_in_is_of_the_server_that_made_it() {
    let stage = Stage::open().await;
    stage.tell(
        "POST /sign-in-links",
        [ok(json!({
            "path": "/sign-in?once=0a1b", "expires_at": "2026-11-21T12:10:00Z",
        }))],
    );
    let program = Program::talking_to(&stage.url);
    let wanted = format!("{}/sign-in?once=0a1b", stage.url.trim_end_matches('/'));
    let run = program.lever(&["console"]).await;
    assert_eq!((run.code, run.stdout.trim()), (0, &*wanted), "{run:?}");
    assert!(run.stderr.contains("2026-11-21T12:10:00Z"), "{run:?}");
    let run = program.lever(&["console", "-o", "json"]).await;
    assert_eq!(run.json()["url"], wanted);
    let nowhere = "http://127.0.0.1:1";
    let servers = format!("{nowhere},{}", stage.url);
    let run = Program::talking_to(&servers).lever(&["console"]).await;
    assert_eq!(run.stdout.trim(), wanted, "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_what_is_wrong_and_what_to_do() {
    let stage = Stage::open().await;
    stage.tell(
        "GET /whoami",
        [problem(401, "unauthenticated", "this token is not known")],
    );
    let run = Program::talking_to(&stage.url).lever(&["doctor"]).await;
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.contains("✓ ok    reach"), "{run:?}");
    assert!(run.stdout.contains("✗ wrong token"), "{run:?}");
    assert!(run.stdout.contains("→ make another one"), "{run:?}");

    let stage = Stage::open().await;
    // A clock that is far off, and an evaluator that was not heard of.
    stage
        .tell(
            "GET /whoami",
            [ok(json!({
                "token": {"id": "tok_1", "name": "ci", "role": "viewer", "environments": [],
                    "keys": [], "created_at": "2026-11-21T12:00:00Z"},
                "version": env!("CARGO_PKG_VERSION"), "journal": "j", "epoch": 1, "revision": 57,
                "now": "2001-01-01T00:00:00Z",
            }))],
        )
        .tell(
            "GET /health",
            [ok(json!({
                "writable": true, "store": "sqlite", "revision": 57, "uptime_s": 3, "problems": [],
            }))],
        )
        .tell(
            "GET /environments",
            [ok(json!({"environments": [{
                "key": "prod", "guarded": true, "revision": 57, "not_closed": 0, "evaluators": 1,
            }]}))],
        )
        .tell(
            "GET /environments/prod/fleet",
            [ok(json!({
                "environment": "prod", "revision": 57,
                "evaluators": [{
                    "instance": "shop-1", "application": "shop", "build": "1", "client": "c",
                    "connected": false, "current": false, "last_seen": "2026-11-21T12:00:00Z",
                    "silent_ms": 100_000,
                }],
                "caches": {"seen": 0, "fetched": 0, "applied": 0},
            }))],
        );
    let run = Program::talking_to(&stage.url)
        .lever(&["doctor", "-o", "json"])
        .await;
    assert_eq!(run.code, 1, "{run:?}");
    let wrong: Vec<String> = run.json()["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["ok"] == json!(false))
        .map(|check| check["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(wrong, ["clock", "roll"], "{run:?}");
}
