//! One environment's feed: the frames its evaluators are sent, the rule set the node itself
//! evaluates with, and who follows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use leverframe_core::limit::RING_FRAMES_MAX;
use leverframe_core::ring::Ring;
use leverframe_core::{Link, State, frame};
use leverframe_flags::{Cursor, EnvironmentKey, FlagKey, Position, RuleSet, Update};
use tokio::sync::watch;

use crate::brake::Brake;
use crate::caches::Caches;
use crate::clock::Clock;
use crate::counts::EvaluationCounts;
use crate::encoder::Encoder;
use crate::measure::Measurements;
use crate::place::Place;
use crate::presence::Presence;
use crate::rules::Rules;
use crate::snapshots::{Preparing, Snapshots};

/// One environment's frames, rule set and followers. Streams hold a [`Place`] and nothing else: a
/// frame is encoded once and the same bytes go to everybody.
pub struct Feed {
    environment: EnvironmentKey,
    encoder: Arc<dyn Encoder>,
    measurements: Arc<Measurements>,
    tail: Mutex<Tail>,
    snapshots: Arc<Snapshots>,
    head: watch::Sender<Head>,
    rules: Rules,
    presence: Presence,
    caches: Caches,
    counts: EvaluationCounts,
}

struct Tail {
    ring: Ring<Bytes>,
    /// The state at the end of the ring; the writer may be ahead of it for a moment.
    state: Arc<State>,
    place: Place,
    /// The journal's head at the revisions that the ring may lead on from.
    heads: VecDeque<(u64, Link)>,
    /// Kills that are out and not stored, by number; outside the chain of revisions.
    brakes: BTreeMap<u64, Braked>,
}

struct Braked {
    update: Update,
    frame: Bytes,
    flags: BTreeSet<FlagKey>,
}

/// What streams wait on: changes with every frame and every heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// The epoch.
    pub epoch: u64,
    /// The environment's revision.
    pub revision: u64,
    /// Counts heartbeats.
    pub beat: u64,
}

/// What a stream has to send next.
#[derive(Debug, Clone)]
pub enum Next {
    /// Nothing.
    UpToDate,
    /// A snapshot, which is being encoded: the head changes when it is there.
    Preparing,
    /// These, and then the stream is at `place`.
    Frames {
        /// In order.
        frames: Vec<Bytes>,
        /// Where they lead to.
        place: Place,
    },
    /// Nothing: the evaluator has a newer revision of this very history than this journal. History
    /// was lost here; an older state must never be sent.
    Ahead,
}

impl Feed {
    pub(crate) fn new(
        environment: EnvironmentKey,
        state: Arc<State>,
        encoder: Arc<dyn Encoder>,
        measurements: Arc<Measurements>,
        clock: Clock,
        saved_roll: Option<&[u8]>,
    ) -> Self {
        let place = Place::of(&state, &environment);
        let heads = head_of(&state, &environment).into_iter().collect();
        let head = Head {
            epoch: place.epoch,
            revision: place.revision,
            beat: 0,
        };
        let presence = Presence::new(
            &environment,
            clock.clone(),
            &place,
            Arc::clone(&measurements),
            saved_roll,
        );
        Self {
            rules: Rules::new(environment.clone()),
            environment,
            encoder,
            measurements,
            tail: Mutex::new(Tail {
                ring: Ring::starting_at(place.revision),
                heads,
                state,
                place,
                brakes: BTreeMap::new(),
            }),
            snapshots: Arc::default(),
            head: watch::Sender::new(head),
            presence,
            caches: Caches::new(clock),
            counts: EvaluationCounts::default(),
        }
    }

    /// Which environment.
    #[must_use]
    pub fn environment(&self) -> &EnvironmentKey {
        &self.environment
    }

    /// Wakes with every frame and every heartbeat.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    /// The environment's revision: what [`Feed::next`] leads to.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.lock_tail().place.revision
    }

    /// The journal's head at a revision of the environment; `None` for those that nothing leads on
    /// from any more. Who says another one knows a journal that lost its end.
    #[must_use]
    pub fn head_at(&self, revision: u64) -> Option<Link> {
        let tail = self.lock_tail();
        let known = tail.heads.binary_search_by_key(&revision, |(at, _)| *at);
        known.ok().and_then(|index| Some(tail.heads.get(index)?.1))
    }

    /// The rule set the node evaluates with; lock-free but for the first time, which compiles it.
    #[must_use]
    pub fn rules(&self) -> Arc<RuleSet> {
        Arc::clone(&self.rules_guard())
    }

    /// The rule set without a reference count, for the length of one evaluation.
    #[must_use]
    pub fn rules_guard(&self) -> arc_swap::Guard<Arc<RuleSet>> {
        self.rules.load(|| self.updates())
    }

    /// Who follows.
    #[must_use]
    pub fn presence(&self) -> &Presence {
        &self.presence
    }

    /// Who keeps answers and cannot acknowledge.
    #[must_use]
    pub fn caches(&self) -> &Caches {
        &self.caches
    }

    /// How often what was answered.
    #[must_use]
    pub fn counts(&self) -> &EvaluationCounts {
        &self.counts
    }

    /// What a stream that is at `at` has to send; `None` for one that has nothing yet.
    #[must_use]
    pub fn next(self: &Arc<Self>, at: Option<&Place>) -> Next {
        if let Some(at) = at {
            let tail = self.lock_tail();
            if at.journal == tail.place.journal && at.epoch >= tail.place.epoch {
                if (at.epoch, at.revision) > (tail.place.epoch, tail.place.revision) {
                    return Next::Ahead;
                }
                let frames = if at.revision == tail.place.revision {
                    Some(Vec::new())
                } else {
                    frames_after(&tail.ring, at.revision)
                };
                if let Some(mut frames) = frames {
                    // Numbers grow over epochs and restarts, so a brake it has is one it keeps.
                    frames.extend(tail.brakes_after(at.brake));
                    if frames.is_empty() {
                        return Next::UpToDate;
                    }
                    return Next::Frames {
                        frames,
                        place: tail.place.clone(),
                    };
                }
            }
        }
        self.whole(at)
    }

    /// A snapshot and the frames since, once there is one that may be sent; who waits for it is
    /// woken then.
    fn whole(self: &Arc<Self>, at: Option<&Place>) -> Next {
        let tail = self.lock_tail();
        let found = self
            .snapshots
            .get(|snapshot, is_overdue| tail.since(snapshot, at, is_overdue));
        let next = match found.sendable {
            Some((snapshot, frames)) => Next::Frames {
                frames: std::iter::once(snapshot).chain(frames).collect(),
                place: tail.place.clone(),
            },
            None => Next::Preparing,
        };
        drop(tail);
        if let Some(preparing) = found.to_prepare {
            let feed = Arc::clone(self);
            let spawned = std::thread::Builder::new()
                .name("lever-joiners".to_owned())
                .spawn(move || feed.prepare(preparing));
            if let Err(error) = spawned {
                tracing::error!(%error, "no thread to encode a snapshot on; who joins waits");
            }
        }
        next
    }

    /// Encodes a snapshot of the end of the ring, which nobody but joiners waits for.
    fn prepare(&self, preparing: Preparing) {
        let (state, place, braked) = {
            let tail = self.lock_tail();
            (Arc::clone(&tail.state), tail.place.clone(), tail.braked())
        };
        let Some(mut update) = frame::snapshot(&state, &self.environment) else {
            return;
        };
        drop(state);
        close_in(&mut update, &braked, place.brake);
        match self.encoder.encode(&update) {
            Ok(bytes) => {
                self.measurements.snapshots.fetch_add(1, Ordering::Relaxed);
                let is_overtaken = self.lock_tail().since(&place, None, false).is_none();
                preparing.done(place, bytes, is_overtaken);
                self.head.send_modify(|_| {});
            }
            Err(why) => {
                tracing::error!(environment = %self.environment, why, "a snapshot could not be encoded");
            }
        }
    }

    /// Puts one revision out: into the ring, to the streams, into the node's own rule set.
    pub(crate) fn publish(&self, after: &Arc<State>, mut update: Update, received: Instant) {
        let (Update::Snapshot { cursor, .. }
        | Update::Change { cursor, .. }
        | Update::Brake { cursor, .. }) = &mut update;
        // Whether kills are still outstanding at this revision: if none is, it may release them all.
        cursor.brake = self.lock_tail().place.brake;
        let Cursor {
            previous,
            revision,
            epoch,
            ..
        } = *cursor;
        let encoded = self.encoder.encode(&update);
        // Before anybody is sent it: an acknowledgement must find what it is timed against.
        self.presence.published(epoch, revision, received);
        {
            let mut tail = self.lock_tail();
            match encoded {
                Ok(bytes) => tail.ring.push(previous, revision, bytes.len(), bytes),
                Err(why) => {
                    // Streams then find a hole and are sent a snapshot.
                    tracing::error!(environment = %self.environment, revision, why, "a frame could not be encoded");
                    tail.ring.clear();
                }
            }
            let brake = tail.place.brake;
            tail.place = Place {
                brake,
                ..Place::of(after, &self.environment)
            };
            tail.state = Arc::clone(after);
            tail.heads.extend(head_of(after, &self.environment));
            while tail.heads.len() > RING_FRAMES_MAX + 1 {
                tail.heads.pop_front();
            }
        }
        self.measurements.frames.fetch_add(1, Ordering::Relaxed);
        self.head.send_modify(|head| {
            head.epoch = epoch;
            head.revision = revision;
        });
        self.rules.apply(update);
    }

    /// Puts a kill out ahead of the journal.
    pub(crate) fn brake(&self, brake: &Brake, received: Instant) {
        let (cursor, mut closed) = {
            let tail = self.lock_tail();
            // With those before it: outside the chain of revisions nobody would notice a lost one.
            (frame::cursor(&tail.state, &self.environment), tail.braked())
        };
        let Some(cursor) = cursor else {
            return;
        };
        closed.extend(brake.flags.iter().cloned());
        let update = Update::Brake {
            cursor: Cursor {
                // The journal may have decided again since; then it has the last word.
                revision: cursor.revision.min(brake.decided_on),
                brake: brake.number,
                ..cursor
            },
            closed: closed.into_iter().collect(),
        };
        match self.encoder.encode(&update) {
            Ok(frame) => {
                let flags = brake.flags.clone();
                let mut tail = self.lock_tail();
                let update = update.clone();
                let braked = Braked {
                    update,
                    frame,
                    flags,
                };
                tail.brakes.insert(brake.number, braked);
                tail.place.brake = tail.place.brake.max(brake.number);
            }
            Err(why) => {
                tracing::error!(environment = %self.environment, why, "a kill could not be encoded");
            }
        }
        self.measurements.brakes.fetch_add(1, Ordering::Relaxed);
        self.presence.braked(brake, received);
        self.head.send_modify(|_| {});
        self.rules.apply(update);
    }

    /// A kill that was out ahead of the journal is in it now, as `revision`.
    pub(crate) fn settled(&self, number: u64, revision: u64) {
        {
            let mut tail = self.lock_tail();
            tail.brakes.remove(&number);
            tail.place.brake = tail.brakes.last_key_value().map_or(0, |(last, _)| *last);
        }
        self.presence.settled(number, revision);
    }

    /// What somebody who has nothing is told.
    fn updates(&self) -> Vec<Update> {
        let (state, number, braked, brakes) = {
            let tail = self.lock_tail();
            let brakes = tail.brakes.values();
            let brakes: Vec<Update> = brakes.map(|braked| braked.update.clone()).collect();
            let state = Arc::clone(&tail.state);
            (state, tail.place.brake, tail.braked(), brakes)
        };
        let mut snapshot = frame::snapshot(&state, &self.environment);
        if let Some(snapshot) = &mut snapshot {
            close_in(snapshot, &braked, number);
        }
        snapshot.into_iter().chain(brakes).collect()
    }

    /// Wakes every stream, so that it pings and looks whether its evaluator still answers.
    pub(crate) fn beat(&self) {
        self.snapshots.forget_unused();
        self.head.send_modify(|head| head.beat += 1);
    }

    fn lock_tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tail {
    /// Kills that are out and not stored, beyond `number`.
    fn brakes_after(&self, number: u64) -> impl Iterator<Item = Bytes> {
        self.brakes
            .range(number.saturating_add(1)..)
            .map(|(_, braked)| braked.frame.clone())
    }

    /// The frames that lead from a snapshot to the end of the ring; `None` when it may not be sent
    /// any more.
    ///
    /// It has to be of the end itself. One from before a kill would show its flags open for a moment
    /// to somebody who begins after it was confirmed, and who comes back from its disk may have more
    /// than it says. `is_overdue` says that changes come faster than snapshots can be encoded, so
    /// that nobody could ever join: then the frames since follow right behind.
    fn since(&self, snapshot: &Place, at: Option<&Place>, is_overdue: bool) -> Option<Vec<Bytes>> {
        let end = &self.place;
        let is_same_history = (&snapshot.journal, snapshot.epoch) == (&end.journal, end.epoch);
        let is_fresh = (snapshot.revision, snapshot.brake) == (end.revision, end.brake);
        let is_behind = at.is_some_and(|at| {
            at.journal == snapshot.journal
                && (at.epoch, at.revision) > (snapshot.epoch, snapshot.revision)
        });
        if !is_same_history || is_behind || !(is_fresh || is_overdue) {
            return None;
        }
        let mut frames = if snapshot.revision == end.revision {
            Vec::new()
        } else {
            frames_after(&self.ring, snapshot.revision)?
        };
        frames.extend(self.brakes_after(0));
        Some(frames)
    }

    /// The flags they close.
    fn braked(&self) -> BTreeSet<FlagKey> {
        let all = self.brakes.values();
        all.flat_map(|braked| braked.flags.iter().cloned())
            .collect()
    }
}

/// Shows flags as closed that a kill closes which the state does not know of yet.
fn close_in(snapshot: &mut Update, braked: &BTreeSet<FlagKey>, brake: u64) {
    if let Update::Snapshot { cursor, flags, .. } = snapshot {
        cursor.brake = brake;
        for flag in flags.iter_mut().filter(|flag| braked.contains(&flag.key)) {
            flag.position = Position::start();
        }
    }
}

/// Where the environment stands, and the journal's head there.
fn head_of(state: &State, environment: &EnvironmentKey) -> Option<(u64, Link)> {
    let entry = state.environment(environment.as_str())?;
    Some((entry.revision, entry.head))
}

fn frames_after(ring: &Ring<Bytes>, revision: u64) -> Option<Vec<Bytes>> {
    Some(ring.after(revision)?.map(|(_, frame)| frame).collect())
}
