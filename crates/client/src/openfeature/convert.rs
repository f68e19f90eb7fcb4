//! OpenFeature's contexts and structures as ours, and back.

use leverframe_flags::limit::CONTEXT_DEPTH_MAX;
use leverframe_flags::{Attribute, Context};
use open_feature::{
    EvaluationContext, EvaluationContextFieldValue, StructValue, Value as OpenValue,
};

pub(super) fn context(from: &EvaluationContext) -> Context {
    let mut context = match &from.targeting_key {
        Some(unit) => Context::new(unit),
        None => Context::anonymous(),
    };
    for (name, field) in &from.custom_fields {
        if let Some(attribute) = attribute(field) {
            context.set(name, attribute);
        } else {
            tracing::debug!(name, "an attribute of a type that rules cannot read");
        }
    }
    context
}

fn attribute(field: &EvaluationContextFieldValue) -> Option<Attribute> {
    Some(match field {
        EvaluationContextFieldValue::Bool(value) => Attribute::Boolean(*value),
        EvaluationContextFieldValue::Int(value) => Attribute::Integer(*value),
        EvaluationContextFieldValue::Float(value) => Attribute::Float(*value),
        EvaluationContextFieldValue::String(value) => Attribute::String(value.as_str().into()),
        EvaluationContextFieldValue::DateTime(at) => {
            let at_ms = at.unix_timestamp_nanos().div_euclid(1_000_000);
            Attribute::Integer(i64::try_from(at_ms).ok()?)
        }
        EvaluationContextFieldValue::Struct(any) => {
            if let Some(structure) = any.downcast_ref::<StructValue>() {
                from_fields(structure, CONTEXT_DEPTH_MAX)?
            } else if let Some(value) = any.downcast_ref::<OpenValue>() {
                from_open(value, CONTEXT_DEPTH_MAX)?
            } else if let Some(value) = any.downcast_ref::<serde_json::Value>() {
                from_json(value, CONTEXT_DEPTH_MAX)?
            } else {
                return None;
            }
        }
    })
}

fn from_fields(structure: &StructValue, depth_left: usize) -> Option<Attribute> {
    let depth_left = depth_left.checked_sub(1)?;
    let mut fields = structure
        .fields
        .iter()
        .map(|(name, value)| Some((name.as_str().into(), from_open(value, depth_left)?)))
        .collect::<Option<Vec<(Box<str>, Attribute)>>>()?;
    fields.sort_by(|(left, _), (right, _)| left.cmp(right));
    Some(Attribute::Object(fields))
}

fn from_open(value: &OpenValue, depth_left: usize) -> Option<Attribute> {
    Some(match value {
        OpenValue::Bool(value) => Attribute::Boolean(*value),
        OpenValue::Int(value) => Attribute::Integer(*value),
        OpenValue::Float(value) => Attribute::Float(*value),
        OpenValue::String(value) => Attribute::String(value.as_str().into()),
        OpenValue::Array(items) => {
            let depth_left = depth_left.checked_sub(1)?;
            Attribute::List(
                items
                    .iter()
                    .map(|item| from_open(item, depth_left))
                    .collect::<Option<_>>()?,
            )
        }
        OpenValue::Struct(structure) => from_fields(structure, depth_left)?,
    })
}

/// `null` is the same as absent, as in an OFREP context.
fn from_json(value: &serde_json::Value, depth_left: usize) -> Option<Attribute> {
    use serde_json::Value as Json;
    Some(match value {
        Json::Null => return None,
        Json::Bool(value) => Attribute::Boolean(*value),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Attribute::Integer(integer),
            None => Attribute::Float(number.as_f64()?),
        },
        Json::String(text) => Attribute::String(text.as_str().into()),
        Json::Array(items) => {
            let depth_left = depth_left.checked_sub(1)?;
            Attribute::List(
                items
                    .iter()
                    .filter_map(|item| from_json(item, depth_left))
                    .collect(),
            )
        }
        Json::Object(fields) => {
            let depth_left = depth_left.checked_sub(1)?;
            let mut fields: Vec<(Box<str>, Attribute)> = fields
                .iter()
                .filter_map(|(name, value)| {
                    Some((name.as_str().into(), from_json(value, depth_left)?))
                })
                .collect();
            fields.sort_by(|(left, _), (right, _)| left.cmp(right));
            Attribute::Object(fields)
        }
    })
}

/// A flag's object as OpenFeature's structure. `null` has no place there and is left out.
pub(super) fn fields(object: &serde_json::Map<String, serde_json::Value>) -> StructValue {
    StructValue {
        fields: object
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), to_open(value)?)))
            .collect(),
    }
}

fn to_open(value: &serde_json::Value) -> Option<OpenValue> {
    use serde_json::Value as Json;
    Some(match value {
        Json::Null => return None,
        Json::Bool(value) => OpenValue::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => OpenValue::Int(integer),
            None => OpenValue::Float(number.as_f64()?),
        },
        Json::String(text) => OpenValue::String(text.clone()),
        Json::Array(items) => OpenValue::Array(items.iter().filter_map(to_open).collect()),
        Json::Object(object) => OpenValue::Struct(fields(object)),
    })
}
