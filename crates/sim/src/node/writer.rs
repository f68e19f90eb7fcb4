//! The writer, in stages: decided, stored, published, answered. A crash may come between any two.

use std::collections::BTreeMap;
use std::sync::Arc;

use leverframe_core::decide::Decision;
use leverframe_core::{Command, Entry, Event, State, frame};
use leverframe_flags::EnvironmentKey;
use leverframe_store::{AppendError, Beside, Head, Store, StoreError, StoredSnapshot};

use super::decision::{Ruling, Step, rule, step};
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

/// A group of commands under way.
pub(super) struct Group {
    requests: Vec<Request>,
    answers: Vec<Given>,
    steps: Vec<Step>,
    attempt: u32,
}

/// What a request will be answered.
enum Given {
    /// That its step is stored.
    Stored(usize),
    Settled(Answer),
}

/// What one stage of a write came to.
#[derive(Default)]
pub(crate) struct Written {
    pub(crate) answers: Vec<(usize, u64, Answer)>,
    pub(crate) rulings: Vec<Ruling>,
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
                let requests = self.take_group();
                if requests.is_empty() {
                    return None;
                }
                if !self.leads() {
                    written.words = "does not lead, and says so".to_owned();
                    self.refuse(&requests, "another node leads", &mut written);
                    return Some(written);
                }
                self.decide_group(requests, 0, clock, chance, &mut written);
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

    /// Closes come before everything else.
    fn take_group(&mut self) -> Vec<Request> {
        let is_brake = |request: &Request| matches!(request.command, Command::Close { .. });
        self.queue
            .make_contiguous()
            .sort_by_key(|request| !is_brake(request));
        let taken = self.queue.len().min(GROUP_MAX);
        self.queue.drain(..taken).collect()
    }

    fn decide_group(
        &mut self,
        requests: Vec<Request>,
        attempt: u32,
        clock: &Clock,
        chance: &mut Chance,
        written: &mut Written,
    ) {
        let mut speculative = Arc::clone(&self.state);
        let mut group = Group {
            requests,
            answers: Vec::new(),
            steps: Vec::new(),
            attempt,
        };
        for request in &group.requests {
            let ruling = rule(&speculative, request, clock.wall(), chance, self.plant);
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
            written.rulings.push(ruling);
        }
        written.words = format!("decides {} of {}", group.steps.len(), group.requests.len());
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
                    self.decide_group(group.requests, group.attempt + 1, clock, chance, written);
                } else {
                    self.refuse(&group.requests, "other writers were faster", written);
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
                self.refuse(&group.requests, "another node leads", written);
            }
            Err(AppendError::Failed(error)) => {
                written.words = format!("cannot store: {error}");
                written.has_failed = true;
                // Whether it is there after all only the store can say.
                self.catch_up();
                self.refuse(&group.requests, "it could not be stored", written);
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
        let answers = group.requests.iter().zip(&group.answers);
        answers
            .map(|(request, given)| {
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

    fn refuse(&self, requests: &[Request], why: &str, written: &mut Written) {
        written.answers = requests
            .iter()
            .map(|request| {
                (
                    request.operator,
                    request.errand,
                    Answer::Unavailable(why.to_owned()),
                )
            })
            .collect();
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
