//! A rollout before it starts: what its stages could prove here, what speaks against it, and the form.

use askama::Template;
use leverframe_wire::admin::{PlanStage, Preflight, StageForecast};

use super::plan::{metric_rule, stage_margin, stage_time};
use crate::badge::{Badge, Tone};
use crate::shell::Shell;
use crate::text::span;

/// A rollout before it starts.
#[derive(Debug, Template)]
#[template(path = "launch.html")]
pub struct Launch {
    /// Around it.
    pub shell: Shell,
    /// Of which flag; empty until one is chosen.
    pub flag: String,
    /// By which plan.
    pub plan: String,
    /// Plans to choose from.
    pub plans: Vec<String>,
    /// What was found; none until flag and plan are chosen.
    pub found: Option<Preflight>,
    /// The revision that the start has to have seen.
    pub if_match: u64,
    /// The terms that were ticked.
    pub ticked: Terms,
    /// What was typed before it was refused.
    pub reason: String,
    /// Whether who looks may start one.
    pub may_start: bool,
}

/// On what terms a rollout starts although something speaks against it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terms {
    /// In the place of the one that runs.
    pub replace: bool,
    /// Although the last one was rolled back, or the flag was killed.
    pub again: bool,
    /// Although not every evaluator's build declares the flag.
    pub undeclared_too: bool,
}

impl Launch {
    /// The terms that what speaks against it asks for.
    fn needed(&self) -> Terms {
        let found = self.found.iter().flat_map(|found| &found.refusals);
        let said = self.shell.failing.iter().map(|failing| &failing.detail);
        let mut needed = self.ticked;
        for refusal in found.chain(said) {
            needed.replace |= refusal.contains("--replace");
            needed.again |= refusal.contains("--again");
            needed.undeclared_too |=
                refusal.contains("--undeclared-too") || refusal.contains("does not declare");
        }
        needed
    }

    fn has_terms(&self) -> bool {
        self.needed() != Terms::default()
    }

    fn standing(&self) -> Badge {
        match &self.found {
            Some(found) if found.ready && found.remarks.is_empty() => {
                Badge::new("✓", "nothing speaks against it", Tone::Good)
            }
            Some(found) if found.ready => {
                Badge::new("!", "it may start; read this first", Tone::Warning)
            }
            _ => Badge::new("✗", "it would be refused as it is", Tone::Bad),
        }
    }

    /// Each stage of the plan as it would run, with what it could prove.
    fn stages(&self) -> Vec<(&PlanStage, Option<&StageForecast>)> {
        let Some(found) = &self.found else {
            return Vec::new();
        };
        found
            .plan
            .stages
            .iter()
            .enumerate()
            .map(|(index, stage)| (stage, found.stages.get(index)))
            .collect()
    }
}

/// A ratio, in words.
fn times(ratio: &f64) -> String {
    format!("{} times", (ratio * 10.0).round() / 10.0)
}

/// Minutes, in words.
fn lasting(minutes: &f64) -> String {
    const MONTH: f64 = 43_200.0;
    if !(0.0..=MONTH).contains(minutes) {
        return "longer than a month".to_owned();
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most a month")]
    let ms = (minutes * 60_000.0) as i64;
    span(&ms)
}
