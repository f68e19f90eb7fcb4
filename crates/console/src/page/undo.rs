//! What became of a change, with nothing around it but how it is taken back.

use askama::Template;

use crate::page::Pulled;
use crate::shell::Shell;

/// One change and its undo.
#[derive(Debug, Template)]
#[template(path = "undo.html")]
pub struct UndoOf {
    /// Around it.
    pub shell: Shell,
    /// The change, if there is one.
    pub pulled: Option<Pulled>,
}
