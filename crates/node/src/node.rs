//! The node: what surfaces hold of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use leverframe_core::{Meta, State, Timestamp};
use leverframe_flags::EnvironmentKey;
use leverframe_store::{
    BackupReport, Beside, Head as JournalHead, Reader, StoreError, StoredSnapshot,
};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::encoder::Encoder;
use crate::feed::Feed;
use crate::measure::Measurements;
use crate::queue::{Job, Queue, Refused};
use crate::request::{Accepted, Request, SubmitError};
use crate::writer::try_out;

/// A running node. Clones are handles to the same one.
#[derive(Clone)]
pub struct Node {
    pub(crate) shared: Arc<Shared>,
    pub(crate) running: Arc<Running>,
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
}

impl Default for Options {
    fn default() -> Self {
        Self {
            store_name: "sqlite",
            beat: Duration::from_secs(5),
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

pub(crate) struct Shared {
    pub(crate) queue: Queue,
    pub(crate) clock: Clock,
    pub(crate) measurements: Arc<Measurements>,
    pub(crate) stopping: CancellationToken,
    options: Options,
    state: ArcSwap<State>,
    feeds: RwLock<BTreeMap<EnvironmentKey, Arc<Feed>>>,
    encoder: Arc<dyn Encoder>,
    reader: Arc<dyn Reader>,
    last_commit: Mutex<LastCommit>,
}

#[derive(Default)]
struct LastCommit {
    took: Option<Duration>,
    failure: Option<String>,
}

impl Node {
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
        if request.dry_run {
            let state = self.shared.state();
            let meta = self.shared.meta(&request, &state)?;
            return try_out(&state, &request, &meta);
        }
        let (reply, answer) = oneshot::channel();
        let job = Job { request, reply };
        self.shared.queue.push(job).map_err(|Refused| {
            SubmitError::unavailable(
                "too many changes are waiting, or the server is stopping; try again",
            )
        })?;
        answer.await.unwrap_or_else(|_| {
            Err(SubmitError::unavailable(
                "the writer has stopped; restart the server",
            ))
        })
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
                .collect(),
        }
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

    /// Takes no more changes, stores those that wait, saves the snapshot and the rolls.
    pub async fn stop(&self) {
        self.running.end();
        let ends = self
            .running
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

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

impl Shared {
    pub(crate) fn new(
        state: &Arc<State>,
        options: Options,
        clock: Clock,
        encoder: Arc<dyn Encoder>,
        reader: Arc<dyn Reader>,
        rolls: &BTreeMap<Box<str>, Vec<u8>>,
    ) -> Self {
        let measurements = Arc::new(Measurements::default());
        let shared = Self {
            queue: Queue::default(),
            clock,
            measurements,
            stopping: CancellationToken::new(),
            options,
            state: ArcSwap::new(Arc::clone(state)),
            feeds: RwLock::default(),
            encoder,
            reader,
            last_commit: Mutex::default(),
        };
        shared.add_feeds(state, rolls);
        shared
    }

    pub(crate) fn state(&self) -> Arc<State> {
        self.state.load_full()
    }

    pub(crate) fn set_state(&self, state: Arc<State>) {
        self.state.store(state);
    }

    pub(crate) fn feeds(&self) -> Vec<Arc<Feed>> {
        self.feeds
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .map(Arc::clone)
            .collect()
    }

    /// Adds a feed for every environment that has none yet.
    pub(crate) fn add_new_feeds(&self, state: &Arc<State>) {
        let known = self
            .feeds
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .len();
        if state.environments().count() != known {
            self.add_feeds(state, &BTreeMap::new());
        }
    }

    fn add_feeds(&self, state: &Arc<State>, rolls: &BTreeMap<Box<str>, Vec<u8>>) {
        let mut feeds = self.feeds.write().unwrap_or_else(PoisonError::into_inner);
        for entry in state.environments() {
            let key = &entry.environment.key;
            if !feeds.contains_key(key) {
                let feed = Feed::new(
                    key.clone(),
                    Arc::clone(state),
                    Arc::clone(&self.encoder),
                    Arc::clone(&self.measurements),
                    self.clock.clone(),
                    rolls.get(key.as_str()).map(Vec::as_slice),
                );
                feeds.insert(key.clone(), Arc::new(feed));
            }
        }
    }

    /// Everything `decide` needs to know of a request.
    pub(crate) fn meta(&self, request: &Request, state: &State) -> Result<Meta, SubmitError> {
        let mut entropy = [0; 16];
        getrandom::fill(&mut entropy).map_err(|error| {
            SubmitError::unavailable(format!("no randomness from the operating system: {error}"))
        })?;
        Ok(Meta {
            // A record is never dated before the one in front of it.
            now: self.clock.wall().max(state.at()),
            actor: request.actor.clone(),
            via: request.via.clone(),
            why: request.why.clone(),
            if_match: request.if_match,
            idempotency: request.idempotency.clone(),
            entropy: u128::from_le_bytes(entropy),
        })
    }

    pub(crate) fn note_commit(&self, commit: Result<Duration, String>) {
        let mut last = self
            .last_commit
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match commit {
            Ok(took) => {
                *last = LastCommit {
                    took: Some(took),
                    failure: None,
                }
            }
            Err(why) => last.failure = Some(why),
        }
    }

    /// Saves the visible state as a cache of the fold.
    pub(crate) fn save_snapshot(&self, beside: &dyn Beside) {
        let state = self.state();
        let head = JournalHead {
            revision: state.revision(),
            link: state.head(),
        };
        let saved = serde_json::to_vec(&state.to_snapshot())
            .map_err(|error| error.to_string())
            .and_then(|bytes| {
                beside
                    .save_snapshot(&StoredSnapshot { head, bytes })
                    .map_err(|error| error.to_string())
            });
        if let Err(error) = saved {
            tracing::warn!(
                error,
                "the snapshot could not be saved; the next start reads more of the journal"
            );
        }
    }

    pub(crate) fn beat_interval(&self) -> Duration {
        self.options.beat
    }
}
