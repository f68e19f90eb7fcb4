//! Systems outside: where metrics are asked for, and through which people are told.

use askama::Template;

use crate::shell::Shell;

/// What the server's file names.
#[derive(Debug, Template)]
#[template(path = "settings_outside.html")]
pub struct Outside {
    /// Around it.
    pub shell: Shell,
    /// Where metrics are asked for.
    pub sources: Vec<OutsideSource>,
    /// Through which people are told.
    pub channels: Vec<OutsideChannel>,
    /// The channels that are paged where a plan names none.
    pub page: Vec<String>,
    /// The channels that are notified where a plan names none.
    pub notify: Vec<String>,
}

/// A system that is asked for metrics.
#[derive(Debug)]
pub struct OutsideSource {
    /// What plans call it.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// Scheme, host and port.
    pub place: String,
}

/// A way to tell people.
#[derive(Debug)]
pub struct OutsideChannel {
    /// What plans call it.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// Scheme, host and port, or the path of a program.
    pub place: String,
    /// When the newest message was wanted that it took, in RFC 3339.
    pub took: Option<String>,
    /// When the newest message was wanted that it did not take, in RFC 3339, and why.
    pub failed: Option<(String, String)>,
}
