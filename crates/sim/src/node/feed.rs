//! One environment's frames and who follows it: what the real node's feed and presence do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use leverframe_core::roll::{Acknowledged, Hello, Roll};
use leverframe_core::{Confirmation, Link, Ring, State, Timestamp, frame};
use leverframe_flags::{Cursor, EnvironmentKey, FlagKey, Follower, Position, Update};

use super::Refused;
use super::brake::Brake;
use crate::plant::Plant;

/// One environment's frames, rule set and followers.
pub(crate) struct Feed {
    environment: EnvironmentKey,
    ring: Ring<Arc<Update>>,
    /// The state at the end of the ring.
    state: Arc<State>,
    place: Place,
    /// The last snapshot that was made; in use while the ring reaches back to it.
    snapshot: Option<(Place, Arc<Update>)>,
    /// Kills that are out and not stored, by number; outside the chain of revisions.
    brakes: BTreeMap<u64, Braked>,
    /// The revisions that kills became which were out ahead of the journal.
    stored_as: BTreeMap<u64, Option<u64>>,
    /// The node follows its own frames.
    pub(crate) follower: Follower,
    pub(crate) roll: Roll,
    plant: Option<Plant>,
}

struct Braked {
    frame: Arc<Update>,
    flags: BTreeSet<FlagKey>,
}

/// Where a stream is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    journal: Box<str>,
    epoch: u64,
    revision: u64,
    brake: u64,
}

/// What a stream has to send next.
pub(super) enum Next {
    UpToDate,
    Frames {
        frames: Vec<Arc<Update>>,
        place: Place,
    },
    Ahead,
}

impl Feed {
    pub(super) fn new(
        environment: EnvironmentKey,
        state: &Arc<State>,
        roll: Roll,
        plant: Option<Plant>,
    ) -> Self {
        let place = Place::of(state, &environment);
        let mut follower = Follower::new(environment.clone());
        if let Some(snapshot) = frame::snapshot(state, &environment) {
            follower.apply(snapshot);
        }
        Self {
            environment,
            ring: Ring::starting_at(place.revision),
            state: Arc::clone(state),
            place,
            snapshot: None,
            brakes: BTreeMap::new(),
            stored_as: BTreeMap::new(),
            follower,
            roll,
            plant,
        }
    }

    /// Feeds for every environment that has none.
    pub(super) fn add(
        feeds: &mut BTreeMap<EnvironmentKey, Self>,
        state: &Arc<State>,
        rolls: &mut BTreeMap<Box<str>, Roll>,
        plant: Option<Plant>,
    ) {
        for entry in state.environments() {
            let key = &entry.environment.key;
            if !feeds.contains_key(key) {
                let roll = rolls.remove(key.as_str()).unwrap_or_default();
                feeds.insert(key.clone(), Self::new(key.clone(), state, roll, plant));
            }
        }
    }

    pub(super) fn publish(&mut self, after: &Arc<State>, mut update: Update) {
        let brake = self.place.brake;
        let (Update::Snapshot { cursor, .. }
        | Update::Change { cursor, .. }
        | Update::Brake { cursor, .. }) = &mut update;
        if self.plant != Some(Plant::ReleasedWhileOutstanding) {
            cursor.brake = brake;
        }
        let (previous, revision) = (cursor.previous, cursor.revision);
        let update = Arc::new(update);
        self.ring.push(previous, revision, 1, Arc::clone(&update));
        self.place = Place {
            brake,
            ..Place::of(after, &self.environment)
        };
        self.state = Arc::clone(after);
        self.follower.apply((*update).clone());
    }

    pub(super) fn next(&mut self, at: Option<&Place>) -> Next {
        if let Some(at) = at
            && at.journal == self.place.journal
            && at.epoch >= self.place.epoch
        {
            if (at.epoch, at.revision) > (self.place.epoch, self.place.revision) {
                return Next::Ahead;
            }
            let frames = match at.revision == self.place.revision {
                true => Some(Vec::new()),
                false => self.frames_after(at.revision),
            };
            if let Some(mut frames) = frames {
                frames.extend(self.brakes_after(at.brake));
                if frames.is_empty() {
                    return Next::UpToDate;
                }
                return Next::Frames {
                    frames,
                    place: self.place.clone(),
                };
            }
        }
        self.snapshot_and_since()
    }

    /// A snapshot that was made earlier serves again only while it is the newest there is: a joiner
    /// from a disk cache that is further would have to refuse it, and would never come in.
    fn snapshot_and_since(&mut self) -> Next {
        if let Some((at, snapshot)) = &self.snapshot
            && (*at == self.place || self.plant == Some(Plant::JoinersGetOldSnapshots))
            && (&at.journal, at.epoch, at.brake)
                == (&self.place.journal, self.place.epoch, self.place.brake)
            && let Some(since) = self.frames_after(at.revision)
        {
            let frames = std::iter::once(Arc::clone(snapshot))
                .chain(since)
                .chain(self.brakes_after(0))
                .collect();
            return Next::Frames {
                frames,
                place: self.place.clone(),
            };
        }
        let Some(mut update) = frame::snapshot(&self.state, &self.environment) else {
            return Next::UpToDate;
        };
        self.close_in(&mut update);
        let update = Arc::new(update);
        self.snapshot = Some((self.place.clone(), Arc::clone(&update)));
        Next::Frames {
            frames: std::iter::once(update)
                .chain(self.brakes_after(0))
                .collect(),
            place: self.place.clone(),
        }
    }

    /// Shows flags as closed that a kill closes which the state does not know of yet.
    fn close_in(&self, snapshot: &mut Update) {
        let is_braked = |flag: &FlagKey| self.brakes.values().any(|kill| kill.flags.contains(flag));
        if let Update::Snapshot { cursor, flags, .. } = snapshot {
            cursor.brake = self.place.brake;
            let is_shown_open = self.plant == Some(Plant::JoinersSeeBrakedFlagsOpen);
            for flag in flags.iter_mut().filter(|flag| is_braked(&flag.key)) {
                if !is_shown_open {
                    flag.position = Position::start();
                }
            }
        }
    }

    /// Puts a kill out ahead of the journal.
    pub(super) fn brake(&mut self, brake: &Brake) {
        let Some(cursor) = frame::cursor(&self.state, &self.environment) else {
            return;
        };
        let update = Update::Brake {
            cursor: Cursor {
                revision: cursor.revision.min(brake.decided_on),
                brake: brake.number,
                ..cursor
            },
            closed: self.closed_with(brake),
        };
        let braked = Braked {
            frame: Arc::new(update.clone()),
            flags: brake.flags.clone(),
        };
        self.brakes.insert(brake.number, braked);
        self.place.brake = self.place.brake.max(brake.number);
        self.stored_as.insert(brake.number, None);
        self.follower.apply(update);
    }

    /// What a kill closes, and those before it that are out: outside the chain of revisions nobody
    /// would notice that one in between was lost.
    fn closed_with(&self, brake: &Brake) -> Vec<FlagKey> {
        let mut closed = brake.flags.clone();
        let before = self.brakes.values();
        closed.extend(before.flat_map(|kill| kill.flags.iter().cloned()));
        closed.into_iter().collect()
    }

    /// A kill that was out ahead of the journal is in it now.
    pub(super) fn settled(&mut self, number: u64, revision: u64) {
        self.brakes.remove(&number);
        self.place.brake = self.brakes.last_key_value().map_or(0, |(last, _)| *last);
        if let Some(stored_as) = self.stored_as.get_mut(&number) {
            *stored_as = Some(revision);
        }
    }

    fn brakes_after(&self, number: u64) -> impl Iterator<Item = Arc<Update>> {
        let beyond = self.brakes.range(number.saturating_add(1)..);
        beyond.map(|(_, braked)| Arc::clone(&braked.frame))
    }

    fn frames_after(&self, revision: u64) -> Option<Vec<Arc<Update>>> {
        Some(self.ring.after(revision)?.map(|(_, frame)| frame).collect())
    }

    /// Whether the environment has come further than a stream that was ahead of it.
    pub(super) fn is_past(&self, place: Option<&Place>) -> bool {
        place.is_none_or(|place| {
            (self.place.epoch, self.place.revision) > (place.epoch, place.revision)
        })
    }

    /// Puts an evaluator on the roll. Returns where it stands in this history, if it does.
    pub(super) fn join(
        &mut self,
        instance: &str,
        cursor: Option<&Cursor>,
        state: &State,
        now: Timestamp,
    ) -> Option<Place> {
        let place = cursor.and_then(|cursor| self.place_in(cursor, state));
        let resumes = cursor
            .filter(|cursor| place.is_some() && self.is_reached(cursor, state))
            .and_then(|cursor| acknowledged(cursor, now));
        let hello = Hello {
            instance: instance.into(),
            application: "shop".into(),
            build: "1".into(),
            version: "sim".into(),
            resumes,
            flags: None,
        };
        // The roll has room for fifty thousand.
        let _ = self.roll.joined(hello, now);
        place
    }

    fn place_in(&self, cursor: &Cursor, state: &State) -> Option<Place> {
        let here = state.environment(self.environment.as_str())?;
        let is_rewritten = cursor.epoch == state.epoch()
            && cursor.revision == here.revision
            && *cursor.head != *here.head.to_hex();
        if *cursor.journal != *state.journal() || is_rewritten {
            return None;
        }
        Some(Place {
            journal: cursor.journal.clone(),
            epoch: cursor.epoch,
            revision: cursor.revision,
            brake: cursor.brake,
        })
    }

    fn is_reached(&self, cursor: &Cursor, state: &State) -> bool {
        (cursor.epoch, cursor.revision) <= (state.epoch(), self.place.revision)
    }

    /// Notes what an evaluator has; nothing beyond what it was sent is believed.
    pub(super) fn acknowledge(
        &mut self,
        instance: &str,
        cursor: &Cursor,
        sent: Option<&Place>,
        refused: Refused,
        state: &State,
        now: Timestamp,
    ) {
        let is_sent =
            sent.is_some_and(|sent| (cursor.epoch, cursor.revision) <= (sent.epoch, sent.revision));
        let is_known = self.is_reached(cursor, state) && self.place_in(cursor, state).is_some();
        let brake = cursor.brake.min(sent.map_or(0, |sent| sent.brake));
        match acknowledged(cursor, now).map(|told| Acknowledged { brake, ..told }) {
            Some(acknowledged) if is_sent && is_known => {
                self.roll.acknowledged(instance, acknowledged, refused, now);
            }
            _ => self.roll.heard(instance, now),
        }
    }

    pub(super) fn confirmation(&self, revision: u64, now: Timestamp) -> Confirmation {
        let wanted = revision.min(self.place.revision);
        self.roll.confirmation(self.place.epoch, wanted, now)
    }

    /// Who has a kill that went out ahead of the journal; `None` for one that is not known here.
    pub(super) fn brake_confirmation(&self, number: u64, now: Timestamp) -> Option<Confirmation> {
        let stored_as = *self.stored_as.get(&number)?;
        let epoch = self.place.epoch;
        Some(
            self.roll
                .brake_confirmation(epoch, self.place.revision, number, stored_as, now),
        )
    }

    pub(super) fn head_cursor(&self, state: &State) -> Option<Cursor> {
        frame::cursor(state, &self.environment)
    }
}

impl Place {
    fn of(state: &State, environment: &EnvironmentKey) -> Self {
        Self {
            journal: state.journal().into(),
            epoch: state.epoch(),
            revision: state
                .environment(environment.as_str())
                .map_or(0, |entry| entry.revision),
            brake: 0,
        }
    }
}

fn acknowledged(cursor: &Cursor, at: Timestamp) -> Option<Acknowledged> {
    Some(Acknowledged {
        epoch: cursor.epoch,
        revision: cursor.revision,
        brake: cursor.brake,
        head: Link::from_hex(&cursor.head)?,
        at,
    })
}

pub(crate) fn cursor_of(update: &Update) -> &Cursor {
    match update {
        Update::Snapshot { cursor, .. }
        | Update::Change { cursor, .. }
        | Update::Brake { cursor, .. } => cursor,
    }
}
