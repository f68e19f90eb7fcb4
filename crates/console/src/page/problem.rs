//! What is shown in the place of a page that there is not.

use askama::Template;

use crate::shell::Shell;

/// There is no such page, or it may not be seen.
#[derive(Debug, Template)]
#[template(path = "problem.html")]
pub struct Problem {
    /// With what failed in `failing`.
    pub shell: Shell,
}
