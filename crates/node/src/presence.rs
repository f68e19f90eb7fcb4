//! One environment's presence: the roll, and how long each change took to reach it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use leverframe_core::Rejection;
use leverframe_core::roll::{Acknowledged, Confirmation, Hello, Member, Roll};
use leverframe_flags::{EnvironmentKey, FlagKey};
use tokio::sync::watch;

use crate::clock::Clock;

use crate::measure::Measurements;
use crate::place::Place;

/// How many of the last revisions are timed.
const PULLS_MAX: usize = 256;

/// Who follows one environment, and what they have acknowledged.
pub struct Presence {
    clock: Clock,
    measurements: Arc<Measurements>,
    inner: Mutex<Inner>,
    /// Counts up whenever a confirmation may look different.
    changed: watch::Sender<u64>,
    is_unsaved: AtomicBool,
}

struct Inner {
    roll: Roll,
    epoch: u64,
    revision: u64,
    pulls: VecDeque<Pull>,
}

/// A revision on its way.
struct Pull {
    revision: u64,
    received: Instant,
    latencies: Vec<Duration>,
    completed: Option<Instant>,
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

/// How times are spread, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantiles {
    /// Half of them took at most this.
    pub p50: f64,
    /// 99 % of them took at most this.
    pub p99: f64,
    /// None took longer.
    pub max: f64,
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
        let roll = Roll::load(members);
        let inner = Inner {
            roll,
            epoch: place.epoch,
            revision: place.revision,
            pulls: VecDeque::new(),
        };
        Self {
            clock,
            measurements,
            inner: Mutex::new(inner),
            changed: watch::Sender::new(0),
            is_unsaved: AtomicBool::new(false),
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

    /// An evaluator has applied a revision, except for the flags it refused (flag and why).
    pub fn acknowledge(
        &self,
        instance: &str,
        acknowledged: Acknowledged,
        refused: Vec<(FlagKey, String)>,
    ) {
        let arrived = Instant::now();
        let now = self.clock.steady();
        let (epoch, revision) = (acknowledged.epoch, acknowledged.revision);
        self.change(|inner| {
            let had = inner
                .roll
                .member(instance)
                .and_then(|member| member.acknowledged.as_ref());
            let had_revision = had
                .filter(|had| had.epoch == epoch)
                .map_or(0, |had| had.revision);
            inner
                .roll
                .acknowledged(instance, acknowledged, refused, now);
            if epoch == inner.epoch {
                for pull in inner
                    .pulls
                    .iter_mut()
                    .rev()
                    .take_while(|pull| pull.revision > had_revision)
                {
                    if pull.revision <= revision {
                        pull.latencies
                            .push(arrived.saturating_duration_since(pull.received));
                    }
                }
            }
        });
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

    /// Who has `revision`.
    #[must_use]
    pub fn confirmation(&self, revision: u64) -> Confirmed {
        let now = self.clock.steady();
        let inner = self.lock();
        // A revision that did not concern this environment is had with the one before it that did.
        let wanted = revision.min(inner.revision);
        let mut confirmation = inner.roll.confirmation(inner.epoch, wanted, now);
        confirmation.revision = revision;
        let pull = inner
            .pulls
            .iter()
            .rev()
            .find(|pull| pull.revision == wanted);
        let elapsed_ms = pull
            .filter(|_| confirmation.is_complete())
            .and_then(|pull| {
                pull.completed
                    .map(|at| ms(at.saturating_duration_since(pull.received)))
            });
        let confirm_ms = pull.and_then(|pull| quantiles(&pull.latencies));
        Confirmed {
            confirmation,
            elapsed_ms,
            confirm_ms,
        }
    }

    /// Who has `revision`, once everybody has it, nobody follows, or the wait is over.
    pub async fn wait(&self, revision: u64, at_most: Duration) -> Confirmed {
        let mut changed = self.changed.subscribe();
        let deadline = tokio::time::Instant::now() + at_most;
        loop {
            changed.mark_unchanged();
            let confirmed = self.confirmation(revision);
            if confirmed.confirmation.is_complete() || confirmed.confirmation.is_empty_roll() {
                return confirmed;
            }
            // Nobody says so when a straggler ages off the roll, so look again now and then.
            let look_again = deadline.min(tokio::time::Instant::now() + Duration::from_secs(1));
            match tokio::time::timeout_at(look_again, changed.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return confirmed,
                Err(_) if tokio::time::Instant::now() >= deadline => {
                    return self.confirmation(revision);
                }
                Err(_) => {}
            }
        }
    }

    /// A revision is about to go out.
    pub(crate) fn published(&self, epoch: u64, revision: u64, received: Instant) {
        let mut inner = self.lock();
        inner.epoch = epoch;
        inner.revision = revision;
        if inner.pulls.len() >= PULLS_MAX {
            inner.pulls.pop_front();
        }
        inner.pulls.push_back(Pull {
            revision,
            received,
            latencies: Vec::new(),
            completed: None,
        });
    }

    /// The roll in the form it is kept in, if it changed since it was last asked for.
    pub(crate) fn unsaved(&self) -> Option<Vec<u8>> {
        if !self.is_unsaved.swap(false, Ordering::AcqRel) {
            return None;
        }
        let members = {
            let mut inner = self.lock();
            inner.roll.forget_silent(self.clock.steady());
            inner.roll.to_members()
        };
        serde_json::to_vec(&members)
            .inspect_err(|error| tracing::error!(%error, "the roll cannot be written"))
            .ok()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.lock();
        let result = change(&mut inner);
        let Inner {
            roll, epoch, pulls, ..
        } = &mut *inner;
        // The oldest first: once somebody is behind one revision, he is behind every newer one, so
        // an acknowledgement looks at no more pulls than it completes.
        let is_awaited = |pull: &&mut Pull| pull.completed.is_none();
        for pull in pulls.iter_mut().filter(is_awaited) {
            if roll.behind(*epoch, pull.revision) > 0 || pull.latencies.is_empty() {
                break;
            }
            let at = Instant::now();
            pull.completed = Some(at);
            self.measurements
                .confirm_seconds
                .observe(at.saturating_duration_since(pull.received));
        }
        drop(inner);
        self.is_unsaved.store(true, Ordering::Release);
        self.changed.send_modify(|count| *count += 1);
        result
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn quantiles(latencies: &[Duration]) -> Option<Quantiles> {
    let mut sorted: Vec<f64> = latencies.iter().map(|latency| ms(*latency)).collect();
    sorted.sort_by(f64::total_cmp);
    // The nearest rank: the smallest value that at least this share of the others do not exceed.
    let at = |percent: usize| {
        sorted
            .get((sorted.len() * percent).div_ceil(100).saturating_sub(1))
            .copied()
    };
    Some(Quantiles {
        p50: at(50)?,
        p99: at(99)?,
        max: *sorted.last()?,
    })
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
