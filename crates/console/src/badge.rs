//! How things stand, as a glyph and a word: never by colour alone.

use std::fmt::{Display, Formatter, Result};

use askama::filters::{Html, HtmlSafe, escape};
use leverframe_wire::admin::{ConfirmationState, Position, RolloutState, Verdict};

use crate::text::percent;

/// What a badge says by its colour, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing to see.
    Quiet,
    /// Let through, or as it should be.
    Good,
    /// Under way.
    Busy,
    /// Somebody should look.
    Warning,
    /// Harm.
    Bad,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Good => "good",
            Self::Busy => "busy",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}

/// A glyph and a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Badge {
    glyph: &'static str,
    words: String,
    tone: Tone,
}

impl Badge {
    /// A glyph, which is not read aloud, and words, which are.
    pub fn new(glyph: &'static str, words: impl Into<String>, tone: Tone) -> Self {
        Self {
            glyph,
            words: words.into(),
            tone,
        }
    }

    /// Where a lever stands.
    #[must_use]
    pub fn position(position: &Position) -> Self {
        match position {
            Position::Closed { latched: true, .. } => Self::new("■", "killed", Tone::Bad),
            Position::Closed { .. } => Self::new("□", "closed", Tone::Quiet),
            Position::Pinned { variant } => {
                Self::new("◆", format!("pinned to {variant}"), Tone::Busy)
            }
            Position::Open { exposure } => {
                let percentage = percent(&exposure.percentage);
                let words = match exposure.cohorts.as_slice() {
                    [] => format!("open {percentage}"),
                    [one] => format!("open {percentage} and {one}"),
                    more => format!("open {percentage} and {} cohorts", more.len()),
                };
                Self::new("●", words, Tone::Good)
            }
        }
    }

    /// What a rollout is doing.
    #[must_use]
    pub fn rollout(state: &RolloutState) -> Self {
        match state {
            RolloutState::Baking => Self::new("▶", "running", Tone::Busy),
            RolloutState::Holding => Self::new("▶", "holding", Tone::Busy),
            RolloutState::Asking => Self::new("!", "asks a person", Tone::Warning),
            RolloutState::Looking => Self::new("!", "waits for a look", Tone::Warning),
            RolloutState::Retreated => Self::new("↓", "retreated", Tone::Warning),
            RolloutState::Warm => Self::new("▶", "warm", Tone::Busy),
            RolloutState::Paused => Self::new("⏸", "paused", Tone::Warning),
            RolloutState::Done => Self::new("✓", "done", Tone::Good),
            RolloutState::RolledBack => Self::new("↩", "rolled back", Tone::Bad),
            RolloutState::Ended => Self::new("◼", "ended", Tone::Quiet),
        }
    }

    /// What the evidence says.
    #[must_use]
    pub fn verdict(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Bad => Self::new("✗", "bad", Tone::Bad),
            Verdict::Ok => Self::new("✓", "ok", Tone::Good),
            Verdict::Learning => Self::new("…", "learning", Tone::Busy),
            Verdict::NoData => Self::new("∅", "no data", Tone::Warning),
            Verdict::Error => Self::new("!", "error", Tone::Warning),
            Verdict::Untrusted => Self::new("?", "untrusted", Tone::Warning),
        }
    }

    /// Who has a change.
    #[must_use]
    pub fn confirmation(state: &ConfirmationState) -> Self {
        match state {
            ConfirmationState::Confirmed => Self::new("✓", "confirmed", Tone::Good),
            ConfirmationState::Pending => Self::new("…", "propagating", Tone::Busy),
            ConfirmationState::Nobody => Self::new("∅", "nobody follows", Tone::Warning),
        }
    }
}

impl Display for Badge {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Ok(words) = escape(&self.words, Html);
        write!(
            f,
            "<span class=\"badge {}\"><span aria-hidden=\"true\">{}</span> {words}</span>",
            self.tone.class(),
            self.glyph
        )
    }
}

impl HtmlSafe for Badge {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_badge_stays_text() {
        let badge = Badge::position(&Position::Pinned {
            variant: "<script>".to_owned(),
        });
        let html = badge.to_string();
        assert!(!html.contains("<script>"), "{html}");
        assert!(html.contains("pinned to &#60;script&#62;"), "{html}");
    }
}
