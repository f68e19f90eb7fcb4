//! Freezes and drills.

use leverframe_wire::admin::{
    Drill, DrillList, PutDrillSchedule, PutFreeze, Receipt, Removal, RunDrill,
};
use reqwest::Method;

use super::Attempt;
use super::call::Call;
use super::client::Client;
use super::error::ApiError;

impl Client {
    /// Stops every opening, on all servers at once; the first that accepts answers.
    pub(crate) async fn freeze(
        &self,
        environment: &str,
        freeze: &PutFreeze,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        let parts = ["environments", environment, "freeze"];
        self.race(Call::send(Method::PUT, &parts, freeze, attempt)?)
            .await
    }

    pub(crate) async fn thaw(
        &self,
        environment: &str,
        removal: &Removal,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        let parts = ["environments", environment, "freeze"];
        self.send(Call::send(Method::DELETE, &parts, removal, attempt)?)
            .await
    }

    pub(crate) async fn run_drill(
        &self,
        flag: &str,
        environment: &str,
        run: &RunDrill,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        let parts = ["environments", environment, "flags", flag, "drill"];
        self.send(Call::send(Method::POST, &parts, run, attempt)?)
            .await
    }

    pub(crate) async fn schedule_drill(
        &self,
        flag: &str,
        environment: &str,
        schedule: &PutDrillSchedule,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        let parts = ["environments", environment, "flags", flag, "drill"];
        self.send(Call::send(Method::PUT, &parts, schedule, attempt)?)
            .await
    }

    pub(crate) async fn unschedule_drill(
        &self,
        flag: &str,
        environment: &str,
        removal: &Removal,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        let parts = ["environments", environment, "flags", flag, "drill"];
        self.send(Call::send(Method::DELETE, &parts, removal, attempt)?)
            .await
    }

    pub(crate) async fn drill(&self, revision: u64) -> Result<Drill, ApiError> {
        self.send(Call::get(&["drills", &revision.to_string()]))
            .await
    }

    pub(crate) async fn drills(
        &self,
        environment: Option<&str>,
        flag: Option<&str>,
    ) -> Result<DrillList, ApiError> {
        let call = Call::get(&["drills"])
            .with_some("environment", environment)
            .with_some("flag", flag);
        self.send(call).await
    }
}
