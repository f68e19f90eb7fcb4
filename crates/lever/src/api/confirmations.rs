//! Who has a revision.

use std::time::{Duration, Instant};

use leverframe_wire::admin::{Confirmation, ConfirmationState};

use super::call::Call;
use super::client::Client;
use super::error::ApiError;
use super::pacing::{LONG_POLL_MAX, POLL_PAUSE, REQUEST_TIMEOUT};

impl Client {
    /// Asks until everybody on the roll of `environment` has `revision` (or the kill that is out as
    /// number `brake` and not stored), nobody is on it, or
    /// `timeout` is over; then answers with how it stands.
    pub(crate) async fn confirmation(
        &self,
        environment: &str,
        revision: u64,
        brake: Option<u64>,
        timeout: Duration,
    ) -> Result<Confirmation, ApiError> {
        let deadline = Instant::now() + timeout;
        let revision_text = revision.to_string();
        loop {
            let asked_at = Instant::now();
            let wait = deadline
                .saturating_duration_since(asked_at)
                .min(LONG_POLL_MAX);
            let call = Call::get(&["environments", environment, "confirmations", &revision_text])
                .with("wait_ms", wait.as_millis().to_string())
                .with_some("brake", brake.map(|number| number.to_string()).as_deref())
                .within(wait + REQUEST_TIMEOUT);
            let confirmation: Confirmation = self.send(call).await?;
            let now = Instant::now();
            if confirmation.state != ConfirmationState::Pending || now >= deadline {
                return Ok(confirmation);
            }
            // A server that answers before the wait is over, because it is about to stop, is not
            // to be asked in a circle.
            let next = (asked_at + POLL_PAUSE).min(deadline);
            tokio::time::sleep(next.saturating_duration_since(now)).await;
        }
    }
}
