//! One lever: where it stands and who moved it, and the ways to move it but for the big one.

use askama::Template;
use askama::filters::HtmlSafe;
use jiff::Timestamp;
use leverframe_wire::admin::{Lever as Stands, Position};

use crate::badge::Badge;
use crate::link::Link;
use crate::page::Pulled;
use crate::shell::Shell;
use crate::text::When;

/// Shares that are one click away, in per cent.
const QUICK: [&str; 5] = ["1", "5", "25", "50", "100"];

/// A lever's own page.
#[derive(Debug, Template)]
#[template(path = "lever.html")]
pub struct Lever {
    /// Around it.
    pub shell: Shell,
    /// Whose.
    pub flag: String,
    /// Where it stands and how it is moved.
    pub panel: LeverPanel,
    /// What became of its last move.
    pub pulled: Option<Pulled>,
}

/// Where a lever stands, with the forms that move it. A piece of other pages: `{{ panel }}`.
#[derive(Debug, Template)]
#[template(path = "lever_panel.html")]
pub struct LeverPanel {
    /// Where it stands.
    pub lever: Stands,
    /// Whether an opening is asked for a reason here.
    pub is_guarded: bool,
    /// The variants that it can be pinned to.
    pub variants: Vec<String>,
    /// The segments that it can be opened to.
    pub cohorts: Vec<String>,
    /// The rollout that moves it, if one does.
    pub rollout: Option<String>,
    /// Why this visitor may not move it, if so.
    pub barred: Option<String>,
    /// What was filled in before it was refused.
    pub filled: Filling,
    /// The field that was refused, as the API calls it.
    pub wrong: Option<String>,
    /// Names the change, so that asking twice changes once.
    pub idempotency: String,
    /// When this was made.
    pub now: Timestamp,
}

/// What was filled in.
#[derive(Debug, Clone, Default)]
pub struct Filling {
    /// The share, as it was typed.
    pub percentage: String,
    /// The cohorts that were ticked; those that are open when nothing was sent yet.
    pub cohorts: Vec<String>,
    /// The variant.
    pub variant: String,
    /// Why.
    pub reason: String,
    /// The incident.
    pub incident: String,
    /// Not to be watched.
    pub is_unwatched: bool,
}

impl LeverPanel {
    fn is_open(&self) -> bool {
        matches!(self.lever.position, Position::Open { .. })
    }

    fn action(&self, verb: &str) -> Link {
        Link::to(["levers", &self.lever.flag, verb]).with("env", &self.lever.environment)
    }

    fn kill_link(&self) -> Link {
        Link::to(["kill", &self.lever.flag]).with("env", &self.lever.environment)
    }

    fn pulled_link(&self, revision: &u64) -> Link {
        Link::to(["levers", &self.lever.flag])
            .with("env", &self.lever.environment)
            .with("r", revision)
    }

    fn rollout_link(&self, id: &str) -> Link {
        Link::to(["rollouts", id]).with("env", &self.lever.environment)
    }

    fn when(&self, at: &str) -> When {
        When::new(at, self.now)
    }

    fn is_wrong(&self, field: &str) -> bool {
        self.wrong.as_deref() == Some(field)
    }

    fn lacks_reason(&self) -> bool {
        self.is_wrong("why.reason")
    }

    fn is_ticked(&self, cohort: &str) -> bool {
        self.filled.cohorts.iter().any(|one| one == cohort)
    }
}

// Its template escapes whatever is put into it.
impl HtmlSafe for LeverPanel {}
