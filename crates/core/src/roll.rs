//! The roll: the evaluators of one environment that count for a confirmation.
//!
//! A member counts from its first snapshot until it says goodbye or was not heard for
//! [`ROLL_MS`]; one that disconnects without goodbye stays on the roll as long. A reconnecting
//! instance keeps its place. What an evaluator last said it stands at is what counts, never the
//! best it ever said: a process that restarts under its old name may stand further back.
//!
//! The roll is beside the journal, not in it; it is stored as the list of its members.

mod confirmation;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use leverframe_flags::FlagKey;
use serde::{Deserialize, Serialize};

use crate::limit::{DECLARING_BUILDS_MAX, MEMBER_TEXT_BYTES_MAX, REFUSALS_MAX, ROLL_MAX, ROLL_MS};
use crate::record::Link;
use crate::rejection::Rejection;
use crate::time::Timestamp;

pub use confirmation::{Confirmation, Refusal, Straggler, StragglerKind};

/// What an evaluator says about itself when it joins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// A name that is its own, such as `web-7f9c-2`; it keeps its place on the roll under it.
    pub instance: Box<str>,
    /// The application it is part of.
    pub application: Box<str>,
    /// The application's build.
    pub build: Box<str>,
    /// The client's name and version.
    pub version: Box<str>,
    /// Where it says it stands already, when it resumes.
    pub resumes: Option<Acknowledged>,
    /// The flags that its code knows, when it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<Vec<FlagKey>>,
}

/// A state of the environment that an evaluator says it has applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// The epoch.
    pub epoch: u64,
    /// The environment's revision.
    pub revision: u64,
    /// The last kill ahead of the journal that it has applied.
    pub brake: u64,
    /// The journal's head at that revision, as it knows it.
    pub head: Link,
    /// When it said so, by the node's clock.
    pub at: Timestamp,
}

/// An evaluator on the roll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its own name.
    pub instance: Box<str>,
    /// The application it is part of.
    pub application: Box<str>,
    /// The application's build.
    pub build: Box<str>,
    /// The client's name and version.
    pub version: Box<str>,
    /// When it joined first.
    pub joined_at: Timestamp,
    /// When it was last heard.
    pub last_seen: Timestamp,
    /// Whether a connection of its is open.
    pub is_connected: bool,
    /// Whether it was sent a snapshot and so counts: from then on it may answer by it.
    pub counts: bool,
    /// Where it last said it stands.
    pub acknowledged: Option<Acknowledged>,
    /// The flags whose definition it refused, and why; they are closed there.
    pub refused: Vec<(FlagKey, String)>,
    /// The flags that its code knows, sorted, when it has said so; shared by those of one build. Not
    /// stored: who comes back says it again.
    #[serde(skip)]
    pub flags: Option<Arc<[FlagKey]>>,
    /// Open connections; a new one may come before the old one is seen to be gone.
    #[serde(skip)]
    connections: u32,
    /// It said goodbye on one connection while it had another, and was not heard since.
    #[serde(skip)]
    is_leaving: bool,
}

/// The evaluators of one environment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Roll {
    members: BTreeMap<Box<str>, Member>,
    /// How many members that count stand at each (epoch, revision); no entry is 0.
    standing: BTreeMap<Standing, usize>,
    /// What the last member of each build said that it knows.
    declared: BTreeMap<Box<str>, Arc<[FlagKey]>>,
}

/// Where a member stands; `None`, below everything, when it joined again and has not said.
type Standing = Option<(u64, u64)>;

impl Roll {
    /// An empty roll.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The roll as it was stored. Nobody is connected yet.
    #[must_use]
    pub fn load(members: impl IntoIterator<Item = Member>) -> Self {
        let mut roll = Self::new();
        for mut member in members {
            member.is_connected = false;
            member.connections = 0;
            roll.put(member);
        }
        roll
    }

    /// The roll as it was stored by a process with another clock. Nobody is connected yet.
    ///
    /// The time between is not counted: whoever was connected then or heard last was heard `now`, and
    /// the others as long before that as they were. (A roll is stored when it changes, and a heartbeat
    /// changes nothing: of those who were connected, the stored time says only when somebody else
    /// last came or went.) Clocks of two processes cannot be compared (somebody may
    /// have set the wall clock in between), and one that ran ahead must not empty the roll: a kill
    /// would be confirmed without those who have yet to reconnect.
    #[must_use]
    pub fn resumed(members: impl IntoIterator<Item = Member>, now: Timestamp) -> Self {
        let mut members: Vec<Member> = members.into_iter().collect();
        let latest = members.iter().map(|member| member.last_seen).max();
        let by_ms = latest.map_or(0, |latest| now.ms_since(latest));
        for member in &mut members {
            member.last_seen = if member.is_connected {
                now
            } else {
                member.last_seen.plus_ms(by_ms)
            };
            member.joined_at = member.joined_at.plus_ms(by_ms);
            if let Some(acknowledged) = &mut member.acknowledged {
                acknowledged.at = acknowledged.at.plus_ms(by_ms);
            }
        }
        Self::load(members)
    }

    /// A connection was opened. Each needs one [`Roll::disconnected`] when it ends.
    ///
    /// # Errors
    /// [`Rejection::Full`] when the roll holds [`ROLL_MAX`] evaluators that were heard lately.
    pub fn joined(&mut self, hello: Hello, now: Timestamp) -> Result<(), Rejection> {
        let instance = bounded(&hello.instance);
        let old = self.take(&instance);
        if old.is_none() && self.members.len() >= ROLL_MAX {
            self.forget_silent(now);
            if self.members.len() >= ROLL_MAX {
                return Err(Rejection::Full {
                    noun: "evaluators on the roll",
                    max: ROLL_MAX,
                });
            }
        }
        let (joined_at, counts, refused, connections) = match old {
            Some(old) => (old.joined_at, old.counts, old.refused, old.connections),
            None => (now, false, Vec::new(), 0),
        };
        let flags = hello.flags.map(|flags| self.shared(&hello.build, flags));
        self.put(Member {
            flags,
            application: bounded(&hello.application),
            build: bounded(&hello.build),
            version: bounded(&hello.version),
            instance,
            joined_at,
            last_seen: now,
            is_connected: true,
            counts: counts || hello.resumes.is_some(),
            acknowledged: hello.resumes,
            refused,
            connections: connections.saturating_add(1),
            is_leaving: false,
        });
        Ok(())
    }

    /// The same flags as those of another member of the same build, where there is one.
    fn shared(&mut self, build: &str, mut flags: Vec<FlagKey>) -> Arc<[FlagKey]> {
        flags.sort_unstable();
        flags.dedup();
        let known = self.declared.get(build).filter(|known| ***known == *flags);
        if let Some(known) = known {
            return Arc::clone(known);
        }
        let flags: Arc<[FlagKey]> = flags.into();
        if self.declared.len() >= DECLARING_BUILDS_MAX {
            self.declared.pop_first();
        }
        self.declared.insert(bounded(build), Arc::clone(&flags));
        flags
    }

    /// An evaluator is about to be sent its first snapshot, and counts from now on, though it has not
    /// acknowledged anything: it may be stopped right after it began to answer.
    pub fn snapshot_sent(&mut self, instance: &str) {
        self.change(instance, |member| member.counts = true);
    }

    /// An evaluator says where it stands, and which definitions it refused there. From the first
    /// time on it counts.
    pub fn acknowledged(
        &mut self,
        instance: &str,
        acknowledged: Acknowledged,
        mut refused: Vec<(FlagKey, String)>,
        now: Timestamp,
    ) {
        refused.truncate(REFUSALS_MAX);
        for (_, why) in &mut refused {
            *why = bounded(why).into();
        }
        self.change(instance, |member| {
            member.hear(now);
            member.counts = true;
            member.acknowledged = Some(acknowledged);
            member.refused = refused;
        });
    }

    /// Anything came from an evaluator, such as a heartbeat.
    pub fn heard(&mut self, instance: &str, now: Timestamp) {
        if let Some(member) = self.members.get_mut(instance) {
            member.hear(now);
        }
    }

    /// A connection ended without goodbye. The evaluator stays on the roll.
    pub fn disconnected(&mut self, instance: &str, _now: Timestamp) {
        if let Some(member) = self.members.get_mut(instance) {
            member.connections = member.connections.saturating_sub(1);
            member.is_connected = member.connections > 0;
            if member.is_leaving && !member.is_connected {
                self.take(instance);
            }
        }
    }

    /// An evaluator leaves, and says so; its connection has ended with that. While it has another
    /// one it stays: what said goodbye may be the process before it, of the same name.
    pub fn said_goodbye(&mut self, instance: &str, now: Timestamp) {
        if let Some(member) = self.members.get_mut(instance) {
            member.is_leaving = true;
        }
        self.disconnected(instance, now);
    }

    /// Forgets who was not heard for [`ROLL_MS`]. Counting leaves them out in any case; this keeps
    /// the roll small, and [`Roll::behind`] exact.
    pub fn forget_silent(&mut self, now: Timestamp) {
        let silent: Vec<Box<str>> = self
            .members
            .values()
            .filter(|member| !member.is_recent(now))
            .map(|member| member.instance.clone())
            .collect();
        for instance in silent {
            self.take(&instance);
        }
    }

    /// The evaluators that were heard in the last [`ROLL_MS`], sorted by instance, those included
    /// that do not count yet.
    pub fn members(&self, now: Timestamp) -> impl Iterator<Item = &Member> {
        self.members
            .values()
            .filter(move |member| member.is_recent(now))
    }

    /// One evaluator.
    #[must_use]
    pub fn member(&self, instance: &str) -> Option<&Member> {
        self.members.get(instance)
    }

    /// Everybody, for storing.
    #[must_use]
    pub fn to_members(&self) -> Vec<Member> {
        self.members.values().cloned().collect()
    }

    /// How many evaluators have not acknowledged `revision` of `epoch`, at the cost of a glance:
    /// for asking after every acknowledgement whether [`Roll::confirmation`], which looks at every
    /// member, is worth asking. Those who fell silent are in it until they are forgotten.
    #[must_use]
    pub fn behind(&self, epoch: u64, revision: u64) -> usize {
        self.standing
            .range(..Some((epoch, revision)))
            .map(|(_, count)| count)
            .sum()
    }

    /// Whether nobody is [`Roll::behind`], which with many standings is less work than how many are.
    #[must_use]
    pub fn is_nobody_behind(&self, epoch: u64, revision: u64) -> bool {
        self.standing
            .range(..Some((epoch, revision)))
            .next()
            .is_none()
    }

    /// Who has `revision` of `epoch`, and who has not.
    #[must_use]
    pub fn confirmation(&self, epoch: u64, revision: u64, now: Timestamp) -> Confirmation {
        let wanted = Some((epoch, revision));
        let has_it = |member: &Member| member.standing() >= wanted;
        Confirmation::of(self.members(now), revision, has_it, now)
    }

    /// Who has the kill that went out ahead of the journal as number `brake` of `epoch`, decided on
    /// `revision`: those who say so, and, once it is `stored`, those who have that revision.
    #[must_use]
    pub fn brake_confirmation(
        &self,
        epoch: u64,
        revision: u64,
        brake: u64,
        stored: Option<u64>,
        now: Timestamp,
    ) -> Confirmation {
        let has_it = |member: &Member| member.has_brake(epoch, brake, stored);
        Confirmation::of(self.members(now), revision, has_it, now)
    }

    /// The first evaluator from the instance `from` on, in their order, that counts and has not the
    /// kill of [`Roll::brake_confirmation`]. While that one has not, nothing else need be looked at.
    #[must_use]
    pub fn first_without_brake(
        &self,
        epoch: u64,
        brake: u64,
        stored: Option<u64>,
        from: &str,
    ) -> Option<&Member> {
        self.members
            .range::<str, _>((Bound::Included(from), Bound::Unbounded))
            .map(|(_, member)| member)
            .find(|member| member.counts && !member.has_brake(epoch, brake, stored))
    }

    /// Changes a member where it is: this runs for every acknowledgement.
    fn change(&mut self, instance: &str, change: impl FnOnce(&mut Member)) {
        let Some(member) = self.members.get_mut(instance) else {
            return;
        };
        let before = member.counts.then(|| member.standing());
        change(member);
        let after = member.counts.then(|| member.standing());
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.leave(before);
        }
        if let Some(after) = after {
            self.enter(after);
        }
    }

    fn enter(&mut self, standing: Standing) {
        *self.standing.entry(standing).or_default() += 1;
    }

    fn leave(&mut self, standing: Standing) {
        if let Some(count) = self.standing.get_mut(&standing) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.standing.remove(&standing);
            }
        }
    }

    fn take(&mut self, instance: &str) -> Option<Member> {
        let member = self.members.remove(instance)?;
        if member.counts {
            self.leave(member.standing());
        }
        Some(member)
    }

    fn put(&mut self, member: Member) {
        if member.counts {
            self.enter(member.standing());
        }
        self.members.insert(member.instance.clone(), member);
    }
}

impl Member {
    fn hear(&mut self, now: Timestamp) {
        self.last_seen = now;
        // Whoever is heard has a connection, whatever was counted.
        self.connections = self.connections.max(1);
        self.is_connected = true;
        self.is_leaving = false;
    }

    fn is_recent(&self, now: Timestamp) -> bool {
        now.ms_since(self.last_seen) <= ROLL_MS
    }

    /// Whether it has the kill that went out as number `brake`, or the revision it was `stored` as.
    fn has_brake(&self, epoch: u64, brake: u64, stored: Option<u64>) -> bool {
        let has_braked = self
            .acknowledged
            .as_ref()
            .is_some_and(|acknowledged| acknowledged.epoch == epoch && acknowledged.brake >= brake);
        let has_stored = stored.is_some_and(|at| self.standing() >= Some((epoch, at)));
        has_braked || has_stored
    }

    fn standing(&self) -> Standing {
        self.acknowledged
            .as_ref()
            .map(|acknowledged| (acknowledged.epoch, acknowledged.revision))
    }
}

/// What an evaluator says about itself is input.
fn bounded(text: &str) -> Box<str> {
    let mut end = text.len().min(MEMBER_TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().into()
}
