//! Who is signed in.

use askama::Template;
use leverframe_wire::admin::Token;

use crate::shell::Shell;
use crate::text::count;

/// Who the visitor is, and where else they are signed in.
#[derive(Debug, Template)]
#[template(path = "settings_signing_in.html")]
pub struct SigningIn {
    /// Around it.
    pub shell: Shell,
    /// The visitor's token.
    pub token: Token,
    /// This session; a program that shows its token has none.
    pub session: Option<Session>,
    /// Other sessions of this token, the newest first.
    pub others: Vec<Session>,
    /// How many others were just ended.
    pub ended: Option<usize>,
}

impl SigningIn {
    fn elsewhere(&self) -> String {
        count(&self.others.len(), "other browser is", "other browsers are")
    }

    fn ended(&self) -> Option<String> {
        let ended = self.ended.as_ref()?;
        Some(count(ended, "other session is", "other sessions are"))
    }
}

/// From when until when somebody is signed in, in RFC 3339.
#[derive(Debug)]
pub struct Session {
    /// When it began.
    pub began: String,
    /// When it is over.
    pub ends: String,
}

fn or_every(names: &[String]) -> String {
    if names.is_empty() {
        "every one".to_owned()
    } else {
        names.join(", ")
    }
}
