//! Making the next rule set out of this one and what changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::RuleSet;
use super::body::Shared;
use super::flag::{Flag, Hold};
use super::roster::Roster;
use crate::key::{FlagKey, SegmentKey};
use crate::position::Position;
use crate::segment_table::SegmentTable;
use crate::update::{FlagUpdate, SegmentUpdate};

/// What differs in the next rule set.
#[derive(Debug, Default)]
pub(crate) struct Revision {
    pub(crate) positions: Vec<(FlagKey, Position)>,
    pub(crate) flags: Vec<FlagUpdate>,
    pub(crate) segments: Vec<SegmentUpdate>,
    pub(crate) removed_flags: Vec<FlagKey>,
    pub(crate) removed_segments: Vec<SegmentKey>,
    /// Flags whose hold may have changed and nothing else.
    pub(crate) held: BTreeSet<FlagKey>,
}

/// What keeps flags closed apart from their positions.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    pub(crate) forced: BTreeSet<FlagKey>,
    /// With the revision that each kill was decided on.
    pub(crate) braked: BTreeMap<FlagKey, u64>,
    pub(crate) stale: BTreeSet<FlagKey>,
}

impl Holds {
    /// The strongest hold on a flag.
    fn of(&self, flag: &FlagKey) -> Option<Hold> {
        if self.forced.contains(flag) {
            Some(Hold::Forced)
        } else if self.braked.contains_key(flag) {
            Some(Hold::Braked)
        } else if self.stale.contains(flag) {
            Some(Hold::Stale)
        } else {
            None
        }
    }
}

/// What becomes of one flag.
#[derive(Default)]
struct Touch {
    position: Option<Position>,
    update: Option<FlagUpdate>,
    is_removed: bool,
    /// A segment that it uses came or went.
    is_resolved_anew: bool,
}

impl RuleSet {
    /// The next rule set. Costs time in the number of flags that differ, unless flags come or go
    /// or segments become readable or unreadable.
    pub(crate) fn revised(&self, revision: u64, change: Revision, holds: &Holds) -> Self {
        let (segments, touched_segments) =
            if change.segments.is_empty() && change.removed_segments.is_empty() {
                (Arc::clone(&self.segments), BTreeSet::new())
            } else {
                let (table, touched) = self
                    .segments
                    .revised(change.segments, &change.removed_segments);
                (Arc::new(table), touched)
            };

        if self.roster.is_empty() && change.positions.is_empty() {
            return self.first(revision, change.flags, segments, holds);
        }
        let mut touches: BTreeMap<FlagKey, Touch> = BTreeMap::new();
        if !touched_segments.is_empty() {
            for flag in self.roster.iter() {
                if flag.uses_any(&touched_segments) {
                    touches
                        .entry(flag.key().clone())
                        .or_default()
                        .is_resolved_anew = true;
                }
            }
        }
        for flag in change.held {
            touches.entry(flag).or_default();
        }
        for flag in change.removed_flags {
            touches.entry(flag).or_default().is_removed = true;
        }
        for update in change.flags {
            let touch = touches.entry(update.key.clone()).or_default();
            touch.is_removed = false;
            touch.update = Some(update);
        }
        for (flag, position) in change.positions {
            touches.entry(flag).or_default().position = Some(position);
        }

        let mut next = Self {
            revision,
            roster: self.roster.clone(),
            segments,
            refused: Arc::clone(&self.refused),
        };
        next.apply(touches, holds);
        next
    }

    /// The next rule set where there was no flag before.
    fn first(
        &self,
        revision: u64,
        updates: Vec<FlagUpdate>,
        segments: Arc<SegmentTable>,
        holds: &Holds,
    ) -> Self {
        let mut next = Self {
            revision,
            roster: self.roster.clone(),
            segments,
            refused: Arc::default(),
        };
        let mut shared = Shared::default();
        let mut flags: Vec<Flag> = updates
            .into_iter()
            .map(|update| {
                let hold = holds.of(&update.key);
                Flag::new(update, None, hold, &next.segments, &mut shared)
            })
            .collect();
        // Of two about one flag the last counts.
        flags.reverse();
        flags.sort_by(|left, right| left.key().cmp(right.key()));
        flags.dedup_by(|later, kept| later.key() == kept.key());
        if !flags.is_empty() {
            for flag in &flags {
                next.note_refusal(flag.key(), flag.refusal());
            }
            next.roster = Roster::new(flags, self.roster.generation().saturating_add(1));
        }
        next
    }

    fn apply(&mut self, touches: BTreeMap<FlagKey, Touch>, holds: &Holds) {
        let mut shared = Shared::default();
        let mut come: Vec<Flag> = Vec::new();
        let mut gone: BTreeSet<FlagKey> = BTreeSet::new();
        for (key, touch) in touches {
            let known = self.roster.named(key.as_str());
            let is_known = known.is_some();
            if touch.is_removed {
                self.note_refusal(&key, None);
                if is_known {
                    gone.insert(key);
                }
                continue;
            }
            let hold = holds.of(&key);
            let Some(flag) = touch.flag(known, hold, &self.segments, &mut shared) else {
                // A position or a hold of a flag that is not there: it stays unknown, which is
                // closed.
                continue;
            };
            self.note_refusal(&key, flag.refusal());
            if is_known {
                self.roster.replace(flag);
            } else {
                come.push(flag);
            }
        }
        if come.is_empty() && gone.is_empty() {
            return;
        }
        let mut flags = come;
        if !self.roster.is_empty() {
            let staying = self.roster.iter().filter(|flag| !gone.contains(flag.key()));
            flags.extend(staying.cloned());
            flags.sort_by(|left, right| left.key().cmp(right.key()));
        }
        self.roster = Roster::new(flags, self.roster.generation().saturating_add(1));
    }

    pub(super) fn note_refusal(&mut self, flag: &FlagKey, why: Option<&str>) {
        if self.refused.get(flag).map(|known| &**known) == why {
            return;
        }
        let refused = Arc::make_mut(&mut self.refused);
        match why {
            Some(why) => {
                refused.insert(flag.clone(), why.into());
            }
            None => {
                refused.remove(flag);
            }
        }
    }
}

impl Touch {
    /// The flag as it is after this; `None` when there is no such flag.
    fn flag(
        self,
        known: Option<&Flag>,
        hold: Option<Hold>,
        segments: &SegmentTable,
        shared: &mut Shared,
    ) -> Option<Flag> {
        if let Some(mut update) = self.update {
            // The position that moved is told ahead of the definition, and is the newer of the two.
            if let Some(position) = self.position {
                update.position = position;
            }
            let same_segments = known.filter(|_| !self.is_resolved_anew);
            return Some(Flag::new(update, same_segments, hold, segments, shared));
        }
        let known = known?;
        let position = match self.position {
            Some(position) => shared.position(position),
            None => Arc::clone(known.position()),
        };
        Some(if self.is_resolved_anew {
            known.resolved(position, hold, segments, shared)
        } else {
            known.moved(position, hold, segments)
        })
    }
}
