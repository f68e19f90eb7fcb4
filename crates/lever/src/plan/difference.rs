//! Where two definitions differ, by path.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

/// One part that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Difference {
    /// Such as `environments.prod.rules[0].when`.
    pub(crate) path: String,
    /// As the server has it; null when it has not.
    pub(crate) from: Value,
    /// As the file says; null when it does not.
    pub(crate) to: Value,
}

impl Difference {
    /// `runbook: "old" → "new"`.
    pub(crate) fn words(&self) -> String {
        let value = |value: &Value| match value {
            Value::Null => "nothing".to_owned(),
            value => value.to_string(),
        };
        format!("{}: {} → {}", self.path, value(&self.from), value(&self.to))
    }
}

/// Every part in which `to` differs from `from`.
pub(crate) fn differences(from: &Value, to: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(String::new(), from, to, &mut found);
    found
}

fn walk(path: String, from: &Value, to: &Value, found: &mut Vec<Difference>) {
    match (from, to) {
        (Value::Object(one), Value::Object(other)) => {
            let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for name in names {
                let inner = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                let value = |object: &serde_json::Map<String, Value>| {
                    object.get(name).cloned().unwrap_or(Value::Null)
                };
                walk(inner, &value(one), &value(other), found);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (from, to)) in one.iter().zip(other).enumerate() {
                walk(format!("{path}[{index}]"), from, to, found);
            }
        }
        _ if from == to => {}
        _ => found.push(Difference {
            path,
            from: from.clone(),
            to: to.clone(),
        }),
    }
}
