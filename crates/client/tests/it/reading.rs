use std::io;
use std::sync::{Arc, Mutex};

use leverframe::{AnswerArm, Client, Context, EvaluationError, Reason, Value, ValueType};
use serde_json::json;
use tempfile::TempDir;

use crate::frames::{boolean, closed, flag, open, snapshot};

fn client(flags: &[serde_json::Value]) -> Client {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("flags.json");
    std::fs::write(&file, snapshot(7, flags).to_string()).unwrap();
    Client::offline(&file).unwrap()
}

fn every_type(position: &serde_json::Value) -> Client {
    client(&[
        boolean("boolean", position),
        flag(
            "integer",
            position,
            "integer",
            &json!({"low": 40, "high": 90}),
            "low",
            "high",
        ),
        flag(
            "float",
            position,
            "float",
            &json!({"low": 0.5, "high": 10.0}),
            "low",
            "high",
        ),
        flag(
            "string",
            position,
            "string",
            &json!({"a": "blue", "b": "green"}),
            "a",
            "b",
        ),
        flag(
            "object",
            position,
            "object",
            &json!({"a": {"n": 1}, "b": {"n": 2}}),
            "a",
            "b",
        ),
    ])
}

fn anybody() -> Context {
    Context::new("u-1")
}

#[test]
fn every_getter_reads_its_type_open_and_closed() {
    let client = every_type(&open());
    assert!(client.boolean("boolean", &anybody(), false));
    assert_eq!(client.integer("integer", &anybody(), 0), 90);
    assert!((client.float("float", &anybody(), 0.0) - 10.0).abs() < f64::EPSILON);
    assert_eq!(client.string("string", &anybody(), ""), "green");
    assert_eq!(
        client.object("object", &anybody(), json!(0)),
        json!({"n": 2})
    );

    let client = every_type(&json!({"state": "closed"}));
    assert!(!client.boolean("boolean", &anybody(), true));
    assert_eq!(client.integer("integer", &anybody(), 0), 40);
    assert!((client.float("float", &anybody(), 0.0) - 0.5).abs() < f64::EPSILON);
    assert_eq!(client.string("string", &anybody(), ""), "blue");
    assert_eq!(
        client.object("object", &anybody(), json!(0)),
        json!({"n": 1})
    );
}

#[test]
fn every_getter_gives_the_default_for_another_type_and_for_an_unknown_flag() {
    let client = every_type(&open());
    for flag in [
        "boolean", "integer", "float", "string", "object", "unknown", "no key!", "",
    ] {
        let is_own = |own: &str| flag == own;
        assert!(is_own("boolean") || client.boolean(flag, &anybody(), true));
        assert!(is_own("boolean") || !client.is_on(flag, &anybody()));
        assert!(is_own("integer") || client.integer(flag, &anybody(), -1) == -1);
        assert!(is_own("float") || client.float(flag, &anybody(), -1.0) < 0.0);
        assert!(is_own("string") || client.string(flag, &anybody(), "mine") == "mine");
        assert!(is_own("object") || client.object(flag, &anybody(), json!(1)) == json!(1));
    }
}

#[test]
fn an_evaluation_says_how_it_came_about() {
    let client = every_type(&open());
    let evaluation = client.evaluate("integer", &anybody()).unwrap();
    assert_eq!(evaluation.flag, "integer");
    assert_eq!(evaluation.value, Value::Integer(90));
    assert_eq!(evaluation.variant, "high");
    assert_eq!(evaluation.revision, 7);
    assert_eq!(
        client.evaluate("unknown", &anybody()),
        Err(EvaluationError::UnknownFlag)
    );
    let closed = every_type(&closed())
        .evaluate("boolean", &anybody())
        .unwrap();
    assert_eq!(closed.reason, Reason::Disabled);
    assert_eq!(closed.arm, AnswerArm::Assigned);
    assert_eq!(closed.value.value_type(), ValueType::Boolean);
}

#[test]
fn a_handle_answers_as_the_name_does() {
    let client = every_type(&open());
    assert!(client.flag("boolean").is_on(&anybody()));
    assert_eq!(client.flag("integer").integer(&anybody(), 0), 90);
    assert!((client.flag("float").float(&anybody(), 0.0) - 10.0).abs() < f64::EPSILON);
    assert_eq!(client.flag("string").string(&anybody(), ""), "green");
    assert_eq!(
        client.flag("object").object(&anybody(), json!(0)),
        json!({"n": 2})
    );
    let unknown = client.flag("unknown");
    for _ in 0..2 {
        assert!(unknown.boolean(&anybody(), true));
        assert_eq!(
            unknown.evaluate(&anybody()),
            Err(EvaluationError::UnknownFlag)
        );
    }
}

#[test]
fn several_clients_in_one_thread_do_not_mix() {
    let clients: Vec<_> = (0..20)
        .map(|n| Client::fixed([("a", n % 2 == 0)]))
        .collect();
    for _ in 0..3 {
        for (n, client) in clients.iter().enumerate() {
            assert_eq!(client.is_on("a", &anybody()), n % 2 == 0);
        }
    }
}

/// A log subscriber that keeps what is written, and asks for a flag each time: what an application
/// with flags in its logging does.
#[derive(Clone)]
struct Log {
    lines: Arc<Mutex<Vec<u8>>>,
    asks: Client,
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        assert!(self.asks.is_on("verbose", &anybody()));
        self.lines.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_is_wrong_is_logged_once_for_each_flag_and_cause() {
    let log = Log {
        lines: Arc::default(),
        asks: Client::fixed([("verbose", true)]),
    };
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let client = every_type(&open());
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..5 {
            let _ = client.is_on("integer", &anybody());
            let _ = client.is_on("unknown", &anybody());
            let _ = client.string("unknown", &anybody(), "");
        }
    });
    let lines = String::from_utf8(log.lines.lock().unwrap().clone()).unwrap();
    assert_eq!(lines.lines().count(), 2, "{lines}");
    assert!(lines.contains("type is integer, not boolean"), "{lines}");
    assert!(lines.contains("no such flag"), "{lines}");
}
