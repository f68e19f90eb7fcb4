//! Failures as RFC 9457 problems.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use leverframe_core::Rejection;
use leverframe_node::{StoreError, SubmitError};
use leverframe_wire::admin::Problem;

/// Why a request was not done. Boxed, because every handler returns one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure(Box<Inner>);

#[derive(Debug, Clone, PartialEq)]
struct Inner {
    problem: Problem,
    retry_after_s: Option<u32>,
}

/// A problem that a response carries, for whoever shows it differently; with the seconds after which
/// to ask again.
#[derive(Debug, Clone)]
pub(crate) struct Refused(pub(crate) Problem, pub(crate) Option<u32>);

/// What each code is called; a code without a line here does not exist.
pub(crate) const TITLES: [(&str, StatusCode, &str); 21] = [
    (
        "bad-request",
        StatusCode::BAD_REQUEST,
        "The request cannot be read",
    ),
    (
        "unauthenticated",
        StatusCode::UNAUTHORIZED,
        "No token, or one that does not work",
    ),
    ("denied", StatusCode::FORBIDDEN, "The token may not do this"),
    ("not-found", StatusCode::NOT_FOUND, "There is no such thing"),
    (
        "method-not-allowed",
        StatusCode::METHOD_NOT_ALLOWED,
        "This cannot be done here",
    ),
    (
        "timeout",
        StatusCode::REQUEST_TIMEOUT,
        "The request came too slowly",
    ),
    ("exists", StatusCode::CONFLICT, "It exists already"),
    (
        "conflict",
        StatusCode::CONFLICT,
        "It contradicts what is there",
    ),
    (
        "idempotency-reused",
        StatusCode::CONFLICT,
        "The idempotency key was used for another command",
    ),
    ("full", StatusCode::CONFLICT, "A bound is reached"),
    (
        "stale",
        StatusCode::PRECONDITION_FAILED,
        "It has changed since",
    ),
    (
        "too-large",
        StatusCode::PAYLOAD_TOO_LARGE,
        "The request is too large",
    ),
    (
        "unsupported-media-type",
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "The body must be JSON",
    ),
    (
        "invalid",
        StatusCode::UNPROCESSABLE_ENTITY,
        "Something in the request is not valid",
    ),
    (
        "reason-required",
        StatusCode::UNPROCESSABLE_ENTITY,
        "An opening needs a reason here",
    ),
    (
        "match-required",
        StatusCode::PRECONDITION_REQUIRED,
        "The change must say what it has seen",
    ),
    (
        "too-many-bad-tokens",
        StatusCode::TOO_MANY_REQUESTS,
        "Too many tokens that do not work",
    ),
    (
        "too-many-outcomes",
        StatusCode::TOO_MANY_REQUESTS,
        "Too many outcomes",
    ),
    (
        "internal",
        StatusCode::INTERNAL_SERVER_ERROR,
        "The server failed",
    ),
    (
        "unavailable",
        StatusCode::SERVICE_UNAVAILABLE,
        "This cannot be done now",
    ),
    (
        "upgrade-required",
        StatusCode::UPGRADE_REQUIRED,
        "This is a WebSocket",
    ),
];

impl Failure {
    /// A failure by its code, in words that say what to do.
    pub(crate) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        let (status, title) = TITLES.iter().find(|(known, ..)| *known == code).map_or(
            (StatusCode::INTERNAL_SERVER_ERROR, "The server failed"),
            |(_, status, title)| (*status, *title),
        );
        Self(Box::new(Inner {
            problem: Problem {
                kind: format!("urn:leverframe:problem:{code}"),
                title: title.to_owned(),
                status: status.as_u16(),
                detail: detail.into(),
                code: code.to_owned(),
                field: None,
                current: None,
            },
            retry_after_s: None,
        }))
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new("bad-request", detail)
    }

    pub(crate) fn invalid(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new("invalid", why).at_field(field)
    }

    pub(crate) fn not_found(noun: &'static str, key: &str) -> Self {
        Rejection::NotFound {
            noun,
            key: key.chars().take(128).collect(),
            similar: None,
        }
        .into()
    }

    pub(crate) fn unavailable(why: impl Into<String>, retry_after_s: u32) -> Self {
        let mut failure = Self::new("unavailable", why);
        failure.0.retry_after_s = Some(retry_after_s);
        failure
    }

    pub(crate) fn too_many_bad_tokens(retry_after_s: u32) -> Self {
        let why = "too many tokens that do not work came from this address; one that works is let in all the same";
        let mut failure = Self::new("too-many-bad-tokens", why);
        failure.0.retry_after_s = Some(retry_after_s);
        failure
    }

    pub(crate) fn too_many_outcomes(retry_after_s: u32) -> Self {
        let why = "this token has reported as many outcomes as it may for now; send them later, or a sample of them";
        let mut failure = Self::new("too-many-outcomes", why);
        failure.0.retry_after_s = Some(retry_after_s);
        failure
    }

    pub(crate) fn at_field(mut self, field: impl Into<String>) -> Self {
        self.0.problem.field = Some(field.into());
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    #[cfg(any(test, feature = "fuzz"))]
    pub(crate) fn field(&self) -> Option<&str> {
        self.0.problem.field.as_deref()
    }

    pub(crate) fn problem(&self) -> &Problem {
        &self.0.problem
    }

    pub(crate) fn retry_after_s(&self) -> Option<u32> {
        self.0.retry_after_s
    }

    pub(crate) fn detail(&self) -> &str {
        &self.0.problem.detail
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        let mut failure = Self::new(rejection.code(), rejection.to_string());
        let problem = &mut failure.0.problem;
        match rejection {
            Rejection::Invalid { field, why } => {
                problem.detail = why;
                problem.field = Some(field);
            }
            Rejection::MatchRequired { current } | Rejection::Stale { current, .. } => {
                problem.current = Some(current);
            }
            Rejection::ReasonRequired { .. } => problem.field = Some("why.reason".to_owned()),
            Rejection::NotFound { .. }
            | Rejection::Exists { .. }
            | Rejection::Conflict { .. }
            | Rejection::Denied { .. }
            | Rejection::Unauthenticated
            | Rejection::IdempotencyReused { .. }
            | Rejection::Full { .. } => {}
        }
        failure
    }
}

impl From<SubmitError> for Failure {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Rejected(rejection) => rejection.into(),
            SubmitError::Unavailable { why, retry_after_s } => {
                Self::unavailable(why, retry_after_s)
            }
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the journal could not be read");
        Self::unavailable(error.to_string(), 2)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.status();
        let Inner {
            problem,
            retry_after_s,
        } = *self.0;
        let refused = Refused(problem.clone(), retry_after_s);
        let mut response = (status, Json(problem)).into_response();
        response.extensions_mut().insert(refused);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"leverframe\""),
            );
        }
        response
    }
}
