//! Variants as they are typed: `low=40,normal=70`, or JSON.

use std::collections::BTreeMap;

use leverframe_wire::admin::ValueType;
use serde_json::Value;

use crate::arguments::variant_key;

/// Variants by name.
pub(super) type Variants = BTreeMap<String, Value>;

/// Reads the variants of a flag of type `value_type` from every `--variants` that was given.
pub(super) fn parse(texts: &[String], value_type: ValueType) -> Result<Variants, String> {
    let mut variants = Variants::new();
    for text in texts {
        for (name, value) in pairs(text, value_type)? {
            let name = variant_key(&name).map_err(|error| error.to_string())?;
            if variants.insert(name.clone(), value).is_some() {
                return Err(format!("variant {name} has two values"));
            }
        }
    }
    Ok(variants)
}

fn pairs(text: &str, value_type: ValueType) -> Result<Vec<(String, Value)>, String> {
    if text.trim_start().starts_with('{') {
        let object: serde_json::Map<String, Value> =
            serde_json::from_str(text).map_err(|error| format!("variants as JSON: {error}"))?;
        return Ok(object.into_iter().collect());
    }
    split_outside_json(text)
        .into_iter()
        .map(|part| {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| format!("{part:?} lacks its value: write {part}=…"))?;
            Ok((name.trim().to_owned(), typed(value, value_type)?))
        })
        .collect()
}

fn typed(text: &str, value_type: ValueType) -> Result<Value, String> {
    let json = || serde_json::from_str::<Value>(text.trim()).ok();
    let value = match value_type {
        ValueType::Boolean => json().filter(Value::is_boolean),
        ValueType::Integer => json().filter(Value::is_i64),
        ValueType::Float => json().filter(Value::is_number).and_then(|number| {
            number
                .as_f64()
                .and_then(serde_json::Number::from_f64)
                .map(Value::from)
        }),
        ValueType::Object => json().filter(|value| value.is_object() || value.is_array()),
        // Quotes are only needed where a comma or bracket would end the text.
        ValueType::String if text.trim_start().starts_with('"') => json().filter(Value::is_string),
        ValueType::String => Some(Value::from(text)),
    };
    let wanted = match value_type {
        ValueType::Boolean => "true or false (give --type for anything else)",
        ValueType::Integer => "a whole number of 64 bits",
        ValueType::Float => "a number",
        ValueType::Object => "a JSON object or array",
        ValueType::String => "a text, or a JSON string in quotes",
    };
    value.ok_or_else(|| format!("{text:?} is not {wanted}"))
}

/// Splits at commas that stand outside of JSON strings, objects and arrays.
fn split_outside_json(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_i32);
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (index, c) in text.char_indices() {
        if is_quoted {
            match c {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = true,
                '"' => is_quoted = false,
                _ => {}
            }
            continue;
        }
        match c {
            '"' => is_quoted = true,
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            ',' if depth <= 0 => {
                parts.extend(text.get(start..index));
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str, value_type: ValueType) -> Result<Value, String> {
        parse(&[text.to_owned()], value_type).map(|variants| json!(variants))
    }

    #[test]
    fn variants_have_the_type_of_their_flag() {
        for (text, value_type, wanted) in [
            (
                "low=40,high=90",
                ValueType::Integer,
                json!({"low": 40, "high": 90}),
            ),
            ("a=1,b=0.5", ValueType::Float, json!({"a": 1.0, "b": 0.5})),
            (
                "on=true,off=false",
                ValueType::Boolean,
                json!({"on": true, "off": false}),
            ),
            (
                "a=42,b=b=c",
                ValueType::String,
                json!({"a": "42", "b": "b=c"}),
            ),
            (
                "a=\"x,y\",b=z",
                ValueType::String,
                json!({"a": "x,y", "b": "z"}),
            ),
            (
                "a={\"x\":[1,2],\"y\":\"},\"},b=[]",
                ValueType::Object,
                json!({"a": {"x": [1, 2], "y": "},"}, "b": []}),
            ),
            (
                "{\"a\":{\"x\":1}}",
                ValueType::Object,
                json!({"a": {"x": 1}}),
            ),
        ] {
            assert_eq!(read(text, value_type), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn a_value_of_another_type_is_refused() {
        for (text, value_type) in [
            ("a=1.5", ValueType::Integer),
            ("a=9223372036854775808", ValueType::Integer),
            ("a=\"1\"", ValueType::Integer),
            ("a=NaN", ValueType::Float),
            ("a=1", ValueType::Boolean),
            ("a=1", ValueType::Object),
            ("a", ValueType::String),
            ("a=1,a=2", ValueType::Integer),
            ("a b=1", ValueType::Integer),
        ] {
            assert!(read(text, value_type).is_err(), "{text}");
        }
    }
}
