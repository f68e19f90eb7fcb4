//! Whether the process is up, and whether to send it traffic.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::surface::{Surface, open};

pub(crate) fn routes() -> Surface {
    let surface = open!(
        Surface::new(),
        livez,
        "a supervisor has no token; the answer says nothing"
    );
    open!(
        surface,
        readyz,
        "a load balancer has no token; the answer names no flag and no one"
    )
}

/// Whether to send traffic here.
#[derive(Debug, Serialize, ToSchema)]
struct Readiness {
    /// Whether to.
    ready: bool,
    /// Whether changes can be stored; reads, evaluations and streams go on without.
    writable: bool,
}

/// The process is up
#[utoipa::path(get, path = "/livez", tag = "open", responses((status = 200, body = String, content_type = "text/plain")))]
async fn livez() -> &'static str {
    "ok\n"
}

/// Whether to send traffic here: the state is loaded and the server does not drain
#[utoipa::path(get, path = "/readyz", tag = "open", responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
async fn readyz(State(app): State<App>) -> (StatusCode, Json<Readiness>) {
    let ready = !app.draining.is_cancelled() && !app.node().stopping().is_cancelled();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let writable = app.node().health().writable;
    (status, Json(Readiness { ready, writable }))
}
