//! What every handler has at hand.

use std::ops::Deref;
use std::sync::Arc;

use leverframe_node::{Feed, Node};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::journal::Turns;
use crate::auth::BadTokens;
use crate::console::{Days, ErrorsTurns, Pulse, Tabs};
use crate::metrics::Counters;
use crate::ofrep::{Closings, Phrasebooks, Tickets};
use crate::outcomes::Reporters;
use crate::problem::Failure;
use crate::server::fitted;
use crate::settings::Settings;
use crate::sign_in_links::SignInLinks;
use crate::stream::Connections;

/// What every handler has at hand; clones are handles to the same.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

pub(crate) struct Shared {
    node: Node,
    pub(crate) settings: Settings,
    pub(crate) tickets: Tickets,
    pub(crate) closings: Closings,
    pub(crate) phrasebooks: Phrasebooks,
    pub(crate) connections: Connections,
    pub(crate) bad_tokens: BadTokens,
    pub(crate) reporters: Reporters,
    pub(crate) journal_turns: Turns,
    pub(crate) pulse: Pulse,
    pub(crate) tabs: Tabs,
    pub(crate) days: Days,
    pub(crate) errors_turns: ErrorsTurns,
    pub(crate) sign_in_links: SignInLinks,
    /// Places for streams.
    streams: Arc<Semaphore>,
    pub(crate) counters: Counters,
    /// Cancelled when the server begins to drain: whatever waits ends.
    pub(crate) draining: CancellationToken,
    /// Streams that outlive their HTTP request.
    pub(crate) tasks: TaskTracker,
}

impl App {
    pub(crate) fn new(node: Node, settings: Settings) -> Self {
        let settings = fitted(settings);
        let streams_max = settings.streams_max;
        let tabs = Tabs::beside(&settings);
        Self(Arc::new(Shared {
            node,
            settings,
            tickets: Tickets::default(),
            closings: Closings::default(),
            phrasebooks: Phrasebooks::default(),
            connections: Connections::default(),
            bad_tokens: BadTokens::default(),
            reporters: Reporters::default(),
            journal_turns: Turns::default(),
            pulse: Pulse::default(),
            tabs,
            days: Days::default(),
            errors_turns: ErrorsTurns::default(),
            sign_in_links: SignInLinks::default(),
            streams: Arc::new(Semaphore::new(streams_max)),
            counters: Counters::default(),
            draining: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }))
    }

    pub(crate) fn node(&self) -> &Node {
        &self.0.node
    }

    /// A place among the streams, for as long as it is held.
    ///
    /// # Errors
    /// 503 when there is none.
    pub(crate) fn stream_place(&self) -> Result<OwnedSemaphorePermit, Failure> {
        Arc::clone(&self.0.streams)
            .try_acquire_owned()
            .map_err(|_| Failure::unavailable("there is no room for another stream", 5))
    }

    /// The feed of an environment.
    pub(crate) fn feed(&self, environment: &str) -> Result<Arc<Feed>, Failure> {
        self.0
            .node
            .feed(environment)
            .ok_or_else(|| Failure::not_found("environment", environment))
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// Fills an array with random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => {
            tracing::error!(%error, "the operating system gives no randomness");
            Err(Failure::unavailable(
                "the operating system gives no randomness",
                5,
            ))
        }
    }
}
