//! One line a request: what, who, how it ended, how long. Never a secret, a body or a query.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;

/// Who asked, once that is known; the log line is written after the handler.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asker(Arc<OnceLock<Box<str>>>);

impl Asker {
    /// Notes the token's id; the first one counts.
    pub(crate) fn is(&self, token_id: &str) {
        self.0.get_or_init(|| token_id.into());
    }

    fn id(&self) -> &str {
        self.0.get().map_or("-", |id| id)
    }
}

static REQUESTS: AtomicU64 = AtomicU64::new(1);

/// Logs a request and names it in `x-request-id`, so that a person can find its line.
pub(crate) async fn log(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = REQUESTS.fetch_add(1, Ordering::Relaxed);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let asker = Asker::default();
    request.extensions_mut().insert(asker.clone());
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .insert("x-request-id", HeaderValue::from(id));
    tracing::info!(
        request = id,
        %method,
        // The pattern, not the path: what people put into a path is not for every log.
        route = route.as_ref().map_or("-", MatchedPath::as_str),
        status = response.status().as_u16(),
        ms = started.elapsed().as_secs_f64() * 1_000.0,
        token = asker.id(),
        "request"
    );
    response
}
