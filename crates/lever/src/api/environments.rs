//! Environments, their status and their fleet.

use leverframe_wire::admin::{
    CreateEnvironment, EnvironmentList, Fleet, GuardEnvironment, Receipt, Status,
};
use reqwest::Method;

use super::Attempt;
use super::call::Call;
use super::client::Client;
use super::error::ApiError;

impl Client {
    pub(crate) async fn environments(&self) -> Result<EnvironmentList, ApiError> {
        self.send(Call::get(&["environments"])).await
    }

    pub(crate) async fn create_environment(
        &self,
        environment: &CreateEnvironment,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        self.send(Call::send(
            Method::POST,
            &["environments"],
            environment,
            attempt,
        )?)
        .await
    }

    pub(crate) async fn guard_environment(
        &self,
        environment: &str,
        guard: &GuardEnvironment,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        let parts = ["environments", environment, "guard"];
        self.send(Call::send(Method::POST, &parts, guard, attempt)?)
            .await
    }

    pub(crate) async fn status(&self, environment: &str) -> Result<Status, ApiError> {
        self.send(Call::get(&["environments", environment, "status"]))
            .await
    }

    pub(crate) async fn fleet(&self, environment: &str) -> Result<Fleet, ApiError> {
        self.send(Call::get(&["environments", environment, "fleet"]))
            .await
    }
}
