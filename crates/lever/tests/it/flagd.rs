use serde_json::{Value, json};

use crate::program::Program;
use crate::stage::{Stage, ok, receipt};

fn document() -> Value {
    json!({"flags": {
        "banner": {
            "state": "ENABLED", "variants": {"none": "", "sale": "Sale!"}, "defaultVariant": "none",
            "targeting": {"if": [{"==": [{"var": "plan"}, "beta"]}, "sale"]},
        },
        "old": {"state": "DISABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
    }})
}

fn environment(key: &str, guarded: bool) -> Value {
    json!({"key": key, "guarded": guarded, "revision": 3, "not_closed": 0, "evaluators": 0})
}

async fn stage() -> Stage {
    let stage = Stage::open().await;
    let environments = [environment("dev", false), environment("prod", true)];
    stage
        .tell(
            "GET /environments",
            [ok(json!({"environments": environments}))],
        )
        .tell("GET /flags", [ok(json!({"flags": []}))])
        .tell("GET /segments", [ok(json!({"segments": []}))])
        .tell("GET /plans", [ok(json!({"plans": []}))])
        .tell("POST /flags", [ok(receipt(50))])
        .tell(
            "GET /flags/banner/environments/prod",
            [ok(json!({
                "flag": "banner", "environment": "prod", "sentence": "closed", "revision": 50,
                "position": {"state": "closed", "latched": false, "variant": "none", "value": ""},
            }))],
        )
        .tell(
            "POST /flags/banner/environments/prod/open",
            [ok(receipt(52))],
        );
    stage
}

fn program(stage: &Stage, document: &Value) -> Program {
    let program = Program::talking_to(&stage.url);
    std::fs::write(program.path().join("flags.json"), document.to_string()).unwrap();
    program
}

const IMPORT: [&str; 5] = ["import", "flagd", "flags.json", "--owner", "web"];

#[tokio::test(flavor = "multi_thread")]
async fn an_import_defines_every_flag_and_opens_none() {
    let stage = stage().await;
    let run = program(&stage, &document()).lever(&IMPORT).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stdout.contains("2 flags imported, closed everywhere"),
        "{run:?}"
    );
    assert!(run.stdout.contains("old: it is DISABLED"), "{run:?}");
    let asked = stage.asked("POST /flags");
    let done: Vec<&Value> = asked
        .iter()
        .filter(|asked| asked.query.is_empty())
        .map(|asked| &asked.body["definition"])
        .collect();
    assert_eq!(done.len(), 2);
    let rules = json!({"rules": [{"id": "flagd-1", "when": "plan == \"beta\"", "serve": "sale"}]});
    assert_eq!(
        *done[0],
        json!({
            "key": "banner", "kind": "ops", "type": "string",
            "variants": {"none": "", "sale": "Sale!"}, "closed": "none", "open": "none",
            "owner": "web", "salt": "banner", "environments": {"dev": rules, "prod": rules},
        })
    );
    assert!(!stage.calls().iter().any(|call| call.ends_with("/open")));
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_positions_open_what_was_enabled_where_it_was_said_and_with_a_reason() {
    let stage = stage().await;
    let program = program(&stage, &document());
    let keep = |more: &[&'static str]| [&IMPORT[..], &["--keep-positions"], more].concat();
    let nowhere = program.lever(&keep(&[])).await;
    assert_eq!(nowhere.code, 2, "{nowhere:?}");
    let unreasoned = program.lever(&keep(&["-e", "prod"])).await;
    assert_eq!(unreasoned.code, 2, "{unreasoned:?}");
    assert!(
        unreasoned.stderr.contains("needs a reason"),
        "{unreasoned:?}"
    );
    assert_eq!(
        stage.asked("POST /flags").len(),
        0,
        "asked before anything is changed"
    );

    let run = program
        .lever(&keep(&["-e", "prod", "-r", "moving", "-o", "json"]))
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        run.json()["opened"],
        json!([{"flag": "banner", "environment": "prod"}])
    );
    let opened = stage.asked("POST /flags/banner/environments/prod/open");
    assert_eq!(opened[0].body["exposure"]["percentage"], 100.0);
    assert_eq!(opened[0].body["why"], json!({"reason": "moving"}));
    assert_eq!(opened[0].headers["if-match"], "\"r50\"");
    let opens = stage
        .calls()
        .iter()
        .filter(|call| call.ends_with("/open"))
        .count();
    assert_eq!(opens, 1, "a DISABLED flag stays closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_named_and_then_nothing_is_imported_unless_it_is_skipped() {
    let stage = stage().await;
    let mut document = document();
    document["flags"]["thirds"] = json!({
        "state": "ENABLED", "variants": {"a": 1, "b": 2, "c": 3}, "defaultVariant": "a",
        "targeting": {"fractional": [["a", 1], ["b", 1], ["c", 1]]},
    });
    let program = program(&stage, &document);
    let run = program.lever(&IMPORT).await;
    assert_eq!(run.code, 2, "{run:?}");
    for part in [
        "thirds",
        "`fractional`",
        "$.flags.thirds.targeting.fractional",
        "1 of 3",
        "nothing was imported",
    ] {
        assert!(run.stderr.contains(part), "{part}: {run:?}");
    }
    assert_eq!(stage.asked("POST /flags").len(), 0);

    let run = program
        .lever(&[&IMPORT[..], &["--skip-refused", "-o", "json"]].concat())
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.json()["refused"][0]["flag"], "thirds");
    assert_eq!(run.json()["changes"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_that_is_there_is_left_alone_when_it_is_the_same_and_replaced_only_when_told() {
    let stage = stage().await;
    let program = program(&stage, &document());
    program.lever(&IMPORT).await;
    let mut there = stage.asked("POST /flags").pop().unwrap().body["definition"].clone();
    let flag = |definition: &Value| json!({"definition": definition, "defined_revision": 41, "created_at": "2026-11-21T12:00:00Z", "archived": false, "levers": []});
    stage.tell("GET /flags", [ok(json!({"flags": [flag(&there)]}))]);
    let run = program
        .lever(&[&IMPORT[..], &["-o", "json"]].concat())
        .await;
    assert_eq!(
        run.json()["changes"].as_array().unwrap().len(),
        1,
        "{run:?}"
    );

    there["owner"] = json!("somebody else");
    let key = there["key"].as_str().unwrap().to_owned();
    stage.tell("GET /flags", [ok(json!({"flags": [flag(&there)]}))]);
    let put = format!("PUT /flags/{key}");
    stage.tell(&put, [ok(receipt(60))]);
    let run = program.lever(&IMPORT).await;
    assert_eq!(run.code, 6, "{run:?}");
    assert!(
        run.stderr.contains(&key) && run.stderr.contains("--overwrite"),
        "{run:?}"
    );
    assert_eq!(stage.asked(&put).len(), 0);
    let run = program
        .lever(&[&IMPORT[..], &["--overwrite"]].concat())
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        stage.asked(&put).last().unwrap().headers["if-match"],
        "\"r41\""
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_flagd_file_and_options_that_name_nothing_are_usage_errors() {
    let stage = stage().await;
    let program = program(&stage, &json!({"features": []}));
    let run = program.lever(&IMPORT).await;
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("no \"flags\""), "{run:?}");
    std::fs::write(program.path().join("flags.json"), document().to_string()).unwrap();
    for (more, code) in [
        (&["-e", "nowhere"][..], 5),
        (&["--kind", "release"][..], 2),
        (&["--closed", "banner"][..], 2),
        (&["--closed", "banner=blue"][..], 2),
        (&["--kind", "other"][..], 2),
    ] {
        let run = program.lever(&[&IMPORT[..], more].concat()).await;
        assert_eq!(run.code, code, "{more:?}: {run:?}");
    }
    assert_eq!(stage.asked("POST /flags").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_writes_one_environment_and_a_closed_flag_as_its_closed_variant() {
    let stage = stage().await;
    let lever = |position: Value| json!({"flag": "f", "environment": "prod", "sentence": "", "revision": 4, "position": position});
    let flag = |key: &str, when: &str, position: Value| {
        json!({
            "definition": {
                "key": key, "kind": "ops", "type": "boolean", "variants": {"on": true, "off": false},
                "closed": "off", "open": "on", "owner": "web", "salt": key,
                "environments": {"prod": {"rules": [{"id": "r1", "when": when, "serve": "on"}]}},
            },
            "defined_revision": 41, "created_at": "2026-11-21T12:00:00Z", "archived": false,
            "levers": [lever(position)],
        })
    };
    let open = json!({"state": "open", "exposure": {"percentage": 25.0}});
    let closed = json!({"state": "closed", "latched": true, "variant": "off", "value": false});
    let flags = |odd: &str| {
        json!({"flags": [
            flag("killed", "path matches \"x\"", closed.clone()),
            flag("odd", odd, open.clone()),
            flag("part", "segment staff", open.clone()),
        ]})
    };
    let segment =
        json!({"definition": {"key": "staff", "include": ["ana"]}, "revision": 7, "used_by": []});
    stage
        .tell("GET /flags", [ok(flags("path matches \"x\""))])
        .tell("GET /segments", [ok(json!({"segments": [segment]}))]);
    let program = Program::talking_to(&stage.url);
    let export = ["export", "--format", "flagd", "-e", "prod"];
    let run = program.lever(&export).await;
    assert_eq!(run.code, 2, "{run:?}");
    assert!(
        run.stderr.contains("odd: ") && run.stderr.contains("regular expressions"),
        "{run:?}"
    );
    let run = program
        .lever(&[&export[..], &["--skip-refused"]].concat())
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("left out: odd"), "{run:?}");
    assert_eq!(run.json()["flags"].as_object().unwrap().len(), 2);

    stage.tell("GET /flags", [ok(flags("plan == \"beta\""))]);
    let run = program
        .lever(&[&export[..], &["-o", "out.json"]].concat())
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    let text = std::fs::read_to_string(program.path().join("out.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let killed = &document["flags"]["killed"];
    assert_eq!(killed["state"], "ENABLED");
    assert_eq!(killed["defaultVariant"], "off");
    assert_eq!(killed.get("targeting"), None);
    assert!(
        document["flags"]["part"]["targeting"]
            .to_string()
            .contains("fractional")
    );
    assert!(
        document["$evaluators"]["segment.staff"].is_object(),
        "{document}"
    );
    assert_eq!(
        document,
        program.lever(&export).await.json(),
        "stdout has the same"
    );
    let nowhere = program
        .lever(&["export", "--format", "flagd", "-e", "nowhere"])
        .await;
    assert_eq!(nowhere.code, 5, "{nowhere:?}");
}
