//! The follower: what an evaluator knows of one environment, and how updates change it.
//!
//! Pure: no clock, no socket, no disk. The caller hands it [`Update`]s in whatever order they
//! arrive and does what the [`Step`] says. Updates that are lost, repeated or reordered can delay
//! it and never mislead it: it ends at the state of the newest snapshot or unbroken chain, and
//! never goes back to an older revision of the same history (P5).

mod brake;
mod history;
mod keepsake;
mod step;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::key::{EnvironmentKey, FlagKey};
use crate::position::{Latch, Position};
use crate::rule_set::{Holds, Revision, RuleSet};
use crate::update::{Cursor, FlagUpdate, Update};

pub use keepsake::Keepsake;
pub use step::{Acknowledgement, NewHistory, Refusal, Step, WhyRefused};

/// What an evaluator knows of one environment.
#[derive(Debug)]
pub struct Follower {
    environment: EnvironmentKey,
    /// `None` before the first snapshot.
    cursor: Option<Cursor>,
    rules: Arc<RuleSet>,
    holds: Holds,
    /// Flags that close when the configuration gets too old, with the age in milliseconds.
    stale_after_ms: BTreeMap<FlagKey, u64>,
    /// The revision at which the journal last spoke about a kill of these flags.
    settled: BTreeMap<FlagKey, u64>,
    /// The revision of the last snapshot with no kill outstanding: it spoke about all flags.
    settled_all: u64,
    /// Where other histories were left.
    left: Vec<Cursor>,
}

impl Follower {
    /// A follower that knows nothing yet: every flag is unknown to it.
    #[must_use]
    pub fn new(environment: EnvironmentKey) -> Self {
        Self {
            environment,
            cursor: None,
            rules: Arc::new(RuleSet::empty()),
            holds: Holds::default(),
            stale_after_ms: BTreeMap::new(),
            settled: BTreeMap::new(),
            settled_all: 0,
            left: Vec::new(),
        }
    }

    /// The environment that is followed.
    #[must_use]
    pub fn environment(&self) -> &EnvironmentKey {
        &self.environment
    }

    /// What to answer by now. Another one after every step that changed anything.
    #[must_use]
    pub fn rule_set(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// Where it stands; `None` before the first snapshot.
    #[must_use]
    pub fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }

    /// What to tell the server now; `None` before the first snapshot.
    #[must_use]
    pub fn acknowledgement(&self) -> Option<Acknowledgement> {
        self.cursor.as_ref().map(|cursor| self.acknowledged(cursor))
    }

    /// Takes in one update. Whatever is taken in, or known already, makes the configuration fresh
    /// again (see [`Follower::age`]).
    pub fn apply(&mut self, update: Update) -> Step {
        let cursor = match &update {
            Update::Snapshot { cursor, .. }
            | Update::Change { cursor, .. }
            | Update::Brake { cursor, .. } => cursor,
        };
        if cursor.environment != self.environment {
            return Step::Refused {
                why: WhyRefused::Environment {
                    followed: self.environment.clone(),
                    told: cursor.environment.clone(),
                },
            };
        }
        let step = match update {
            Update::Snapshot {
                cursor,
                flags,
                segments,
            } => {
                let everything = Revision {
                    flags,
                    segments,
                    ..Revision::default()
                };
                self.snapshot_came(cursor, everything)
            }
            Update::Change {
                cursor,
                positions,
                flags,
                segments,
                removed_flags,
                removed_segments,
            } => {
                let change = Revision {
                    positions,
                    flags,
                    segments,
                    removed_flags,
                    removed_segments,
                    held: BTreeSet::new(),
                };
                self.change_came(cursor, change)
            }
            Update::Brake { cursor, closed } => self.brake_came(&cursor, closed),
        };
        if matches!(step, Step::Applied { .. } | Step::Duplicate { .. }) {
            self.age(0);
        }
        step
    }

    /// Keeps these flags closed in this process, whatever is told about them
    /// (`LEVER_FORCE_CLOSED`). Replaces what was forced before.
    pub fn force_closed(&mut self, flags: impl IntoIterator<Item = FlagKey>) {
        let forced: BTreeSet<FlagKey> = flags.into_iter().collect();
        let before = std::mem::replace(&mut self.holds.forced, forced);
        let held = before
            .symmetric_difference(&self.holds.forced)
            .cloned()
            .collect();
        self.rehold(held);
    }

    /// Says how long ago the server was last heard, in milliseconds: flags that allow less
    /// are closed, and open again once it is heard. Returns whether that changed any flag.
    pub fn age(&mut self, age_ms: u64) -> bool {
        if age_ms == 0 && self.holds.stale.is_empty() {
            return false;
        }
        let stale: BTreeSet<FlagKey> = self
            .stale_after_ms
            .iter()
            .filter(|(_, allowed_ms)| age_ms > **allowed_ms)
            .map(|(flag, _)| flag.clone())
            .collect();
        let before = std::mem::replace(&mut self.holds.stale, stale);
        let held: BTreeSet<FlagKey> = before
            .symmetric_difference(&self.holds.stale)
            .cloned()
            .collect();
        let has_changed = !held.is_empty();
        self.rehold(held);
        has_changed
    }

    /// All that is known, as one update, for a disk cache; `None` before the first snapshot.
    /// A flag that a brake keeps closed is written as closed, so that a restart does not open it.
    #[must_use]
    pub fn snapshot(&self) -> Option<Update> {
        let mut cursor = self.cursor.clone()?;
        cursor.previous = 0;
        let flags = self
            .rules
            .flags()
            .map(|flag| FlagUpdate {
                key: flag.key.clone(),
                position: if flag.position.is_closed() || !self.holds.braked.contains_key(flag.key)
                {
                    flag.position.clone()
                } else {
                    let (variant, value) = flag.closed;
                    let latch = Latch {
                        variant: variant.clone(),
                        value: value.clone(),
                    };
                    Position::Closed { latch: Some(latch) }
                },
                closed: (flag.closed.0.clone(), flag.closed.1.clone()),
                definition: flag.definition().map(Box::new).map_err(str::to_owned),
            })
            .collect();
        Some(Update::Snapshot {
            cursor,
            flags,
            segments: self.rules.segments().collect(),
        })
    }

    fn snapshot_came(&mut self, cursor: Cursor, everything: Revision) -> Step {
        if let Some(have) = &self.cursor {
            if have.is_same_history(&cursor) {
                if cursor.revision < have.revision {
                    return Step::Refused {
                        why: WhyRefused::older(have, &cursor),
                    };
                }
                if let Some(why) = have.contradiction(&cursor) {
                    return Step::Refused { why };
                }
                // With another brake the same revision may show other flags as closed.
                if cursor.revision == have.revision && cursor.brake == have.brake {
                    return Step::Duplicate {
                        acknowledgement: self.acknowledged(have),
                    };
                }
            } else if have.journal == cursor.journal && cursor.epoch < have.epoch {
                return Step::Refused {
                    why: WhyRefused::older(have, &cursor),
                };
            }
        }
        if let Some(left) = self.left.iter().find(|left| left.is_ahead_of(&cursor)) {
            return Step::Refused {
                why: WhyRefused::older(left, &cursor),
            };
        }
        let new_history = self.enter(&cursor);
        self.settle_by_snapshot(&cursor);
        let brake = match &self.cursor {
            // It was sent before the brakes came in that are still held.
            Some(have) if !self.holds.braked.is_empty() => have.brake.max(cursor.brake),
            _ => cursor.brake,
        };
        // What the snapshot does not name is gone.
        let flags: BTreeSet<&FlagKey> = everything.flags.iter().map(|flag| &flag.key).collect();
        let segments: BTreeSet<_> = everything.segments.iter().map(|found| &found.key).collect();
        let removed_flags = self
            .rules
            .flags()
            .map(|flag| flag.key)
            .filter(|key| !flags.contains(key))
            .cloned()
            .collect();
        let removed_segments = self
            .rules
            .segment_keys()
            .filter(|key| !segments.contains(key))
            .cloned()
            .collect();
        let change = Revision {
            removed_flags,
            removed_segments,
            ..everything
        };
        self.advance(Cursor { brake, ..cursor }, change, new_history)
    }

    fn change_came(&mut self, cursor: Cursor, change: Revision) -> Step {
        let Some(have) = &self.cursor else {
            return Step::Gap {
                have: 0,
                previous: cursor.previous,
            };
        };
        if have.journal == cursor.journal && cursor.epoch < have.epoch {
            return Step::Refused {
                why: WhyRefused::older(have, &cursor),
            };
        }
        let gap = Step::Gap {
            have: have.revision,
            previous: cursor.previous,
        };
        if !have.is_same_history(&cursor) {
            return gap;
        }
        if let Some(why) = have.contradiction(&cursor) {
            return Step::Refused { why };
        }
        if cursor.revision <= have.revision {
            return Step::Duplicate {
                acknowledgement: self.acknowledged(have),
            };
        }
        if cursor.previous != have.revision {
            return gap;
        }
        let brake = cursor.brake.min(have.brake);
        self.settle_by_change(&cursor, &change);
        self.advance(Cursor { brake, ..cursor }, change, None)
    }

    fn advance(
        &mut self,
        cursor: Cursor,
        change: Revision,
        new_history: Option<NewHistory>,
    ) -> Step {
        let redefined: Vec<FlagKey> = change
            .flags
            .iter()
            .map(|flag| flag.key.clone())
            .chain(change.removed_flags.iter().cloned())
            .collect();
        self.rules = Arc::new(self.rules.revised(cursor.revision, change, &self.holds));
        for flag in redefined {
            match self.rules.stale_after_ms(&flag) {
                Some(allowed_ms) => self.stale_after_ms.insert(flag, allowed_ms),
                None => self.stale_after_ms.remove(&flag),
            };
        }
        let acknowledgement = self.acknowledged(&cursor);
        self.cursor = Some(cursor);
        Step::Applied {
            acknowledgement,
            new_history,
        }
    }

    /// Compiles the flags anew whose hold may have changed.
    fn rehold(&mut self, held: BTreeSet<FlagKey>) {
        if held.is_empty() {
            return;
        }
        let change = Revision {
            held,
            ..Revision::default()
        };
        let revision = self.rules.revision();
        self.rules = Arc::new(self.rules.revised(revision, change, &self.holds));
    }

    fn acknowledged(&self, cursor: &Cursor) -> Acknowledgement {
        Acknowledgement::new(cursor, &self.rules)
    }
}
