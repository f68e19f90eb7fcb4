//! One record, whole.

use askama::Template;
use leverframe_wire::admin::{Sign, WholeRecord};

use crate::link::Link;
use crate::shell::Shell;

/// Most changes of one record that its page shows; an export has them all.
const CHANGES_MAX: usize = 300;

/// One record.
#[derive(Debug, Template)]
#[template(path = "record.html")]
pub struct Record {
    /// Around it.
    pub shell: Shell,
    /// It.
    pub whole: WholeRecord,
    /// Whether whoever looks may ask for an undo at all.
    pub may_undo: bool,
}

impl Record {
    fn before(&self) -> Option<u64> {
        self.whole.record.revision.checked_sub(1).filter(|r| *r > 0)
    }

    fn after(&self) -> Option<u64> {
        let after = self.whole.record.revision.saturating_add(1);
        (after <= self.shell.revision).then_some(after)
    }

    /// What the same actor did.
    fn of_actor(&self) -> Link {
        let link = self.shell.link(["audit"]);
        link.with("actor", &self.whole.record.actor).with("all", 1)
    }
}

#[cfg(test)]
mod tests;
