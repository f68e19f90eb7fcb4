//! Rollouts: what is asked before one, during one and after.

use leverframe_wire::admin::{
    AskPreflight, Evidence, MeasurementList, Preflight, Probe, Receipt, Rollout, RolloutList, Span,
    StartRollout, StartedRollout, Steer,
};
use reqwest::Method;

use super::Attempt;
use super::call::Call;
use super::client::Client;
use super::error::ApiError;

/// Which rollouts to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct RolloutFilter {
    pub(crate) environment: Option<String>,
    pub(crate) flag: Option<String>,
    /// `running` or `over`; both when absent.
    pub(crate) state: Option<&'static str>,
}

impl Client {
    pub(crate) async fn preflight(
        &self,
        flag: &str,
        environment: &str,
        ask: &AskPreflight,
    ) -> Result<Preflight, ApiError> {
        let parts = ["environments", environment, "flags", flag, "preflight"];
        self.send(Call::send(Method::POST, &parts, ask, Attempt::default())?)
            .await
    }

    pub(crate) async fn start_rollout(
        &self,
        flag: &str,
        environment: &str,
        start: &StartRollout,
        attempt: Attempt,
    ) -> Result<StartedRollout, ApiError> {
        let parts = ["environments", environment, "flags", flag, "rollout"];
        self.send(Call::send(Method::POST, &parts, start, attempt)?)
            .await
    }

    /// The rollout of a lever that runs, or the last one that is over.
    pub(crate) async fn rollout_of(
        &self,
        flag: &str,
        environment: &str,
    ) -> Result<Rollout, ApiError> {
        let parts = ["environments", environment, "flags", flag, "rollout"];
        self.send(Call::get(&parts)).await
    }

    pub(crate) async fn rollout(&self, id: &str) -> Result<Rollout, ApiError> {
        self.send(Call::get(&["rollouts", id])).await
    }

    /// The rollouts that meet `filter`, the last started first, over all pages up to `limit`.
    pub(crate) async fn rollouts(
        &self,
        filter: &RolloutFilter,
        limit: usize,
    ) -> Result<Vec<Rollout>, ApiError> {
        let mut rollouts = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let call = Call::get(&["rollouts"])
                .with_some("environment", filter.environment.as_deref())
                .with_some("flag", filter.flag.as_deref())
                .with_some("state", filter.state)
                .with_some("after", after.as_deref());
            let page: RolloutList = self.send(call).await?;
            rollouts.extend(page.rollouts);
            if rollouts.len() >= limit || page.next.is_none() || page.next == after {
                rollouts.truncate(limit);
                return Ok(rollouts);
            }
            after = page.next;
        }
    }

    pub(crate) async fn evidence(&self, rollout: &str) -> Result<Evidence, ApiError> {
        self.send(Call::get(&["rollouts", rollout, "evidence"]))
            .await
    }

    pub(crate) async fn measurements(&self, rollout: &str) -> Result<MeasurementList, ApiError> {
        self.send(Call::get(&["rollouts", rollout, "measurements"]))
            .await
    }

    /// Has a rollout do what `verb` says.
    pub(crate) async fn steer(
        &self,
        rollout: &str,
        verb: &str,
        steer: &Steer,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        let parts = ["rollouts", rollout, verb];
        self.send(Call::send(Method::POST, &parts, steer, attempt)?)
            .await
    }

    /// Back to before the last rollout of a lever, on all servers at once; the first that accepts
    /// answers.
    pub(crate) async fn rollback(
        &self,
        flag: &str,
        environment: &str,
        steer: &Steer,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        let parts = ["environments", environment, "flags", flag, "rollback"];
        self.race(Call::send(Method::POST, &parts, steer, attempt)?)
            .await
    }

    pub(crate) async fn probe(
        &self,
        flag: &str,
        environment: &str,
        window: Span,
        error_budget: f64,
    ) -> Result<Probe, ApiError> {
        let parts = ["environments", environment, "flags", flag, "probe"];
        let call = Call::get(&parts)
            .with("window", window.to_string())
            .with("error_budget", error_budget.to_string());
        self.send(call).await
    }
}
