//! Rollouts: those that run, and those that are over.

use askama::Template;
use leverframe_wire::admin::{Rollout, RolloutList};

use super::rollout::how;
use crate::Link;
use crate::badge::Badge;
use crate::shell::Shell;

/// Rollouts of an environment.
#[derive(Debug, Template)]
#[template(path = "rollouts.html")]
pub struct Rollouts {
    /// Around it.
    pub shell: Shell,
    /// Those that run; empty where only those that are over are asked for.
    pub running: Vec<Running>,
    /// Those that are over, the last started first.
    pub over: RolloutList,
    /// Of which flag alone; of all when empty.
    pub flag: String,
    /// `running`, `over`, or empty for both.
    pub state: String,
    /// Whether it is the first page.
    pub is_first: bool,
    /// Whether who looks may start one.
    pub may_start: bool,
}

/// One that runs.
#[derive(Debug)]
pub struct Running {
    /// It.
    pub rollout: Rollout,
    /// Units that were let through and for which something went wrong.
    pub users_hit: u64,
    /// Why it does not move, the most pressing first.
    pub holds: Vec<String>,
    /// What comes next.
    pub next: Option<String>,
}

impl Rollouts {
    fn next_page(&self) -> Option<Link> {
        let next = self.over.next.as_ref()?;
        let link = self.shell.link(["rollouts"]);
        Some(
            link.with_some("flag", Some(&self.flag))
                .with("state", "over")
                .with("after", next),
        )
    }
}

/// The stage it is at, or was at last.
fn stage(rollout: &Rollout) -> &str {
    let stage = rollout.stages.get(rollout.stage);
    stage.map_or("", |stage| &stage.label)
}
