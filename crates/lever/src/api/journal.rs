//! The journal: reading and verifying it.

use leverframe_wire::admin::{JournalPage, Verification};
use reqwest::Method;

use super::call::Call;
use super::client::Client;
use super::error::ApiError;
use super::{Attempt, pacing};

/// Which records to read.
#[derive(Debug, Clone, Default)]
pub(crate) struct JournalFilter {
    /// RFC 3339.
    pub(crate) since: Option<String>,
    /// RFC 3339.
    pub(crate) until: Option<String>,
    pub(crate) flag: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) actor: Option<String>,
}

impl Client {
    /// One page, the newest records first.
    pub(crate) async fn journal(
        &self,
        filter: &JournalFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<JournalPage, ApiError> {
        let call = Call::get(&["journal"])
            .with_some("since", filter.since.as_deref())
            .with_some("until", filter.until.as_deref())
            .with_some("flag", filter.flag.as_deref())
            .with_some("environment", filter.environment.as_deref())
            .with_some("actor", filter.actor.as_deref())
            .with_some("before", before.map(|before| before.to_string()).as_deref())
            .with("limit", limit.to_string());
        self.send(call).await
    }

    /// Reads the whole chain again, on the server.
    pub(crate) async fn verify(&self) -> Result<Verification, ApiError> {
        let body = serde_json::json!({});
        let call = Call::send(
            Method::POST,
            &["journal", "verify"],
            &body,
            Attempt::default(),
        )?;
        // A long journal takes its time.
        self.send(call.within(pacing::PATIENCE * 20)).await
    }
}
