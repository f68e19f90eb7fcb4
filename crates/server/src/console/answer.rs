//! How a page is answered, and what a person sees in the place of a problem.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use leverframe_console::inert::document;
use leverframe_console::{Failing, Link, Template};

use super::visit::Visit;
use crate::app::App;
use crate::problem::{Failure, Refused};

/// Nothing from elsewhere, nothing inline, in nobody's frame.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// A page.
pub(super) fn page(page: &impl Template) -> Response {
    page_with(StatusCode::OK, page)
}

/// A page with a status of its own, such as that of what it refuses.
pub(super) fn page_with(status: StatusCode, page: &impl Template) -> Response {
    let html = match document(page) {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            return Failure::new(
                "internal",
                "the page could not be made; the server's log says why",
            )
            .into_response();
        }
    };
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("same-origin"),
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        ),
        (
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static("camera=(), microphone=(), geolocation=()"),
        ),
    ];
    (status, headers, html).into_response()
}

/// On to another page, by GET.
pub(super) fn go(to: &Link) -> Response {
    let location = HeaderValue::try_from(to.location()).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// Shows a problem as a page to whoever asked for one; a program gets the problem itself.
pub(crate) async fn for_people(State(app): State<App>, request: Request, next: Next) -> Response {
    if !wants_page(request.uri().path(), request.headers()) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let asked = parts.clone();
    parts.extensions = asked.extensions.clone();
    let response = next.run(Request::from_parts(parts, body)).await;
    let Some(Refused(problem, retry_after_s)) = response.extensions().get::<Refused>().cloned()
    else {
        return response;
    };
    let status = response.status();
    let mut asked = asked;
    // Whoever is signed in finds the way on; a form that was refused is not asked about again.
    asked.method = Method::GET;
    let mut shell = Visit::shell_of(&mut asked, &app, &problem.title).await;
    shell.failing = Some(Failing::from(&problem));
    let mut shown = page_with(status, &leverframe_console::page::Problem { shell });
    if let Some(seconds) = retry_after_s {
        shown
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    shown
}

/// Whether a browser asks for something to show.
pub(super) fn wants_page(path: &str, headers: &HeaderMap) -> bool {
    let accepts = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    accepts && !path.starts_with("/api/") && !path.starts_with("/ofrep/")
}
