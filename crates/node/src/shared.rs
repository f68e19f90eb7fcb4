//! What every part of a running node holds: the visible state, the feeds, the way to the writer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use leverframe_core::{Meta, State};
use leverframe_flags::EnvironmentKey;
use leverframe_store::{Beside, Head as JournalHead, Reader, StoredSnapshot};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::brake::Brakes;
use crate::canary::Canaries;
use crate::channel::Teller;
use crate::clock::Clock;
use crate::controller::Looks;
use crate::effects::Effects;
use crate::encoder::Encoder;
use crate::feed::Feed;
use crate::guard::Guard;
use crate::measure::Measurements;
use crate::node::Options;
use crate::outcomes::Outcomes;
use crate::queue::Queue;
use crate::request::{Request, SubmitError};
use crate::sessions::Sessions;
use crate::source::Sampler;

/// What every part of a running node holds.
pub(crate) struct Shared {
    pub(crate) queue: Queue,
    pub(crate) clock: Clock,
    pub(crate) measurements: Arc<Measurements>,
    pub(crate) stopping: CancellationToken,
    pub(crate) options: Options,
    state: ArcSwap<State>,
    pub(crate) feeds: RwLock<BTreeMap<EnvironmentKey, Arc<Feed>>>,
    encoder: Arc<dyn Encoder>,
    pub(crate) reader: Arc<dyn Reader>,
    pub(crate) brakes: Arc<Brakes>,
    pub(crate) beside: Arc<dyn Beside>,
    pub(crate) looks: Looks,
    pub(crate) sampler: Arc<Sampler>,
    pub(crate) effects: Effects,
    /// The visible revision, for whoever waits for news.
    pub(crate) revisions: watch::Sender<u64>,
    pub(crate) last_commit: Mutex<LastCommit>,
    pub(crate) outcomes: Arc<Outcomes>,
    pub(crate) canaries: Canaries,
    pub(crate) guard: Guard,
    pub(crate) sessions: Sessions,
}

/// What was kept beside the journal.
pub(crate) struct Kept<'a> {
    pub(crate) beside: Arc<dyn Beside>,
    pub(crate) brakes: Brakes,
    pub(crate) rolls: &'a BTreeMap<Box<str>, Vec<u8>>,
    pub(crate) outcomes: Outcomes,
    pub(crate) sessions: Sessions,
}

#[derive(Default)]
pub(crate) struct LastCommit {
    pub(crate) took: Option<Duration>,
    pub(crate) failure: Option<String>,
}

impl Shared {
    pub(crate) fn new(
        state: &Arc<State>,
        options: Options,
        clock: Clock,
        encoder: Arc<dyn Encoder>,
        reader: Arc<dyn Reader>,
        kept: Kept<'_>,
    ) -> Self {
        let Kept {
            beside,
            brakes,
            rolls,
            outcomes,
            sessions,
        } = kept;
        let measurements = Arc::new(Measurements::default());
        let outside = &options.outside;
        let teller = Teller::new(outside.channels.clone(), outside.links.clone());
        let effects = Effects::new(teller, clock.clone());
        let sampler =
            Sampler::new(outside.sources.clone(), clock.clone()).within(options.samples.length);
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
            brakes: Arc::new(brakes),
            beside,
            looks: Looks::default(),
            sampler: Arc::new(sampler),
            effects,
            revisions: watch::Sender::new(state.revision()),
            last_commit: Mutex::default(),
            outcomes: Arc::new(outcomes),
            canaries: Canaries::default(),
            guard: Guard::default(),
            sessions,
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

    pub(crate) fn state(&self) -> Arc<State> {
        self.state.load_full()
    }

    pub(crate) fn set_state(&self, state: Arc<State>) {
        let revision = state.revision();
        self.state.store(state);
        self.revisions.send_replace(revision);
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
            steady: self.clock.steady(),
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
        let saved = state
            .to_text()
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
