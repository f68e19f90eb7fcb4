//! The admin API: one file of handlers for each noun.

mod attention;
mod drill;
pub(crate) mod environment;
pub(crate) mod evaluation;
pub(crate) mod flag;
pub(crate) mod fleet;
pub(crate) mod freeze;
pub(crate) mod journal;
pub(crate) mod lever;
mod page;
pub(crate) mod plan;
pub(crate) mod preflight;
mod probe;
pub(crate) mod rollout;
pub(crate) mod rule;
pub(crate) mod segment;
mod sign_in_link;
pub(crate) mod status;
pub(crate) mod token;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use leverframe_node::Accepted;
use leverframe_wire::admin::Receipt;
use serde::Serialize;

use crate::convert::receipt_view;
use crate::surface::Surface;

pub(crate) fn routes() -> Surface {
    Surface::new()
        .merge(environment::routes())
        .merge(flag::routes())
        .merge(rule::routes())
        .merge(lever::routes())
        .merge(segment::routes())
        .merge(plan::routes())
        .merge(rollout::routes())
        .merge(preflight::routes())
        .merge(probe::routes())
        .merge(freeze::routes())
        .merge(drill::routes())
        .merge(token::routes())
        .merge(sign_in_link::routes())
        .merge(journal::routes())
        .merge(fleet::routes())
        .merge(status::routes())
        .merge(evaluation::routes())
}

/// What can be changed, with the ETag that a change of it has to name.
fn tagged<T: Serialize>(revision: u64, body: T) -> Response {
    let mut response = Json(body).into_response();
    if let Ok(etag) = HeaderValue::try_from(format!("\"r{revision}\"")) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// What a change did.
fn done(accepted: Accepted) -> Json<Receipt> {
    Json(receipt_view(accepted))
}

/// What making something did: 201, but for what was there already and for a dry run.
fn made(accepted: Accepted) -> (StatusCode, Json<Receipt>) {
    let is_new = !accepted.dry_run && !accepted.unchanged;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    (status, done(accepted))
}
