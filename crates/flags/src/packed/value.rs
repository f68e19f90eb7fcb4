//! Values. Objects are packed piece by piece and not as JSON text, so that every number comes back
//! as exactly what it was.

use serde_json::{Map, Number, Value as Json};

use super::{Malformed, Unpacking, pack_count, pack_number, pack_text};
use crate::value::Value;

const FALSE: u8 = 0;
const TRUE: u8 = 1;
const NATURAL: u8 = 2;
/// A negative integer, as how far it is below −1.
const NEGATIVE: u8 = 3;
const FLOAT: u8 = 4;
const TEXT: u8 = 5;
const NULL: u8 = 6;
const LIST: u8 = 7;
const OBJECT: u8 = 8;

/// Deepest nesting of an object, the same as reading JSON allows.
const DEPTH_MAX: usize = 128;

pub(crate) fn pack_value(into: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Boolean(value) => into.push(u8::from(*value)),
        Value::Integer(value) => pack_integer(into, *value),
        Value::Float(value) => pack_float(into, *value),
        Value::String(text) => {
            into.push(TEXT);
            pack_text(into, text);
        }
        Value::Object(json) => pack_json(into, json),
    }
}

fn pack_integer(into: &mut Vec<u8>, value: i64) {
    if let Ok(natural) = u64::try_from(value) {
        into.push(NATURAL);
        pack_number(into, natural);
    } else {
        into.push(NEGATIVE);
        pack_number(into, u64::from_ne_bytes((!value).to_ne_bytes()));
    }
}

fn pack_float(into: &mut Vec<u8>, value: f64) {
    into.push(FLOAT);
    into.extend_from_slice(&value.to_le_bytes());
}

fn pack_json(into: &mut Vec<u8>, json: &Json) {
    match json {
        Json::Null => into.push(NULL),
        Json::Bool(value) => into.push(u8::from(*value)),
        Json::Number(number) => {
            if let Some(natural) = number.as_u64() {
                into.push(NATURAL);
                pack_number(into, natural);
            } else if let Some(integer) = number.as_i64() {
                pack_integer(into, integer);
            } else {
                pack_float(into, number.as_f64().unwrap_or_default());
            }
        }
        Json::String(text) => {
            into.push(TEXT);
            pack_text(into, text);
        }
        Json::Array(items) => {
            into.push(LIST);
            pack_count(into, items.len());
            for item in items {
                pack_json(into, item);
            }
        }
        Json::Object(fields) => {
            into.push(OBJECT);
            pack_count(into, fields.len());
            for (name, value) in fields {
                pack_text(into, name);
                pack_json(into, value);
            }
        }
    }
}

pub(crate) fn unpack_value(from: &mut Unpacking<'_>) -> Result<Value, Malformed> {
    match json(from, DEPTH_MAX)? {
        // A natural number above the integers is one only within an object.
        Json::Number(number) if number.as_i64().is_none() && !number.is_f64() => Err(Malformed),
        json => Value::from_json(json).ok_or(Malformed),
    }
}

fn json(from: &mut Unpacking<'_>, depth_left: usize) -> Result<Json, Malformed> {
    Ok(match from.byte()? {
        FALSE => Json::Bool(false),
        TRUE => Json::Bool(true),
        NATURAL => Json::from(from.number()?),
        NEGATIVE => {
            let below = i64::try_from(from.number()?).map_err(|_| Malformed)?;
            Json::from(!below)
        }
        FLOAT => {
            let float = f64::from_le_bytes(from.word()?);
            Json::Number(Number::from_f64(float).ok_or(Malformed)?)
        }
        TEXT => Json::String(from.text()?.to_owned()),
        NULL => Json::Null,
        LIST => {
            let depth_left = depth_left.checked_sub(1).ok_or(Malformed)?;
            let count = from.count()?;
            let mut items = Vec::new();
            for _ in 0..count {
                items.push(json(from, depth_left)?);
            }
            Json::Array(items)
        }
        OBJECT => {
            let depth_left = depth_left.checked_sub(1).ok_or(Malformed)?;
            let count = from.count()?;
            let mut fields = Map::new();
            for _ in 0..count {
                let name = from.text()?.to_owned();
                fields.insert(name, json(from, depth_left)?);
            }
            if fields.len() != count {
                return Err(Malformed);
            }
            Json::Object(fields)
        }
        _ => return Err(Malformed),
    })
}
