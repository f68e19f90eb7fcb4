//! The node: what surfaces hold of it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use leverframe_core::{State, Timestamp};
use leverframe_flags::EnvironmentKey;
use leverframe_store::{BackupReport, Head as JournalHead, Reader, StoreError};
use tokio_util::sync::CancellationToken;

use crate::brake::Brake;
use crate::canary::Canary;
use crate::effects::Trouble;
use crate::feed::Feed;
use crate::measure::Measurements;
use crate::outcomes::Outcomes;
use crate::outside::Outside;
use crate::request::{Accepted, Request, SubmitError};
use crate::sessions::Sessions;
use crate::shared::Shared;

/// A running node. Clones are handles to the same one.
#[derive(Clone)]
pub struct Node {
    pub(crate) shared: Arc<Shared>,
    /// Nothing for the node's own work, which must not keep it running.
    pub(crate) running: Option<Arc<Running>>,
}

/// What works for a node in the background. Ends when the last handle goes.
pub(crate) struct Running {
    shared: Arc<Shared>,
    ends: Mutex<Option<(std::thread::JoinHandle<()>, tokio::task::JoinHandle<()>)>>,
}

/// How a node is to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the store is called in health reports, such as `sqlite`.
    pub store_name: &'static str,
    /// How often streams are woken to ping and to look whether the other side still answers.
    pub beat: Duration,
    /// How long a kill waits for the store before it goes out ahead of it.
    pub brake_after: Duration,
    /// How often rollouts are looked at.
    pub tick: Duration,
    /// How long an interval is in which outcomes are counted, and how long after its end it is closed.
    pub outcomes: Grid,
    /// The same for what is asked of sources.
    pub samples: Grid,
    /// Whom the node may ask and tell.
    pub outside: Outside,
    /// How often the node closes and opens a lever of its own, to see that this works; never when
    /// absent.
    pub canary_every: Option<Duration>,
}

/// Intervals of one length, cut from the steady clock: the k-th is from `k · length` to
/// `(k + 1) · length`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// How long an interval is.
    pub length: Duration,
    /// How long after its end it is closed: what comes later is late.
    pub watermark: Duration,
}

impl Grid {
    /// The length in milliseconds, at least one.
    #[must_use]
    pub fn length_ms(self) -> i64 {
        i64::try_from(self.length.as_millis())
            .unwrap_or(i64::MAX)
            .max(1)
    }

    /// The begin of the interval that a time is in.
    #[must_use]
    pub fn begin(self, at: Timestamp) -> Timestamp {
        let length = self.length_ms();
        Timestamp::from_ms(at.as_ms().div_euclid(length) * length)
    }

    /// Up to when every interval is closed at a time.
    #[must_use]
    pub fn closed_until(self, now: Timestamp) -> Timestamp {
        let watermark = i64::try_from(self.watermark.as_millis()).unwrap_or(i64::MAX);
        self.begin(Timestamp::from_ms(now.as_ms().saturating_sub(watermark)))
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            store_name: "sqlite",
            beat: Duration::from_secs(5),
            brake_after: Duration::from_millis(500),
            tick: Duration::from_secs(1),
            outcomes: Grid {
                length: Duration::from_secs(10),
                watermark: Duration::from_secs(15),
            },
            samples: Grid {
                length: Duration::from_secs(60),
                watermark: Duration::from_secs(30),
            },
            outside: Outside::default(),
            canary_every: Some(Duration::from_secs(60 * 60)),
        }
    }
}

/// How the node is.
#[derive(Debug, Clone)]
pub struct Health {
    /// Whether the last change could be stored.
    pub writable: bool,
    /// Where the journal is kept.
    pub store: &'static str,
    /// How long the last durable append took.
    pub last_commit: Option<Duration>,
    /// How long the node has been running.
    pub uptime: Duration,
    /// What is wrong, in sentences.
    pub problems: Vec<String>,
}

impl Node {
    /// A handle for work in the background: it does not keep the node running.
    #[must_use]
    pub(crate) fn behind(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            running: None,
        }
    }

    /// The visible state; everything in it is durable.
    #[must_use]
    pub fn state(&self) -> Arc<State> {
        self.shared.state()
    }

    /// Has a command decided, stored and published.
    ///
    /// # Errors
    /// [`SubmitError`]; the state is as it was.
    pub async fn submit(&self, request: Request) -> Result<Accepted, SubmitError> {
        self.shared.submit(request).await
    }

    /// The kills that are out and not in the journal, the oldest first.
    #[must_use]
    pub fn brakes(&self) -> Vec<Brake> {
        self.shared.brakes.all()
    }

    /// The revision that a kill which went out ahead of the journal became; absent while it is not
    /// stored.
    #[must_use]
    pub fn brake_stored_as(&self, number: u64) -> Option<u64> {
        self.shared.brakes.settled_as(number)
    }

    /// One environment's feed.
    #[must_use]
    pub fn feed(&self, environment: &str) -> Option<Arc<Feed>> {
        self.shared
            .feeds
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(environment)
            .map(Arc::clone)
    }

    /// Every environment's feed.
    #[must_use]
    pub fn feeds(&self) -> Vec<Arc<Feed>> {
        self.shared.feeds()
    }

    /// Reads the journal; blocking.
    #[must_use]
    pub fn reader(&self) -> Arc<dyn Reader> {
        Arc::clone(&self.shared.reader)
    }

    /// Reads the whole journal and checks that it is what this node has in memory.
    ///
    /// # Errors
    /// The first bad revision, or why it cannot be read.
    pub async fn verify(&self) -> Result<JournalHead, StoreError> {
        let reader = self.reader();
        let state = self.state();
        let known = JournalHead {
            revision: state.revision(),
            link: state.head(),
        };
        blocking(move || reader.verify(Some(known), &mut |_| {})).await
    }

    /// Writes a backup to a new file.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub async fn backup(&self, to: PathBuf) -> Result<BackupReport, StoreError> {
        let reader = self.reader();
        blocking(move || reader.backup(&to)).await
    }

    /// How the node is.
    #[must_use]
    pub fn health(&self) -> Health {
        let last = self
            .shared
            .last_commit
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Health {
            writable: last.failure.is_none(),
            store: self.shared.options.store_name,
            last_commit: last.took,
            uptime: self.shared.clock.uptime(),
            problems: last
                .failure
                .iter()
                .map(|why| format!("changes cannot be stored: {why}"))
                .chain(self.brakes().iter().map(Brake::sentence))
                .chain(self.shared.looks.problems())
                .chain(self.shared.effects.troubles().iter().map(Trouble::sentence))
                .chain(self.shared.canaries.problems())
                .chain(self.shared.guard.problems())
                .collect(),
        }
    }

    /// How the canary of each environment did that has one.
    #[must_use]
    pub fn canaries(&self) -> Vec<(EnvironmentKey, Canary)> {
        self.shared.canaries.all()
    }

    /// Why nothing goes forward in an environment by the node's own judgement, if it does not: nobody
    /// froze it, and it lasts as long as what it says.
    #[must_use]
    pub fn is_held(&self, environment: &EnvironmentKey) -> Option<String> {
        self.shared.guard.is_frozen(environment)
    }

    /// What went well and what did not, as those who use the flags say.
    #[must_use]
    pub fn outcomes(&self) -> &Arc<Outcomes> {
        &self.shared.outcomes
    }

    /// Whom it may ask and tell.
    #[must_use]
    pub fn outside(&self) -> &Outside {
        &self.shared.options.outside
    }

    /// Who is signed in.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.shared.sessions
    }

    /// The wall clock, for dates.
    #[must_use]
    pub fn wall_now(&self) -> Timestamp {
        self.shared.clock.wall()
    }

    /// The clock that never jumps, which the roll goes by.
    #[must_use]
    pub fn steady_now(&self) -> Timestamp {
        self.shared.clock.steady()
    }

    /// Counters.
    #[must_use]
    pub fn measurements(&self) -> &Measurements {
        &self.shared.measurements
    }

    /// Cancelled when the node begins to stop.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.shared.stopping.clone()
    }

    /// Takes no more changes, stores those that wait, saves the snapshot, the rolls and the sessions.
    pub async fn stop(&self) {
        let Some(running) = &self.running else {
            return;
        };
        running.end();
        let ends = running
            .ends
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some((writer, rolls)) = ends else {
            return;
        };
        let writer = tokio::task::spawn_blocking(move || writer.join()).await;
        if !matches!(writer, Ok(Ok(()))) || rolls.await.is_err() {
            tracing::error!("the node did not end well; the next start reads more of the journal");
        }
    }
}

impl Running {
    pub(crate) fn new(
        shared: Arc<Shared>,
        writer: std::thread::JoinHandle<()>,
        rolls: tokio::task::JoinHandle<()>,
    ) -> Self {
        Self {
            shared,
            ends: Mutex::new(Some((writer, rolls))),
        }
    }

    fn end(&self) {
        self.shared.stopping.cancel();
        self.shared.queue.close();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
