//! What can go wrong between a call and its answer.

use std::time::Duration;

use leverframe_wire::admin::Problem;

use crate::exit::Exit;
use crate::failure::Failure;

/// Why there is no good answer.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum ApiError {
    /// A server said no, and why.
    #[error("{}", .problem.detail)]
    Problem {
        problem: Box<Problem>,
        retry_after: Option<Duration>,
    },
    /// No server answered.
    #[error("{url} does not answer: {why}")]
    Unreachable { url: String, why: String },
    /// Something answered that is not this API.
    #[error("{url} answered {status} with something that is not a Leverframe answer: {why}")]
    Foreign {
        url: String,
        status: u16,
        why: String,
    },
    /// The request could not be built.
    #[error("the request cannot be sent: {why}")]
    Unsendable { why: String },
}

impl ApiError {
    /// The stable word of a problem; empty for everything else.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Problem { problem, .. } => &problem.code,
            _ => "",
        }
    }

    /// Whether the same request may succeed if it is sent again.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Problem { problem, .. } => matches!(problem.status, 429 | 502..=504),
            Self::Foreign { status, .. } => matches!(status, 429 | 502..=504),
            Self::Unsendable { .. } => false,
        }
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Problem { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Which of two errors says more: a server's own words above all.
    pub(super) fn telling(self, other: Self) -> Self {
        let weight = |error: &Self| match error {
            Self::Problem { problem, .. } if problem.status < 500 => 3,
            Self::Problem { .. } => 2,
            Self::Foreign { .. } => 1,
            Self::Unreachable { .. } | Self::Unsendable { .. } => 0,
        };
        if weight(&other) > weight(&self) {
            other
        } else {
            self
        }
    }
}

/// The exit code an HTTP status means.
fn exit(status: u16) -> Exit {
    match status {
        401 => Exit::Unauthenticated,
        403 => Exit::Denied,
        404 => Exit::NotFound,
        409 | 412 | 428 => Exit::Conflict,
        400 | 405 | 413 | 415 | 422 => Exit::Usage,
        _ => Exit::Failed,
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let detail = error.to_string();
        match error {
            ApiError::Problem { problem, .. } => Self {
                exit: exit(problem.status),
                problem,
            },
            ApiError::Unreachable { .. } => Self::new(
                Exit::Failed,
                "unreachable",
                format!("{detail}; `lever doctor` looks for the reason"),
            ),
            ApiError::Foreign { status, .. } => {
                // A 401 or 403 of something in between is still one; a 404 is a wrong URL, and
                // must not read as "there is no such flag".
                let exit = match exit(status) {
                    exit @ (Exit::Unauthenticated | Exit::Denied) => exit,
                    _ => Exit::Failed,
                };
                Self::new(
                    exit,
                    "foreign",
                    format!("{detail}; is the URL right? `lever doctor` looks for the reason"),
                )
            }
            ApiError::Unsendable { .. } => Self::new(Exit::Failed, "unsendable", detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(status: u16) -> ApiError {
        ApiError::Problem {
            problem: Box::new(Problem {
                kind: "urn:leverframe:problem:x".to_owned(),
                title: "X".to_owned(),
                status,
                detail: "why".to_owned(),
                code: "x".to_owned(),
                field: None,
                current: None,
            }),
            retry_after: None,
        }
    }

    #[test]
    fn every_status_of_the_api_has_its_exit_code() {
        for (status, code) in [
            (400, 2),
            (401, 4),
            (403, 7),
            (404, 5),
            (409, 6),
            (412, 6),
            (422, 2),
            (428, 6),
            (500, 1),
            (503, 1),
        ] {
            assert_eq!(Failure::from(problem(status)).exit.code(), code, "{status}");
        }
    }

    #[test]
    fn a_404_from_something_else_is_not_a_missing_flag() {
        let foreign = ApiError::Foreign {
            url: "http://x".to_owned(),
            status: 404,
            why: "HTML".to_owned(),
        };
        assert_eq!(Failure::from(foreign).exit, Exit::Failed);
    }

    #[test]
    fn of_several_servers_errors_the_one_that_gives_a_reason_is_told() {
        let dead = ApiError::Unreachable {
            url: "http://x".to_owned(),
            why: "refused".to_owned(),
        };
        assert!(matches!(
            dead.clone().telling(problem(403)),
            ApiError::Problem { .. }
        ));
        assert!(matches!(
            problem(403).telling(dead),
            ApiError::Problem { .. }
        ));
    }
}
