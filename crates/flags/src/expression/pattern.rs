//! Regular expressions within bounds.

use regex::{Regex, RegexBuilder};

use crate::limit::{REGEX_BYTES_MAX, REGEX_COMPILED_BYTES_MAX};

/// A checked regular expression: linear in time, bounded in size.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

/// Why a text is not a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The source is longer than [`REGEX_BYTES_MAX`].
    #[error("a regular expression has at most {REGEX_BYTES_MAX} bytes; this one has {length}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// It compiles to more than [`REGEX_COMPILED_BYTES_MAX`].
    #[error(
        "the regular expression is too large once compiled (over {REGEX_COMPILED_BYTES_MAX} bytes); \
         make repetitions smaller"
    )]
    TooLarge,
    /// It is not a regular expression of the `regex` crate.
    #[error("not a regular expression: {reason}")]
    Syntax {
        /// What is wrong.
        reason: String,
    },
}

impl Pattern {
    /// Compiles `source` within the bounds.
    ///
    /// # Errors
    /// [`PatternError`] says what is wrong.
    pub fn new(source: &str) -> Result<Self, PatternError> {
        if source.len() > REGEX_BYTES_MAX {
            return Err(PatternError::TooLong {
                length: source.len(),
            });
        }
        RegexBuilder::new(source)
            .size_limit(REGEX_COMPILED_BYTES_MAX)
            .dfa_size_limit(REGEX_COMPILED_BYTES_MAX)
            .nest_limit(50)
            .build()
            .map(Self)
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => PatternError::TooLarge,
                // The message is a drawing of several lines, with the sentence on the last.
                other => PatternError::Syntax {
                    reason: other
                        .to_string()
                        .lines()
                        .last()
                        .unwrap_or_default()
                        .trim_start_matches("error: ")
                        .to_owned(),
                },
            })
    }

    /// The source text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}
