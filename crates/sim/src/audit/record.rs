//! What must be true of every record: that it is what was asked for, by somebody who may, and that
//! it does to people only what it says.

use leverframe_core::access::Role;
use leverframe_core::{Command, Event, State};
use leverframe_flags::{EnvironmentKey, FlagKey, Position};

use super::answers::Table;
use super::{Auditor, Broken, Verdict, demand};

impl Auditor {
    /// Checks the last record against the state before it.
    pub(super) fn check_record(&mut self, before: &State) -> Verdict {
        let Some((entry, earlier)) = self.entries.split_last() else {
            return Ok(());
        };
        let ledger = self.ledgers.entry(self.state.epoch()).or_default();
        let noted = ledger.note(entry, earlier).map_err(|what| Broken {
            promise: "P3",
            what,
        })?;
        self.counts.kills += noted.kills;
        self.counts.reopenings += noted.reopened.len() as u64;
        self.check_who_and_why(before)?;
        self.check_asked(&noted.reopened)?;
        self.check_key()?;
        self.check_people(before)
    }

    fn last(&self) -> (u64, &leverframe_core::Record) {
        let entry = &self.entries[self.entries.len() - 1];
        (entry.record.revision, &entry.record)
    }

    /// P9: who, why, and an undo that takes back exactly what it names.
    fn check_who_and_why(&mut self, before: &State) -> Verdict {
        let (revision, record) = self.last();
        demand(
            !record.actor.is_empty() && !record.actor_name.is_empty(),
            "P9",
            || format!("r{revision} says nobody did it"),
        )?;
        demand(record.at >= before.at(), "P9", || {
            format!("r{revision} is dated before the one in front of it")
        })?;
        let Some(Event::Undone { revision: undone }) = record.events.first() else {
            return Ok(());
        };
        let undone = &self.entries[*undone as usize - 1].record;
        for event in &undone.events {
            let Event::PositionMoved {
                flag,
                environment,
                from,
                ..
            } = event
            else {
                continue;
            };
            let now = self
                .state
                .flag(flag.as_str())
                .map(|flag| flag.position(environment.as_str()));
            demand(now == Some(from), "P9", || {
                format!(
                    "r{revision} undoes r{}, and {flag} in {environment} is not where it was",
                    undone.revision
                )
            })?;
        }
        self.counts.undos += 1;
        Ok(())
    }

    /// P9, P3: a record is what its sender asked for. A latch is lifted only by who asked for that.
    fn check_asked(&self, reopened: &[(FlagKey, EnvironmentKey)]) -> Verdict {
        let (revision, record) = self.last();
        let Some(request) = self.requests.get(&record.via) else {
            return demand(*record.via == *"sim", "P9", || {
                format!("nobody asked for r{revision}")
            });
        };
        demand(*record.actor == *request.actor.id(), "P9", || {
            format!("r{revision} names another actor")
        })?;
        demand(record.why == request.why.tidied(), "P9", || {
            format!("r{revision} gives another reason")
        })?;
        for (flag, environment) in reopened {
            let is_asked = match &request.command {
                Command::Open {
                    flag: asked,
                    environment: there,
                    ..
                } => (asked, there) == (flag, environment),
                Command::Undo { revision } => revision.is_some(),
                _ => false,
            };
            demand(is_asked, "P3", || {
                format!(
                    "r{revision} reopens {flag} in {environment}: {}",
                    request.words()
                )
            })?;
        }
        Ok(())
    }

    /// P5: one key of one actor leads to one record. (A key is forgotten after a day.)
    fn check_key(&mut self) -> Verdict {
        let (revision, record) = self.last();
        let Some(idempotency) = &record.idempotency else {
            return Ok(());
        };
        let key = (record.actor.clone(), idempotency.key.clone());
        if let Some(first) = self.keys.get(&key).copied() {
            let since_ms = record
                .at
                .ms_since(self.entries[first as usize - 1].record.at);
            demand(
                since_ms > leverframe_core::limit::IDEMPOTENCY_MS_MAX,
                "P5",
                || format!("r{first} and r{revision} are the same command, done twice"),
            )?;
        }
        self.keys.insert(key, revision);
        Ok(())
    }

    /// P2, P8: what the record does to people, whatever it says.
    fn check_people(&mut self, before: &State) -> Verdict {
        let (revision, record) = self.last();
        let role = before
            .token(&record.actor)
            .map_or(Role::Admin, |entry| entry.token.role);
        let is_growth = self.is_growth(before);
        let is_kill = record
            .events
            .iter()
            .all(|event| matches!(event, Event::PositionMoved { to, .. } if to.is_closed()));
        for entry in self.state.environments() {
            let environment = &entry.environment.key;
            let (Some(then), Some(now)) = (
                self.answers_of(before, environment),
                self.answers_of(&self.state, environment),
            ) else {
                continue;
            };
            if before.epoch() != self.state.epoch() {
                continue;
            }
            for flag in self.newcomers() {
                let row = now.new.get(flag);
                let is_closed = row
                    .is_some_and(|row| row.variants.iter().all(|variant| *variant == row.closed));
                demand(is_closed, "P1", || {
                    format!("{flag} is new at r{revision} and not closed in {environment}")
                })?;
            }
            let opened = opened(&then.new, &now.new);
            if let Some(who) = &opened {
                demand(!is_kill, "P2", || {
                    format!("r{revision} closes levers and opens {who} in {environment}")
                })?;
                demand(role >= Role::Operator, "P2", || {
                    format!("r{revision} of a {role} opens {who} in {environment}")
                })?;
                let was_guarded = before
                    .environment(environment.as_str())
                    .is_some_and(|entry| entry.environment.guarded);
                demand(!was_guarded || record.why.reason.is_some(), "P2", || {
                    format!("r{revision} opens {who} in guarded {environment} without a reason")
                })?;
            }
            if is_growth && let Some(who) = moved(&then.new, &now.new) {
                return Err(Broken {
                    promise: "P8",
                    what: format!(
                        "an exposure only grew at r{revision}, and {who} changed in {environment}"
                    ),
                });
            }
        }
        self.counts.growths += u64::from(is_growth);
        Ok(())
    }

    /// The flags that the last record made, or took back into use.
    fn newcomers(&self) -> impl Iterator<Item = &FlagKey> {
        self.last().1.events.iter().filter_map(|event| match event {
            Event::FlagCreated { definition } => Some(&definition.key),
            Event::FlagRestored { flag } => Some(flag),
            _ => None,
        })
    }

    /// Whether all that was asked for is a larger exposure of something open.
    fn is_growth(&self, before: &State) -> bool {
        let (_, record) = self.last();
        let Some(request) = self.requests.get(&record.via) else {
            return false;
        };
        let (Command::Open {
            flag, environment, ..
        }
        | Command::Ramp {
            flag, environment, ..
        }) = &request.command
        else {
            return false;
        };
        let at = |state: &State| {
            state
                .flag(flag.as_str())
                .map(|flag| flag.position(environment.as_str()).clone())
        };
        match (at(before), at(&self.state)) {
            (Some(Position::Open { exposure: then }), Some(Position::Open { exposure: now })) => {
                then.is_within(&now)
            }
            _ => false,
        }
    }
}

/// Somebody who was held back and no longer is.
fn opened(then: &Table, now: &Table) -> Option<String> {
    differing(then, now, |was_closed, is_closed, _| {
        was_closed && !is_closed
    })
}

/// Somebody who was let through and now gets something else.
fn moved(then: &Table, now: &Table) -> Option<String> {
    differing(then, now, |was_closed, _, is_same| !was_closed && !is_same)
}

fn differing(
    then: &Table,
    now: &Table,
    is_wanted: impl Fn(bool, bool, bool) -> bool,
) -> Option<String> {
    for (flag, now) in now {
        let Some(then) = then.get(flag) else {
            continue;
        };
        let customers = then.variants.iter().zip(&now.variants).enumerate();
        for (customer, (was, is)) in customers {
            if is_wanted(*was == then.closed, *is == now.closed, was == is) {
                return Some(format!("{flag} for customer {customer} ({was}, now {is})"));
            }
        }
    }
    None
}
