//! `/metrics`: what the node and its surfaces count, in Prometheus' text form. Base units, prefix
//! `lever_`, and no label that could name a user.

mod collector;
mod counters;

use axum::extract::{FromRequestParts, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use crate::app::App;
use crate::auth::{DemandsToken, May, ReadMetrics};
use crate::problem::Failure;
use crate::surface::{Surface, guarded};

pub(crate) use counters::{Counters, Ofrep};

pub(crate) fn routes() -> Surface {
    guarded!(Surface::new(), read_metrics)
}

/// Whoever may read the figures: a viewer's token, those of its own environments, or anybody, all of
/// them, where the operator has said so.
struct Reader(Option<May<ReadMetrics>>);

impl DemandsToken for Reader {}

impl FromRequestParts<App> for Reader {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        if app.settings.is_metrics_open {
            return Ok(Self(None));
        }
        let who = May::<ReadMetrics>::from_request_parts(parts, app).await?;
        Ok(Self(Some(who)))
    }
}

/// Prometheus metrics
#[utoipa::path(get, path = "/metrics", tag = "metrics", responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
async fn read_metrics(reader: Reader, State(app): State<App>) -> Result<Response, Failure> {
    let mut registry = Registry::with_prefix("lever");
    registry.register_collector(Box::new(collector::Figures::new(app, reader.0)));
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|error| Failure::new("internal", error.to_string()))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
