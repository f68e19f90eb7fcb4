//! Failures as OFREP clients read them: every field that one in use raises on is there.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use leverframe_wire::ofrep::{ErrorCode, EvaluationFailure, GeneralFailure};

use crate::problem::Failure;

/// Why a question has no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// About one flag.
    Flag {
        key: String,
        code: ErrorCode,
        details: String,
    },
    /// About the request as a whole.
    Request { code: ErrorCode, details: String },
    /// The token, the size, the time.
    Other(Failure),
}

impl NoAnswer {
    /// The same failure, said about one flag.
    pub(super) fn about(self, key: &str) -> Self {
        match self {
            Self::Request { code, details } => Self::Flag {
                key: key.to_owned(),
                code,
                details,
            },
            other => other,
        }
    }
}

impl From<Failure> for NoAnswer {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl IntoResponse for NoAnswer {
    fn into_response(self) -> Response {
        match self {
            Self::Flag { key, code, details } => {
                let status = match code {
                    ErrorCode::FlagNotFound => StatusCode::NOT_FOUND,
                    ErrorCode::ParseError
                    | ErrorCode::TargetingKeyMissing
                    | ErrorCode::InvalidContext
                    | ErrorCode::General => StatusCode::BAD_REQUEST,
                };
                let body = EvaluationFailure {
                    key,
                    error_code: code,
                    error_details: details,
                };
                (status, Json(body)).into_response()
            }
            Self::Request { code, details } => {
                let body = GeneralFailure {
                    error_code: Some(code),
                    error_details: details,
                };
                (StatusCode::BAD_REQUEST, Json(body)).into_response()
            }
            Self::Other(failure) => {
                let body = GeneralFailure {
                    error_code: None,
                    error_details: failure.detail().to_owned(),
                };
                // The status and the headers stay what they are; only the body is OFREP's.
                let (mut parts, _) = failure.into_response().into_parts();
                parts.headers.remove(header::CONTENT_LENGTH);
                let (own, body) = Json(body).into_response().into_parts();
                parts.headers.insert(
                    header::CONTENT_TYPE,
                    own.headers
                        .get(header::CONTENT_TYPE)
                        .cloned()
                        .unwrap_or(HeaderValue::from_static("application/json")),
                );
                Response::from_parts(parts, body)
            }
        }
    }
}
