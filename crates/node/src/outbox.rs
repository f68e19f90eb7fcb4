//! The journal as the runner of effects sees it: what is wanted and not settled, and the way to settle.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use leverframe_core::access::Actor;
use leverframe_core::effect::{Effect, Settlement};
use leverframe_core::{Command, Why};
use tokio::sync::watch;

use crate::effects::Outbox;
use crate::request::Request;
use crate::shared::Shared;

pub(crate) struct JournalOutbox {
    shared: Arc<Shared>,
    revisions: tokio::sync::Mutex<watch::Receiver<u64>>,
}

impl JournalOutbox {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let revisions = tokio::sync::Mutex::new(shared.revisions.subscribe());
        Self { shared, revisions }
    }
}

#[async_trait]
impl Outbox for JournalOutbox {
    fn unsettled(&self) -> Vec<Effect> {
        let outside = &self.shared.options.outside;
        let state = self.shared.state();
        let mut wanted: Vec<Effect> = state
            .unsettled()
            .map(|entry| outside.addressed(entry.effect.clone()))
            .collect();
        wanted.sort_by_key(|effect| effect.wanted_at);
        wanted
    }

    async fn changed(&self) {
        // When the sender is gone nothing is wanted any more, and whoever waits is stopped.
        if self.revisions.lock().await.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    async fn settle(&self, id: &str, settlement: Settlement) -> Result<(), String> {
        let request = Request {
            command: Command::SettleEffect {
                effect: id.into(),
                settlement,
            },
            actor: Actor::System,
            via: "effects".into(),
            why: Why::default(),
            if_match: None,
            idempotency: None,
            dry_run: false,
            received: Instant::now(),
        };
        let settled = self.shared.submit(request).await;
        settled.map(|_| ()).map_err(|error| error.to_string())
    }
}
