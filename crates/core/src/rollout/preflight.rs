//! Before the start: what each stage of a plan can find out at the traffic there is, and the plan made
//! to fit it. Pure: the last hours' traffic is an argument.

use serde::{Deserialize, Serialize};

use super::ledger::waiting::{divergence, gain_of_rate};
use super::sentence::{span, times, whole};
use super::{Measure, Metric, Plan, Stage, Standing, Target};
use crate::analysis::ALPHA_OK;
use crate::limit::PLAN_MS_MAX;

/// The level of a rollout.
const ALPHA: f64 = 0.01;
/// What averaging over alternatives and starts costs, as a logarithm.
const COST: f64 = 2.5;
/// The same where nearly all alternatives are as good as zero.
const RATE_COST: f64 = 0.3;
/// Margins that are worth asking for, the sharpest first.
const MARGINS: [f64; 8] = [1.5, 2.0, 3.0, 4.0, 5.0, 10.0, 15.0, 20.0];
/// Ratios that are looked for, the smallest first.
const RATIOS: [f64; 9] = [1.5, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 35.0, 50.0];
/// Evidence comes late now and then: a stage is given this many times what it needs.
const SLACK: f64 = 1.5;
/// A stage that needs more than this many bakes to prove anything is no stage of its own.
const BAKES_MAX: f64 = 12.0;

/// What is known of a lever's traffic and evaluators before the start.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Traffic {
    /// Of each metric, from the last hours.
    pub metrics: Vec<MetricTraffic>,
    /// Evaluators that were heard lately and whose build does not declare the flag, by name.
    pub undeclared: Vec<Box<str>>,
    /// Sources that do not answer, and why.
    pub unreachable: Vec<(Box<str>, Box<str>)>,
}

/// What is known of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricTraffic {
    /// Its name in the plan.
    pub metric: Box<str>,
    /// Units in a minute.
    pub units_per_minute: f64,
    /// The part of them for whom something goes wrong, from 0 to 1.
    pub bad_rate: f64,
}

/// What a plan can find out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preflight {
    /// The plan made to fit: stages that prove nothing merged, margins and holds fixed.
    pub plan: Plan,
    /// Of each stage of that plan.
    pub stages: Vec<StageForecast>,
    /// What was changed, as sentences.
    pub changes: Vec<String>,
    /// Why it must not start, as sentences; none when it may.
    pub refusals: Vec<String>,
    /// What a person should know, as sentences.
    pub warnings: Vec<String>,
}

/// What one stage can find out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageForecast {
    /// The stage, such as `5 %`.
    pub stage: String,
    /// Of each metric that may convict.
    pub metrics: Vec<MetricForecast>,
    /// All of it as one sentence.
    pub sentence: String,
}

/// What one stage can find out by one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricForecast {
    /// Which.
    pub metric: Box<str>,
    /// The smallest ratio that is caught within the bake, and after how many minutes, usually.
    pub catches: Option<(f64, f64)>,
    /// The smallest ratio that can be ruled out as long as the stage may last.
    pub cannot_prove_below: Option<f64>,
    /// After how many minutes a good release is proved, usually; none when never.
    pub proved_after_minutes: Option<f64>,
}

/// Looks at a plan before it starts.
#[must_use]
pub fn preflight(plan: &Plan, traffic: &Traffic) -> Preflight {
    let mut changes = Vec::new();
    let fitted = fit(plan, traffic, &mut changes);
    let mut refusals = Vec::new();
    if !traffic.undeclared.is_empty() {
        let names: Vec<&str> = traffic
            .undeclared
            .iter()
            .take(5)
            .map(AsRef::as_ref)
            .collect();
        refusals.push(format!(
            "{} evaluators run a build that does not declare the flag: {}. Deploy the build that does first",
            whole(traffic.undeclared.len() as u64),
            names.join(", ")
        ));
    }
    for (source, why) in &traffic.unreachable {
        refusals.push(format!("The source {source} does not answer: {why}"));
    }
    let mut warnings = Vec::new();
    for metric in convicting(&fitted) {
        match of(traffic, metric) {
            Some(seen) if seen.units_per_minute > 0.0 => {}
            _ => warnings.push(format!(
                "Nothing has been seen of {} in the last hours; what it can prove cannot be said",
                metric.key
            )),
        }
    }
    Preflight {
        stages: (0..fitted.stages.len())
            .map(|index| forecast(&fitted, traffic, index))
            .collect(),
        plan: fitted,
        changes,
        refusals,
        warnings,
    }
}

/// Merges stages that prove nothing into the next one, asks for what can be proved, and gives it time.
fn fit(plan: &Plan, traffic: &Traffic, changes: &mut Vec<String>) -> Plan {
    let mut fitted = plan.clone();
    let mut index = 0;
    while index < fitted.stages.len() {
        let is_last = index + 1 == fitted.stages.len();
        let Some(share) = compared(&fitted, index) else {
            index += 1;
            continue;
        };
        let needed = needed(&fitted, traffic, index, share);
        let bake = minutes(fitted.bake_ms(index));
        match needed {
            // Nothing is known of the traffic: the plan is taken as it is.
            None => {}
            Some((margin, needed)) if needed <= bake * BAKES_MAX => {
                adjust(&mut fitted, index, margin, needed, changes);
            }
            Some((_, needed)) if is_last => changes.push(format!(
                "The {} stage would take {} to prove anything: it will ask",
                fitted.stages.get(index).map(name).unwrap_or_default(),
                span_of(needed)
            )),
            Some((_, needed)) => {
                let gone = fitted.stages.remove(index);
                changes.push(format!(
                    "The {} stage would take {} to prove anything; it is left out",
                    name(&gone),
                    span_of(needed)
                ));
                continue;
            }
        }
        index += 1;
    }
    fitted
}

/// Asks a stage for no more than it can prove, and gives it the time to.
fn adjust(plan: &mut Plan, index: usize, margin: f64, needed: f64, changes: &mut Vec<String>) {
    let (asked, hold) = (plan.margin(index), plan.hold_ms_max(index));
    let bake = plan.bake_ms(index);
    let Some(stage) = plan.stages.get_mut(index) else {
        return;
    };
    if margin > asked {
        changes.push(format!(
            "The {} stage has to rule out {} instead of {}",
            name(stage),
            times(margin),
            times(asked)
        ));
        stage.margin = Some(margin);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float is cast to the nearest integer there is"
    )]
    let wanted = (needed * SLACK * 60_000.0) as i64;
    let wanted = wanted.max(bake).min(PLAN_MS_MAX);
    if wanted > hold {
        changes.push(format!(
            "The {} stage may last {} instead of {}",
            name(stage),
            span(wanted),
            span(hold)
        ));
        stage.hold_ms_max = Some(wanted);
    }
}

/// The margin that all metrics can prove, and after how many minutes all usually have; none when nothing
/// is known of any of them.
fn needed(plan: &Plan, traffic: &Traffic, index: usize, share: f64) -> Option<(f64, f64)> {
    let asked = plan.margin(index);
    let hold = minutes(plan.hold_ms_max(index));
    let known: Vec<(&Metric, &MetricTraffic)> = convicting(plan)
        .filter_map(|metric| Some((metric, of(traffic, metric)?)))
        .filter(|(_, seen)| seen.units_per_minute > 0.0)
        .collect();
    if known.is_empty() {
        return None;
    }
    let slowest = |margin: f64| {
        known
            .iter()
            .map(|(metric, seen)| proved_after(metric, seen, share, margin))
            .fold(0.0, f64::max)
    };
    let candidates = std::iter::once(asked).chain(MARGINS.into_iter().filter(|one| *one > asked));
    let mut best = (asked, slowest(asked));
    for margin in candidates {
        let needed = slowest(margin);
        if needed * SLACK <= hold {
            return Some((margin, needed));
        }
        if needed < best.1 {
            best = (margin, needed);
        }
    }
    Some(best)
}

fn forecast(plan: &Plan, traffic: &Traffic, index: usize) -> StageForecast {
    let stage = plan.stages.get(index).map(name).unwrap_or_default();
    let Some(share) = compared(plan, index) else {
        return StageForecast {
            sentence: format!("{stage}: nothing to compare with; absolute limits alone decide"),
            stage,
            metrics: Vec::new(),
        };
    };
    let alpha = ALPHA / count(plan.convicting_by_counts());
    let (bake, hold) = (
        minutes(plan.bake_ms(index)),
        minutes(plan.hold_ms_max(index)),
    );
    let metrics: Vec<MetricForecast> = convicting(plan)
        .map(|metric| match of(traffic, metric) {
            Some(seen) if seen.units_per_minute > 0.0 => {
                let caught = RATIOS.into_iter().find_map(|ratio| {
                    let after = caught_after(metric, seen, share, ratio, alpha);
                    (after <= bake).then_some((ratio, after))
                });
                let after = proved_after(metric, seen, share, plan.margin(index));
                MetricForecast {
                    metric: metric.key.clone(),
                    catches: caught,
                    cannot_prove_below: MARGINS
                        .into_iter()
                        .find(|margin| proved_after(metric, seen, share, *margin) <= hold),
                    proved_after_minutes: after.is_finite().then_some(after),
                }
            }
            _ => MetricForecast {
                metric: metric.key.clone(),
                catches: None,
                cannot_prove_below: None,
                proved_after_minutes: None,
            },
        })
        .collect();
    let parts: Vec<String> = metrics.iter().map(|one| in_words(one, bake)).collect();
    StageForecast {
        sentence: format!("{stage}: {}", parts.join("; ")),
        stage,
        metrics,
    }
}

fn in_words(forecast: &MetricForecast, bake: f64) -> String {
    let catches = match forecast.catches {
        Some((ratio, after)) => format!("catches ≥ {} within {}", times(ratio), span_of(after)),
        None => format!("catches nothing within {}", span_of(bake)),
    };
    let proves = match forecast.cannot_prove_below {
        Some(ratio) => format!("cannot prove < {}", times(ratio)),
        None => "cannot prove anything".to_owned(),
    };
    format!("{} {catches}, {proves}", forecast.metric)
}

/// How many minutes it usually takes until a release this many times as bad is convicted.
fn caught_after(metric: &Metric, seen: &MetricTraffic, share: f64, ratio: f64, alpha: f64) -> f64 {
    if ratio <= metric.tolerance || seen.bad_rate <= 0.0 {
        return f64::INFINITY;
    }
    let per_minute = seen.units_per_minute * seen.bad_rate * (1.0 - share + share * ratio);
    let exposed = seen.units_per_minute * seen.bad_rate * share * ratio;
    let gain = divergence(share, ratio, metric.tolerance) * per_minute;
    // At least five bad units, whatever chance says.
    ((COST - alpha.ln()) / gain).max(5.0 / exposed)
}

/// How many minutes it usually takes until a good release is proved.
fn proved_after(metric: &Metric, seen: &MetricTraffic, share: f64, margin: f64) -> f64 {
    let margin = margin.max(1.25 * metric.tolerance);
    let by_ratio = divergence(share, 1.0, margin) * seen.units_per_minute * seen.bad_rate;
    let tolerable = match metric.measure {
        Measure::Latency { quantile, .. } => metric.tolerable.max(1.0 - quantile),
        Measure::Outcomes { .. } | Measure::Counters { .. } | Measure::Gauge { .. } => {
            metric.tolerable
        }
    };
    let by_rate = gain_of_rate(seen.bad_rate, tolerable) * seen.units_per_minute * share;
    // No gain takes for ever.
    let after = |cost: f64, gain: f64| (cost - ALPHA_OK.ln()) / gain;
    after(COST, by_ratio).min(after(RATE_COST, by_rate))
}

/// The share that a stage exposes, if it leaves somebody to compare with.
fn compared(plan: &Plan, index: usize) -> Option<f64> {
    let is_share = matches!(plan.stages.get(index)?.to, Target::Share { .. });
    let share = f64::from(plan.exposure(index).percentage.thousandths()) / 100_000.0;
    (is_share && share > 0.0 && share < 1.0).then_some(share)
}

fn convicting(plan: &Plan) -> impl Iterator<Item = &Metric> {
    plan.metrics.iter().filter(|metric| {
        metric.standing == Standing::Convicts && !matches!(metric.measure, Measure::Gauge { .. })
    })
}

fn of<'a>(traffic: &'a Traffic, metric: &Metric) -> Option<&'a MetricTraffic> {
    traffic
        .metrics
        .iter()
        .find(|seen| seen.metric == metric.key)
}

fn name(stage: &Stage) -> String {
    match &stage.to {
        Target::Share { percentage } => format!("{percentage} %"),
        Target::Cohorts { cohorts } => {
            let names: Vec<&str> = cohorts.iter().map(AsRef::as_ref).collect();
            names.join(" and ")
        }
        Target::Synthetic => "synthetic".to_owned(),
        Target::Look { by, .. } => format!("look by {by}"),
    }
}

fn minutes(ms: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a plan")]
    let ms = ms as f64;
    ms / 60_000.0
}

fn span_of(minutes: f64) -> String {
    if !minutes.is_finite() || minutes > 60_000.0 {
        return "for ever".to_owned();
    }
    #[expect(clippy::cast_possible_truncation, reason = "minutes of a plan")]
    let ms = (minutes * 60_000.0) as i64;
    span(ms)
}

fn count(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "metrics are few")]
    let count = count.max(1) as f64;
    count
}
