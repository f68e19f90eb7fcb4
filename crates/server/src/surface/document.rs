//! The OpenAPI document: what every route has in common is said here once.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use leverframe_wire::admin::Problem;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    Components, ContentBuilder, Info, License, OpenApi, Ref, RefOr, Response as Described,
    ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use super::parameter;

/// Routes that say for themselves that they need no token.
const OPEN_TAG: &str = "open";

/// Adds the description, the security schemes and the failures, and writes it as JSON.
pub(super) fn complete(mut document: OpenApi) -> String {
    let mut info = Info::new("Leverframe", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "A release control plane: pull a lever, and know that it took effect. \
         Changes take If-Match (openings and edits), Idempotency-Key and ?dry_run=true."
            .to_owned(),
    );
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    info.license = Some(license);
    document.info = info;
    let components = document.components.get_or_insert_with(Components::new);
    components
        .schemas
        .insert(Problem::name().into_owned(), Problem::schema());
    components.add_security_scheme(
        "token",
        SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
    );
    components.add_security_scheme(
        "apiKey",
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key"))),
    );
    let operations = document.paths.paths.values_mut().flat_map(|item| {
        [
            item.get.as_mut(),
            item.put.as_mut(),
            item.post.as_mut(),
            item.delete.as_mut(),
        ]
    });
    for operation in operations.flatten() {
        complete_operation(operation);
    }
    // The document holds texts, numbers and lists only, all of which can be written.
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

fn complete_operation(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            parameter::complete(parameter);
        }
    }
    let tags = operation.tags.get_or_insert_default();
    if tags.iter().any(|tag| tag == OPEN_TAG) {
        operation.security = Some(Vec::new());
        return;
    }
    operation.security = Some(vec![
        SecurityRequirement::new("token", Vec::<String>::new()),
        SecurityRequirement::new("apiKey", Vec::<String>::new()),
    ]);
    let is_ofrep = tags.iter().any(|tag| tag == "ofrep");
    if is_ofrep {
        parameter::complete_ofrep(operation);
    }
    let responses = &mut operation.responses.responses;
    for (status, description) in [
        ("401", "No token, or one that does not work"),
        ("403", "The token may not do this"),
        ("default", "Another failure"),
    ] {
        responses
            .entry(status.to_owned())
            .or_insert_with(|| failure(description, is_ofrep));
    }
}

fn failure(description: &str, is_ofrep: bool) -> RefOr<Described> {
    let response = ResponseBuilder::new().description(description);
    if is_ofrep {
        return response.build().into();
    }
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(Problem::name())))
        .build();
    response
        .content("application/problem+json", content)
        .build()
        .into()
}

/// The document as an answer.
pub(super) fn answer(document: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document).into_response()
}
