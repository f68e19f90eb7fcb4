//! Plans: which stages, for how long, watched by what.

use std::collections::BTreeSet;

use leverframe_flags::{Exposure, Percentage, SegmentKey};
use serde::{Deserialize, Serialize};

use crate::limit::{PLAN_METRICS_MAX, PLAN_MS_MAX, PLAN_STAGES_MAX, PLAN_WARM_MS_MAX};

/// How a lever is taken from closed to open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Its name.
    pub key: Box<str>,
    /// The stages, each letting through more than the one before it.
    pub stages: Vec<Stage>,
    /// How long a stage collects evidence at least, in milliseconds, where it says nothing else.
    pub bake_ms: i64,
    /// How long a stage may last altogether, in milliseconds, where it says nothing else.
    pub hold_ms_max: i64,
    /// What is watched.
    pub metrics: Vec<Metric>,
    /// What harm leads to.
    #[serde(default)]
    pub on_bad: OnBad,
    /// What a stage without enough evidence leads to.
    #[serde(default)]
    pub inconclusive: Inconclusive,
    /// Who is still held back in the warm time, so that there is something to compare with.
    pub hold_back: Percentage,
    /// How long the way back is kept warm after the last stage, in milliseconds.
    pub warm_ms: i64,
    /// How long a stage settles before what is seen counts, in milliseconds.
    #[serde(default = "settle_ms")]
    pub settle_ms: i64,
    /// Names of the channels that are told of starts, ends and holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Box<str>>,
    /// Names of the channels that are paged: in order, the next one when the one before it fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub page: Vec<Box<str>>,
}

/// Caches are cold for about as long after a flag has moved.
fn settle_ms() -> i64 {
    10_000
}

/// A step of the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Whom it lets through.
    pub to: Target,
    /// Its own bake, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bake_ms: Option<i64>,
    /// Its own longest time, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_ms_max: Option<i64>,
    /// The ratio of bad rates it must rule out; by its percentage when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
}

/// Whom a stage lets through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Target {
    /// These whole segments, beside those of the stages before it.
    Cohorts {
        /// Which.
        cohorts: BTreeSet<SegmentKey>,
    },
    /// This share of everybody.
    Share {
        /// How many.
        percentage: Percentage,
    },
    /// Contexts in the segment `synthetic` only, while replayed or generated traffic runs.
    Synthetic,
    /// Nobody more: a person looks, and says ok. It never passes by time; when it has waited for as
    /// long as the stage may last, the rollout goes back.
    Look {
        /// Who, as they are called.
        by: Box<str>,
        /// At what.
        links: Vec<Box<str>>,
    },
}

/// A metric that is watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Its name, such as `errors`.
    pub key: Box<str>,
    /// What it may lead to.
    pub standing: Standing,
    /// The ratio of bad rates that is tolerated.
    pub tolerance: f64,
    /// A bad rate that is no harm whatever the ratio is, from 0 to 1.
    pub tolerable: f64,
    /// A bad rate that must not be exceeded, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<f64>,
    /// Where it is seen.
    pub measure: Measure,
}

/// Where a metric is seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Measure {
    /// Outcomes that evaluators report: a unit is bad when one of its outcomes of this name is.
    Outcomes {
        /// Of what, such as `errors`.
        name: Box<str>,
    },
    /// The time that outcomes took: a unit is bad when it was not answered well within a limit.
    Latency {
        /// The limit in milliseconds; when absent, `growth` times the quantile of those held back
        /// before the start, frozen there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit_ms: Option<u32>,
        /// Which quantile is frozen, above 0 and below 1, such as 0.95.
        quantile: f64,
        /// By how much it may grow, such as 1.2.
        growth: f64,
    },
    /// Counters of another system, such as Prometheus: approximate, because requests are counted
    /// and not units.
    Counters {
        /// The name of the source.
        source: Box<str>,
        /// The query for all requests of those exposed.
        exposed: Box<str>,
        /// The query for the bad ones among them.
        exposed_bad: Box<str>,
        /// The query for all requests of those held back.
        held_back: Box<str>,
        /// The query for the bad ones among them.
        held_back_bad: Box<str>,
        /// Whether it may convict although it is approximate.
        #[serde(default)]
        convicts: bool,
    },
    /// A number that must stay on one side of a limit, such as a processor's load or the state of a
    /// service-level objective; bad after so many samples in a row on the wrong side.
    Gauge {
        /// The name of the source; `outcomes` for gauges that evaluators report.
        source: Box<str>,
        /// The query, as the source reads it.
        query: Box<str>,
        /// The limit.
        limit: f64,
        /// Whether it must stay above the limit; else below.
        #[serde(default)]
        above: bool,
        /// How many samples in a row.
        in_a_row: u32,
    },
}

/// What a metric may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It may convict, and must be proved ok.
    #[default]
    Convicts,
    /// It may only hold.
    Signals,
}

/// What harm leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnBad {
    /// Back to where the lever was before the rollout.
    #[default]
    Close,
    /// Back to the last exposure that was proved.
    Retreat,
    /// It stays where it is, for what must not be taken back, and somebody is paged.
    Freeze,
}

/// What a stage without enough evidence leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inconclusive {
    /// It holds and asks who started it.
    #[default]
    Ask,
    /// It goes on if at least the ceiling cannot be exceeded.
    Continue,
    /// Back to where the lever was before the rollout.
    Close,
}

/// What is wrong with a plan.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct PlanError {
    /// Which part, such as `stages[2]`.
    pub field: String,
    /// What is wrong, and what would be right.
    pub why: String,
}

impl Plan {
    /// The exposure of a stage: the cohorts of all stages up to it, and the largest share. At 100 % those
    /// of `hold_back` are still held back, so that there is something to compare with until the end.
    #[must_use]
    pub fn exposure(&self, stage: usize) -> Exposure {
        let mut exposure = Exposure::default();
        for stage in self.stages.iter().take(stage.saturating_add(1)) {
            match &stage.to {
                Target::Cohorts { cohorts } => exposure.cohorts.extend(cohorts.iter().cloned()),
                Target::Share { percentage } => exposure.percentage = *percentage,
                Target::Synthetic => {
                    exposure
                        .cohorts
                        .extend("synthetic".parse::<SegmentKey>().ok());
                }
                Target::Look { .. } => {}
            }
        }
        exposure.percentage = exposure.percentage.min(self.share_max());
        exposure
    }

    /// Whether everybody is let through when it is over.
    pub(super) fn leads_to_everybody(&self) -> bool {
        let full = |stage: &Stage| matches!(stage.to, Target::Share { percentage } if percentage == Percentage::FULL);
        self.stages.iter().any(full)
    }

    /// The largest share before the end.
    fn share_max(&self) -> Percentage {
        let full = Percentage::FULL.thousandths();
        let held = self.hold_back.thousandths();
        Percentage::from_thousandths(full.saturating_sub(held)).unwrap_or(Percentage::FULL)
    }

    /// How long a stage collects evidence at least, in milliseconds.
    #[must_use]
    pub fn bake_ms(&self, stage: usize) -> i64 {
        let own = self.stages.get(stage).and_then(|stage| stage.bake_ms);
        own.unwrap_or(self.bake_ms)
    }

    /// How long a stage may last altogether, in milliseconds.
    #[must_use]
    pub fn hold_ms_max(&self, stage: usize) -> i64 {
        let own = self.stages.get(stage).and_then(|stage| stage.hold_ms_max);
        own.unwrap_or(self.hold_ms_max)
    }

    /// The ratio that a stage must rule out: its own, or what can be afforded at its share.
    #[must_use]
    pub fn margin(&self, stage: usize) -> f64 {
        let own = self.stages.get(stage).and_then(|stage| stage.margin);
        own.unwrap_or_else(|| match self.exposure(stage).percentage.thousandths() {
            0..=2_000 => 5.0,
            2_001..=10_000 => 3.0,
            10_001..=33_333 => 2.0,
            33_334..=66_666 => 1.5,
            66_667..=89_999 => 2.0,
            90_000..=97_999 => 4.0,
            // Then those held back are as few as the first ones let through were, and fail as seldom
            // as they: that nobody of them did proves less.
            _ => 10.0,
        })
    }

    /// How many metrics have to be proved.
    #[must_use]
    pub fn convicting(&self) -> usize {
        let convicts = |metric: &&Metric| metric.standing == Standing::Convicts;
        self.metrics.iter().filter(convicts).count()
    }

    /// How many metrics may convict by counting; they share the rollout's level. A gauge is a plain
    /// limit, and approximate counts convict only where the plan says so.
    #[must_use]
    pub fn convicting_by_counts(&self) -> usize {
        let convicts = |metric: &&Metric| {
            metric.standing == Standing::Convicts
                && !matches!(
                    metric.measure,
                    Measure::Gauge { .. }
                        | Measure::Counters {
                            convicts: false,
                            ..
                        }
                )
        };
        self.metrics.iter().filter(convicts).count()
    }

    /// Looks for what is wrong with it.
    ///
    /// # Errors
    /// The first thing that is.
    pub fn check(&self) -> Result<(), PlanError> {
        at_most("stages", self.stages.len(), PLAN_STAGES_MAX)?;
        at_most("metrics", self.metrics.len(), PLAN_METRICS_MAX)?;
        if self.stages.is_empty() {
            return Err(error("stages", "name at least one, such as 5%"));
        }
        self.check_order()?;
        self.check_times()?;
        self.check_metrics()
    }

    fn check_order(&self) -> Result<(), PlanError> {
        let mut share = None;
        for (index, stage) in self.stages.iter().enumerate() {
            let field = format!("stages[{index}]");
            match &stage.to {
                Target::Cohorts { .. } | Target::Synthetic if share.is_some() => {
                    return Err(error(&field, "cohorts come before percentages"));
                }
                Target::Cohorts { cohorts } if cohorts.is_empty() => {
                    return Err(error(&field, "name at least one segment"));
                }
                Target::Share { percentage } if share >= Some(*percentage) => {
                    let before = share.unwrap_or_default();
                    return Err(error(
                        &field,
                        &format!("{percentage} % does not come after {before} %; let it grow"),
                    ));
                }
                Target::Share { percentage } if *percentage == Percentage::ZERO => {
                    return Err(error(&field, "0 % lets nobody through"));
                }
                Target::Share { percentage } => share = Some(*percentage),
                Target::Cohorts { .. } | Target::Synthetic | Target::Look { .. } => {}
            }
            let is_no_margin =
                |margin: f64| !(margin.is_finite() && margin > 1.0 && margin <= 100.0);
            if stage.margin.is_some_and(is_no_margin) {
                return Err(error(&field, "a margin is a ratio above 1 and up to 100"));
            }
        }
        Ok(())
    }

    fn check_times(&self) -> Result<(), PlanError> {
        let stages = 0..self.stages.len();
        for index in stages {
            let (bake, hold) = (self.bake_ms(index), self.hold_ms_max(index));
            if !(1..=PLAN_MS_MAX).contains(&bake) {
                let field = format!("stages[{index}].bake");
                return Err(error(
                    &field,
                    "it lasts longer than nothing and up to 30 days",
                ));
            }
            if !(bake..=PLAN_MS_MAX).contains(&hold) {
                let field = format!("stages[{index}].max_hold");
                return Err(error(&field, "it is at least the bake and up to 30 days"));
            }
        }
        if !(0..=PLAN_WARM_MS_MAX).contains(&self.warm_ms) {
            return Err(error("warm", "it lasts up to 7 days"));
        }
        if self.hold_back >= Percentage::FULL {
            return Err(error("hold_back", "somebody has to be let through"));
        }
        Ok(())
    }

    fn check_metrics(&self) -> Result<(), PlanError> {
        let mut seen = BTreeSet::new();
        for metric in &self.metrics {
            let field = format!("metrics.{}", metric.key);
            let is_rate = |rate: f64| rate > 0.0 && rate < 1.0;
            if !seen.insert(&metric.key) {
                return Err(error(&field, "it is named twice"));
            }
            if !(metric.tolerance >= 1.0 && metric.tolerance <= 100.0) {
                return Err(error(&field, "a tolerance is a ratio from 1 to 100"));
            }
            if !is_rate(metric.tolerable) || !metric.ceiling.is_none_or(is_rate) {
                return Err(error(&field, "a rate is above 0 and below 1, such as 0.5%"));
            }
            // Infinity passes for a number in YAML, and cannot be stored.
            match &metric.measure {
                Measure::Latency {
                    quantile, growth, ..
                } if !(is_rate(*quantile) && *growth >= 1.0 && *growth <= 100.0) => {
                    return Err(error(
                        &field,
                        "a quantile is above 0 and below 1, and a growth from 1 to 100",
                    ));
                }
                Measure::Outcomes { name }
                    if name.starts_with("browser:") && metric.standing == Standing::Convicts =>
                {
                    return Err(error(
                        &field,
                        "what browsers say can be forged, so it may only hold: make it a signal",
                    ));
                }
                Measure::Gauge { limit, .. } if !limit.is_finite() => {
                    return Err(error(&field, "a limit is a number"));
                }
                _ => {}
            }
        }
        if self.convicting() == 0 {
            return Err(error(
                "metrics",
                "name at least one that may convict, such as errors",
            ));
        }
        Ok(())
    }
}

fn at_most(field: &str, found: usize, max: usize) -> Result<(), PlanError> {
    if found <= max {
        return Ok(());
    }
    Err(error(
        field,
        &format!("{max} are the most; there are {found}"),
    ))
}

fn error(field: &str, why: &str) -> PlanError {
    PlanError {
        field: field.to_owned(),
        why: why.to_owned(),
    }
}
