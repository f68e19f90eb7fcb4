//! Whether a flag can be closed without harm however far it has been open. Advice for machines and for
//! people: a person's kill is free all the same.

use std::fmt;
use std::str::FromStr;

use leverframe_flags::Percentage;
use serde::{Deserialize, Serialize};

/// Closing does harm once this many were exposed, such as when the old code cannot read what the new
/// one wrote. Written as `unsafe after 25% — the old checkout cannot read these orders`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnsafeClosing {
    /// Up to this exposure, closing is harmless.
    pub after: Percentage,
    /// What closing does beyond it, in one sentence.
    pub sentence: Box<str>,
}

impl fmt::Display for UnsafeClosing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unsafe after {}% — {}", self.after, self.sentence)
    }
}

/// The text is not `unsafe after 25% — what closing does`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write `safe`, or `unsafe after 25% — what closing does then`")]
pub struct ClosingError;

impl FromStr for UnsafeClosing {
    type Err = ClosingError;

    fn from_str(text: &str) -> Result<Self, ClosingError> {
        let rest = text
            .trim()
            .strip_prefix("unsafe after")
            .ok_or(ClosingError)?;
        let (after, sentence) = rest.split_once('%').ok_or(ClosingError)?;
        let sentence = sentence
            .trim()
            .trim_start_matches(['—', '–', '-', ':'])
            .trim();
        if sentence.is_empty() {
            return Err(ClosingError);
        }
        Ok(Self {
            after: after.trim().parse().map_err(|_| ClosingError)?,
            sentence: sentence.into(),
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "unsafe after 25% — the old code cannot read these orders",
            "unsafe after 0.5% - x",
        ] {
            let closing: UnsafeClosing = text.parse().unwrap();
            assert_eq!(closing.to_string().parse(), Ok(closing));
        }
    }

    #[test]
    fn what_says_no_exposure_or_no_sentence_is_refused() {
        for text in [
            "",
            "unsafe",
            "unsafe after 25%",
            "unsafe after 200% — x",
            "25% — x",
        ] {
            assert_eq!(text.parse::<UnsafeClosing>(), Err(ClosingError), "{text}");
        }
    }
}
