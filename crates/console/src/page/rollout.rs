//! One rollout: what is so and why, how it came there, what it told whom, and what can be done.

mod drawing;
mod steering;
mod story;
#[cfg(test)]
mod tests;

use askama::Template;
use leverframe_wire::admin::{
    Confirmation, Evidence, MeasurementList, MetricEvidence, Progress, RolloutMove, StageView,
    Told, Verdict,
};

use crate::badge::{Badge, Tone};
use crate::chart::{Band, MetricChart};
use crate::page::plan::metric_rule;
use crate::shell::Shell;
use crate::text::grouped;

pub use steering::{Powers, Typed, Verb};
pub(super) use story::how;

/// One rollout.
#[derive(Debug, Template)]
#[template(path = "rollout.html")]
pub struct Rollout {
    /// Around it.
    pub shell: Shell,
    /// It, and what is seen of it.
    pub evidence: Evidence,
    /// What was measured.
    pub measurements: MeasurementList,
    /// What who looks at it may do.
    pub powers: Powers,
    /// The revision that a step forward has to have seen.
    pub if_match: u64,
    /// What was sent and refused, so that nobody types it twice.
    pub typed: Typed,
    /// Who has the environment's newest change, where something was just done.
    pub confirmation: Option<Confirmation>,
    /// The revision of what was just done.
    pub done: Option<u64>,
}

/// One metric on the page.
#[derive(Debug)]
struct Metric<'p> {
    key: &'p str,
    seen: Option<&'p MetricEvidence>,
    chart: MetricChart,
    /// What convicts, in words.
    rule: String,
}

impl Rollout {
    fn of(&self) -> &leverframe_wire::admin::Rollout {
        &self.evidence.rollout
    }

    fn is_over(&self) -> bool {
        self.of().state.is_over()
    }

    fn badge(&self) -> Badge {
        Badge::rollout(&self.of().state)
    }

    /// Why it stands where it stands, in two or three words beside the state.
    fn how(&self) -> Option<Badge> {
        how(self.of())
    }

    /// The one sentence.
    fn verdict(&self) -> String {
        story::verdict(&self.evidence)
    }

    fn told_of(&self, page: bool) -> Vec<&Told> {
        self.of()
            .told
            .iter()
            .filter(|told| told.page == page)
            .collect()
    }

    fn band(&self) -> Band {
        drawing::band(&self.evidence, self.shell.now)
    }

    fn metrics(&self) -> Vec<Metric<'_>> {
        let span = drawing::span(self.of(), self.shell.now);
        let marks = drawing::marks(self.of());
        self.of()
            .plan
            .metrics
            .iter()
            .map(|metric| {
                let seen = self
                    .evidence
                    .metrics
                    .iter()
                    .find(|one| one.metric == metric.key);
                let ratio = self
                    .measurements
                    .ratios
                    .iter()
                    .find(|one| one.metric == metric.key);
                let all = &self.measurements.measurements;
                Metric {
                    key: &metric.key,
                    seen,
                    chart: MetricChart::of(metric, seen, span, all, ratio, &marks),
                    rule: metric_rule(metric),
                }
            })
            .collect()
    }

    /// The stretches of the band as rows: from, what, how long.
    fn stretches(&self) -> Vec<drawing::Stretch> {
        drawing::stretches(&self.evidence, self.shell.now)
    }

    /// The newest first: that is what one looks for.
    fn moves(&self) -> impl Iterator<Item = &RolloutMove> {
        self.of().moves.iter().rev()
    }

    fn verbs(&self) -> Vec<Verb> {
        steering::verbs(self.of(), self.powers)
    }

    /// The address of a form.
    fn action(&self, verb: &Verb) -> crate::Link {
        self.shell.link(["rollouts", &self.of().id, verb.path()])
    }

    fn start_link(&self) -> crate::Link {
        self.shell
            .link(["rollouts", "new"])
            .with("flag", &self.of().flag)
            .with("plan", &self.of().plan.key)
    }

    fn is_typed_for(&self, verb: &Verb) -> bool {
        self.typed.verb == Some(*verb)
    }
}

fn stage_glyph(stage: &StageView) -> Badge {
    match stage.progress {
        Progress::Passed => Badge::new("✓", "passed", Tone::Good),
        Progress::Current => Badge::new("▶", "here", Tone::Busy),
        Progress::Left => Badge::new("↩", "taken back", Tone::Bad),
        Progress::Ahead => Badge::new("·", "ahead", Tone::Quiet),
    }
}

fn told_badge(told: &Told) -> Badge {
    let what = if told.page { "page" } else { "notice" };
    let (glyph, how, tone) = match told.state.as_str() {
        "delivered" => ("✓", "went out", Tone::Good),
        "pending" => ("…", "is under way", Tone::Busy),
        "failed" => ("✗", "did not go out", Tone::Bad),
        _ if told.page => ("∅", "went to nobody", Tone::Warning),
        _ => ("∅", "went to nobody", Tone::Quiet),
    };
    Badge::new(glyph, format!("{what} {how}"), tone)
}

/// The time of day of a row in a table that is all of one day or two.
fn clock(at: &str) -> String {
    at.parse::<jiff::Timestamp>().map_or_else(
        |_| at.to_owned(),
        |at| {
            let utc = at.to_zoned(jiff::tz::TimeZone::UTC);
            utc.strftime("%m-%d %H:%M:%S").to_string()
        },
    )
}

/// Of a metric that nobody has looked at yet.
fn unseen() -> Badge {
    Badge::verdict(&Verdict::NoData)
}

fn whole(count: &u64) -> String {
    grouped(*count)
}
