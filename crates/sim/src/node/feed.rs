//! One environment's frames and who follows it: what the real node's feed and presence do.

use std::collections::BTreeMap;
use std::sync::Arc;

use leverframe_core::roll::{Acknowledged, Hello, Roll};
use leverframe_core::{Confirmation, Link, Ring, State, Timestamp, frame};
use leverframe_flags::{Cursor, EnvironmentKey, Follower, Update};

use super::Refused;
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
    /// The node follows its own frames.
    pub(crate) follower: Follower,
    pub(crate) roll: Roll,
    plant: Option<Plant>,
}

/// Where a stream is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    journal: Box<str>,
    epoch: u64,
    revision: u64,
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

    pub(super) fn publish(&mut self, after: &Arc<State>, update: Update) {
        let cursor = cursor_of(&update);
        let (previous, revision) = (cursor.previous, cursor.revision);
        let update = Arc::new(update);
        self.ring.push(previous, revision, 1, Arc::clone(&update));
        self.place = Place::of(after, &self.environment);
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
            if at.revision == self.place.revision {
                return Next::UpToDate;
            }
            if let Some(frames) = self.frames_after(at.revision) {
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
            && (&at.journal, at.epoch) == (&self.place.journal, self.place.epoch)
            && let Some(since) = self.frames_after(at.revision)
        {
            let frames = std::iter::once(Arc::clone(snapshot)).chain(since).collect();
            return Next::Frames {
                frames,
                place: self.place.clone(),
            };
        }
        let Some(update) = frame::snapshot(&self.state, &self.environment) else {
            return Next::UpToDate;
        };
        let update = Arc::new(update);
        self.snapshot = Some((self.place.clone(), Arc::clone(&update)));
        Next::Frames {
            frames: vec![update],
            place: self.place.clone(),
        }
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
        match acknowledged(cursor, now) {
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
