//! One flag: what it is, where its levers stand, whom it lets through, and what happened to it.

use askama::Template;
use leverframe_wire::admin::{self, Confirmation, JournalPage, Lever, Position, Rollout, Serve};

use super::evaluation::Trial;
use crate::Link;
use crate::badge::Badge;
use crate::markdown::Markdown;
use crate::plain::Plain;
use crate::shell::Shell;
use crate::stored::Stored;
use crate::sunset::Sunset;
use crate::text::span;

/// One flag.
#[derive(Debug, Template)]
#[template(path = "flag.html")]
pub struct Flag {
    /// Around it.
    pub shell: Shell,
    /// The flag with its levers.
    pub flag: admin::Flag,
    /// The rollout that runs in this environment, or its last one.
    pub rollout: Option<Rollout>,
    /// What came of the form before this page, and who has the newest revision.
    pub stored: Option<(Stored, Confirmation)>,
    /// Whether somebody is in, where that was asked.
    pub trial: Trial,
    /// What happened to it last; none where this visitor may not read the journal.
    pub history: Option<JournalPage>,
    /// Whether this visitor may edit flags and move levers any way.
    pub is_editor: bool,
    /// Whether this visitor may close levers.
    pub is_brake: bool,
}

impl Flag {
    fn key(&self) -> &str {
        &self.flag.definition.key
    }

    fn here(&self) -> Option<&Lever> {
        let mut levers = self.flag.levers.iter();
        levers.find(|lever| lever.environment == self.shell.environment)
    }

    fn is_killed(&self) -> bool {
        let position = self.here().map(|lever| &lever.position);
        matches!(position, Some(Position::Closed { latched: true, .. }))
    }

    fn plain(&self) -> Plain {
        let position = self.here().map(|lever| &lever.position);
        Plain::new(&self.flag.definition, &self.shell.environment, position)
    }

    fn sunset(&self) -> Option<Sunset> {
        Sunset::new(self.flag.definition.sunset.as_deref()?, self.shell.now)
    }

    fn runbook(&self) -> Markdown {
        Markdown::new(&self.flag.definition.runbook)
    }

    fn lever_link(&self, environment: &str) -> Link {
        Link::to(["levers", self.key()]).with("env", environment)
    }

    fn kill_link(&self, environment: &str) -> Link {
        Link::to(["kill", self.key()]).with("env", environment)
    }

    fn here_link(&self, environment: &str) -> Link {
        Link::to(["flags", self.key()]).with("env", environment)
    }

    fn own_link(&self, part: &str) -> Link {
        self.shell.link(["flags", self.key(), part])
    }

    fn start_link(&self) -> Link {
        self.shell
            .link(["rollouts", "new"])
            .with("flag", self.key())
    }

    fn history_link(&self) -> Link {
        self.shell.link(["audit"]).with("flag", self.key())
    }

    fn owner_link(&self) -> Link {
        self.shell
            .link(["flags"])
            .with("owner", &self.flag.definition.owner)
    }

    fn tag_link(&self, tag: &str) -> Link {
        self.shell.link(["flags"]).with("tag", tag)
    }

    fn stale_after(&self) -> Option<String> {
        let seconds = self.flag.definition.stale_after_s?;
        Some(span(&(i64::from(seconds) * 1_000)))
    }

    fn is_open(&self, variant: &str) -> bool {
        matches!(&self.flag.definition.open, Serve::Variant(open) if open == variant)
    }
}
