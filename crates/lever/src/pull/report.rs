//! What is told of a lever pull.

use std::time::Duration;

use leverframe_wire::admin::{Confirmation, ConfirmationState, Receipt, Straggler};
use serde_json::{Value, json};

use super::Headline;
use super::wait::Awaited;
use crate::exit::Exit;
use crate::output::{Tone, inert, milliseconds, paint};
use crate::receipt;
use crate::span::Span;

/// A pull and how far it got.
pub(super) struct Report {
    pub(super) receipt: Receipt,
    pub(super) headline: Headline,
    /// `None` when nobody waited.
    pub(super) awaited: Option<Awaited>,
    pub(super) limit: Option<Duration>,
}

impl Report {
    pub(super) fn exit(&self) -> Exit {
        let is_open_end = self.awaited.as_ref().is_some_and(|awaited| {
            !awaited.unasked.is_empty()
                || awaited
                    .confirmations
                    .iter()
                    .any(|confirmation| confirmation.state == ConfirmationState::Pending)
        });
        if is_open_end {
            Exit::Unconfirmed
        } else {
            Exit::Done
        }
    }

    /// The receipt with `confirmation` (all environments together; null when nobody waited or
    /// nobody had to hear of it) and `confirmations` (one by one).
    pub(super) fn document(&self) -> Value {
        let mut document = json!(self.receipt);
        let Some(object) = document.as_object_mut() else {
            return document;
        };
        object.entry("undo").or_insert(Value::Null);
        let confirmations = self
            .awaited
            .as_ref()
            .map(|awaited| awaited.confirmations.as_slice())
            .unwrap_or_default();
        object.insert("confirmation".to_owned(), together(confirmations));
        object.insert("confirmations".to_owned(), json!(confirmations));
        if let Some(awaited) = &self.awaited
            && !awaited.unasked.is_empty()
        {
            let unasked: Vec<Value> = awaited
                .unasked
                .iter()
                .map(|(environment, why)| json!({"environment": environment, "why": why}))
                .collect();
            object.insert("unasked".to_owned(), Value::from(unasked));
        }
        document
    }

    pub(super) fn human(&self, is_quiet: bool) -> String {
        let headline = &self.headline;
        let mut lines = vec![format!(
            "{} {} · {}",
            paint(headline.tone, headline.glyph),
            inert(&headline.words),
            self.outcome()
        )];
        if self.receipt.changes.len() > 1 {
            lines.extend(
                self.receipt
                    .changes
                    .iter()
                    .map(|change| format!("    {}", receipt::line(change))),
            );
        }
        if !self.receipt.stored {
            lines.push(format!(
                "  {} {}",
                paint(Tone::Bad, "NOT STORED:"),
                "it is out, but the journal cannot be written now; the server stores it as soon \
                 as it can. Look: lever doctor"
            ));
        }
        for confirmation in self
            .awaited
            .iter()
            .flat_map(|awaited| &awaited.confirmations)
        {
            lines.extend(caches(confirmation));
            lines.extend(self.stragglers(confirmation));
        }
        if !is_quiet {
            lines.extend(receipt::undo(&self.receipt));
        }
        lines.join("\n")
    }

    /// `r57 · 12/12 evaluators confirmed in 4 ms`, and the other ways it can end.
    fn outcome(&self) -> String {
        let revision = self.receipt.revision;
        // Of a change that is not stored yet nothing may read as if it were.
        let stored = if self.receipt.stored {
            "stored as "
        } else {
            ""
        };
        let Some(awaited) = &self.awaited else {
            return format!("{stored}r{revision}; not waited for the evaluators");
        };
        let names_place = awaited.confirmations.len() + awaited.unasked.len() > 1;
        let mut parts = Vec::new();
        for confirmation in &awaited.confirmations {
            let place = if names_place {
                format!("{}: ", confirmation.environment)
            } else {
                String::new()
            };
            parts.push(match confirmation.state {
                ConfirmationState::Confirmed => {
                    let took = confirmation
                        .elapsed_ms
                        .map(|ms| format!(" in {}", milliseconds(ms)))
                        .unwrap_or_default();
                    format!(
                        "{place}{}/{} evaluators confirmed{took}",
                        confirmation.confirmed, confirmation.expected
                    )
                }
                ConfirmationState::Pending => format!(
                    "{place}{} {}/{} evaluators confirmed{}",
                    paint(Tone::Bad, "PARTIAL:"),
                    confirmation.confirmed,
                    confirmation.expected,
                    self.limit_words()
                ),
                ConfirmationState::Nobody if names_place => format!("{place}nobody follows it"),
                ConfirmationState::Nobody => {
                    return inert_place(&format!(
                        "{stored}r{revision}; nobody follows {}",
                        confirmation.environment
                    ));
                }
            });
        }
        for (environment, why) in &awaited.unasked {
            parts.push(format!(
                "{} who has it in {} cannot be asked: {}",
                paint(Tone::Bad, "UNKNOWN:"),
                inert(environment),
                inert(why)
            ));
        }
        if parts.is_empty() {
            return format!("r{revision} · no evaluator has to hear of it");
        }
        format!("r{revision} · {}", parts.join("; "))
    }

    fn limit_words(&self) -> String {
        match self.limit.map(Span::from) {
            Some(limit) => format!(" after {limit}"),
            None => String::new(),
        }
    }

    fn stragglers(&self, confirmation: &Confirmation) -> Vec<String> {
        if confirmation.state != ConfirmationState::Pending {
            return Vec::new();
        }
        let mut lines: Vec<String> = confirmation
            .stragglers
            .iter()
            .flat_map(|straggler| self.straggler(straggler))
            .collect();
        lines.push(format!(
            "  r{} goes on being delivered; look again: lever status -e {}",
            self.receipt.revision,
            inert(&confirmation.environment)
        ));
        lines
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a silence that loses a millisecond as a float is longer than the universe"
    )]
    fn straggler(&self, straggler: &Straggler) -> [String; 2] {
        let has = match straggler.revision {
            Some(revision) => format!("has r{revision}"),
            None => "has nothing yet".to_owned(),
        };
        let connection = if straggler.connected {
            "connected"
        } else {
            "connection lost"
        };
        let answers = if self.headline.is_closing {
            " · still answers OPEN"
        } else {
            " · still answers as before"
        };
        [
            format!(
                "  {} {} · {} · build {} · last seen {} ago · {connection} · {has}{answers}",
                paint(Tone::Bad, "✗"),
                inert(&straggler.instance),
                inert(&straggler.application),
                inert(&straggler.build),
                milliseconds(straggler.silent_ms.max(0) as f64),
            ),
            format!("      → {}", inert(&straggler.advice)),
        ]
    }
}

fn inert_place(text: &str) -> String {
    inert(text).into_owned()
}

/// Clients that keep answers and cannot acknowledge, on a line of their own.
fn caches(confirmation: &Confirmation) -> Option<String> {
    let caches = &confirmation.caches;
    (caches.seen > 0).then(|| {
        format!(
            "  OFREP caches in {}: {} seen in 10 min · {} fetched r{} · {} use it \
             (they cannot confirm)",
            inert(&confirmation.environment),
            caches.seen,
            caches.fetched,
            confirmation.revision,
            caches.applied
        )
    })
}

/// All environments together, in the form of one.
fn together(confirmations: &[Confirmation]) -> Value {
    let (first, rest) = match confirmations {
        [] => return Value::Null,
        [only] => return json!(only),
        [first, rest @ ..] => (first, rest),
    };
    let mut all = first.clone();
    all.confirm_ms = None;
    for next in rest {
        all.environment = format!("{}, {}", all.environment, next.environment);
        all.state = match (all.state, next.state) {
            (ConfirmationState::Pending, _) | (_, ConfirmationState::Pending) => {
                ConfirmationState::Pending
            }
            (ConfirmationState::Confirmed, _) | (_, ConfirmationState::Confirmed) => {
                ConfirmationState::Confirmed
            }
            (ConfirmationState::Nobody, ConfirmationState::Nobody) => ConfirmationState::Nobody,
        };
        all.expected += next.expected;
        all.confirmed += next.confirmed;
        all.elapsed_ms = match (all.elapsed_ms, next.elapsed_ms) {
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, None) | (None, one) => one,
        };
        all.stragglers.extend(next.stragglers.iter().cloned());
        all.caches.seen += next.caches.seen;
        all.caches.fetched += next.caches.fetched;
        all.caches.applied += next.caches.applied;
    }
    json!(all)
}
