//! What runs, what was taken back, what stands open, what changed, and what needs somebody.

mod axis;

use askama::Template;
use leverframe_wire::admin::{
    Confirmation, Evidence, Freeze, LeverStatus, Progress, RecordView, Rollout, StageView,
};

use crate::badge::{Badge, Tone};
use crate::link::Link;
use crate::shell::Shell;
use crate::text::{count, span};

use axis::Axis;

/// Most records in the list below the axis.
const RECORDS_SHOWN: usize = 25;

/// An environment, now.
#[derive(Debug, Template)]
#[template(path = "now.html")]
pub struct Now {
    /// Around it.
    pub shell: Shell,
    /// What somebody should look at, the most pressing first.
    pub needs: Vec<Need>,
    /// Rollouts that were taken back in the last day, the last first.
    pub rolled_back: Vec<Rollout>,
    /// Rollouts that run.
    pub running: Vec<Evidence>,
    /// How many run beyond those.
    pub running_more: usize,
    /// Levers that let somebody through, and those killed in the last day, the last moved first.
    pub levers: Vec<LeverStatus>,
    /// How many there are.
    pub levers_len: usize,
    /// Flags that were never moved here.
    pub never_moved: usize,
    /// What changed in the last day; why it is not known where it is not.
    pub changed: Result<Vec<RecordView>, String>,
    /// Who has the newest change.
    pub fleet: Confirmation,
    /// Why nothing is opened here now.
    pub freeze: Option<Freeze>,
}

/// Something that somebody should look at.
#[derive(Debug, Clone)]
pub struct Need {
    /// What it is, in a sentence.
    pub words: String,
    /// Where one looks.
    pub link: Option<(Link, String)>,
    /// Whether it cannot wait.
    pub is_urgent: bool,
}

impl Now {
    fn kill_link(&self) -> Link {
        self.shell.link(["kill"])
    }

    fn recent_link(&self) -> Link {
        self.kill_link().with("recent", "30m")
    }

    fn lever_link(&self, flag: &str) -> Link {
        self.shell.link(["levers", flag])
    }

    fn day_link(&self) -> Link {
        self.shell.link(["audit"]).with("range", "24h")
    }

    fn behind_link(&self) -> Link {
        self.shell.link(["fleet"]).with("behind", 1)
    }

    fn axis(&self) -> Axis<'_> {
        Axis {
            records: self.changed.as_deref().unwrap_or_default(),
            now: self.shell.now,
        }
    }

    fn records(&self) -> &[RecordView] {
        let all = self.changed.as_deref().unwrap_or_default();
        all.get(..RECORDS_SHOWN.min(all.len())).unwrap_or_default()
    }

    fn fleet_words(&self) -> String {
        let has = &self.fleet;
        match has.expected {
            0 => format!("Nobody follows {}.", has.environment),
            _ => format!(
                "{} of {} at r{}.",
                has.confirmed,
                count(&has.expected, "evaluator", "evaluators"),
                has.revision
            ),
        }
    }

    fn closing_words(&self) -> &'static str {
        match self.levers_len {
            0 => "Nothing is open.",
            _ => "Closes a flag for everybody, in a second.",
        }
    }
}

/// Whom it paged and whether that went out, in a sentence; empty when nobody was to be paged.
fn paged(rollout: &Rollout) -> String {
    let pages: Vec<String> = rollout
        .told
        .iter()
        .filter(|told| told.page)
        .map(|told| format!("{}: {}", told.title, told.sentence))
        .collect();
    pages.join("; ")
}

/// How a stage stands, as a glyph and in words.
fn stage(stage: &StageView) -> String {
    let took = stage.took_ms.map(|ms| span(&ms)).unwrap_or_default();
    let words = match stage.progress {
        Progress::Passed => format!("✓ {} {took}", stage.label),
        Progress::Current => format!("▶ {} for {took}", stage.label),
        Progress::Left => format!("↩ {} after {took}", stage.label),
        Progress::Ahead => format!("· {}", stage.label),
    };
    words.trim_end().to_owned()
}

/// What comes next and when at the earliest.
fn next(evidence: &Evidence) -> Option<String> {
    let next = evidence.next.as_ref()?;
    let rest_ms = evidence.bake_ms.saturating_sub(evidence.analysed_ms);
    Some(match rest_ms {
        ..=0 => format!("Next: {next}."),
        _ => format!("Next: {next}, in {} at the earliest.", span(&rest_ms)),
    })
}

/// Where a lever stands; a kill that is not stored is one.
fn standing(lever: &LeverStatus) -> Badge {
    match lever.brake {
        Some(_) => Badge::new("■", "killed, NOT STORED", Tone::Bad),
        None => Badge::position(&lever.lever.position),
    }
}

/// Whether what was changed says already why.
fn is_said(record: &RecordView) -> bool {
    let mut changes = record.changes.iter();
    changes.any(|change| change.sentence == record.reason)
}

/// The reason as far as it fits into a row.
fn clipped(text: &str) -> String {
    const MOST: usize = 160;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
