//! Plans: how a lever is taken from closed to open. `GET /plans`, `GET|PUT|DELETE /plans/{plan}`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::receipt::Why;
use super::span::Span;

/// A plan, the same JSON (and, in files, YAML) everywhere. What is left out is what stands at its
/// field, so a file says the same whatever the server had before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanDefinition {
    /// `[A-Za-z0-9._~-]{1,128}`.
    pub key: String,
    /// The stages, each letting through more than the one before it; cohorts before percentages.
    pub stages: Vec<PlanStage>,
    /// How long a stage collects evidence at least; 10m.
    #[serde(default = "bake")]
    pub bake: Span,
    /// How long a stage may last altogether; six times its bake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_hold: Option<Span>,
    /// What is watched.
    pub metrics: Vec<PlanMetric>,
    /// What harm leads to; back to where the lever was.
    #[serde(default)]
    pub on_bad: OnBad,
    /// What a stage without enough evidence leads to; a question.
    #[serde(default)]
    pub inconclusive: Inconclusive,
    /// The share of everybody, in per cent, that is still held back in the warm time; 1.
    #[serde(default = "hold_back")]
    pub hold_back: f64,
    /// How long the way back is kept warm after the last stage; 1h.
    #[serde(default = "warm")]
    pub warm: Span,
    /// How long a stage settles before what is seen counts; 10s.
    #[serde(default = "settle")]
    pub settle: Span,
    /// The channels that are told of starts, ends and holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<String>,
    /// The channels that are paged: the next one when the one before it fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub page: Vec<String>,
}

/// A step of the way; exactly one of `cohorts`, `percentage`, `synthetic` and `look`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanStage {
    /// These whole segments, beside those of the stages before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cohorts: Vec<String>,
    /// This share of everybody, in per cent, at most three decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percentage: Option<f64>,
    /// Contexts in the segment `synthetic` only, while replayed or generated traffic runs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub synthetic: bool,
    /// Nobody more: a person looks, and says ok.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<Look>,
    /// Its own bake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bake: Option<Span>,
    /// Its own longest time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_hold: Option<Span>,
    /// The ratio of bad rates it must rule out; by its percentage when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
}

/// A person who looks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// Who.
    pub by: String,
    /// At what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
}

/// A metric that is watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanMetric {
    /// Its name. `errors` and `latency_p95` (and other quantiles) are known by name; another one says
    /// where it is measured.
    pub key: String,
    /// What it may lead to.
    #[serde(default)]
    pub standing: Standing,
    /// The ratio of bad rates that is tolerated; 1.2.
    #[serde(default = "tolerance")]
    pub tolerance: f64,
    /// A bad rate, in per cent, that is no harm whatever the ratio is; 0.1.
    #[serde(default = "tolerable")]
    pub tolerable: f64,
    /// A bad rate, in per cent, that must not be exceeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<f64>,
    /// Where it is seen; what its name says when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
}

/// Where a metric is seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "from", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Measure {
    /// Outcomes that evaluators report.
    Outcomes {
        /// The name of the outcome, such as `errors`.
        name: String,
    },
    /// The time that outcomes took.
    Latency {
        /// Whoever is not answered well within this is bad; when absent, `growth` times the quantile
        /// of those held back before the start.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<Span>,
        /// Which quantile, above 0 and below 1; 0.95.
        #[serde(default = "quantile")]
        quantile: f64,
        /// By how much it may grow; 1.2.
        #[serde(default = "tolerance")]
        growth: f64,
    },
    /// Counters of another system: approximate, because requests are counted and not units.
    Counters {
        /// The name of the source.
        source: String,
        /// The query for all requests of those exposed.
        exposed: String,
        /// The query for the bad ones among them.
        exposed_bad: String,
        /// The query for all requests of those held back.
        held_back: String,
        /// The query for the bad ones among them.
        held_back_bad: String,
        /// Whether it may convict although it is approximate.
        #[serde(default)]
        convicts: bool,
    },
    /// A number that must stay on one side of a limit.
    Gauge {
        /// The name of the source; `outcomes` for gauges that evaluators report.
        source: String,
        /// The query, as the source reads it.
        query: String,
        /// The limit.
        limit: f64,
        /// Whether it must stay above the limit; else below.
        #[serde(default)]
        above: bool,
        /// How many samples in a row on the wrong side are bad; 3.
        #[serde(default = "in_a_row")]
        in_a_row: u32,
    },
}

/// What a metric may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It may convict, and must be proved ok.
    #[default]
    Convicts,
    /// It may only hold.
    Signals,
}

/// What harm leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
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

/// A plan. The ETag is `revision`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    /// Its definition.
    pub definition: PlanDefinition,
    /// The revision that last changed it; absent for one that comes with the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// Running rollouts that were started with it, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used_by: Vec<String>,
}

/// Some plans. `GET /plans?after=&limit=`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanList {
    /// By key.
    pub plans: Vec<Plan>,
    /// Pass as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Creates or replaces a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutPlan {
    /// The definition.
    pub definition: PlanDefinition,
    /// Why.
    #[serde(default)]
    pub why: Why,
}

impl PlanDefinition {
    /// How many bakes a stage may last when nothing else is said.
    pub const BAKES_HELD: u64 = 6;

    /// A plan of these stages and metrics, everything else as it is when nothing is said.
    #[must_use]
    pub fn of(key: &str, stages: Vec<PlanStage>, metrics: Vec<PlanMetric>) -> Self {
        Self {
            key: key.to_owned(),
            stages,
            bake: bake(),
            max_hold: None,
            metrics,
            on_bad: OnBad::default(),
            inconclusive: Inconclusive::default(),
            hold_back: hold_back(),
            warm: warm(),
            settle: settle(),
            notify: Vec::new(),
            page: Vec::new(),
        }
    }
}

impl PlanDefinition {
    /// The same without what it would say anyway, so that two plans that mean the same are equal:
    /// measures that the name says, longest times that follow from the bake, cohorts in order.
    #[must_use]
    pub fn settled(mut self) -> Self {
        let follows = |bake: Span| Span::from_ms(bake.ms().saturating_mul(Self::BAKES_HELD));
        if self.max_hold == Some(follows(self.bake)) {
            self.max_hold = None;
        }
        for stage in &mut self.stages {
            stage.cohorts.sort();
            stage.cohorts.dedup();
            let bake = stage.bake.unwrap_or(self.bake);
            if self.max_hold.is_none() && stage.max_hold == Some(follows(bake)) {
                stage.max_hold = None;
            }
            if stage.bake == Some(self.bake) {
                stage.bake = None;
            }
        }
        for metric in &mut self.metrics {
            if metric.measure == Measure::of_name(&metric.key) {
                metric.measure = None;
            }
        }
        self
    }

    /// How long a stage may last altogether.
    #[must_use]
    pub fn max_hold_of(&self, stage: &PlanStage) -> Span {
        let bake = stage.bake.unwrap_or(self.bake);
        stage
            .max_hold
            .or(self.max_hold)
            .unwrap_or_else(|| Span::from_ms(bake.ms().saturating_mul(Self::BAKES_HELD)))
    }
}

impl PlanStage {
    /// What the stage is called: `5 %`, `staff + beta`, `synthetic`, `look: ana`.
    #[must_use]
    pub fn label(&self) -> String {
        match (&self.look, self.percentage) {
            (Some(look), _) => format!("look: {}", look.by),
            (None, Some(percentage)) => format!("{percentage} %"),
            (None, None) if self.synthetic => "synthetic".to_owned(),
            (None, None) => self.cohorts.join(" + "),
        }
    }
}

impl PlanMetric {
    /// A metric that is known by its name, with nothing else said.
    #[must_use]
    pub fn named(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            standing: Standing::default(),
            tolerance: tolerance(),
            tolerable: tolerable(),
            ceiling: None,
            measure: None,
        }
    }
}

impl Measure {
    /// What the name of a metric says of where it is seen: `errors`, and `latency_p95` with any whole
    /// quantile from 1 to 99 or one such as `latency_p999`.
    #[must_use]
    pub fn of_name(key: &str) -> Option<Self> {
        if key == "errors" {
            return Some(Self::Outcomes {
                name: key.to_owned(),
            });
        }
        let digits = key.strip_prefix("latency_p")?;
        let is_quantile = (2..=4).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && digits.bytes().any(|byte| byte != b'0');
        let quantile = format!("0.{digits}").parse().ok()?;
        is_quantile.then_some(Self::Latency {
            limit: None,
            quantile,
            growth: tolerance(),
        })
    }
}

fn bake() -> Span {
    Span::from_secs(600)
}

fn warm() -> Span {
    Span::from_secs(3_600)
}

fn settle() -> Span {
    Span::from_secs(10)
}

fn hold_back() -> f64 {
    1.0
}

fn tolerance() -> f64 {
    1.2
}

fn tolerable() -> f64 {
    0.1
}

fn quantile() -> f64 {
    0.95
}

fn in_a_row() -> u32 {
    3
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_plan_leaves_out_is_said_when_it_is_shown() {
        let plan: PlanDefinition = serde_json::from_value(json!({
            "key": "checkout",
            "stages": [{"cohorts": ["staff"]}, {"percentage": 5, "bake": "20m"}],
            "metrics": [{"key": "errors"}],
        }))
        .unwrap();
        assert_eq!(
            serde_json::to_value(&plan).unwrap(),
            json!({
                "key": "checkout",
                "stages": [{"cohorts": ["staff"]}, {"percentage": 5.0, "bake": "20m"}],
                "bake": "10m",
                "metrics": [{
                    "key": "errors", "standing": "convicts", "tolerance": 1.2, "tolerable": 0.1,
                }],
                "on_bad": "close", "inconclusive": "ask", "hold_back": 1.0, "warm": "1h",
                "settle": "10s",
            })
        );
    }

    #[test]
    fn two_plans_that_mean_the_same_are_equal_once_they_are_settled() {
        let plan = |json: serde_json::Value| {
            serde_json::from_value::<PlanDefinition>(json)
                .unwrap()
                .settled()
        };
        let short = plan(json!({
            "key": "p", "stages": [{"cohorts": ["a", "b"]}, {"percentage": 5, "bake": "20m"}],
            "metrics": [{"key": "errors"}],
        }));
        let long = plan(json!({
            "key": "p", "bake": "10m", "max_hold": "1h", "hold_back": 1, "warm": "60m",
            "stages": [
                {"cohorts": ["b", "a", "b"], "bake": "600s", "max_hold": "1h"},
                {"percentage": 5.0, "bake": "20m", "max_hold": "2h"},
            ],
            "metrics": [{"key": "errors", "measure": {"from": "outcomes", "name": "errors"}}],
        }));
        assert_eq!(short, long);
        let own = plan(json!({
            "key": "p", "max_hold": "3h", "stages": [{"percentage": 5, "max_hold": "1h"}],
            "metrics": [{"key": "errors"}],
        }));
        let stage = own.stages.first().unwrap();
        assert_eq!(
            own.max_hold_of(stage),
            Span::from_secs(3_600),
            "it is not the plan's"
        );
    }

    #[test]
    fn a_metric_is_known_by_its_name_or_not_at_all() {
        let quantile = |key: &str| match Measure::of_name(key) {
            Some(Measure::Latency { quantile, .. }) => Some(quantile),
            _ => None,
        };
        assert_eq!(quantile("latency_p95"), Some(0.95));
        assert_eq!(quantile("latency_p50"), Some(0.5));
        assert_eq!(quantile("latency_p999"), Some(0.999));
        for unknown in [
            "latency",
            "latency_p",
            "latency_p9",
            "latency_p00",
            "latency_p+5",
            "error",
        ] {
            assert_eq!(Measure::of_name(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_stage_is_called_by_whom_it_lets_through() {
        let label =
            |stage: serde_json::Value| serde_json::from_value::<PlanStage>(stage).unwrap().label();
        assert_eq!(label(json!({"percentage": 0.5})), "0.5 %");
        assert_eq!(label(json!({"cohorts": ["staff", "beta"]})), "staff + beta");
        assert_eq!(label(json!({"synthetic": true})), "synthetic");
        assert_eq!(label(json!({"look": {"by": "ana"}})), "look: ana");
    }
}
