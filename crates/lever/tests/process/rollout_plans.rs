//! Plans that cannot be followed, at the real binary: a clear error, and nothing stored.

use serde_json::{Value, json};

use crate::bench::{Bench, Call, Start};

fn put(bench: &Bench, patch: &Value) -> (u16, String) {
    let mut plan = json!({
        "key": "careful", "stages": [{"percentage": 1}, {"percentage": 25}],
        "metrics": [{"key": "errors"}],
    });
    for (name, value) in patch.as_object().unwrap() {
        plan[name] = value.clone();
    }
    let call = Call::put("/api/v1/plans/careful", json!({"definition": plan}));
    let answer = bench.call(&call).unwrap();
    (answer.status, answer.body.to_string())
}

#[test]
fn a_plan_that_cannot_be_followed_is_refused_with_its_reason_and_not_stored() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("lever.toml");
    // A port that was free a moment ago: nobody listens there.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let text = format!(
        "[sources.prom]\nkind = \"prometheus\"\nurl = \"http://{nobody}\"\nallow_private = true\n"
    );
    std::fs::write(&file, text).unwrap();
    let shell = format!("export LEVER_SERVE_CONFIG={}", file.display());
    let bench = Bench::with(Start::default().after(&shell));
    let revision = bench.revision();
    let gauge = |source: &str| {
        json!({"metrics": [{"key": "errors"}, {
            "key": "cpu", "measure": {"from": "gauge", "source": source, "query": "up", "limit": 1},
        }]})
    };
    for (patch, said) in [
        (
            json!({"stages": [{"percentage": 25}, {"percentage": 1}]}),
            "stages[1]",
        ),
        (json!({"metrics": [{"key": "apdex"}]}), "apdex"),
        (json!({"bake": "-10m"}), "bake"),
        (gauge("nowhere"), "cpu"),
        (gauge("prom"), "cpu"),
        (json!({"page": ["nobody"]}), "nobody"),
    ] {
        let (status, body) = put(&bench, &patch);
        assert!((400..500).contains(&status), "{patch}: {status} {body}");
        assert!(body.contains(said), "{patch}: {body}");
    }
    assert_eq!(bench.revision(), revision, "nothing is stored");
    let (status, body) = put(&bench, &json!({}));
    assert_eq!(status, 200, "{body}");
}
