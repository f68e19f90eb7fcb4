//! Frames: what one environment's evaluators are told of a record.
//!
//! Frames chain by `previous` within an environment; a record that an environment's evaluators
//! need not hear of makes no frame there. What counts is the *projected* definition, so that an
//! edit of a description, or of another environment's rules, sends nothing.
//!
//! `Cursor::brake` is 0 here: kills that are out ahead of the journal are the node's to number.

use std::collections::BTreeSet;

use leverframe_flags::{
    Cursor, EnvironmentKey, FlagKey, FlagUpdate, SegmentKey, SegmentUpdate, Update,
};

use crate::event::Event;
use crate::record::Entry;
use crate::state::{EnvironmentEntry, Flag, State};

/// What `environment`'s evaluators are told of `entry`, which made `before` into `after`; `None`
/// when they need not hear of it. A new epoch or environment is told whole.
#[must_use]
pub fn change(
    before: &State,
    after: &State,
    entry: &Entry,
    environment: &EnvironmentKey,
) -> Option<Update> {
    let now = after.environment(environment.as_str())?;
    if now.revision != entry.record.revision {
        return None;
    }
    let Some(then) = before.environment(environment.as_str()) else {
        return snapshot(after, environment);
    };
    if before.epoch() != after.epoch() {
        return snapshot(after, environment);
    }
    let named = Named::of(before, after, entry, environment);
    let mut change = Change::default();
    for key in named.moved {
        if let Some(flag) = after.flag(key.as_str()) {
            let position = flag.position(environment.as_str()).clone();
            change.positions.push((key.clone(), position));
        }
    }
    for key in named.defined {
        match after.flag(key.as_str()).filter(|flag| !flag.is_archived) {
            Some(flag) => change.flags.extend(flag_update(flag, environment)),
            None => change.removed_flags.push(key.clone()),
        }
    }
    for key in named.segments {
        match after.segment(key.as_str()) {
            Some(entry) => change.segments.push(SegmentUpdate {
                key: key.clone(),
                definition: Ok(Box::new((*entry.segment).clone())),
            }),
            None => change.removed_segments.push(key.clone()),
        }
    }
    Some(Update::Change {
        cursor: cursor_of(after, now, then.revision),
        positions: change.positions,
        flags: change.flags,
        segments: change.segments,
        removed_flags: change.removed_flags,
        removed_segments: change.removed_segments,
    })
}

/// Everything `environment`'s evaluators need; `None` when there is no such environment.
#[must_use]
pub fn snapshot(state: &State, environment: &EnvironmentKey) -> Option<Update> {
    let entry = state.environment(environment.as_str())?;
    Some(Update::Snapshot {
        cursor: cursor_of(state, entry, 0),
        flags: state
            .flags()
            .filter(|flag| !flag.is_archived)
            .filter_map(|flag| flag_update(flag, environment))
            .collect(),
        segments: state
            .segments()
            .map(|entry| SegmentUpdate {
                key: entry.segment.key.clone(),
                definition: Ok(Box::new((*entry.segment).clone())),
            })
            .collect(),
    })
}

/// Where `environment` stands; `previous` is 0, as for a snapshot.
#[must_use]
pub fn cursor(state: &State, environment: &EnvironmentKey) -> Option<Cursor> {
    let entry = state.environment(environment.as_str())?;
    Some(cursor_of(state, entry, 0))
}

/// Whether `environment`'s evaluators have to hear of an event.
pub(crate) fn is_heard(
    before: &State,
    after: &State,
    event: &Event,
    environment: &EnvironmentKey,
) -> bool {
    match event {
        Event::PositionMoved {
            flag,
            environment: moved,
            ..
        } => moved == environment && after.flag(flag.as_str()).is_some_and(|f| !f.is_archived),
        Event::FlagEdited { definition } => {
            let projected = |state: &State| {
                let flag = state.flag(definition.key.as_str())?;
                Some(flag.definition.in_environment(environment.as_str()))
            };
            projected(before) != projected(after)
        }
        Event::EnvironmentCreated { environment: new } => new.key == *environment,
        Event::EpochRaised { .. }
        | Event::FlagCreated { .. }
        | Event::FlagArchived { .. }
        | Event::FlagRestored { .. }
        | Event::SegmentCreated { .. }
        | Event::SegmentEdited { .. }
        | Event::SegmentDeleted { .. } => true,
        Event::PlanApplied { .. }
        | Event::PlanDeleted { .. }
        | Event::RolloutStarted { .. }
        | Event::RolloutMoved { .. }
        | Event::FreezeSet { .. }
        | Event::FreezeLifted { .. }
        | Event::EffectWanted { .. }
        | Event::EffectSettled { .. }
        | Event::DrillStarted { .. }
        | Event::DrillFinished { .. }
        | Event::DrillScheduled { .. }
        | Event::JournalStarted { .. }
        | Event::EnvironmentGuarded { .. }
        | Event::Undone { .. }
        | Event::TokenCreated { .. }
        | Event::TokenRevoked { .. }
        | Event::WatchDeclined { .. } => false,
    }
}

#[derive(Default)]
struct Change {
    positions: Vec<(FlagKey, leverframe_flags::Position)>,
    flags: Vec<FlagUpdate>,
    segments: Vec<SegmentUpdate>,
    removed_flags: Vec<FlagKey>,
    removed_segments: Vec<SegmentKey>,
}

/// What the heard events of a record name; each thing once, sorted.
#[derive(Default)]
struct Named<'a> {
    moved: BTreeSet<&'a FlagKey>,
    defined: BTreeSet<&'a FlagKey>,
    segments: BTreeSet<&'a SegmentKey>,
}

impl<'a> Named<'a> {
    fn of(before: &State, after: &State, entry: &'a Entry, environment: &EnvironmentKey) -> Self {
        let mut named = Self::default();
        let heard = entry
            .record
            .events
            .iter()
            .filter(|event| is_heard(before, after, event, environment));
        for event in heard {
            match event {
                Event::PositionMoved { flag, .. } => {
                    named.moved.insert(flag);
                }
                Event::FlagCreated { definition } | Event::FlagEdited { definition } => {
                    named.defined.insert(&definition.key);
                }
                Event::FlagArchived { flag } | Event::FlagRestored { flag } => {
                    named.defined.insert(flag);
                }
                Event::SegmentCreated { segment } | Event::SegmentEdited { segment } => {
                    named.segments.insert(&segment.key);
                }
                Event::SegmentDeleted { segment } => {
                    named.segments.insert(segment);
                }
                _ => {}
            }
        }
        named
    }
}

/// `None` only for a definition without a closed value, which the state never accepts.
fn flag_update(flag: &Flag, environment: &EnvironmentKey) -> Option<FlagUpdate> {
    let definition = &flag.definition;
    Some(FlagUpdate {
        key: definition.key.clone(),
        position: flag.position(environment.as_str()).clone(),
        closed: (
            definition.closed.clone(),
            definition.closed_value()?.clone(),
        ),
        definition: Ok(Box::new(definition.in_environment(environment.as_str()))),
    })
}

fn cursor_of(state: &State, entry: &EnvironmentEntry, previous: u64) -> Cursor {
    Cursor {
        journal: state.journal().into(),
        epoch: state.epoch(),
        environment: entry.environment.key.clone(),
        previous,
        revision: entry.revision,
        brake: 0,
        head: entry.head.to_hex().into(),
    }
}
