use serde_json::{Value, json};

use crate::program::Program;
use crate::stage::{Stage, ok, problem, receipt};

fn definition(owner: &str) -> Value {
    json!({
        "key": "new-checkout", "kind": "ops", "type": "boolean",
        "variants": {"on": true, "off": false}, "closed": "off", "open": "on", "owner": owner,
        "description": "keep me", "salt": "new-checkout", "hash": "native",
        "environments": {"prod": {"rules": [
            {"id": "rule_1", "when": "plan == \"beta\"", "serve": "on"},
        ]}},
    })
}

fn flag(owner: &str) -> Value {
    json!({
        "definition": definition(owner), "defined_revision": 41,
        "created_at": "2026-11-21T12:00:00Z", "archived": false, "levers": [],
    })
}

async fn stage() -> Stage {
    let stage = Stage::open().await;
    stage
        .tell("GET /flags/new-checkout", [ok(flag("web"))])
        .tell("GET /flags", [ok(json!({"flags": [flag("web")]}))])
        .tell(
            "GET /segments",
            [ok(json!({"segments": [
                {"definition": {"key": "staff", "include": ["ana"]}, "revision": 7, "used_by": []},
            ]}))],
        )
        .tell("GET /plans", [ok(json!({"plans": []}))])
        .tell("POST /flags", [ok(receipt(50))])
        .tell("POST /segments", [ok(receipt(50))])
        .tell("PUT /flags/new-checkout", [ok(receipt(51))])
        .tell("DELETE /flags/new-checkout", [ok(receipt(52))]);
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_changes_what_it_names_and_shows_what_it_has_seen() {
    let stage = stage().await;
    let run = Program::talking_to(&stage.url)
        .lever(&[
            "flag",
            "edit",
            "new-checkout",
            "--owner",
            "team-pay",
            "-r",
            "moved",
        ])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("undo: lever undo r51"), "{run:?}");
    assert!(
        run.stdout.contains("\n    owner: \"web\" → \"team-pay\"\n"),
        "{run:?}"
    );
    let asked = &stage.asked("PUT /flags/new-checkout")[0];
    assert_eq!(asked.headers["if-match"], "\"r41\"");
    assert_eq!(
        asked.body,
        json!({"definition": definition("team-pay"), "why": {"reason": "moved"}})
    );
    let nothing = Program::talking_to(&stage.url)
        .lever(&["flag", "edit", "new-checkout"])
        .await;
    assert_eq!(nothing.code, 2, "{nothing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_says_why_in_its_body() {
    let stage = stage().await;
    let run = Program::talking_to(&stage.url)
        .lever(&["flag", "archive", "new-checkout", "-r", "done"])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    let asked = &stage.asked("DELETE /flags/new-checkout")[0];
    assert_eq!(asked.headers["if-match"], "\"r41\"");
    assert_eq!(asked.body, json!({"why": {"reason": "done"}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_named_by_its_number_or_its_name() {
    let stage = stage().await;
    let remove = "DELETE /flags/new-checkout/environments/prod/rules/rule_1";
    stage.tell(remove, [ok(receipt(53))]);
    let program = Program::talking_to(&stage.url);
    for rule in ["1", "rule_1"] {
        let line = [
            "flag",
            "rule",
            "remove",
            "new-checkout",
            rule,
            "-e",
            "prod",
            "-r",
            "x",
        ];
        let run = program.lever(&line).await;
        assert_eq!(run.code, 0, "{run:?}");
        assert!(
            run.stdout.contains("\n    prod: rule 1 is gone: when "),
            "{run:?}"
        );
    }
    assert_eq!(stage.asked(remove).len(), 2);
    let run = program
        .lever(&["flag", "rule", "remove", "new-checkout", "2", "-e", "prod"])
        .await;
    assert_eq!(run.code, 5, "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_is_no_difference_until_a_file_changes() {
    let stage = stage().await;
    let program = Program::talking_to(&stage.url);
    let run = program
        .lever(&["export", "-o", "flags/", "-o", "json"])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.json()["flags"], 1);
    assert!(program.path().join("flags/segments/staff.yaml").is_file());
    let run = program.lever(&["diff", "-f", "flags/"]).await;
    assert_eq!(run.code, 0, "{run:?}");

    let file = program.path().join("flags/new-checkout.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("owner: web", "owner: team-pay")).unwrap();
    let run = program.lever(&["diff", "-f", "flags/", "-o", "json"]).await;
    assert_eq!(run.code, 10, "{run:?}");
    assert_eq!(
        run.json()["changes"][0]["differences"],
        json!([{"path": "owner", "from": "web", "to": "team-pay"}])
    );

    let run = program
        .lever(&["apply", "-f", "flags/", "-r", "moved"])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stdout.contains("owner: \"web\" → \"team-pay\""),
        "{run:?}"
    );
    assert!(run.stdout.contains("1 change applied · r51"), "{run:?}");
    let puts = stage.asked("PUT /flags/new-checkout");
    assert_eq!(puts.len(), 2);
    assert_eq!(puts[0].query, "dry_run=true", "tried before it is done");
    assert_eq!(puts[1].query, "");
    assert_eq!(puts[1].headers["if-match"], "\"r41\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_would_fail_in_the_middle_changes_nothing() {
    let stage = stage().await;
    stage.tell(
        "POST /flags",
        [problem(422, "invalid", "sunset: a release needs one")],
    );
    let program = Program::talking_to(&stage.url);
    program.lever(&["export", "-o", "all"]).await;
    let write = |name: &str, text: &str| {
        std::fs::write(program.path().join("all").join(name), text).unwrap();
    };
    write("segments/beta.yaml", "key: beta\ninclude: [bob]\n");
    write(
        "flags/zzz.yaml",
        "key: zzz\nkind: release\ntype: boolean\nvariants: {\"on\": true, \"off\": false}\n\
         closed: \"off\"\nopen: \"on\"\nowner: o\nenvironments:\n  prod:\n    rules:\n      \
         - when: segment beta\n        serve: \"on\"\n",
    );
    let run = program.lever(&["apply", "-f", "all"]).await;
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("flag zzz: sunset"), "{run:?}");
    assert!(run.stderr.contains("nothing changed"), "{run:?}");
    let is_tried = |call: &str| {
        let asked = stage.asked(call);
        !asked.is_empty() && asked.iter().all(|asked| asked.query == "dry_run=true")
    };
    assert!(is_tried("POST /segments"), "{:?}", stage.calls());
    assert!(is_tried("POST /flags"), "{:?}", stage.calls());
    assert_eq!(
        stage.asked("POST /flags")[0].body["definition"]["environments"],
        json!({"prod": {}}),
        "what needs the segment that is still to be made is left out of the trial"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_stays_within_what_it_may_change() {
    let stage = stage().await;
    let program = Program::talking_to(&stage.url);
    std::fs::create_dir_all(program.path().join("all/segments")).unwrap();
    for name in ["a", "b"] {
        std::fs::write(
            program.path().join(format!("all/segments/{name}.yaml")),
            format!("key: {name}\ninclude: [bob]\n"),
        )
        .unwrap();
    }
    std::fs::create_dir_all(program.path().join("all/flags")).unwrap();
    let run = program
        .lever(&["apply", "-f", "all", "--max-changes", "1"])
        .await;
    assert_eq!(run.code, 2, "{run:?}");
    assert!(stage.asked("POST /segments").is_empty());
    let run = program
        .lever(&["apply", "-f", "all", "--max-changes", "2", "--dry-run"])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stdout
            .contains("flag new-checkout is only on the server: kept"),
        "{run:?}"
    );
    assert!(
        stage
            .asked("POST /segments")
            .iter()
            .all(|asked| asked.query == "dry_run=true")
    );
}
