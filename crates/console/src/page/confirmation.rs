//! What became of a change: requested, stored, propagating, and had by everybody or not. A piece of
//! other pages: `{{ pulled }}` puts it out.

use askama::Template;
use askama::filters::HtmlSafe;
use jiff::Timestamp;
use leverframe_wire::admin::{Confirmation, ConfirmationState};

use crate::link::Link;
use crate::text::{When, count, duration};

/// After so long without everybody, in milliseconds, it is said that it is partial.
const PARTIAL_AFTER_MS: i64 = 10_000;
/// Most moves and most stragglers that are named one by one.
const NAMED_MAX: usize = 50;

/// A change and who has it.
#[derive(Debug, Template)]
#[template(path = "confirmation.html")]
pub struct Pulled {
    /// Where it is shown.
    pub environment: String,
    /// Where in the journal; absent while it is out and not stored.
    pub revision: Option<u64>,
    /// When it was asked for, in RFC 3339, where that is known.
    pub at: Option<String>,
    /// Who asked.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The incident, as the address says it.
    pub incident: Option<String>,
    /// It was so already, and nothing was changed.
    pub was_so: bool,
    /// The levers it moved.
    pub moves: Vec<Moved>,
    /// Who has it.
    pub had: Confirmation,
    /// How it is taken back.
    pub undo: Undo,
    /// When this was made.
    pub now: Timestamp,
    /// Names the undo, so that asking twice changes once.
    pub idempotency: String,
}

/// A lever that was moved.
#[derive(Debug, Clone)]
pub struct Moved {
    /// Whose.
    pub flag: String,
    /// Where.
    pub environment: String,
    /// How it was.
    pub from: String,
    /// How it is.
    pub to: String,
    /// Nobody is let through any more.
    pub is_closing: bool,
    /// It was closed before.
    pub was_closed: bool,
}

/// How a change is taken back.
#[derive(Debug, Clone)]
pub enum Undo {
    /// By its revision.
    Form {
        /// Whether a reason is asked for, and where.
        needs_reason: bool,
        /// What was typed before it was refused.
        reason: String,
    },
    /// It is not, and why; empty where nobody asks.
    Not(String),
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Propagating,
    Confirmed,
    Partial,
    Nobody,
}

/// One step on the way.
#[derive(Debug)]
struct Step {
    class: &'static str,
    glyph: &'static str,
    word: &'static str,
    /// For those who do not see the glyph.
    state: &'static str,
    detail: String,
}

impl Pulled {
    /// How soon a page without a script looks again, while there is something to wait for: not where
    /// somebody may be typing why to undo it.
    #[must_use]
    pub fn refresh_s(&self) -> Option<u32> {
        match self.standing() {
            _ if self.revision.is_none() => Some(2),
            Standing::Propagating => Some(1),
            Standing::Partial | Standing::Confirmed | Standing::Nobody => None,
        }
    }

    fn is_under_way(&self) -> bool {
        self.standing() == Standing::Propagating
    }

    fn standing(&self) -> Standing {
        match self.had.state {
            ConfirmationState::Confirmed => Standing::Confirmed,
            ConfirmationState::Nobody => Standing::Nobody,
            ConfirmationState::Pending => match self.waited_ms() {
                Some(ms) if ms < PARTIAL_AFTER_MS => Standing::Propagating,
                _ => Standing::Partial,
            },
        }
    }

    fn waited_ms(&self) -> Option<i64> {
        let at: Timestamp = self.at.as_ref()?.parse().ok()?;
        Some(self.now.as_millisecond() - at.as_millisecond())
    }

    fn is_closing(&self) -> bool {
        !self.moves.is_empty() && self.moves.iter().all(|one| one.is_closing)
    }

    /// What was done, in a few words.
    fn deed(&self) -> String {
        let here = &self.environment;
        match self.moves.as_slice() {
            [] => match self.revision {
                Some(revision) => format!("r{revision} in {here}"),
                None => format!("A kill in {here}"),
            },
            [one] if one.is_closing => format!("{} closed in {}", one.flag, one.environment),
            [one] => format!("{} {} in {}", one.flag, one.to, one.environment),
            more if self.is_closing() => {
                format!("{} closed in {here}", count(&more.len(), "lever", "levers"))
            }
            more => format!("{} moved in {here}", count(&more.len(), "lever", "levers")),
        }
    }

    fn glyph(&self) -> &'static str {
        if self.is_closing() { "■" } else { "●" }
    }

    /// Who has it, in the words of the command line.
    fn outcome(&self) -> String {
        let had = &self.had;
        match self.standing() {
            Standing::Confirmed => {
                let took = had
                    .elapsed_ms
                    .map_or_else(String::new, |ms| format!(" in {}", duration(&ms)));
                format!(
                    "{}/{} evaluators confirmed{took}",
                    had.confirmed, had.expected
                )
            }
            Standing::Propagating => {
                let since = self.waited_ms().map_or_else(String::new, |ms| {
                    format!(", {} so far", crate::text::span(&ms))
                });
                format!(
                    "{} of {} evaluators have it{since}",
                    had.confirmed, had.expected
                )
            }
            Standing::Partial => format!(
                "PARTIAL: {} of {} evaluators have it",
                had.confirmed, had.expected
            ),
            Standing::Nobody => format!(
                "nobody follows {}: no evaluator is there to have it",
                self.environment
            ),
        }
    }

    fn steps(&self) -> [Step; 4] {
        let standing = self.standing();
        let done = |word, detail| Step {
            class: "done",
            glyph: "✓",
            word,
            state: "done",
            detail,
        };
        let ahead = |word| Step {
            class: "ahead",
            glyph: "·",
            word,
            state: "not yet",
            detail: String::new(),
        };
        let requested = done("REQUESTED", String::new());
        let stored = match self.revision {
            Some(revision) => done("STORED", format!("r{revision}")),
            None => Step {
                class: "wrong",
                glyph: "!",
                word: "NOT STORED",
                state: "not done",
                detail: "it is tried on".to_owned(),
            },
        };
        let share = format!("{} of {}", self.had.confirmed, self.had.expected);
        let propagating = match standing {
            Standing::Confirmed => done("PROPAGATING", share),
            Standing::Nobody => Step {
                class: "ahead",
                glyph: "∅",
                word: "PROPAGATING",
                state: "to nobody",
                detail: "to nobody".to_owned(),
            },
            Standing::Propagating | Standing::Partial => Step {
                class: "current",
                glyph: "…",
                word: "PROPAGATING",
                state: "under way",
                detail: share,
            },
        };
        let last = match standing {
            Standing::Confirmed => done("CONFIRMED", String::new()),
            Standing::Partial => Step {
                class: "wrong",
                glyph: "!",
                word: "PARTIAL",
                state: "not by everybody",
                detail: format!("{} behind", self.had.stragglers.len()),
            },
            Standing::Nobody => Step {
                class: "wrong",
                glyph: "∅",
                word: "NOBODY",
                state: "there is nobody to confirm",
                detail: format!("follows {}", self.environment),
            },
            Standing::Propagating => ahead("CONFIRMED"),
        };
        [requested, stored, propagating, last]
    }

    /// What somebody who is behind goes on answering.
    fn answers(&self) -> &'static str {
        let was_open = self.moves.iter().any(|one| !one.was_closed);
        match self.is_closing() && was_open {
            true => "still answers OPEN",
            false => "still answers as before",
        }
    }

    fn when(&self, at: &str) -> When {
        When::new(at, self.now)
    }

    fn record_link(&self, revision: &u64) -> Link {
        Link::to(["audit", &revision.to_string()]).with("env", &self.environment)
    }

    fn lever_link(&self, one: &Moved) -> Link {
        Link::to(["flags", &one.flag]).with("env", &one.environment)
    }

    fn undo_link(&self) -> Link {
        Link::to(["undo"]).with("env", &self.environment)
    }
}

// Its template escapes whatever is put into it.
impl HtmlSafe for Pulled {}

#[cfg(test)]
mod tests;
