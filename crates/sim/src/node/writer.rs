//! The writer, in stages: decided, stored, published, answered. A crash may come between any two.

use std::collections::BTreeMap;
use std::sync::Arc;

use leverframe_core::decide::Decision;
use leverframe_core::{Command, Entry, Event, State, frame};
use leverframe_flags::EnvironmentKey;
use leverframe_store::{AppendError, Beside, Head, Store, StoreError, StoredSnapshot};

use super::brake::Brake;
use super::decision::{Ruling, Step, rule, rule_allowed, step};
use super::feed::Feed;
use super::{Answer, Node};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::operator::Request;
use crate::plant::Plant;

/// Most commands of one group; small, so that there are many groups.
const GROUP_MAX: usize = 4;
/// How often a group is decided again when another writer was faster.
const ATTEMPTS_MAX: u32 = 5;
/// A snapshot is saved after this many revisions.
const SNAPSHOT_EVERY: u64 = 10;

/// How far the group under way has come.
pub(super) enum Stage {
    Idle,
    Decided(Group),
    Stored(Group),
    Published(Group),
}

/// A request on its way, or a kill that was out ahead of the journal.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) request: Request,
    /// Nobody waits for the answer of a kill that was answered when it went out.
    pub(super) is_awaited: bool,
    /// The number of the kill that this is to store.
    pub(super) brake: Option<u64>,
}

/// A group of commands under way.
pub(super) struct Group {
    pub(super) jobs: Vec<Job>,
    pub(super) answers: Vec<Given>,
    pub(super) steps: Vec<Step>,
    attempt: u32,
}

/// What a request will be answered.
pub(super) enum Given {
    /// That its step is stored.
    Stored(usize),
    Settled(Answer),
}

/// What one stage of a write came to.
#[derive(Default)]
pub(crate) struct Written {
    pub(crate) answers: Vec<(usize, u64, Answer)>,
    pub(crate) rulings: Vec<Ruling>,
    /// Kills that went out ahead of the journal.
    pub(crate) braked: Vec<Brake>,
    /// Kills that were out ahead of the journal and no longer are, and the revision that has them,
    /// if there is anything left to close.
    pub(crate) settled: Vec<(u64, Option<u64>)>,
    /// Connections that are over, because the node leads no longer.
    pub(crate) over: Vec<u64>,
    /// The revisions that a successful append stored.
    pub(crate) stored: Option<(u64, u64)>,
    pub(crate) has_failed: bool,
    pub(crate) is_fenced: bool,
    pub(crate) words: String,
}

impl Node {
    /// Goes on to the next stage. Nothing happens when there is nothing to do.
    pub(crate) fn write(&mut self, clock: &Clock, chance: &mut Chance) -> Option<Written> {
        let mut written = Written::default();
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Idle => {
                let jobs = self.take_group();
                if jobs.is_empty() {
                    return None;
                }
                if !self.leads() {
                    written.words = "does not lead, and says so".to_owned();
                    self.refuse(&jobs, "another node leads", (clock, chance), &mut written);
                    return Some(written);
                }
                self.decide_group(jobs, 0, clock, chance, &mut written);
            }
            Stage::Decided(group) => self.store(group, clock, chance, &mut written),
            Stage::Stored(group) => {
                if self.plant != Some(Plant::PublishBeforeAppend) {
                    self.publish_group(&group);
                }
                written.words = "publishes".to_owned();
                self.stage = Stage::Published(group);
            }
            Stage::Published(group) => {
                if self.plant != Some(Plant::AnswerBeforeAppend) {
                    written.answers = self.answers(&group);
                }
                written.settled = self.settle(&group);
                written.words = "answers".to_owned();
                self.save_snapshot();
            }
        }
        Some(written)
    }

    /// Whether the writer has something to do.
    pub(crate) fn has_work(&self) -> bool {
        self.is_mid_write() || !self.queue.is_empty()
    }

    /// Whether the next thing the writer does waits for the disk.
    pub(crate) fn is_about_to_store(&self) -> bool {
        matches!(self.stage, Stage::Decided(_))
    }

    /// Kills that are out already come first, then closes, then everything else.
    fn take_group(&mut self) -> Vec<Job> {
        let is_brake = |job: &Job| matches!(job.request.command, Command::Close { .. });
        self.queue
            .make_contiguous()
            .sort_by_key(|job| !is_brake(job));
        let taken = self.queue.len().min(GROUP_MAX);
        let asked: Vec<Job> = self.queue.drain(..taken).collect();
        let again = self.brakes.outstanding.values().map(Job::out);
        again.chain(asked).collect()
    }

    /// The group under way, if the disk or the streams have not had it yet.
    pub(super) fn group_mut(&mut self) -> Option<&mut Group> {
        match &mut self.stage {
            Stage::Idle => None,
            Stage::Decided(group) | Stage::Stored(group) | Stage::Published(group) => Some(group),
        }
    }

    fn decide_group(
        &mut self,
        jobs: Vec<Job>,
        attempt: u32,
        clock: &Clock,
        chance: &mut Chance,
        written: &mut Written,
    ) {
        let mut speculative = Arc::clone(&self.state);
        let mut group = Group {
            jobs,
            answers: Vec::new(),
            steps: Vec::new(),
            attempt,
        };
        for Job { request, brake, .. } in &group.jobs {
            let ruling = match brake {
                // It was allowed when it went out.
                Some(_) => rule_allowed(&speculative, request, clock.wall(), chance, self.plant),
                None => rule(&speculative, request, clock.wall(), chance, self.plant),
            };
            let given = match &ruling.ruling {
                Ok(Decision::Append(events)) => {
                    match step(&speculative, events.clone(), &ruling.meta) {
                        Ok(step) => {
                            speculative = Arc::clone(&step.after);
                            group.steps.push(step);
                            Given::Stored(group.steps.len() - 1)
                        }
                        Err(why) => Given::Settled(Answer::Unavailable(format!(
                            "a fault of the node: {why}"
                        ))),
                    }
                }
                Ok(Decision::Unchanged { revision }) => Given::Settled(Answer::Accepted {
                    revision: *revision,
                    link: None,
                    environments: environments_of(&request.command),
                    node: self.index,
                }),
                Ok(Decision::Repeat { revision }) => Given::Settled(Answer::Accepted {
                    revision: *revision,
                    link: None,
                    environments: environments_of(&request.command),
                    node: self.index,
                }),
                Err(rejection) => Given::Settled(Answer::Rejected(rejection.clone())),
            };
            group.answers.push(given);
            if brake.is_none() {
                written.rulings.push(ruling);
            }
        }
        written.words = format!("decides {} of {}", group.steps.len(), group.jobs.len());
        if self.plant == Some(Plant::PublishBeforeAppend) {
            self.publish_group(&group);
        }
        if self.plant == Some(Plant::AnswerBeforeAppend) {
            written.answers = self.answers(&group);
        }
        self.stage = if group.steps.is_empty() {
            Stage::Published(group)
        } else {
            Stage::Decided(group)
        };
    }

    fn store(&mut self, group: Group, clock: &Clock, chance: &mut Chance, written: &mut Written) {
        let (Some(first), Some(last), Some(fence)) =
            (group.steps.first(), group.steps.last(), self.fence)
        else {
            return;
        };
        let entries: Vec<Entry> = group.steps.iter().map(|step| step.entry.clone()).collect();
        let (from, to) = (first.before.revision(), last.after.revision());
        match self.store.append(from, fence, &entries) {
            Ok(()) => {
                written.words = format!("stores r{} to r{to}", from + 1);
                written.stored = Some((from + 1, to));
                self.state = Arc::clone(&last.after);
                self.stage = Stage::Stored(group);
            }
            Err(AppendError::Conflict { .. } | AppendError::NotNext { .. }) => {
                written.words = "was too late; decides again".to_owned();
                self.catch_up();
                if group.attempt < ATTEMPTS_MAX {
                    self.decide_group(group.jobs, group.attempt + 1, clock, chance, written);
                } else {
                    let why = "other writers were faster";
                    self.refuse(&group.jobs, why, (clock, chance), written);
                }
            }
            Err(AppendError::Fenced { .. }) if self.plant == Some(Plant::IgnoreTheFence) => {
                written.words = "ignores the fence".to_owned();
                self.fence = self.store.take_leadership(clock.wall()).ok();
                self.stage = Stage::Decided(group);
            }
            Err(AppendError::Fenced { .. }) => {
                written.words = "is fenced, and leads no longer".to_owned();
                written.is_fenced = true;
                written.over = self.step_down();
                self.refuse(&group.jobs, "another node leads", (clock, chance), written);
            }
            Err(AppendError::Failed(error)) => {
                written.words = format!("cannot store: {error}");
                written.has_failed = true;
                // Whether it is there after all only the store can say.
                self.catch_up();
                let why = "it could not be stored";
                self.refuse(&group.jobs, why, (clock, chance), written);
            }
        }
    }

    fn publish_group(&mut self, group: &Group) {
        for step in &group.steps {
            self.publish(step);
        }
    }

    /// Puts one step out to every environment that has to hear of it.
    fn publish(&mut self, step: &Step) {
        Feed::add(
            &mut self.feeds,
            &step.after,
            &mut BTreeMap::new(),
            self.plant,
        );
        for (environment, feed) in &mut self.feeds {
            if let Some(update) = frame::change(&step.before, &step.after, &step.entry, environment)
            {
                feed.publish(&step.after, update);
            }
        }
    }

    /// Reads and publishes what the journal has beyond the visible state.
    pub(super) fn catch_up(&mut self) {
        // A journal that cannot be read is tried again.
        let _ = self.try_catch_up();
    }

    fn try_catch_up(&mut self) -> Result<(), StoreError> {
        for entry in self
            .store
            .reader()
            .read(self.state.revision(), usize::MAX)?
        {
            let before = Arc::clone(&self.state);
            let mut after = State::clone(&before);
            if after.apply(&entry).is_err() {
                return Ok(());
            }
            self.state = Arc::new(after);
            let after = Arc::clone(&self.state);
            self.publish(&Step {
                before,
                after,
                entry,
            });
        }
        Ok(())
    }

    fn answers(&self, group: &Group) -> Vec<(usize, u64, Answer)> {
        let answers = group.jobs.iter().zip(&group.answers);
        answers
            .filter(|(job, _)| job.is_awaited)
            .map(|(Job { request, .. }, given)| {
                let answer = match given {
                    Given::Settled(answer) => answer.clone(),
                    Given::Stored(index) => {
                        let entry = &group.steps[*index].entry;
                        Answer::Accepted {
                            revision: entry.record.revision,
                            link: Some(entry.link),
                            environments: environments_of_events(&entry.record.events),
                            node: self.index,
                        }
                    }
                };
                (request.operator, request.errand, answer)
            })
            .collect()
    }

    /// Tells everybody that nothing was stored. Kills go out all the same, while this node leads.
    fn refuse(
        &mut self,
        jobs: &[Job],
        why: &str,
        (clock, chance): (&Clock, &mut Chance),
        written: &mut Written,
    ) {
        for job in jobs {
            if job.brake.is_some() && self.plant == Some(Plant::BrakesGivenUp) {
                written.settled.extend(self.give_up(job));
            }
            if !job.is_awaited {
                continue;
            }
            let request = &job.request;
            let is_kill = matches!(request.command, Command::Close { .. });
            let is_free = self.plant != Some(Plant::BrakeNeedsTheStore);
            let answer = match is_kill && is_free && self.leads() {
                true => self.brake(request, clock, chance, written),
                false => Answer::Unavailable(why.to_owned()),
            };
            written
                .answers
                .push((request.operator, request.errand, answer));
        }
    }

    fn save_snapshot(&mut self) {
        if self.state.revision().saturating_sub(self.snapshot_revision) < SNAPSHOT_EVERY {
            return;
        }
        self.snapshot_revision = self.state.revision();
        let head = Head {
            revision: self.state.revision(),
            link: self.state.head(),
        };
        if let Ok(bytes) = serde_json::to_vec(&self.state.to_snapshot()) {
            let beside: Arc<dyn Beside> = self.store.beside();
            // A snapshot may be lost without losing a change.
            let _ = beside.save_snapshot(&StoredSnapshot { head, bytes });
        }
    }
}

impl Job {
    pub(super) fn asked(request: Request) -> Self {
        Self {
            request,
            is_awaited: true,
            brake: None,
        }
    }

    fn out(brake: &Brake) -> Self {
        Self {
            request: brake.request(),
            is_awaited: false,
            brake: Some(brake.number),
        }
    }
}

fn environments_of(command: &Command) -> Vec<EnvironmentKey> {
    match command {
        Command::Close { environment, .. }
        | Command::Open { environment, .. }
        | Command::Ramp { environment, .. }
        | Command::Pin { environment, .. } => vec![environment.clone()],
        _ => Vec::new(),
    }
}

fn environments_of_events(events: &[Event]) -> Vec<EnvironmentKey> {
    let mut found: Vec<EnvironmentKey> = events
        .iter()
        .filter_map(|event| match event {
            Event::PositionMoved { environment, .. } => Some(environment.clone()),
            _ => None,
        })
        .collect();
    found.dedup();
    found
}
