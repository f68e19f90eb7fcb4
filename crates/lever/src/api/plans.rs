//! Plans of rollouts.

use leverframe_wire::admin::{Plan, PlanList, PutPlan, Receipt, Removal};
use reqwest::Method;

use super::Attempt;
use super::call::Call;
use super::client::Client;
use super::error::ApiError;

impl Client {
    pub(crate) async fn plan(&self, key: &str) -> Result<Plan, ApiError> {
        self.send(Call::get(&["plans", key])).await
    }

    /// Every plan, over all pages.
    pub(crate) async fn plans(&self) -> Result<Vec<Plan>, ApiError> {
        let mut plans = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let call = Call::get(&["plans"]).with_some("after", after.as_deref());
            let page: PlanList = self.send(call).await?;
            plans.extend(page.plans);
            // A cursor that does not move would page for ever.
            if page.next.is_none() || page.next == after {
                return Ok(plans);
            }
            after = page.next;
        }
    }

    pub(crate) async fn put_plan(
        &self,
        plan: &PutPlan,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        let parts = ["plans", &plan.definition.key];
        self.send(Call::send(Method::PUT, &parts, plan, attempt)?)
            .await
    }

    pub(crate) async fn delete_plan(
        &self,
        key: &str,
        removal: &Removal,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        let parts = ["plans", key];
        self.send(Call::send(Method::DELETE, &parts, removal, attempt)?)
            .await
    }
}
