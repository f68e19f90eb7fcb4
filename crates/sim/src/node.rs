//! A node: the writer, the feeds and the streams, put together as the real one puts them together,
//! but in one thread, and stopped between any two stages of a write.

mod ahead;
mod brake;
mod decision;
mod feed;
mod start;
mod writer;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use leverframe_core::rejection::Rejection;
use leverframe_core::{Confirmation, Link, State, Timestamp};
use leverframe_flags::{EnvironmentKey, FlagKey, Update};
use leverframe_store::{Beside, Fence, MemoryStore};

use crate::clock::Clock;
use crate::connection::Cargo;
use crate::operator::Request;
use crate::plant::Plant;

pub(crate) use brake::{Brake, Brakes};
pub(crate) use decision::Ruling;
use feed::Next;
pub(crate) use feed::{Feed, cursor_of};
pub(crate) use start::{append_opening, continue_after_restore, latched};
pub(crate) use writer::Written;
use writer::{Job, Stage};

/// A stream whose evaluator says nothing for this long is closed, in milliseconds.
pub(crate) const SILENCE_MS_MAX: i64 = 15_000;

/// How often streams are pinged, in milliseconds.
const BEAT_MS: i64 = 5_000;

/// One process. Dropping it is a crash.
pub(crate) struct Node {
    pub(crate) index: usize,
    /// Tells one process from the next at the same place.
    pub(crate) boot: u64,
    store: MemoryStore,
    /// The proof of its leadership; one without follows the journal.
    fence: Option<Fence>,
    pub(crate) state: Arc<State>,
    pub(crate) feeds: BTreeMap<EnvironmentKey, Feed>,
    queue: VecDeque<Job>,
    stage: Stage,
    streams: BTreeMap<u64, Stream>,
    /// What the wall clock said when the world's clock said 0, by this node's reckoning: it looked
    /// at the wall clock once, when it started.
    steady_from: Timestamp,
    snapshot_revision: u64,
    /// Kills that are out and not in the journal.
    brakes: Brakes,
    pinged: Timestamp,
    plant: Option<Plant>,
}

/// An evaluator's connection, as the node sees it.
struct Stream {
    instance: Box<str>,
    environment: EnvironmentKey,
    place: Option<feed::Place>,
    is_ahead: bool,
    last_heard: Timestamp,
}

/// What a node answers an operator.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// It is in the journal, at this revision; with the record's link, unless it was there before.
    Accepted {
        revision: u64,
        link: Option<Link>,
        environments: Vec<EnvironmentKey>,
        node: usize,
    },
    /// It is out and not in the journal, under this number.
    NotStored {
        number: u64,
        environment: EnvironmentKey,
        node: usize,
    },
    /// The state is as it was.
    Rejected(Rejection),
    /// It cannot be said now whether it is in the journal.
    Unavailable(String),
}

impl Node {
    pub(crate) fn leads(&self) -> bool {
        self.fence.is_some()
    }

    pub(crate) fn is_mid_write(&self) -> bool {
        !matches!(self.stage, Stage::Idle)
    }

    /// The clock that the roll goes by.
    pub(crate) fn steady(&self, clock: &Clock) -> Timestamp {
        self.steady_from
            .plus_ms(i64::try_from(clock.now_ms()).unwrap_or(i64::MAX))
    }

    /// Takes a request; false when the writer was idle and has to be woken.
    pub(crate) fn accept(&mut self, request: Request) -> bool {
        let was_busy = self.is_mid_write() || !self.queue.is_empty();
        self.queue.push_back(Job::asked(request));
        was_busy
    }

    /// An evaluator said something. False when the connection is over.
    pub(crate) fn hear(
        &mut self,
        connection: u64,
        (instance, environment): (&str, &EnvironmentKey),
        cargo: Cargo,
        clock: &Clock,
    ) -> bool {
        let now = self.steady(clock);
        if let Cargo::Hello { cursor } = cargo {
            return self.leads()
                && self.greet(connection, instance, environment, cursor.as_ref(), now);
        }
        let Some(stream) = self.streams.get_mut(&connection) else {
            return false;
        };
        let Some(feed) = self.feeds.get_mut(&stream.environment) else {
            return false;
        };
        stream.last_heard = now;
        match cargo {
            Cargo::Acknowledge {
                mut cursor,
                refused,
            } => {
                if self.plant == Some(Plant::AcknowledgementsCountForTheHead) {
                    cursor = feed.head_cursor(&self.state).unwrap_or(cursor);
                }
                feed.acknowledge(
                    &stream.instance,
                    &cursor,
                    stream.place.as_ref(),
                    refused,
                    &self.state,
                    now,
                );
            }
            Cargo::Resync => stream.place = None,
            Cargo::Goodbye => {
                feed.roll.said_goodbye(&stream.instance, now);
                self.streams.remove(&connection);
                return false;
            }
            _ => feed.roll.heard(&stream.instance, now),
        }
        true
    }

    /// A newer connection of an instance takes the place of the older.
    fn greet(
        &mut self,
        connection: u64,
        instance: &str,
        environment: &EnvironmentKey,
        cursor: Option<&leverframe_flags::Cursor>,
        now: Timestamp,
    ) -> bool {
        let older: Vec<u64> = self
            .streams
            .iter()
            .filter(|(_, stream)| &*stream.instance == instance)
            .map(|(older, _)| *older)
            .collect();
        let Some(feed) = self.feeds.get_mut(environment) else {
            return false;
        };
        let place = feed.join(instance, cursor, &self.state, now);
        let stream = Stream {
            instance: instance.into(),
            environment: environment.clone(),
            place,
            is_ahead: false,
            last_heard: now,
        };
        for older in older {
            self.drop_stream(older, now);
        }
        self.streams.insert(connection, stream);
        true
    }

    pub(crate) fn has_stream(&self, connection: u64) -> bool {
        self.streams.contains_key(&connection)
    }

    /// A connection is over, without goodbye.
    pub(crate) fn hang_up(&mut self, connection: u64, clock: &Clock) {
        let now = self.steady(clock);
        self.drop_stream(connection, now);
    }

    fn drop_stream(&mut self, connection: u64, now: Timestamp) {
        let Some(stream) = self.streams.remove(&connection) else {
            return;
        };
        if let Some(feed) = self.feeds.get_mut(&stream.environment) {
            if self.plant == Some(Plant::RollForgetsTheSilent) {
                feed.roll.said_goodbye(&stream.instance, now);
            } else {
                feed.roll.disconnected(&stream.instance, now);
            }
        }
    }

    /// What each stream has to send, after which it is sent.
    pub(crate) fn news(&mut self) -> Vec<(u64, Arc<Update>)> {
        let mut news = Vec::new();
        for (connection, stream) in &mut self.streams {
            let Some(feed) = self.feeds.get_mut(&stream.environment) else {
                continue;
            };
            if stream.is_ahead {
                if !feed.is_past(stream.place.as_ref()) {
                    continue;
                }
                stream.is_ahead = false;
                stream.place = None;
            }
            match feed.next(stream.place.as_ref()) {
                Next::UpToDate => {}
                Next::Frames { frames, place } => {
                    stream.place = Some(place);
                    news.extend(frames.into_iter().map(|frame| (*connection, frame)));
                }
                Next::Ahead => stream.is_ahead = true,
            }
        }
        news
    }

    /// Looks after itself. Returns the connections that are over and those that are pinged.
    pub(crate) fn look_after(
        &mut self,
        is_lease_over: bool,
        clock: &Clock,
    ) -> (Vec<u64>, Vec<u64>) {
        let now = self.steady(clock);
        let mut over: Vec<u64> = Vec::new();
        if matches!(self.stage, Stage::Idle) {
            let before = self.state.revision();
            self.catch_up();
            // What somebody else wrote says that somebody else leads; otherwise the lease does.
            if self.leads() && (is_lease_over || self.state.revision() > before) {
                over = self.step_down();
            }
        }
        let silent = |stream: &Stream| now.ms_since(stream.last_heard) > SILENCE_MS_MAX;
        over.extend(
            self.streams
                .iter()
                .filter(|(_, stream)| silent(stream))
                .map(|(connection, _)| *connection),
        );
        for connection in &over {
            self.drop_stream(*connection, now);
        }
        self.save_rolls(now);
        let is_beat = now.ms_since(self.pinged) >= BEAT_MS;
        if !is_beat {
            return (over, Vec::new());
        }
        self.pinged = now;
        (over, self.streams.keys().copied().collect())
    }

    /// Leads no longer. Returns the connections that are over.
    fn step_down(&mut self) -> Vec<u64> {
        self.fence = None;
        // Whoever leads next takes them up from where they are kept.
        self.brakes = Brakes::default();
        self.streams.keys().copied().collect()
    }

    /// Who has `revision` in an environment, as the real node's presence answers.
    pub(crate) fn confirmation(
        &self,
        environment: &EnvironmentKey,
        revision: u64,
        clock: &Clock,
    ) -> Option<Confirmation> {
        let feed = self.feeds.get(environment)?;
        let mut confirmation = feed.confirmation(revision, self.steady(clock));
        confirmation.revision = revision;
        Some(confirmation)
    }

    fn save_rolls(&self, now: Timestamp) {
        use leverframe_store::Store as _;
        let beside: Arc<dyn Beside> = self.store.beside();
        if !self.leads() {
            return;
        }
        for (environment, feed) in &self.feeds {
            let mut roll = feed.roll.clone();
            roll.forget_silent(now);
            if let Ok(bytes) = serde_json::to_vec(&roll.to_members()) {
                // The roll may be lost without losing a change.
                let _ = beside.save_roll(environment.as_str(), &bytes);
            }
        }
    }
}

/// Refusals as the roll keeps them.
pub(crate) type Refused = Vec<(FlagKey, String)>;
