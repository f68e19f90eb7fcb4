//! Who has a revision.

use std::time::{Duration, Instant};

use leverframe_wire::admin::{Confirmation, ConfirmationState};

use super::call::Call;
use super::client::Client;
use super::error::ApiError;
use super::pacing::{LONG_POLL_MAX, REQUEST_TIMEOUT};

impl Client {
    /// Asks until everybody on the roll of `environment` has `revision`, nobody is on it, or
    /// `timeout` is over; then answers with how it stands.
    pub(crate) async fn confirmation(
        &self,
        environment: &str,
        revision: u64,
        timeout: Duration,
    ) -> Result<Confirmation, ApiError> {
        let deadline = Instant::now() + timeout;
        let revision_text = revision.to_string();
        loop {
            let wait = deadline
                .saturating_duration_since(Instant::now())
                .min(LONG_POLL_MAX);
            let call = Call::get(&["environments", environment, "confirmations", &revision_text])
                .with("wait_ms", wait.as_millis().to_string())
                .within(wait + REQUEST_TIMEOUT);
            let confirmation: Confirmation = self.send(call).await?;
            if confirmation.state != ConfirmationState::Pending || Instant::now() >= deadline {
                return Ok(confirmation);
            }
            if wait < Duration::from_millis(1) {
                return Ok(confirmation);
            }
        }
    }
}
