//! Whether the journal is as it was written.

use askama::Template;
use leverframe_wire::admin::Verification;

use crate::badge::{Badge, Tone};
use crate::shell::Shell;

/// What reading the whole journal came to.
#[derive(Debug, Template)]
#[template(path = "verified.html")]
pub struct Verified {
    /// Around it.
    pub shell: Shell,
    /// What was found; nothing where it was not read.
    pub verification: Option<Verification>,
}

fn badge(verification: &Verification) -> Badge {
    match verification.intact {
        true => Badge::new("✓", "whole", Tone::Good),
        false => Badge::new("✗", "broken", Tone::Bad),
    }
}

/// What is wrong, and the command that restores, where the sentence has one at its end.
fn advice(detail: &str) -> (&str, Option<&str>) {
    match detail.rfind("lever restore ") {
        Some(start) => (detail.get(..start).unwrap_or(detail), detail.get(start..)),
        None => (detail, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inert::document;

    #[test]
    fn a_broken_journal_is_named_by_its_first_bad_revision_with_the_command_that_restores() {
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        let verification = Verification {
            intact: false,
            records: 56,
            revision: 99,
            head: "ab".repeat(32),
            first_bad: Some(57),
            detail: Some(
                "the journal in <x> is damaged at r57: it does not continue the chain. Restore the newest good backup: lever restore <backup> --data '/srv/lever'"
                    .to_owned(),
            ),
        };
        let html = document(&Verified {
            shell: Shell::bare("The journal", now),
            verification: Some(verification),
        })
        .unwrap();
        assert!(html.contains("broken"), "{html}");
        assert!(html.contains("r57"), "{html}");
        assert!(
            html.contains(
                "<code>lever restore &#60;backup&#62; --data &#39;/srv/lever&#39;</code>"
            ),
            "{html}"
        );
    }
}
