//! What is set up: environments, tokens, systems outside, and who is signed in.

mod environments;
mod outside;
mod signing_in;
mod tokens;

use askama::Template;

use crate::shell::Shell;
use crate::text::count;

pub use environments::{AskedEnvironment, Environments};
pub use outside::{Outside, OutsideChannel, OutsideSource};
pub use signing_in::{Session, SigningIn};
pub use tokens::{AskedToken, Tokens};

/// Where settings are.
#[derive(Debug, Template)]
#[template(path = "settings.html")]
pub struct Settings {
    /// Around it.
    pub shell: Shell,
    /// How many environments the visitor may see.
    pub environments: usize,
    /// How many tokens work; none for whoever may not see them.
    pub tokens: Option<usize>,
    /// How many sources and channels the server's file names.
    pub outside: usize,
}

impl Settings {
    fn token_count(&self) -> Option<String> {
        let tokens = self.tokens.as_ref()?;
        Some(count(tokens, "token works", "tokens work"))
    }
}
