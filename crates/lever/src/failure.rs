//! Why a command did not do what it was asked, and how it exits then.

use leverframe_wire::admin::Problem;

use crate::exit::Exit;

/// A command's bad end: an exit code and a problem in words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// The same form as the server's, so that `-o json` has one shape for every error.
    pub(crate) problem: Box<Problem>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, code: &str, detail: impl Into<String>) -> Self {
        Self {
            exit,
            problem: Box::new(Problem {
                kind: format!("urn:leverframe:problem:{code}"),
                title: exit.meaning().to_owned(),
                // No HTTP answer stands behind it.
                status: 0,
                detail: detail.into(),
                code: code.to_owned(),
                field: None,
                current: None,
            }),
        }
    }

    /// The request as typed cannot be done; nothing changed.
    pub(crate) fn usage(detail: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", detail)
    }

    /// Something on this machine or on the way failed.
    pub(crate) fn failed(detail: impl Into<String>) -> Self {
        Self::new(Exit::Failed, "failed", detail)
    }

    /// There is nothing by that name.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(Exit::NotFound, "not-found", detail)
    }

    /// A file could not be read or written.
    pub(crate) fn file(path: &std::path::Path, error: impl std::fmt::Display) -> Self {
        Self::failed(format!("{}: {error}", path.display()))
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::failed(format!("{error:#}"))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.problem.detail)
    }
}
