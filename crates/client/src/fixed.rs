//! Fixed values: flags that answer what a test says.

use std::collections::BTreeMap;
use std::sync::Arc;

use leverframe_flags::{
    Definition, FlagKey, FlagUpdate, Hash, Position, RuleSet, Serve, Value, VariantKey,
};

/// A value for [`crate::Client::fixed`], of any of the five types.
#[derive(Debug, Clone, PartialEq)]
pub struct FixedValue(Value);

impl From<Value> for FixedValue {
    fn from(value: Value) -> Self {
        Self(value)
    }
}
impl From<bool> for FixedValue {
    fn from(value: bool) -> Self {
        Self(Value::Boolean(value))
    }
}
impl From<i64> for FixedValue {
    fn from(value: i64) -> Self {
        Self(Value::Integer(value))
    }
}
impl From<i32> for FixedValue {
    fn from(value: i32) -> Self {
        Self(Value::Integer(value.into()))
    }
}
impl From<f64> for FixedValue {
    fn from(value: f64) -> Self {
        Self(Value::Float(value))
    }
}
impl From<&str> for FixedValue {
    fn from(value: &str) -> Self {
        Self(Value::String(value.into()))
    }
}
/// An object or an array; anything else in it is refused like a definition that cannot be read.
impl From<serde_json::Value> for FixedValue {
    fn from(value: serde_json::Value) -> Self {
        Self(Value::Object(value))
    }
}

/// A rule set in which every flag is pinned. A name that cannot be a flag's is left out, and so
/// unknown.
pub(crate) fn rules(values: impl IntoIterator<Item = (String, FixedValue)>) -> Arc<RuleSet> {
    let flags = values
        .into_iter()
        .filter_map(|(name, FixedValue(value))| {
            pinned(&name, value)
                .inspect_err(|error| tracing::warn!(flag = name, %error, "not a flag's name"))
                .ok()
        })
        .collect();
    Arc::new(RuleSet::compile(0, flags, Vec::new()))
}

pub(crate) fn pinned(name: &str, value: Value) -> Result<FlagUpdate, leverframe_flags::KeyError> {
    let key = FlagKey::new(name)?;
    let (variant, variants) = match &value {
        // Both are there, so that the definition is one a server could have made.
        Value::Boolean(is_on) => (
            VariantKey::new(if *is_on { "on" } else { "off" })?,
            BTreeMap::from([
                (VariantKey::new("on")?, Value::Boolean(true)),
                (VariantKey::new("off")?, Value::Boolean(false)),
            ]),
        ),
        _ => {
            let variant = VariantKey::new("fixed")?;
            (variant.clone(), BTreeMap::from([(variant, value.clone())]))
        }
    };
    let definition = Definition {
        key: key.clone(),
        value_type: value.value_type(),
        variants,
        closed: variant.clone(),
        open: Serve::Variant(variant.clone()),
        rules: Vec::new(),
        prerequisites: Vec::new(),
        unit: None,
        salt: name.into(),
        hash: Hash::Native,
        client_visible: false,
        stale_after_s: None,
    };
    Ok(FlagUpdate {
        key,
        position: Position::Pinned {
            variant: variant.clone(),
        },
        closed: (variant, value),
        definition: Ok(Box::new(definition)),
    })
}
