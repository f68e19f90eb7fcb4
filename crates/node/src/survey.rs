//! What is known of a lever's traffic: before a rollout starts, and for whoever asks how it does.

use std::collections::BTreeSet;
use std::sync::Arc;

use leverframe_core::analysis::Tally;
use leverframe_core::command::{PlanChoice, Survey, Terms};
use leverframe_core::roll::Member;
use leverframe_core::rollout::{
    Baseline, Histogram, LATENCY_ROW, Measure, Metric, MetricTraffic, Plan, Preflight, Seen,
    Traffic, preflight, row_key,
};
use leverframe_core::{Command, Timestamp};
use leverframe_flags::{EnvironmentKey, FlagKey};
use leverframe_store::{Series, StoreError, StoredMeasurement};

use crate::controller::{Look, builds, is_fresh};
use crate::node::{Node, blocking};
use crate::request::{Request, SubmitError};

/// How far back a survey looks, in milliseconds.
const SURVEY_MS: i64 = 6 * 60 * 60 * 1_000;
/// How far back a probe looks for the beginning of a stage, in milliseconds.
const STAGE_MS_MAX: i64 = 24 * 60 * 60 * 1_000;
/// Fewer than this say nothing of how long answers take.
const BASELINE_UNITS_MIN: u64 = 1_000;

/// How a flag's users did lately: distinct ones, as far as who reports says who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Probe {
    /// Those who came new in the window.
    pub window: Arms,
    /// All who came since the lever last moved, for those who came before the window and come still.
    pub stage: Arms,
    /// In how many intervals of the window something was seen.
    pub intervals: u64,
    /// When the last of them began.
    pub last: Option<Timestamp>,
}

/// Units by how they were answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arms {
    /// Those the percentage let through.
    pub exposed: Tally,
    /// Those it held back.
    pub held_back: Tally,
    /// Those that something else decided for: a cohort, a rule, a pin or a closed lever.
    pub assigned: Tally,
}

impl Arms {
    /// Adds an interval: whoever came for the first time in the stage, and whoever was bad for the first
    /// time.
    fn add(&mut self, seen: &Seen) -> bool {
        let Seen::Units {
            exposed,
            held_back,
            assigned,
            arrivals,
            ..
        } = seen
        else {
            return false;
        };
        let distinct = |tally: &Tally, new: Option<u64>| Tally {
            units: new.unwrap_or(tally.units).max(tally.bad),
            bad: tally.bad,
        };
        self.exposed += distinct(exposed, arrivals.map(|new| new.exposed));
        self.held_back += distinct(held_back, arrivals.map(|new| new.held_back));
        self.assigned += distinct(assigned, arrivals.map(|new| new.assigned));
        true
    }
}

impl Node {
    /// What is seen of a rollout that runs, as of the last tick.
    #[must_use]
    pub fn look(&self, rollout: &str) -> Option<Look> {
        self.shared.looks.of(rollout)
    }

    /// What was measured: oldest first, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn measured(
        &self,
        series: Series,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<StoredMeasurement>, StoreError> {
        let beside = Arc::clone(&self.shared.beside);
        blocking(move || beside.measurements(&series, from, until, limit)).await
    }

    /// How a flag's users did in the last `window_ms` milliseconds, by the outcomes of a name such as
    /// `errors`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn probe(
        &self,
        flag: &FlagKey,
        environment: &EnvironmentKey,
        outcome: &str,
        window_ms: i64,
    ) -> Result<Probe, StoreError> {
        let series = Series::new(environment.as_str(), flag.as_str(), outcome);
        let now = self.steady_now();
        let since = now.plus_ms(-window_ms);
        let rows = self
            .measured(
                series,
                now.plus_ms(-STAGE_MS_MAX.max(window_ms)),
                now,
                usize::MAX,
            )
            .await?;
        let stage = rows.last().map(|row| row.measurement.lever_revision);
        let mut probe = Probe::default();
        for StoredMeasurement { measurement, .. } in &rows {
            if Some(measurement.lever_revision) == stage {
                probe.stage.add(&measurement.seen);
            }
            if measurement.at >= since && probe.window.add(&measurement.seen) {
                probe.intervals += 1;
                probe.last = Some(measurement.at);
            }
        }
        Ok(probe)
    }

    /// What is known before a rollout starts: who follows, and what is frozen of how long answers take.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn survey(
        &self,
        flag: &FlagKey,
        environment: &EnvironmentKey,
        plan: &Plan,
    ) -> Result<Survey, StoreError> {
        let now = self.steady_now();
        let members = self
            .feed(environment.as_str())
            .map_or_else(Vec::new, |feed| feed.presence().members());
        let mut baselines = Vec::new();
        for metric in &plan.metrics {
            let Measure::Latency {
                limit_ms,
                quantile,
                growth,
            } = &metric.measure
            else {
                continue;
            };
            let series = Series::new(environment.as_str(), flag.as_str(), LATENCY_ROW);
            let since = now.plus_ms(-SURVEY_MS);
            let rows = self.measured(series, since, now, usize::MAX).await?;
            let times = all_times(&rows);
            if times.tally(0).units < BASELINE_UNITS_MIN {
                continue;
            }
            let limit = limit_ms.or_else(|| grown(times.quantile_ms(*quantile)?, *growth));
            baselines.extend(limit.map(|limit_ms| Baseline {
                metric: metric.key.clone(),
                limit_ms,
                share: times.tally(limit_ms).rate().unwrap_or_default(),
            }));
        }
        Ok(Survey {
            builds: builds(&members, now),
            undeclared: undeclared(&members, flag, now),
            baselines,
        })
    }

    /// What each stage of a plan can find out at the traffic of the last hours, and what speaks against
    /// starting.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn preflight(
        &self,
        flag: &FlagKey,
        environment: &EnvironmentKey,
        plan: &Plan,
    ) -> Result<Preflight, StoreError> {
        let survey = self.survey(flag, environment, plan).await?;
        let now = self.steady_now();
        let since = now.plus_ms(-SURVEY_MS);
        let mut traffic = Traffic {
            undeclared: survey.undeclared.clone(),
            ..Traffic::default()
        };
        for metric in &plan.metrics {
            if let Err(error) = self.shared.sampler.check(&metric.measure).await {
                let why = error.to_string().into();
                traffic.unreachable.push((metric.key.clone(), why));
                continue;
            }
            let row = row_key(&metric.measure);
            let series = Series::new(environment.as_str(), flag.as_str(), row);
            let rows = self.measured(series, since, now, usize::MAX).await?;
            let limit = survey
                .baselines
                .iter()
                .find(|known| known.metric == metric.key);
            let limit_ms = limit.map(|known| known.limit_ms);
            traffic.metrics.extend(of_metric(metric, limit_ms, &rows));
        }
        let mut found = preflight(plan, &traffic);
        found
            .refusals
            .extend(self.why_not(flag, environment, plan, &survey.builds).await);
        let is_followed = self
            .feed(environment.as_str())
            .is_some_and(|feed| !feed.presence().members().is_empty());
        if !is_followed {
            found.warnings.push(format!("Nobody follows {environment}"));
        }
        Ok(found)
    }

    /// Why a start would be refused now whoever asked for it: it is frozen, runs already, was killed.
    async fn why_not(
        &self,
        flag: &FlagKey,
        environment: &EnvironmentKey,
        plan: &Plan,
        builds: &BTreeSet<Box<str>>,
    ) -> Option<String> {
        let state = self.state();
        let seen = state.lever_revision(state.flag(flag.as_str())?, environment.as_str());
        let start = Command::StartRollout {
            flag: flag.clone(),
            environment: environment.clone(),
            plan: PlanChoice::Inline(Box::new(plan.clone())),
            terms: Terms::default(),
            survey: Box::new(Survey {
                builds: builds.clone(),
                ..Survey::default()
            }),
        };
        let tried = Request {
            if_match: Some(seen),
            dry_run: true,
            ..Request::of_node(start, "preflight", Some("preflight"))
        };
        match self.submit(tried).await {
            Err(SubmitError::Rejected(why)) => Some(why.to_string()),
            Ok(_) | Err(SubmitError::Unavailable { .. }) => None,
        }
    }
}

/// The traffic of one metric: over the time from its first row to its last, whatever the arm.
fn of_metric(
    metric: &Metric,
    limit_ms: Option<u32>,
    rows: &[StoredMeasurement],
) -> Option<MetricTraffic> {
    let mut all = Tally::default();
    for row in rows {
        match &row.measurement.seen {
            Seen::Units {
                exposed,
                held_back,
                assigned,
                ..
            } => {
                for arm in [exposed, held_back, assigned] {
                    all += *arm;
                }
            }
            Seen::Latency {
                exposed,
                held_back,
                assigned,
                ..
            } => {
                for arm in [exposed, held_back, assigned] {
                    all += arm.tally(limit_ms?);
                }
            }
            Seen::Gauge { .. } | Seen::NoData | Seen::Error { .. } | Seen::Untrusted { .. } => {}
        }
    }
    let (first, last) = (rows.first()?, rows.last()?);
    let lasted_ms = last.measurement.at.ms_since(first.measurement.at) + last.measurement.length_ms;
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts and hours are far below 2^53"
    )]
    let units_per_minute = all.units as f64 * 60_000.0 / lasted_ms.max(1) as f64;
    Some(MetricTraffic {
        metric: metric.key.clone(),
        units_per_minute,
        bad_rate: all.rate()?,
    })
}

/// Evaluators heard lately whose code does not know the flag, by name. Who has said nothing of its flags
/// is not blamed.
fn undeclared(members: &[Member], flag: &FlagKey, now: Timestamp) -> Vec<Box<str>> {
    members
        .iter()
        .filter(|member| is_fresh(member, now))
        .filter(|member| {
            let flags = member.flags.as_deref();
            flags.is_some_and(|flags| flags.binary_search(flag).is_err())
        })
        .map(|member| member.instance.clone())
        .collect()
}

/// Why a plan cannot be followed by this server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct PlanTrouble {
    /// Which part of the plan, such as `metrics.cpu`.
    pub field: String,
    /// What is wrong with it.
    pub why: String,
}

impl Node {
    /// Looks whether what a plan names outside is there: its sources answer what they would be asked,
    /// and its channels are configured. Asks them now.
    ///
    /// # Errors
    /// The first that is not.
    pub async fn check_plan(&self, plan: &Plan) -> Result<(), PlanTrouble> {
        for metric in &plan.metrics {
            let checked = self.shared.sampler.check(&metric.measure).await;
            checked.map_err(|error| PlanTrouble {
                field: format!("metrics.{}", metric.key),
                why: error.to_string(),
            })?;
        }
        let teller = self.shared.effects.teller();
        for (field, names) in [("page", &plan.page), ("notify", &plan.notify)] {
            let checked = teller.check(names.iter().map(|name| &**name));
            checked.map_err(|error| PlanTrouble {
                field: field.to_owned(),
                why: error.to_string(),
            })?;
        }
        Ok(())
    }
}

/// How long all answers took that did not come from a rollout's own exposure.
fn all_times(rows: &[StoredMeasurement]) -> Histogram {
    let mut all = Histogram::default();
    for row in rows {
        if let Seen::Latency {
            held_back,
            assigned,
            ..
        } = &row.measurement.seen
        {
            all += held_back;
            all += assigned;
        }
    }
    all
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a limit between 1 ms and an hour"
)]
fn grown(quantile_ms: u32, growth: f64) -> Option<u32> {
    let limit = (f64::from(quantile_ms) * growth).ceil();
    (1.0..=3_600_000.0).contains(&limit).then_some(limit as u32)
}
