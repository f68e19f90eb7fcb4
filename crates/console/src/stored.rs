//! What came of the form before a page.

use std::fmt;

/// What came of the form before a page; `to_string()` is the words before the revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The revision that it was stored as, or that it is so since.
    pub revision: u64,
    /// It was so already.
    pub is_unchanged: bool,
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.is_unchanged {
            true => "Nothing to change: it is so since",
            false => "Stored as",
        })
    }
}
