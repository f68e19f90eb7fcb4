//! One environment's presence: the roll, and how long each change took to reach it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use leverframe_core::roll::{Acknowledged, Confirmation, Hello, Member, Roll};
use leverframe_core::{Rejection, Timestamp};
use leverframe_flags::{EnvironmentKey, FlagKey};
use tokio::sync::watch;

use crate::brake::Brake;
use crate::clock::Clock;

use crate::measure::Measurements;
use crate::place::Place;
use crate::pull::{Propagated, Pulls, Quantiles, Reached, Wanted};

/// How old the saved roll may become while nobody joins or leaves, in milliseconds.
const SAVE_AGAIN_MS: i64 = 60_000;
/// How old it may become while they acknowledge, in milliseconds. Who joins after a restart says
/// itself where it stands, so the saved roll may lag; but not behind who there is.
const SAVE_STANDINGS_MS: i64 = 5_000;
/// How many kills that went out ahead of the journal are remembered.
const BRAKES_MAX: usize = 1_024;

/// Who follows one environment, and what they have acknowledged.
pub struct Presence {
    clock: Clock,
    measurements: Arc<Measurements>,
    inner: Mutex<Inner>,
    /// Counts up whenever somebody's wait may be over.
    changed: watch::Sender<u64>,
    /// Who is on the roll is not what was saved.
    is_unsaved: AtomicBool,
    /// Where they stand is not.
    is_moved: AtomicBool,
    saved_ms: AtomicI64,
}

struct Inner {
    roll: Roll,
    epoch: u64,
    revision: u64,
    pulls: Pulls,
    /// Kills that went out ahead of the journal, and the revisions they were decided on and became.
    brakes: BTreeMap<u64, BrakeTrack>,
    /// What somebody waits for, and how many do.
    awaited: BTreeMap<Wanted, usize>,
}

#[derive(Debug, Clone)]
struct BrakeTrack {
    decided_on: u64,
    stored_as: Option<u64>,
    /// The instance that was found last to count and not to have it. An instance can come before it
    /// that has not got it either, but while this one has not, not everybody has.
    straggler: Box<str>,
}

/// Somebody waits; until it is dropped, acknowledgements look whether that is over.
struct Wait<'a> {
    presence: &'a Presence,
    wanted: Wanted,
}

/// Who has a revision, and how long it took.
#[derive(Debug, Clone)]
pub struct Confirmed {
    /// Who has it and who has not.
    pub confirmation: Confirmation,
    /// From the request to the acknowledgement that completed it, in milliseconds; absent while it
    /// is not complete and for revisions from before the node's start.
    pub elapsed_ms: Option<f64>,
    /// The same for each evaluator that has it.
    pub confirm_ms: Option<Quantiles>,
}

impl Presence {
    pub(crate) fn new(
        environment: &EnvironmentKey,
        clock: Clock,
        place: &Place,
        measurements: Arc<Measurements>,
        saved_roll: Option<&[u8]>,
    ) -> Self {
        let members: Vec<Member> = saved_roll.map_or_else(Vec::new, |bytes| {
            serde_json::from_slice(bytes).unwrap_or_else(|error| {
                tracing::warn!(%environment, %error, "the saved roll cannot be read; evaluators count again once they reconnect");
                Vec::new()
            })
        });
        let roll = Roll::resumed(members, clock.steady());
        let inner = Inner {
            roll,
            epoch: place.epoch,
            revision: place.revision,
            pulls: Pulls::default(),
            brakes: BTreeMap::new(),
            awaited: BTreeMap::new(),
        };
        Self {
            clock,
            measurements,
            inner: Mutex::new(inner),
            changed: watch::Sender::new(0),
            is_unsaved: AtomicBool::new(false),
            is_moved: AtomicBool::new(false),
            saved_ms: AtomicI64::new(0),
        }
    }

    /// An evaluator's connection is up.
    ///
    /// # Errors
    /// [`Rejection::Full`] when the roll has no room.
    pub fn join(&self, hello: Hello) -> Result<(), Rejection> {
        let now = self.clock.steady();
        self.change(|inner| inner.roll.joined(hello, now))
    }

    /// An evaluator is about to be sent its first snapshot, and counts from now on.
    pub fn snapshot_sent(&self, instance: &str) {
        self.change(|inner| inner.roll.snapshot_sent(instance));
    }

    /// An evaluator has applied a revision, except for the flags it refused (flag and why).
    pub fn acknowledge(
        &self,
        instance: &str,
        acknowledged: Acknowledged,
        refused: Vec<(FlagKey, String)>,
    ) {
        let arrived = Instant::now();
        let now = self.clock.steady();
        let epoch = acknowledged.epoch;
        let reached = |acknowledged: &Acknowledged| Reached {
            revision: acknowledged.revision,
            brake: acknowledged.brake,
        };
        let has = reached(&acknowledged);
        let is_over = {
            let mut inner = self.lock();
            let member = inner.roll.member(instance);
            let counted = member.is_some_and(|member| member.counts);
            let had = member
                .and_then(|member| member.acknowledged.as_ref())
                .filter(|had| had.epoch == epoch)
                .map(reached);
            inner
                .roll
                .acknowledged(instance, acknowledged, refused, now);
            if !counted {
                self.is_unsaved.store(true, Ordering::Release);
            }
            if had == Some(has) {
                return;
            }
            if let Some(had) = had
                && epoch == inner.epoch
            {
                inner.pulls.acknowledged(had, has, arrived);
            }
            self.complete(&mut inner);
            inner.is_wait_over()
        };
        self.is_moved.store(true, Ordering::Release);
        if is_over {
            self.wake();
        }
    }

    /// Something was heard of an evaluator.
    pub fn heard(&self, instance: &str) {
        let now = self.clock.steady();
        self.lock().roll.heard(instance, now);
    }

    /// An evaluator's connection is gone, without goodbye.
    pub fn disconnected(&self, instance: &str) {
        let now = self.clock.steady();
        self.change(|inner| inner.roll.disconnected(instance, now));
    }

    /// An evaluator left of its own will.
    pub fn goodbye(&self, instance: &str) {
        let now = self.clock.steady();
        self.change(|inner| inner.roll.said_goodbye(instance, now));
    }

    /// Everybody on the roll.
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        let now = self.clock.steady();
        self.lock().roll.members(now).cloned().collect()
    }

    /// How many count, and how many of them were heard since.
    pub(crate) fn heard_since(&self, since: Timestamp) -> (usize, usize) {
        let now = self.clock.steady();
        let inner = self.lock();
        let counting = inner.roll.members(now).filter(|member| member.counts);
        counting.fold((0, 0), |(expected, heard), member| {
            (expected + 1, heard + usize::from(member.last_seen >= since))
        })
    }

    /// Who has it.
    #[must_use]
    pub fn confirmation(&self, wanted: impl Into<Wanted>) -> Confirmed {
        let now = self.clock.steady();
        let inner = self.lock();
        let (confirmation, wanted) = match wanted.into() {
            Wanted::Revision(revision) => {
                // One that did not concern this environment is had with the one before it that did.
                let known = revision.min(inner.revision);
                let mut confirmation = inner.roll.confirmation(inner.epoch, known, now);
                confirmation.revision = revision;
                (confirmation, Wanted::Revision(known))
            }
            Wanted::Brake(number) => (inner.brake_confirmation(number, now), Wanted::Brake(number)),
        };
        let times = inner.pulls.times(wanted);
        Confirmed {
            elapsed_ms: times.elapsed_ms.filter(|_| confirmation.is_complete()),
            confirm_ms: times.each,
            confirmation,
        }
    }

    /// How long the acknowledgements of the last changes took.
    #[must_use]
    pub fn propagation(&self) -> Vec<Propagated> {
        self.lock().pulls.histogram()
    }

    /// Who has it, once everybody has, nobody follows, or the wait is over.
    pub async fn wait(&self, wanted: impl Into<Wanted>, at_most: Duration) -> Confirmed {
        let wanted = wanted.into();
        let mut changed = self.changed.subscribe();
        let _wait = self.begin_wait(wanted);
        let deadline = tokio::time::Instant::now() + at_most;
        loop {
            let confirmed = self.confirmation(wanted);
            if confirmed.confirmation.is_complete()
                || confirmed.confirmation.is_empty_roll()
                || tokio::time::Instant::now() >= deadline
            {
                return confirmed;
            }
            // Nobody says so when a straggler ages off the roll, so look again now and then.
            let look_again = deadline.min(tokio::time::Instant::now() + Duration::from_secs(1));
            // Who has it costs a look at everybody; whether everybody has, next to nothing.
            let over = changed.wait_for(|_| self.lock().is_had(wanted));
            if let Ok(Err(_)) = tokio::time::timeout_at(look_again, over).await {
                return confirmed;
            }
        }
    }

    fn begin_wait(&self, wanted: Wanted) -> Wait<'_> {
        *self.lock().awaited.entry(wanted).or_default() += 1;
        Wait {
            presence: self,
            wanted,
        }
    }

    /// A revision is about to go out.
    pub(crate) fn published(&self, epoch: u64, revision: u64, received: Instant) {
        let mut inner = self.lock();
        inner.epoch = epoch;
        inner.revision = revision;
        inner.pulls.begin(Wanted::Revision(revision), received);
    }

    /// A kill is about to go out ahead of the journal.
    pub(crate) fn braked(&self, brake: &Brake, received: Instant) {
        let mut inner = self.lock();
        let track = BrakeTrack {
            decided_on: brake.decided_on,
            stored_as: None,
            straggler: Box::default(),
        };
        inner.brakes.insert(brake.number, track);
        while inner.brakes.len() > BRAKES_MAX {
            inner.brakes.pop_first();
        }
        inner.pulls.begin(Wanted::Brake(brake.number), received);
    }

    /// A kill that went out ahead of the journal is in it now: who has that revision has the kill.
    pub(crate) fn settled(&self, number: u64, revision: u64) {
        self.change(|inner| {
            if let Some(track) = inner.brakes.get_mut(&number) {
                track.stored_as = Some(revision);
            }
        });
    }

    /// The roll in the form it is kept in, if it changed since it was last asked for, or if who was
    /// heard when is too old to be of use after a restart.
    pub(crate) fn unsaved(&self) -> Option<Vec<u8>> {
        let now_ms = self.clock.steady().as_ms();
        let age_ms = now_ms - self.saved_ms.load(Ordering::Relaxed);
        let is_due = age_ms >= SAVE_AGAIN_MS
            || (age_ms >= SAVE_STANDINGS_MS && self.is_moved.load(Ordering::Acquire));
        if !self.is_unsaved.swap(false, Ordering::AcqRel) && !is_due {
            return None;
        }
        self.is_moved.store(false, Ordering::Release);
        self.saved_ms.store(now_ms, Ordering::Relaxed);
        let members = {
            let mut inner = self.lock();
            inner.roll.forget_silent(self.clock.steady());
            inner.roll.to_members()
        };
        serde_json::to_vec(&members)
            .inspect_err(|error| tracing::error!(%error, "the roll cannot be written"))
            .ok()
    }

    /// What was taken with [`Presence::unsaved`] could not be kept.
    pub(crate) fn not_saved(&self) {
        self.is_unsaved.store(true, Ordering::Release);
    }

    /// Changes who is on the roll.
    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let result = {
            let mut inner = self.lock();
            let result = change(&mut inner);
            self.complete(&mut inner);
            result
        };
        self.is_unsaved.store(true, Ordering::Release);
        self.wake();
        result
    }

    fn complete(&self, inner: &mut Inner) {
        let mut pulls = std::mem::take(&mut inner.pulls);
        pulls.complete(
            |wanted| inner.is_had(wanted),
            |took| self.measurements.confirm_seconds.observe(took),
        );
        inner.pulls = pulls;
    }

    fn wake(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut inner = self.presence.lock();
        if let Some(count) = inner.awaited.get_mut(&self.wanted) {
            *count -= 1;
            if *count == 0 {
                inner.awaited.remove(&self.wanted);
            }
        }
    }
}

impl Inner {
    /// Whether anything that is waited for is had by everybody. Who has a revision has every older
    /// one, so of those the oldest is enough.
    fn is_wait_over(&mut self) -> bool {
        let mut revisions = 0;
        let looked_at: Vec<Wanted> = self
            .awaited
            .keys()
            .copied()
            .filter(|wanted| match wanted {
                Wanted::Revision(_) => {
                    revisions += 1;
                    revisions == 1
                }
                Wanted::Brake(_) => true,
            })
            .collect();
        looked_at.into_iter().any(|wanted| self.is_had(wanted))
    }

    /// Whether everybody who counts has it, those who fell silent included; at the cost of a glance,
    /// because it is asked at every acknowledgement.
    fn is_had(&mut self, wanted: Wanted) -> bool {
        match wanted {
            Wanted::Revision(revision) => {
                let known = revision.min(self.revision);
                self.roll.is_nobody_behind(self.epoch, known)
            }
            Wanted::Brake(number) => {
                let Some(track) = self.brakes.get_mut(&number) else {
                    return false;
                };
                let without = |from: &str| {
                    let straggler =
                        self.roll
                            .first_without_brake(self.epoch, number, track.stored_as, from);
                    straggler.map(|member| member.instance.clone())
                };
                // From the last one on, and then, in case somebody before it went back, from the start.
                let straggler = without(&track.straggler).or_else(|| without(""));
                match straggler {
                    Some(straggler) => {
                        track.straggler = straggler;
                        false
                    }
                    None => true,
                }
            }
        }
    }

    fn brake_confirmation(&self, number: u64, now: Timestamp) -> Confirmation {
        brake_confirmation(&self.roll, &self.brakes, self.epoch, number, now)
    }
}

/// Who has a kill that went out ahead of the journal. One that is not known any more, or not of this
/// environment, nobody has.
fn brake_confirmation(
    roll: &Roll,
    brakes: &BTreeMap<u64, BrakeTrack>,
    epoch: u64,
    number: u64,
    now: Timestamp,
) -> Confirmation {
    let track = brakes.get(&number);
    let decided_on = track.map_or(u64::MAX, |track| track.decided_on);
    let brake = if track.is_some() { number } else { u64::MAX };
    let stored_as = track.and_then(|track| track.stored_as);
    roll.brake_confirmation(epoch, decided_on, brake, stored_as, now)
}
