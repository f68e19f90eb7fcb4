//! What changed: who, when, through what, why, the newest first.

use askama::Template;
use leverframe_wire::admin::{Change, JournalPage, RecordView};

use crate::badge::{Badge, Tone};
use crate::link::Link;
use crate::shell::{Choice, Shell};
use crate::text::count;

/// Most changes of one record that the list shows; its own page has them all.
const CHANGES_MAX: usize = 5;
/// Longest reason in the list, in characters; the record's own page has the whole.
const REASON_CHARS_MAX: usize = 240;
/// Digits of a hash that tell records apart for people.
const HASH_DIGITS: usize = 12;

/// Ranges that are one press away.
const RANGES: [(&str, &str); 4] = [
    ("30m", "30 min"),
    ("24h", "24 h"),
    ("7d", "7 days"),
    ("", "from the start"),
];

/// The journal.
#[derive(Debug, Template)]
#[template(path = "audit.html")]
pub struct Audit {
    /// Around it.
    pub shell: Shell,
    /// What was found.
    pub found: JournalPage,
    /// What was looked for.
    pub filter: AuditFilter,
    /// How many records a full page has.
    pub size: usize,
}

/// What of the journal is looked for, as the address says it.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// What changed this flag.
    pub flag: String,
    /// What this actor did, by id or name.
    pub actor: String,
    /// From how long ago: `30m`.
    pub range: String,
    /// From when, as somebody typed it.
    pub since: String,
    /// Until when, as somebody typed it.
    pub until: String,
    /// Whether it is of every environment that one may see.
    pub is_everywhere: bool,
    /// Only revisions before this one.
    pub before: Option<u64>,
}

impl AuditFilter {
    /// A page with the same filter, from the newest.
    fn link<S: AsRef<str>>(&self, shell: &Shell, path: impl IntoIterator<Item = S>) -> Link {
        shell
            .link(path)
            .with_some("flag", Some(&self.flag))
            .with_some("actor", Some(&self.actor))
            .with_some("range", Some(&self.range))
            .with_some("since", Some(&self.since))
            .with_some("until", Some(&self.until))
            .with_some("all", self.is_everywhere.then_some(1))
    }
}

impl Audit {
    fn ranges(&self) -> Vec<Choice> {
        let is_typed = !self.filter.since.is_empty() || !self.filter.until.is_empty();
        let choice = |(range, words): &(&str, &str)| {
            let filter = AuditFilter {
                range: (*range).to_owned(),
                since: String::new(),
                until: String::new(),
                ..self.filter.clone()
            };
            Choice {
                link: filter.link(&self.shell, ["audit"]),
                words: (*words).to_owned(),
                is_current: !is_typed && self.filter.range == *range,
                is_guarded: false,
            }
        };
        RANGES.iter().map(choice).collect()
    }

    fn summary(&self) -> String {
        let found = count(&self.found.records.len(), "record", "records");
        let place = match self.filter.is_everywhere {
            true => "every environment that you may see".to_owned(),
            false => format!(
                "{} and what belongs to no environment",
                self.shell.environment
            ),
        };
        let from = match self.filter.before {
            Some(before) => format!(" before r{before}"),
            None => String::new(),
        };
        format!("{found}{from}: {place}.")
    }

    /// Whether the server gave up before the page was full, and there may be more.
    fn is_short(&self) -> bool {
        self.found.next.is_some() && self.found.records.len() < self.size
    }

    fn older(&self) -> Option<Link> {
        let next = self.found.next?;
        Some(
            self.filter
                .link(&self.shell, ["audit"])
                .with("before", next),
        )
    }

    fn export(&self, format: &str) -> Link {
        let link = self.filter.link(&self.shell, ["audit", "export"]);
        link.with("format", format)
    }

    fn newest(&self) -> Link {
        self.filter.link(&self.shell, ["audit"])
    }

    fn elsewhere(&self) -> Link {
        let filter = AuditFilter {
            is_everywhere: !self.filter.is_everywhere,
            before: None,
            ..self.filter.clone()
        };
        filter.link(&self.shell, ["audit"])
    }
}

/// What is not somebody's doing is told apart: what was decided by evidence, and what the server did
/// by itself.
pub(super) fn by(record: &RecordView) -> Option<Badge> {
    match (record.actor.as_str(), record.via.as_str()) {
        ("system", "rollout controller" | "guard" | "watch" | "canary") => {
            Some(Badge::new("◎", "by evidence", Tone::Busy))
        }
        ("system", _) => Some(Badge::new("◌", "by the server itself", Tone::Quiet)),
        _ => None,
    }
}

/// The page of what was changed.
pub(super) fn subject(shell: &Shell, change: &Change) -> Option<Link> {
    let to = |path: &str| {
        let environment = change.environment.as_deref();
        Link::to([path, change.key.as_str()]).with("env", environment.unwrap_or(&shell.environment))
    };
    match change.noun.as_str() {
        "lever" | "flag" => Some(to("flags")),
        "rollout" => Some(to("rollouts")),
        "segment" => Some(to("segments")),
        "plan" => Some(to("plans")),
        "revision" => {
            let revision = change.key.strip_prefix('r')?.parse().ok()?;
            Some(shell.record_link(&revision))
        }
        _ => None,
    }
}

/// How it was and how it is, where it was one and is another.
pub(super) fn way(change: &Change) -> Option<(&str, &str)> {
    match (&change.from, &change.to) {
        (Some(from), Some(to)) if from != to => Some((from, to)),
        _ => None,
    }
}

fn short_hash(hash: &str) -> &str {
    hash.get(..HASH_DIGITS).unwrap_or(hash)
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(REASON_CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
