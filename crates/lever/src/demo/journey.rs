//! The rollout of the new checkout, from dark to its end, through the API; and what came of it, held
//! against what the shop itself counted.

use std::time::{Duration, Instant};

use leverframe_core::Timestamp;
use leverframe_core::rollout::{Measurement, Seen};
use leverframe_node::Node;
use leverframe_store::Series;
use leverframe_wire::admin::{
    Confirmation, ConfirmationState, Evidence, Progress, Rollout, StartRollout, Why,
};

use super::pager::Pager;
use super::plan::PLAN;
use super::report::{Outcome, RolloutReport};
use super::setup::{ENVIRONMENT, FLAG};
use super::shop::{Shop, Toll};
use crate::api::{Attempt, Client, RolloutFilter};
use crate::failure::Failure;

/// The row that says who failed.
const ERRORS: &str = "errors";
/// How many visitors are seen before the start: the limit of `latency_p95` is frozen from them.
const DARK_UNITS: u64 = 1_200;
/// How long all of that may take; a machine that is this slow shows nothing.
const DARK_MAX: Duration = Duration::from_secs(120);
/// How long a rollout may take. A bad release needs a quarter of a minute, a good one three.
const JOURNEY_MAX: Duration = Duration::from_secs(300);
/// How long everybody may take to confirm the last move, and a page to come.
const AFTERWARDS_MAX: Duration = Duration::from_secs(30);
/// How long one question whether everybody has confirmed may wait.
const CONFIRM_MAX: Duration = Duration::from_secs(10);
/// How often it is looked at.
const PAUSE: Duration = Duration::from_millis(100);

/// The demo's parts, all of them running.
pub(crate) struct Demo<'a> {
    pub(crate) api: &'a Client,
    pub(crate) node: &'a Node,
    pub(crate) shop: &'a Shop,
    pub(crate) pager: &'a Pager,
}

/// What was measured of the new checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Measured {
    held_back: u64,
    /// Exposed visitors who failed.
    hit: u64,
    /// Visitors whose reports came too late to be counted.
    late: u64,
}

impl Demo<'_> {
    /// From dark to the end.
    pub(crate) async fn run(
        &self,
        scenario: &'static str,
        seed: u64,
    ) -> Result<RolloutReport, Failure> {
        self.wait_for_baseline().await?;
        let id = self.start().await?;
        let rollout = self.follow(&id).await?;
        self.report(scenario, seed, &rollout).await
    }

    /// What is seen of the last rollout of the new checkout, if there was one.
    pub(crate) async fn evidence(&self) -> Result<Option<Evidence>, Failure> {
        let filter = RolloutFilter {
            environment: Some(ENVIRONMENT.to_owned()),
            flag: Some(FLAG.to_owned()),
            ..RolloutFilter::default()
        };
        match self.api.rollouts(&filter, 1).await?.first() {
            Some(rollout) => Ok(Some(self.api.evidence(&rollout.id).await?)),
            None => Ok(None),
        }
    }

    /// Who has the last move.
    pub(crate) async fn fleet(&self, rollout: &Rollout) -> Result<Confirmation, Failure> {
        let revision = rollout.moves.last().map_or(0, |last| last.revision);
        let asked = self
            .api
            .confirmation(ENVIRONMENT, revision, None, Duration::ZERO);
        Ok(asked.await?)
    }

    /// Waits until enough visitors of the dark checkout were seen: what comes later is compared with
    /// how they were answered.
    async fn wait_for_baseline(&self) -> Result<(), Failure> {
        let began = Instant::now();
        while self.measured(Timestamp::from_ms(0)).await?.held_back < DARK_UNITS {
            self.in_time(began, DARK_MAX, "the traffic before the start is not seen")?;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Starts the rollout, and says how it is called.
    async fn start(&self) -> Result<String, Failure> {
        let start = StartRollout {
            plan: Some(PLAN.to_owned()),
            why: Why {
                reason: Some("the new payment path, for everybody".to_owned()),
                incident: None,
            },
            ..StartRollout::default()
        };
        let attempt = Attempt {
            seen: Some(self.api.lever(FLAG, ENVIRONMENT).await?.revision),
            ..Attempt::default()
        };
        let started = self
            .api
            .start_rollout(FLAG, ENVIRONMENT, &start, attempt)
            .await?;
        started
            .rollout
            .ok_or_else(|| Failure::failed("the server did not name the rollout"))
    }

    /// Looks until the rollout is over.
    async fn follow(&self, id: &str) -> Result<Rollout, Failure> {
        let began = Instant::now();
        loop {
            let rollout = self.api.rollout(id).await?;
            if rollout.state.is_over() || began.elapsed() > JOURNEY_MAX {
                return Ok(rollout);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What came of it, once everybody has confirmed, whoever is paged has been, and what happened up
    /// to then is counted.
    async fn report(
        &self,
        scenario: &'static str,
        seed: u64,
        rollout: &Rollout,
    ) -> Result<RolloutReport, Failure> {
        let revision = rollout.moves.last().map_or(0, |last| last.revision);
        let confirmation = self
            .api
            .confirmation(ENVIRONMENT, revision, None, CONFIRM_MAX)
            .await?;
        let outcome = Outcome::of(rollout.state);
        if outcome == Outcome::RolledBack {
            self.pager.paged_within(AFTERWARDS_MAX).await;
        }
        let (toll, measured) = self.counted().await?;
        let stage = rollout
            .stages
            .iter()
            .rev()
            .find(|stage| stage.progress != Progress::Ahead);
        let convicted = rollout.moves.iter().find(|made| made.cause == "harm");
        let told = self.api.rollout(&rollout.id).await?;
        let report = RolloutReport {
            scenario,
            seed,
            flag: FLAG,
            environment: ENVIRONMENT,
            rollout: rollout.id.clone(),
            outcome,
            stage: stage.map_or_else(String::new, |stage| stage.label.clone()),
            convicted_after_s: convicted
                .and_then(|made| seconds_between(&rollout.started_at, &made.at)),
            took_s: rollout
                .moves
                .last()
                .and_then(|made| seconds_between(&rollout.started_at, &made.at)),
            verdict: match (convicted.is_some(), outcome) {
                (true, _) => "bad",
                (false, Outcome::Completed) => "ok",
                (false, _) => "learning",
            },
            sentence: told.sentence,
            revision,
            evaluators: confirmation.expected,
            confirmed: match confirmation.state {
                ConfirmationState::Nobody => 0,
                ConfirmationState::Confirmed | ConfirmationState::Pending => confirmation.confirmed,
            },
            confirm_ms: confirmation.confirm_ms,
            exposed: toll.exposed,
            users_hit: measured.hit,
            users_hit_by_the_shop: toll.hit,
            late: measured.late,
            pages: self.pager.pages().len(),
            kept: false,
        };
        Ok(report.judged())
    }

    /// The shop's own count and the server's, of the same visitors: nobody comes until both are known.
    async fn counted(&self) -> Result<(Toll, Measured), Failure> {
        let toll = self.shop.hold();
        let until = self.node.steady_now();
        let began = Instant::now();
        while self.node.outcomes().settled_until() <= until {
            self.in_time(began, AFTERWARDS_MAX, "the last visits are not counted")?;
            tokio::time::sleep(PAUSE).await;
        }
        let measured = self.measured(Timestamp::from_ms(0)).await;
        self.shop.let_in();
        Ok((toll, measured?))
    }

    /// Sums up what is stored.
    async fn measured(&self, from: Timestamp) -> Result<Measured, Failure> {
        let series = Series::new(ENVIRONMENT, FLAG, ERRORS);
        let rows = self
            .node
            .measured(series, from, self.node.steady_now(), usize::MAX)
            .await
            .map_err(|error| Failure::failed(error.to_string()))?;
        let mut sum = Measured::default();
        for row in rows {
            sum.add(&row.measurement);
        }
        Ok(sum)
    }

    fn in_time(&self, began: Instant, limit: Duration, why: &str) -> Result<(), Failure> {
        if began.elapsed() <= limit {
            return Ok(());
        }
        let served = self.shop.toll().served;
        Err(Failure::failed(format!(
            "{why} after {} s; the shop has served {served} visitors",
            limit.as_secs()
        )))
    }
}

impl Measured {
    fn add(&mut self, measurement: &Measurement) {
        if let Seen::Units {
            exposed,
            held_back,
            assigned,
            late,
            ..
        } = &measurement.seen
        {
            self.held_back += held_back.units;
            // Once everybody is let through, nobody is by a percentage.
            self.hit += exposed.bad + assigned.bad;
            self.late += late.0 + late.1;
        }
    }
}

fn seconds_between(from: &str, until: &str) -> Option<f64> {
    let [from, until]: [jiff::Timestamp; 2] = [from.parse().ok()?, until.parse().ok()?];
    Some(until.duration_since(from).as_secs_f64())
}
