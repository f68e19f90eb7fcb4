//! Signing in.

use askama::Template;

use crate::link::Link;
use crate::shell::Shell;

/// Where one signs in, with a token or with a link that works once.
#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
pub struct SignIn {
    /// Around it; `failing` says why it was refused.
    pub shell: Shell,
    /// Where to go on to: path and query, here.
    pub next: String,
    /// The secret of a link, for whoever came by one.
    pub once: Option<String>,
    /// Whether somebody has just signed out.
    pub has_left: bool,
    /// Whether somebody pulled the big lever who was not signed in any more.
    pub has_pulled: bool,
}

/// The browser did not keep the cookie.
#[derive(Debug, Template)]
#[template(path = "not_kept.html")]
pub struct NotKept {
    /// Around it.
    pub shell: Shell,
    /// Where to sign in once more.
    pub again: Link,
}

/// Leads to the address that was asked for once more: a browser that comes from another site sends
/// its cookie only where a page of ours leads. No shell, because nobody is to read it.
#[derive(Debug, Template)]
#[template(path = "again.html")]
pub struct Again {
    /// Path and query, here.
    pub to: String,
}
