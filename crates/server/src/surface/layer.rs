//! What is around every route: the log, the headers that keep browsers honest, and the last
//! resort for a panic.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Response, header};
use axum::response::IntoResponse;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{Any as AnyOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use super::origin;
use crate::app::App;
use crate::problem::Failure;
use crate::{console, log};

/// Puts the layers around the routes. OFREP and outcomes (`foreign`) have no log line a request, and are
/// the only ones that other sites' scripts may talk to.
pub(super) fn around(others: Router<App>, foreign: Router<App>, app: &App) -> Router<App> {
    let others = others
        .fallback(|| async {
            Failure::new("not-found", "there is no such path; see /openapi.json")
        })
        .method_not_allowed_fallback(method_not_allowed)
        .layer(axum::middleware::from_fn(origin::refuse_others))
        .layer(axum::middleware::from_fn_with_state(
            app.clone(),
            console::for_people,
        ))
        .layer(axum::middleware::from_fn(log::log))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::CACHE_CONTROL, "no-store"))
        .layer(fixed(
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ));
    others
        // The fallback first: a preflight is an OPTIONS, which only the layer around it answers.
        .merge(
            foreign
                .method_not_allowed_fallback(method_not_allowed)
                .layer(cors()),
        )
        .layer(CatchPanicLayer::custom(panicked))
}

async fn method_not_allowed() -> Failure {
    Failure::new(
        "method-not-allowed",
        "this path does not know this method; see /openapi.json",
    )
}

fn fixed(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// Any origin: the token in the request is what counts, and no cookie is ever looked at.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AnyOrigin)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_NONE_MATCH,
            header::CACHE_CONTROL,
            HeaderName::from_static("x-api-key"),
            HeaderName::from_static("last-event-id"),
        ])
        .expose_headers([header::ETAG, header::RETRY_AFTER])
        .max_age(Duration::from_secs(3_600))
}

#[expect(clippy::needless_pass_by_value, reason = "the layer gives it away")]
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response<Body> {
    let what = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    tracing::error!(panic = what, "a handler panicked; please report this");
    Failure::new("internal", "the server failed; its log says how").into_response()
}
