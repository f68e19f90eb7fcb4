//! The single writer: decides a group of commands one after another against a speculative state,
//! makes it durable with one append, and only then lets anybody see it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use leverframe_core::access::Actor;
use leverframe_core::decide::{Decision, decide};
use leverframe_core::receipt::{Receipt, receipt};
use leverframe_core::{Command, Entry, Event, Meta, Record, State, frame};
use leverframe_flags::EnvironmentKey;
use leverframe_store::{AppendError, Fence, Store, StoreError};

use crate::brake::Brake;
use crate::overtaken::demand_not_overtaken;
use crate::queue::{Job, Work};
use crate::request::{Accepted, Request, SubmitError, environments_of};
use crate::shared::Shared;

/// How often a group is decided again when another writer was faster.
const ATTEMPTS_MAX: usize = 5;
/// Entries read at once when catching up.
const CATCH_UP: usize = 1_000;
/// How often a kill that is out and not stored is tried again.
const RETRY_EVERY: Duration = Duration::from_secs(1);
/// A snapshot is saved after this many revisions.
const SNAPSHOT_EVERY: u64 = 1_000;
/// For how many groups the close of a rollout waits for its verdict at most.
const HELD_MAX: u32 = 30;

/// Owns the store's writing side; runs on a thread of its own.
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) store: Box<dyn Store>,
    pub(crate) fence: Fence,
    pub(crate) snapshot_revision: u64,
    /// For how many groups the closes of rollouts have waited for their verdicts.
    pub(crate) held: u32,
}

impl Drop for Writer {
    /// However its thread ends, nobody may be left waiting for it.
    fn drop(&mut self) {
        self.shared.queue.abandon();
        if std::thread::panicking() {
            let why = "the writer has stopped; restart the server";
            tracing::error!("{why}");
            self.shared.note_commit(Err(why.to_owned()));
        }
    }
}

/// A group after it was decided, before it is durable.
struct Group {
    /// For each job: what came of it, given that the entries before it are stored.
    answers: Vec<Answer>,
    steps: Vec<Step>,
}

enum Answer {
    /// The index of the job's step.
    Stored(usize),
    Settled(Result<Accepted, SubmitError>),
}

/// One entry and the states on both sides of it.
struct Step {
    before: Arc<State>,
    after: Arc<State>,
    entry: Entry,
    received: Instant,
}

impl Writer {
    /// Serves jobs until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        loop {
            let patience = (!self.shared.brakes.is_empty()).then_some(RETRY_EVERY);
            match self.shared.queue.take_group(patience) {
                Work::Group(jobs) => {
                    let jobs = self.with_brakes(jobs);
                    self.serve(jobs);
                }
                Work::Closed => break,
            }
        }
        self.save_snapshot();
    }

    /// Puts the kills that are out and not stored in front of what is to be done. Those of rollouts that
    /// closed by themselves come last, and wait a while for the rollback, which says more of why.
    fn with_brakes(&mut self, jobs: Vec<Job>) -> Vec<Job> {
        let state = self.shared.state();
        let brakes = self.shared.brakes.all().into_iter();
        let (own, peoples): (Vec<_>, Vec<_>) = brakes.partition(|brake| {
            let is_rolling = |flag| state.running_of(flag, &brake.environment).is_some();
            brake.actor.is_none() && brake.flags.iter().all(is_rolling)
        });
        let again = |brake: Brake| Job {
            request: brake.request(&state),
            reply: None,
            brake: Some(brake.number),
            seen: state.revision(),
        };
        let has_verdict = jobs
            .iter()
            .any(|job| matches!(job.request.command, Command::Observe { .. }));
        let is_held = !own.is_empty() && !has_verdict && self.held < HELD_MAX;
        self.held = if is_held { self.held + 1 } else { 0 };
        let own = own.into_iter().filter(|_| !is_held).map(again);
        let peoples = peoples.into_iter().map(again);
        peoples.chain(jobs).chain(own).collect()
    }

    fn serve(&mut self, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        for _ in 0..ATTEMPTS_MAX {
            let group = self.decide_group(&jobs);
            match self.commit(&group) {
                Ok(()) => return self.answer(jobs, group),
                Err(AppendError::Conflict { .. } | AppendError::NotNext { .. }) => {
                    if let Err(error) = self.catch_up() {
                        return self.refuse(jobs, &error.to_string());
                    }
                }
                Err(AppendError::Fenced { current }) => {
                    let why = format!(
                        "another node leads since fence {}; this one takes no more changes",
                        current.number()
                    );
                    return self.refuse(jobs, &why);
                }
                Err(AppendError::Failed(error)) => {
                    let why = error.to_string();
                    tracing::error!(error = %why, "a change could not be stored");
                    // Whether it is there after all only the store can say.
                    if let Err(error) = self.catch_up() {
                        tracing::error!(%error, "the journal cannot be read");
                    }
                    return self.refuse(jobs, &format!("the change is not acknowledged: {why}"));
                }
            }
        }
        self.refuse(jobs, "other writers were faster every time; try again");
    }

    fn decide_group(&self, jobs: &[Job]) -> Group {
        let mut speculative = self.shared.state();
        let mut group = Group {
            answers: Vec::with_capacity(jobs.len()),
            steps: Vec::new(),
        };
        for job in jobs {
            let answer = match self.decide_one(job, &mut speculative) {
                Ok(Decided::Step(step)) => {
                    group.steps.push(step);
                    Answer::Stored(group.steps.len() - 1)
                }
                Ok(Decided::Repeat { revision }) => match group.index_of(revision) {
                    Some(index) => Answer::Stored(index),
                    None => Answer::Settled(self.repeat(revision)),
                },
                Ok(Decided::Settled(accepted)) => Answer::Settled(Ok(accepted)),
                Err(error) => Answer::Settled(Err(error)),
            };
            group.answers.push(answer);
        }
        group
    }

    fn decide_one(&self, job: &Job, speculative: &mut Arc<State>) -> Result<Decided, SubmitError> {
        let request = &job.request;
        let meta = self.shared.meta(request)?;
        let decided = decide(speculative, &request.command, &meta);
        let decided = if job.brake.is_some() && !matches!(decided, Ok(Decision::Repeat { .. })) {
            // Unless its own request made it into the journal after all: it was allowed when it went
            // out; a token that was revoked since takes nothing back.
            let allowed = Meta {
                actor: Actor::System,
                idempotency: None,
                ..meta.clone()
            };
            decide(speculative, &request.command, &allowed)
        } else {
            decided
        };
        match decided? {
            Decision::Append(events) => {
                demand_not_overtaken(speculative, &events, job.seen)?;
                let step = step(speculative, events, &meta, request.received)?;
                *speculative = Arc::clone(&step.after);
                Ok(Decided::Step(step))
            }
            Decision::Unchanged { revision } => {
                Ok(Decided::Settled(unchanged(request, revision, &meta)))
            }
            Decision::Repeat { revision } => Ok(Decided::Repeat { revision }),
        }
    }

    /// The answer that was given to the same command before.
    fn repeat(&self, revision: u64) -> Result<Accepted, SubmitError> {
        let entries = self.store.reader().read(revision.saturating_sub(1), 1);
        let entry = entries.ok().and_then(|entries| entries.into_iter().next());
        let Some(entry) = entry else {
            return Err(SubmitError::unavailable(format!(
                "revision {revision} cannot be read at the moment"
            )));
        };
        let environments = environments_of_record(&entry.record, &self.shared.state());
        Ok(Accepted {
            receipt: receipt(&entry.record),
            unchanged: false,
            dry_run: false,
            stored: true,
            brake: None,
            environments,
        })
    }

    fn commit(&mut self, group: &Group) -> Result<(), AppendError> {
        let (Some(first), Some(last)) = (group.steps.first(), group.steps.last()) else {
            return Ok(());
        };
        let entries: Vec<Entry> = group.steps.iter().map(|step| step.entry.clone()).collect();
        let began = Instant::now();
        let appended = self
            .store
            .append(first.before.revision(), self.fence, &entries);
        let took = began.elapsed();
        let measurements = &self.shared.measurements;
        self.shared.note_commit(
            appended
                .as_ref()
                .map(|()| took)
                .map_err(ToString::to_string),
        );
        if appended.is_err() {
            measurements.commit_failures.fetch_add(1, Ordering::Relaxed);
        }
        appended?;
        measurements.commits.fetch_add(1, Ordering::Relaxed);
        measurements
            .records
            .fetch_add(entries.len() as u64, Ordering::Relaxed);
        measurements.commit_seconds.observe(took);
        self.shared.set_state(Arc::clone(&last.after));
        Ok(())
    }

    fn answer(&mut self, jobs: Vec<Job>, group: Group) {
        let mut reached: Vec<Vec<EnvironmentKey>> = Vec::with_capacity(group.steps.len());
        for step in &group.steps {
            reached.push(self.publish(step));
        }
        for (job, answer) in jobs.into_iter().zip(group.answers) {
            let answer = match answer {
                Answer::Settled(settled) => settled,
                Answer::Stored(index) => match (group.steps.get(index), reached.get(index)) {
                    (Some(step), Some(environments)) => Ok(Accepted {
                        receipt: receipt(&step.entry.record),
                        unchanged: false,
                        dry_run: false,
                        stored: true,
                        brake: None,
                        environments: environments.clone(),
                    }),
                    _ => Err(SubmitError::unavailable(
                        "the answer was lost; ask for the flag's state",
                    )),
                },
            };
            if let Some(number) = job.brake {
                self.settle(number, &answer);
            }
            if let Some(reply) = job.reply {
                // A caller that has gone away misses only the answer.
                let _ = reply.send(answer);
            }
        }
        let revision = self.shared.state().revision();
        if revision.saturating_sub(self.snapshot_revision) >= SNAPSHOT_EVERY {
            self.snapshot_revision = revision;
            self.save_snapshot_aside();
        }
    }

    /// Puts one step out to every environment that has to hear of it.
    fn publish(&self, step: &Step) -> Vec<EnvironmentKey> {
        self.shared.add_new_feeds(&step.after);
        let mut reached = Vec::new();
        for feed in self.shared.feeds() {
            if let Some(update) =
                frame::change(&step.before, &step.after, &step.entry, feed.environment())
            {
                feed.publish(&step.after, update, step.received);
                reached.push(feed.environment().clone());
            }
        }
        reached
    }

    /// Reads and publishes what the journal has beyond the visible state.
    fn catch_up(&self) -> Result<(), StoreError> {
        let reader = self.store.reader();
        loop {
            let state = self.shared.state();
            let entries = reader.read(state.revision(), CATCH_UP)?;
            if entries.is_empty() {
                return Ok(());
            }
            for entry in entries {
                let before = self.shared.state();
                let mut after = State::clone(&before);
                if let Err(error) = after.apply(&entry) {
                    tracing::error!(%error, revision = entry.record.revision, "the journal cannot be followed");
                    return Ok(());
                }
                let after = Arc::new(after);
                self.shared.set_state(Arc::clone(&after));
                self.publish(&Step {
                    before,
                    after,
                    entry,
                    received: Instant::now(),
                });
            }
        }
    }

    /// A kill that was out ahead of the journal is in it, or never can be.
    fn settle(&self, number: u64, answer: &Result<Accepted, SubmitError>) {
        let revision = match answer {
            Ok(accepted) => accepted.receipt.revision,
            Err(error) => {
                tracing::error!(
                    number,
                    %error,
                    "a kill that went out can no longer be stored; what it closed is gone"
                );
                self.shared.state().revision()
            }
        };
        self.shared.settle(number, revision);
    }

    /// Tells everybody that nothing was stored. Kills go out all the same.
    fn refuse(&self, jobs: Vec<Job>, why: &str) {
        for job in jobs {
            let Some(reply) = job.reply else {
                continue;
            };
            if matches!(job.request.command, Command::Close { .. }) {
                let _ = reply.send(self.shared.brake(&job.request));
                continue;
            }
            let _ = reply.send(Err(SubmitError::Unavailable {
                why: why.to_owned(),
                retry_after_s: 1,
            }));
        }
    }

    fn save_snapshot(&mut self) {
        let shared = Arc::clone(&self.shared);
        shared.save_snapshot(&*self.store.beside());
    }

    /// Saves a snapshot without holding up the next command.
    fn save_snapshot_aside(&self) {
        let shared = Arc::clone(&self.shared);
        let beside = self.store.beside();
        let spawned = std::thread::Builder::new()
            .name("lever-snapshot".to_owned())
            .spawn(move || shared.save_snapshot(&*beside));
        if let Err(error) = spawned {
            tracing::warn!(%error, "no thread for a snapshot; the next start reads more of the journal");
        }
    }
}

enum Decided {
    Step(Step),
    Settled(Accepted),
    /// The command came before, and became this revision, which may be one of the same group.
    Repeat {
        revision: u64,
    },
}

impl Group {
    fn index_of(&self, revision: u64) -> Option<usize> {
        let mut steps = self.steps.iter();
        steps.position(|step| step.entry.record.revision == revision)
    }
}

fn step(
    before: &Arc<State>,
    events: Vec<Event>,
    meta: &Meta,
    received: Instant,
) -> Result<Step, SubmitError> {
    let impossible = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "a decided command could not be applied");
        SubmitError::unavailable(format!("this is a fault of the server: {error}"))
    };
    let record = before.next_record(events, meta);
    let entry = Entry::seal(record, before.head()).map_err(|error| impossible(&error))?;
    let mut after = State::clone(before);
    after.apply(&entry).map_err(|error| impossible(&error))?;
    Ok(Step {
        before: Arc::clone(before),
        after: Arc::new(after),
        entry,
        received,
    })
}

/// Decides without storing: what a dry run answers.
pub(crate) fn try_out(
    state: &Arc<State>,
    request: &Request,
    meta: &Meta,
) -> Result<Accepted, SubmitError> {
    match decide(state, &request.command, meta)? {
        Decision::Append(events) => {
            let step = step(state, events, meta, request.received)?;
            let environments = step
                .after
                .environments()
                .map(|entry| entry.environment.key.clone())
                .filter(|key| frame::change(&step.before, &step.after, &step.entry, key).is_some())
                .collect();
            Ok(Accepted {
                receipt: receipt(&step.entry.record),
                unchanged: false,
                dry_run: true,
                stored: false,
                brake: None,
                environments,
            })
        }
        Decision::Unchanged { revision } | Decision::Repeat { revision } => {
            Ok(unchanged(request, revision, meta))
        }
    }
}

/// The answer to a command that asks for what is so already, since `revision`.
fn unchanged(request: &Request, revision: u64, meta: &Meta) -> Accepted {
    let receipt = Receipt {
        revision,
        at: meta.now,
        changes: Vec::new(),
        undoable: false,
        why_not_undoable: None,
    };
    Accepted {
        receipt,
        unchanged: true,
        dry_run: request.dry_run,
        stored: true,
        brake: None,
        environments: environments_of(&request.command),
    }
}

/// Where a stored record may have to be waited for: where it says, or everywhere.
fn environments_of_record(record: &Record, state: &State) -> Vec<EnvironmentKey> {
    let named: BTreeSet<EnvironmentKey> = record
        .events
        .iter()
        .filter_map(|event| match event {
            Event::PositionMoved { environment, .. } => Some(environment.clone()),
            _ => None,
        })
        .collect();
    if named.is_empty() {
        state
            .environments()
            .map(|entry| entry.environment.key.clone())
            .collect()
    } else {
        named.into_iter().collect()
    }
}
