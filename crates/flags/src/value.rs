//! Values: what a flag decides.

use std::fmt;

use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The type of every value of one flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueType {
    /// `true` or `false`.
    Boolean,
    /// UTF-8 text.
    String,
    /// A signed 64-bit integer.
    Integer,
    /// A finite 64-bit float; always written with a fraction (`10.0`).
    Float,
    /// A JSON object or array.
    Object,
}

impl ValueType {
    /// The word used in files, the API and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Object => "object",
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One value of a flag.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A [`ValueType::Boolean`] value.
    Boolean(bool),
    /// A [`ValueType::Integer`] value.
    Integer(i64),
    /// A [`ValueType::Float`] value.
    Float(f64),
    /// A [`ValueType::String`] value.
    String(Box<str>),
    /// A [`ValueType::Object`] value: a JSON object or array.
    Object(serde_json::Value),
}

impl Value {
    /// The type this value has by itself. A whole number that a file gives to a float flag is an
    /// integer until [`Value::coerced_to`] turns it into a float.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Boolean(_) => ValueType::Boolean,
            Self::Integer(_) => ValueType::Integer,
            Self::Float(_) => ValueType::Float,
            Self::String(_) => ValueType::String,
            Self::Object(_) => ValueType::Object,
        }
    }

    /// This value as `wanted`, or `None` where that would change its meaning. Only a whole number
    /// becomes a float, and only below 2^53, where every integer has its own float.
    #[must_use]
    pub fn coerced_to(self, wanted: ValueType) -> Option<Self> {
        const EXACT_MAX: u64 = 1 << 53;
        match self {
            Self::Integer(number)
                if wanted == ValueType::Float && number.unsigned_abs() <= EXACT_MAX =>
            {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "checked: at most 2^53, so exact"
                )]
                let float = number as f64;
                Some(Self::Float(float))
            }
            same if same.value_type() == wanted => Some(same),
            _ => None,
        }
    }

    /// The value as a boolean, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Boolean(value) = self {
            Some(*value)
        } else {
            None
        }
    }

    /// Reads a JSON value; `None` for `null` and for numbers that are neither a 64-bit integer nor
    /// a finite float.
    #[must_use]
    pub fn from_json(json: serde_json::Value) -> Option<Self> {
        match json {
            serde_json::Value::Null => None,
            serde_json::Value::Bool(value) => Some(Self::Boolean(value)),
            serde_json::Value::Number(number) => number.as_i64().map(Self::Integer).or_else(|| {
                number
                    .as_f64()
                    .filter(|float| float.is_finite())
                    .map(Self::Float)
            }),
            serde_json::Value::String(text) => Some(Self::String(text.into())),
            structure @ (serde_json::Value::Object(_) | serde_json::Value::Array(_)) => {
                Some(Self::Object(structure))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

/// Takes whatever comes. Only what is put together needs JSON's own values.
struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a boolean, a string, a number, an object or an array")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Value::from_json(value.into()).ok_or_else(|| E::custom(NOT_A_VALUE))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Value::from_json(value.into()).ok_or_else(|| E::custom(NOT_A_VALUE))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.into()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value.into()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Err(E::custom(NOT_A_VALUE))
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Value, A::Error> {
        let items = de::value::SeqAccessDeserializer::new(items);
        serde_json::Value::deserialize(items).map(Value::Object)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Value, A::Error> {
        let fields = de::value::MapAccessDeserializer::new(fields);
        serde_json::Value::deserialize(fields).map(Value::Object)
    }
}

const NOT_A_VALUE: &str = "a value is a boolean, a string, a number, an object or an array";

impl fmt::Display for Value {
    /// JSON text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::String(value) => write!(f, "{}", serde_json::Value::from(&**value)),
            Self::Object(value) => write!(f, "{value}"),
        }
    }
}
