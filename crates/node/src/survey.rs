//! What is known of a lever's traffic: before a rollout starts, and for whoever asks how it does.

use std::sync::Arc;

use leverframe_core::Timestamp;
use leverframe_core::analysis::Tally;
use leverframe_core::command::Survey;
use leverframe_core::rollout::{Baseline, Histogram, LATENCY_ROW, Measure, Plan, Seen};
use leverframe_flags::{EnvironmentKey, FlagKey};
use leverframe_store::{Series, StoreError, StoredMeasurement};

use crate::controller::{Look, builds};
use crate::node::{Node, blocking};

/// How far back a survey looks, in milliseconds.
const SURVEY_MS: i64 = 6 * 60 * 60 * 1_000;
/// Fewer than this say nothing of how long answers take.
const BASELINE_UNITS_MIN: u64 = 100;

/// How a flag's users did lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Probe {
    /// Those the percentage let through.
    pub exposed: Tally,
    /// Those it held back.
    pub held_back: Tally,
    /// Those that something else decided for: a cohort, a rule, a pin or a closed lever.
    pub assigned: Tally,
    /// In how many intervals something was seen.
    pub intervals: u64,
    /// When the last of them began.
    pub last: Option<Timestamp>,
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
        let rows = self
            .measured(series, now.plus_ms(-window_ms), now, usize::MAX)
            .await?;
        let mut probe = Probe::default();
        for row in rows {
            if let Seen::Units {
                exposed,
                held_back,
                assigned,
                ..
            } = row.measurement.seen
            {
                probe.exposed += exposed;
                probe.held_back += held_back;
                probe.assigned += assigned;
                probe.intervals += 1;
                probe.last = Some(row.measurement.at);
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
            undeclared: Vec::new(),
            baselines,
        })
    }
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
