//! What undo needs: for each recent revision, what it touched and what was there before.
//!
//! Bounded by [`UNDO_REVISIONS_MAX`] revisions and [`UNDO_BYTES_MAX`] bytes; the oldest go first.
//! The values are shared with the state, so that an entry costs what its change replaced.

use std::sync::Arc;

use imbl::OrdMap;
use leverframe_flags::{EnvironmentKey, FlagKey, Position, Segment, SegmentKey};
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::flag::FlagDefinition;
use crate::limit::{UNDO_BYTES_MAX, UNDO_REVISIONS_MAX};
use crate::record::Entry;

/// What one revision touched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Touched {
    /// The revision.
    pub revision: u64,
    /// Who: a token's id, or `system`.
    pub actor: Arc<str>,
    /// Whether it took another revision back.
    pub is_undo: bool,
    /// The revision that took this one back, if one did.
    pub undone_by: Option<u64>,
    /// Everything it touched, as it was before.
    pub before: Vec<Before>,
    /// About how much memory this entry holds, in bytes.
    bytes: usize,
}

/// One thing that a revision touched, as it was before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Before {
    /// A lever was moved.
    Position {
        /// Whose.
        flag: FlagKey,
        /// Where.
        environment: EnvironmentKey,
        /// From here.
        from: Position,
        /// To here.
        to: Position,
    },
    /// A flag did not exist.
    NoFlag {
        /// Which.
        flag: FlagKey,
    },
    /// A flag was defined so.
    Definition {
        /// The definition.
        definition: Arc<FlagDefinition>,
    },
    /// A flag was in use, or archived.
    Archived {
        /// Which.
        flag: FlagKey,
        /// Whether it was archived.
        was_archived: bool,
    },
    /// A segment did not exist.
    NoSegment {
        /// Which.
        segment: SegmentKey,
    },
    /// A segment was defined so.
    Segment {
        /// The definition.
        segment: Arc<Segment>,
    },
    /// A segment was defined so and then deleted.
    DeletedSegment {
        /// The definition.
        segment: Arc<Segment>,
    },
    /// An environment was guarded, or not.
    Guard {
        /// Which.
        environment: EnvironmentKey,
        /// Whether it was guarded.
        was_guarded: bool,
    },
    /// A token did not exist.
    NoToken {
        /// Its id.
        id: Box<str>,
    },
    /// Something that cannot be taken back.
    Final {
        /// Why, in words.
        why: Box<str>,
    },
}

impl Touched {
    /// Why this revision can never be taken back, if it cannot.
    #[must_use]
    pub fn why_final(&self) -> Option<&str> {
        self.before.iter().find_map(|before| match before {
            Before::Final { why } => Some(&**why),
            _ => None,
        })
    }
}

/// Why an event can never be taken back, if it cannot.
#[must_use]
pub(crate) fn why_final(event: &Event) -> Option<&'static str> {
    match event {
        Event::JournalStarted { .. } => Some("the start of the journal cannot be undone"),
        Event::EpochRaised { .. } => Some("a restore cannot be undone; restore another backup"),
        Event::EnvironmentCreated { .. } => Some("an environment cannot be taken back"),
        Event::TokenRevoked { .. } => {
            Some("a revoked token stays revoked; create another with `lever token create`")
        }
        Event::PlanApplied { .. } | Event::PlanDeleted { .. } => {
            Some("a plan is taken back by applying the one before it")
        }
        Event::EffectSettled { .. } => Some("what was told cannot be taken back"),
        Event::DrillStarted { .. } => Some("a drill puts its lever back by itself"),
        Event::DrillFinished { .. } => Some("a drill is over"),
        Event::DrillScheduled { .. } => Some("schedule it anew with `lever drill schedule`"),
        // What a rollout did to its lever can be taken back, and pauses it.
        Event::RolloutStarted { .. }
        | Event::RolloutMoved { .. }
        | Event::FreezeSet { .. }
        | Event::FreezeLifted { .. }
        | Event::EffectWanted { .. }
        | Event::WatchDeclined { .. }
        | Event::EnvironmentGuarded { .. }
        | Event::FlagCreated { .. }
        | Event::FlagEdited { .. }
        | Event::FlagArchived { .. }
        | Event::FlagRestored { .. }
        | Event::SegmentCreated { .. }
        | Event::SegmentEdited { .. }
        | Event::SegmentDeleted { .. }
        | Event::PositionMoved { .. }
        | Event::Undone { .. }
        | Event::TokenCreated { .. } => None,
    }
}

/// The recent revisions, by number.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct History {
    revisions: OrdMap<u64, Arc<Touched>>,
    bytes: usize,
}

impl History {
    pub(super) fn push(&mut self, touched: Arc<Touched>) {
        self.bytes = self.bytes.saturating_add(touched.bytes);
        self.revisions.insert(touched.revision, touched);
        while self.revisions.len() > UNDO_REVISIONS_MAX || self.bytes > UNDO_BYTES_MAX {
            let Some((oldest, touched)) = self.revisions.get_min().cloned() else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(touched.bytes);
            self.revisions.remove(&oldest);
        }
    }

    /// Has the names of flags kept once, after a state was read.
    pub(super) fn share_keys(&mut self, flags: &super::Flags) {
        let revisions = std::mem::take(&mut self.revisions);
        let shared = revisions.into_iter().map(|(revision, mut touched)| {
            // Nobody else holds one that was just read.
            for before in Arc::get_mut(&mut touched)
                .into_iter()
                .flat_map(|touched| &mut touched.before)
            {
                let (Before::Position { flag: named, .. }
                | Before::NoFlag { flag: named }
                | Before::Archived { flag: named, .. }) = before
                else {
                    continue;
                };
                if let Some((known, _)) = flags.get_key_value(named) {
                    *named = known.clone();
                }
            }
            (revision, touched)
        });
        self.revisions = shared.collect();
    }

    fn mark_undone(&mut self, revision: u64, by: u64) {
        if let Some(touched) = self.revisions.get_mut(&revision) {
            Arc::make_mut(touched).undone_by = Some(by);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Touched>> {
        self.revisions.values()
    }
}

impl super::State {
    /// What a recent revision touched and how it was before; `None` beyond what is kept.
    #[must_use]
    pub fn touched(&self, revision: u64) -> Option<&Touched> {
        self.history
            .revisions
            .get(&revision)
            .map(|touched| &**touched)
    }

    /// The recent revisions, the latest first.
    pub(crate) fn recent(&self) -> impl Iterator<Item = &Touched> {
        self.history
            .revisions
            .iter()
            .rev()
            .map(|(_, touched)| &**touched)
    }

    /// Notes what a record touched. `self` is the state before its events.
    pub(super) fn note_history(&self, next: &mut Self, entry: &Entry) {
        let record = &entry.record;
        let before: Vec<Before> = record
            .events
            .iter()
            .filter_map(|event| self.before(event))
            .collect();
        let mut is_undo = false;
        for event in &record.events {
            if let Event::Undone { revision } = event {
                is_undo = true;
                next.history.mark_undone(*revision, record.revision);
            }
        }
        let units: usize = before.iter().map(Before::units).sum();
        next.history.push(Arc::new(Touched {
            revision: record.revision,
            actor: Arc::from(&*record.actor),
            is_undo,
            undone_by: None,
            before,
            bytes: entry.text.len().saturating_add(units.saturating_mul(32)),
        }));
    }

    fn before(&self, event: &Event) -> Option<Before> {
        if let Some(why) = why_final(event) {
            return Some(Before::Final { why: why.into() });
        }
        Some(match event {
            Event::PositionMoved {
                flag,
                environment,
                from,
                to,
            } => Before::Position {
                flag: flag.clone(),
                environment: environment.clone(),
                from: from.clone(),
                to: to.clone(),
            },
            Event::FlagCreated { definition } => Before::NoFlag {
                flag: definition.key.clone(),
            },
            Event::FlagEdited { definition } => Before::Definition {
                definition: Arc::clone(&self.flags.get(&definition.key)?.definition),
            },
            Event::FlagArchived { flag } => Before::Archived {
                flag: flag.clone(),
                was_archived: false,
            },
            Event::FlagRestored { flag } => Before::Archived {
                flag: flag.clone(),
                was_archived: true,
            },
            Event::SegmentCreated { segment } => Before::NoSegment {
                segment: segment.key.clone(),
            },
            Event::SegmentEdited { segment } => Before::Segment {
                segment: Arc::clone(&self.segments.get(&segment.key)?.segment),
            },
            Event::SegmentDeleted { segment } => Before::DeletedSegment {
                segment: Arc::clone(&self.segments.get(segment)?.segment),
            },
            Event::EnvironmentGuarded { environment, .. } => Before::Guard {
                environment: environment.clone(),
                was_guarded: self.environments.get(environment)?.environment.guarded,
            },
            Event::TokenCreated { token } => Before::NoToken {
                id: token.id.clone(),
            },
            _ => return None,
        })
    }
}

impl Before {
    /// How many listed units it keeps alive; they are what can make an entry large.
    fn units(&self) -> usize {
        match self {
            Self::Segment { segment } | Self::DeletedSegment { segment } => {
                segment.include.len() + segment.exclude.len()
            }
            _ => 0,
        }
    }
}
