//! What parameters of one name, and all OFREP bodies, have in common, said once: the document shows
//! no data as fitting that could not be read.

use leverframe_core::limit::IDEMPOTENCY_BYTES_MAX;
use leverframe_flags::TARGETING_KEY;
use leverframe_flags::limit::{CONTEXT_ATTRIBUTES_MAX, KEY_BYTES_MAX};
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::limit::{PAGE_MAX, REVISION_DIGITS_MAX};

/// Says of a parameter what is true wherever it occurs.
pub(super) fn complete(parameter: &mut Parameter) {
    let schema = match (parameter.name.as_str(), &parameter.parameter_in) {
        ("If-Match", ParameterIn::Header) => text(format!(
            "^(\"r[0-9]{{1,{REVISION_DIGITS_MAX}}}\"|r[0-9]{{1,{REVISION_DIGITS_MAX}}})$"
        )),
        ("Idempotency-Key", ParameterIn::Header) => {
            text(format!("^[!-~]{{1,{IDEMPOTENCY_BYTES_MAX}}}$"))
        }
        ("environment" | "flag" | "segment" | "key" | "plan" | "rollout", ParameterIn::Path) => {
            key()
        }
        ("limit", ParameterIn::Query) => number(1, PAGE_MAX as u64),
        ("before" | "brake" | "wait_ms", ParameterIn::Query) | ("revision", ParameterIn::Path) => {
            number(0, u64::MAX)
        }
        _ => return,
    };
    parameter.schema = Some(RefOr::T(schema));
}

/// Says of OFREP's parameters and bodies what [`complete`] cannot know.
pub(super) fn complete_ofrep(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter
            && parameter.name == "environment"
        {
            parameter.schema = Some(RefOr::T(key()));
        }
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        for content in body.content.values_mut() {
            if let RefOr::T(content) = content {
                content.schema = Some(RefOr::T(question()));
            }
        }
    }
}

/// `{"context": {"targetingKey": "u-1", …}}`, each part of which may be absent or null.
fn question() -> Schema {
    let or_null = |of| SchemaType::from_iter([of, Type::Null]);
    let unit = ObjectBuilder::new().schema_type(or_null(Type::String));
    let context = ObjectBuilder::new()
        .schema_type(or_null(Type::Object))
        .property(TARGETING_KEY, unit)
        .max_properties(Some(CONTEXT_ATTRIBUTES_MAX));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("context", context)
        .build()
        .into()
}

fn key() -> Schema {
    text(format!("^[A-Za-z0-9._~-]{{1,{KEY_BYTES_MAX}}}$"))
}

fn text(pattern: String) -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(pattern))
        .build()
        .into()
}

fn number(least: u64, most: u64) -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(least))
        .maximum(Some(most))
        .build()
        .into()
}
