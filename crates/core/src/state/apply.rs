//! Applying a record: the only way the state changes. Pure, and all or nothing.

use std::sync::Arc;

use leverframe_flags::{EnvironmentKey, FlagKey, Position};

use super::{EnvironmentEntry, Flag, Lever, SegmentEntry, State, TokenEntry};
use crate::event::Event;
use crate::frame;
use crate::record::{Entry, Record};
use crate::table::Table;

/// Why an entry does not follow this state. The state is left as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// It is not the next revision.
    #[error("revision {found} cannot follow revision {current}")]
    WrongRevision {
        /// Where the state is.
        current: u64,
        /// What came.
        found: u64,
    },
    /// It does not continue this chain.
    #[error("the record at revision {revision} does not continue the chain")]
    BrokenChain {
        /// Which.
        revision: u64,
    },
    /// One of its events cannot have happened here.
    #[error("the record at revision {revision} says what cannot be: {why}")]
    Impossible {
        /// Which.
        revision: u64,
        /// What, in words.
        why: String,
    },
}

impl State {
    /// Makes a record true.
    ///
    /// # Errors
    /// [`ApplyError`] when the entry is not the next one of this journal; nothing has changed then.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), ApplyError> {
        let record = &entry.record;
        if record.revision != self.revision + 1 {
            return Err(ApplyError::WrongRevision {
                current: self.revision,
                found: record.revision,
            });
        }
        if entry.previous != self.head {
            return Err(ApplyError::BrokenChain {
                revision: record.revision,
            });
        }
        let mut next = self.clone();
        next.revision = record.revision;
        next.head = entry.link;
        next.at = record.at;
        for event in &record.events {
            next.apply_event(event, record)
                .map_err(|why| ApplyError::Impossible {
                    revision: record.revision,
                    why,
                })?;
        }
        if next.journal.is_empty() {
            return Err(ApplyError::Impossible {
                revision: record.revision,
                why: "a journal begins with its start".to_owned(),
            });
        }
        next.note_heard(self, record);
        self.note_history(&mut next, entry);
        next.repeats.note(record);
        *self = next;
        Ok(())
    }

    /// Marks the environments whose evaluators have to hear of a record.
    fn note_heard(&mut self, before: &Self, record: &Record) {
        let heard: Vec<EnvironmentKey> = self
            .environments
            .keys()
            .filter(|environment| {
                record
                    .events
                    .iter()
                    .any(|event| frame::is_heard(before, self, event, environment))
            })
            .cloned()
            .collect();
        for environment in heard {
            if let Some(entry) = self.environments.get_mut(&environment) {
                entry.revision = self.revision;
                entry.head = self.head;
            }
        }
    }

    fn apply_event(&mut self, event: &Event, record: &Record) -> Result<(), String> {
        match event {
            Event::JournalStarted { journal } => {
                if record.revision != 1 || !self.journal.is_empty() || journal.is_empty() {
                    return Err("a journal starts once, at revision 1".to_owned());
                }
                self.journal = Arc::from(&**journal);
                self.epoch = 1;
            }
            Event::EpochRaised { epoch } => {
                if *epoch <= self.epoch {
                    return Err(format!("epoch {epoch} does not follow {}", self.epoch));
                }
                self.epoch = *epoch;
            }
            Event::EnvironmentCreated { environment } => {
                let entry = EnvironmentEntry {
                    environment: environment.clone(),
                    revision: record.revision,
                    head: self.head,
                    guarded_revision: record.revision,
                };
                if let Some(old) = self.environments.insert(environment.key.clone(), entry) {
                    return Err(format!("{} exists already", old.environment.key));
                }
            }
            Event::EnvironmentGuarded {
                environment,
                guarded,
            } => {
                let entry = self
                    .environments
                    .get_mut(environment)
                    .ok_or_else(|| missing("environment", environment.as_str()))?;
                entry.environment.guarded = *guarded;
                entry.guarded_revision = record.revision;
            }
            Event::FlagCreated { .. }
            | Event::FlagEdited { .. }
            | Event::FlagArchived { .. }
            | Event::FlagRestored { .. } => self.apply_to_flag(event, record)?,
            Event::SegmentCreated { segment } | Event::SegmentEdited { segment } => {
                let is_new = matches!(event, Event::SegmentCreated { .. });
                let entry = SegmentEntry {
                    segment: Arc::clone(segment),
                    revision: record.revision,
                };
                let old = self.segments.insert(segment.key.clone(), Arc::new(entry));
                if is_new == old.is_some() {
                    return Err(format!("segment {} was there, or was not", segment.key));
                }
            }
            Event::SegmentDeleted { segment } => {
                self.segments
                    .remove(segment)
                    .ok_or_else(|| missing("segment", segment.as_str()))?;
            }
            Event::PositionMoved {
                flag,
                environment,
                from,
                to,
            } => self.move_lever(flag, environment, (from, to), record)?,
            Event::Undone { revision } => {
                if *revision >= record.revision {
                    return Err(format!("revision {revision} has not been yet"));
                }
            }
            Event::TokenCreated { token } => {
                let entry = TokenEntry {
                    token: Arc::clone(token),
                    created_at: record.at,
                    revoked_at: None,
                    revision: record.revision,
                };
                if self
                    .tokens
                    .insert(token.id.clone(), Arc::new(entry))
                    .is_some()
                {
                    return Err(format!("token {} exists already", token.id));
                }
            }
            Event::TokenRevoked { id } => {
                let entry = self
                    .tokens
                    .get_mut(id)
                    .ok_or_else(|| missing("token", id))?;
                let entry = Arc::make_mut(entry);
                entry.revoked_at = Some(record.at);
                entry.revision = record.revision;
            }
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
            | Event::WatchDeclined { .. } => self.apply_to_journeys(event, record)?,
        }
        Ok(())
    }

    fn apply_to_flag(&mut self, event: &Event, record: &Record) -> Result<(), String> {
        let (key, definition) = match event {
            Event::FlagCreated { definition } | Event::FlagEdited { definition } => {
                // Whoever is told of a flag is told its closed value; there has to be one.
                if definition.closed_value().is_none() {
                    return Err(format!("flag {} has no closed value", definition.key));
                }
                (&definition.key, Some(definition))
            }
            Event::FlagArchived { flag } | Event::FlagRestored { flag } => (flag, None),
            _ => return Ok(()),
        };
        if let Event::FlagCreated { definition } = event {
            let flag = Flag {
                definition: Arc::clone(definition),
                created_at: record.at,
                defined_revision: record.revision,
                is_archived: false,
                levers: Table::new(),
            };
            if self.flags.insert(key.clone(), Arc::new(flag)).is_some() {
                return Err(format!("flag {key} exists already"));
            }
            return Ok(());
        }
        let flag = self
            .flags
            .get_mut(key)
            .ok_or_else(|| missing("flag", key.as_str()))?;
        let flag = Arc::make_mut(flag);
        if flag.is_archived != matches!(event, Event::FlagRestored { .. }) {
            return Err(format!("flag {key} is archived, or is not"));
        }
        if let Some(definition) = definition {
            flag.definition = Arc::clone(definition);
        } else {
            let is_open = flag
                .levers
                .values()
                .any(|lever| !lever.position.is_closed());
            if is_open {
                return Err(format!("flag {key} is not closed everywhere"));
            }
            flag.is_archived = !flag.is_archived;
        }
        flag.defined_revision = record.revision;
        Ok(())
    }

    fn move_lever(
        &mut self,
        flag: &FlagKey,
        environment: &EnvironmentKey,
        (from, to): (&Position, &Position),
        record: &Record,
    ) -> Result<(), String> {
        if !self.environments.contains_key(environment) {
            return Err(missing("environment", environment.as_str()));
        }
        let entry = self
            .flags
            .get_mut(flag)
            .ok_or_else(|| missing("flag", flag.as_str()))?;
        if entry.position(environment.as_str()) != from {
            return Err(format!("{flag} is not {from} in {environment}"));
        }
        if entry.is_archived && !to.is_closed() {
            return Err(format!("{flag} is archived"));
        }
        let lever = Lever {
            position: to.clone(),
            moved_revision: record.revision,
            moved_at: record.at,
            moved_by: Arc::from(&*record.actor_name),
            reason: record.why.reason.as_deref().map(Arc::from),
        };
        Arc::make_mut(entry)
            .levers
            .insert(environment.clone(), lever);
        Ok(())
    }
}

fn missing(noun: &str, key: &str) -> String {
    format!("there is no {noun} {key}")
}
