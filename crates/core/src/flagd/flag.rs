//! What one flag of a document says besides its targeting.

use std::collections::BTreeMap;

use leverframe_flags::{FlagKey, Value, ValueType, VariantKey};
use serde_json::{Map, Value as Json};

use super::refusal::Refused;

/// A flag of a document, checked.
pub(super) struct Entry<'d> {
    pub(super) key: FlagKey,
    pub(super) is_enabled: bool,
    pub(super) value_type: ValueType,
    pub(super) variants: BTreeMap<VariantKey, Value>,
    pub(super) default: VariantKey,
    /// Absent where there is nothing to decide.
    pub(super) targeting: Option<&'d Json>,
    pub(super) metadata: Option<&'d Map<String, Json>>,
}

impl<'d> Entry<'d> {
    pub(super) fn new(key: &str, json: &'d Json, path: &str) -> Result<Self, Refused> {
        let at = |field: &str| format!("{path}.{field}");
        let key = FlagKey::new(key).map_err(|error| Refused::at(path, error.to_string()))?;
        let is_enabled = match json.get("state").and_then(Json::as_str) {
            Some("ENABLED") => true,
            Some("DISABLED") => false,
            _ => return Err(Refused::at(at("state"), "is neither ENABLED nor DISABLED")),
        };
        let (value_type, variants) = variants(json.get("variants"), &at("variants"))?;
        let default = match json.get("defaultVariant") {
            Some(Json::String(name)) => variants
                .get_key_value(name.as_str())
                .map(|(variant, _)| variant.clone())
                .ok_or_else(|| Refused::at(at("defaultVariant"), "is not one of the variants"))?,
            _ => {
                return Err(Refused::at(
                    at("defaultVariant"),
                    "names no variant, so flagd leaves the decision to the caller; a flag here has \
                     an answer of its own",
                ));
            }
        };
        let targeting = json.get("targeting").filter(|targeting| match targeting {
            Json::Null => false,
            Json::Object(object) => !object.is_empty(),
            _ => true,
        });
        Ok(Self {
            key,
            is_enabled,
            value_type,
            variants,
            default,
            targeting,
            metadata: json.get("metadata").and_then(Json::as_object),
        })
    }

    /// The variant that is safe: of a boolean flag one that is false, else the default.
    pub(super) fn safe(&self) -> &VariantKey {
        let is_false =
            |variant: &VariantKey| self.variants.get(variant) == Some(&Value::Boolean(false));
        if is_false(&self.default) {
            return &self.default;
        }
        self.variants
            .keys()
            .find(|variant| is_false(variant))
            .unwrap_or(&self.default)
    }
}

fn variants(
    json: Option<&Json>,
    path: &str,
) -> Result<(ValueType, BTreeMap<VariantKey, Value>), Refused> {
    let object = json
        .and_then(Json::as_object)
        .filter(|object| !object.is_empty())
        .ok_or_else(|| Refused::at(path, "there is no variant"))?;
    let mut variants = BTreeMap::new();
    for (name, value) in object {
        let path = format!("{path}.{name}");
        let variant =
            VariantKey::new(name).map_err(|error| Refused::at(&path, error.to_string()))?;
        let value = Value::from_json(value.clone())
            .ok_or_else(|| Refused::at(&path, "is null, and a variant has a value"))?;
        variants.insert(variant, value);
    }
    let of = |wanted| {
        variants
            .values()
            .all(|value: &Value| value.value_type() == wanted)
    };
    let are_numbers = variants
        .values()
        .all(|value| matches!(value.value_type(), ValueType::Integer | ValueType::Float));
    let value_type = [
        ValueType::Boolean,
        ValueType::String,
        ValueType::Integer,
        ValueType::Object,
    ]
    .into_iter()
    .find(|wanted| of(*wanted))
    .or(are_numbers.then_some(ValueType::Float))
    .ok_or_else(|| Refused::at(path, "the variants are of several types"))?;
    for value in variants.values_mut() {
        if let Some(coerced) = value.clone().coerced_to(value_type) {
            *value = coerced;
        }
    }
    Ok((value_type, variants))
}
