//! The node: what surfaces hold of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use leverframe_core::access::Actor;
use leverframe_core::decide::{Decision, decide};
use leverframe_core::receipt::receipt;
use leverframe_core::{Command, Event, Meta, State, Timestamp};
use leverframe_flags::{EnvironmentKey, FlagKey};
use leverframe_store::{
    BackupReport, Beside, Head as JournalHead, Reader, StoreError, StoredSnapshot,
};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::brake::{Brake, Brakes};
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
    /// How long a kill waits for the store before it goes out ahead of it.
    pub brake_after: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            store_name: "sqlite",
            beat: Duration::from_secs(5),
            brake_after: Duration::from_millis(500),
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
    pub(crate) brakes: Arc<Brakes>,
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
            let meta = self.shared.meta(&request)?;
            return try_out(&state, &request, &meta);
        }
        // A kill waits for the store only so long; then it goes out ahead of it.
        let kill = matches!(request.command, Command::Close { .. }).then(|| request.clone());
        let (reply, answer) = oneshot::channel();
        let job = Job {
            request,
            reply: Some(reply),
            brake: None,
        };
        if let Err(Refused) = self.shared.queue.push(job) {
            return match kill {
                Some(kill) if !self.shared.stopping.is_cancelled() => self.shared.brake(&kill),
                _ => Err(SubmitError::unavailable(
                    "too many changes are waiting, or the server is stopping; try again",
                )),
            };
        }
        let stopped = |_| {
            Err(SubmitError::unavailable(
                "the writer has stopped; restart the server",
            ))
        };
        let Some(kill) = kill else {
            return answer.await.unwrap_or_else(stopped);
        };
        match tokio::time::timeout(self.shared.options.brake_after, answer).await {
            Ok(answered) => answered.unwrap_or_else(stopped),
            Err(_) => self.shared.brake(&kill),
        }
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
        beside: Arc<dyn Beside>,
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
            brakes: Arc::new(Brakes::load(beside)),
            last_commit: Mutex::default(),
        };
        shared.add_feeds(state, rolls);
        // What was out before a restart is out again before anybody can ask.
        let now = Instant::now();
        for brake in shared.brakes.all() {
            if let Some(feed) = shared.feed(brake.environment.as_str()) {
                feed.brake(&brake, now);
            }
        }
        shared
    }

    pub(crate) fn feed(&self, environment: &str) -> Option<Arc<Feed>> {
        let feeds = self.feeds.read().unwrap_or_else(PoisonError::into_inner);
        feeds.get(environment).map(Arc::clone)
    }

    /// Puts a kill out though it is not stored, and has it stored as soon as that is possible.
    pub(crate) fn brake(&self, request: &Request) -> Result<Accepted, SubmitError> {
        let state = self.state();
        let meta = self.meta(request)?;
        let events = match decide(&state, &request.command, &meta)? {
            Decision::Append(events) => events,
            Decision::Unchanged { .. } | Decision::Repeat { .. } => {
                return try_out(&state, request, &meta).map(|answer| Accepted {
                    dry_run: false,
                    stored: true,
                    ..answer
                });
            }
        };
        let moved = events.iter().filter_map(|event| match event {
            Event::PositionMoved {
                flag, environment, ..
            } => Some((flag.clone(), environment.clone())),
            _ => None,
        });
        let (flags, environments): (BTreeSet<_>, BTreeSet<_>) = moved.unzip();
        let Some(environment) = environments.first().cloned() else {
            return Err(SubmitError::unavailable("there is nothing to close"));
        };
        let is_out =
            |brake: &Brake| brake.environment == environment && flags.is_subset(&brake.flags);
        let known = self.brakes.all().into_iter().find(is_out);
        let number = known.map_or_else(
            || self.put_out(request, &meta, &state, flags, environment),
            |brake| brake.number,
        );
        let mut receipt = receipt(&state.next_record(events, &meta));
        receipt.revision = state.revision();
        receipt.undoable = false;
        receipt.why_not_undoable = Some("it is not in the journal yet");
        Ok(Accepted {
            receipt,
            unchanged: false,
            dry_run: false,
            stored: false,
            brake: Some(number),
            environments: environments.into_iter().collect(),
        })
    }

    fn put_out(
        &self,
        request: &Request,
        meta: &Meta,
        state: &State,
        flags: BTreeSet<FlagKey>,
        environment: EnvironmentKey,
    ) -> u64 {
        let brake = self.brakes.add(meta.now, |number| Brake {
            number,
            decided_on: state.revision(),
            at: meta.now,
            actor: match &meta.actor {
                Actor::Token { id } => Some(id.clone()),
                Actor::System => None,
            },
            via: meta.via.clone(),
            why: meta.why.clone(),
            idempotency: meta.idempotency.clone(),
            flags,
            environment,
        });
        if let Some(feed) = self.feed(brake.environment.as_str()) {
            feed.brake(&brake, request.received);
        }
        tracing::error!(brake = brake.number, "{}", brake.sentence());
        self.brakes.save_aside();
        self.queue.nudge();
        brake.number
    }

    /// Notes that a kill which was out ahead of the journal is in it.
    pub(crate) fn settle(&self, number: u64, revision: u64) {
        self.brakes.settle(number, revision);
        self.brakes.save_aside();
        for feed in self.feeds() {
            feed.settled(number, revision);
        }
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
    pub(crate) fn meta(&self, request: &Request) -> Result<Meta, SubmitError> {
        let mut entropy = [0; 16];
        getrandom::fill(&mut entropy).map_err(|error| {
            SubmitError::unavailable(format!("no randomness from the operating system: {error}"))
        })?;
        Ok(Meta {
            now: self.clock.wall(),
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
