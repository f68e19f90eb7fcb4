//! Frames as a server makes them.

use serde_json::{Value, json};

/// Revision `revision`, which builds on `previous`.
pub(crate) fn cursor(previous: u64, revision: u64) -> Value {
    cursor_in("prod", 1, previous, revision)
}

pub(crate) fn cursor_in(environment: &str, epoch: u64, previous: u64, revision: u64) -> Value {
    json!({
        "journal": "0190a0b0-journal",
        "epoch": epoch,
        "environment": environment,
        "previous": previous,
        "revision": revision,
        "brake": 0,
        "head": format!("{revision:064x}"),
    })
}

pub(crate) fn closed() -> Value {
    json!({"state": "closed", "latch": {"variant": "off", "value": false}})
}

pub(crate) fn open() -> Value {
    json!({"state": "open", "exposure": {"percentage": 100}})
}

/// A boolean flag with the variants `on` and `off`.
pub(crate) fn boolean(key: &str, position: &Value) -> Value {
    flag(
        key,
        position,
        "boolean",
        &json!({"on": true, "off": false}),
        "off",
        "on",
    )
}

pub(crate) fn flag(
    key: &str,
    position: &Value,
    value_type: &str,
    variants: &Value,
    closed: &str,
    open: &str,
) -> Value {
    json!({
        "key": key,
        "position": position,
        "closed_variant": closed,
        "closed_value": variants[closed],
        "definition": {
            "key": key,
            "type": value_type,
            "variants": variants,
            "closed": closed,
            "open": open,
            "salt": key,
        },
    })
}

pub(crate) fn snapshot(revision: u64, flags: &[Value]) -> Value {
    json!({"kind": "snapshot", "cursor": cursor(0, revision), "flags": flags})
}

pub(crate) fn moved(previous: u64, revision: u64, key: &str, position: &Value) -> Value {
    json!({
        "kind": "change",
        "cursor": cursor(previous, revision),
        "positions": [{"flag": key, "position": position}],
    })
}
