//! How a kill goes out ahead of the journal, and how it is settled, as in the real node.

use std::collections::BTreeSet;
use std::sync::Arc;

use leverframe_core::decide::Decision;
use leverframe_core::{Command, Confirmation, Event};
use leverframe_flags::EnvironmentKey;
use leverframe_store::{Beside, Fence, Store as _};

use super::brake::Brakes;
use super::decision::rule;
use super::writer::{Given, Group, Job, Written};
use super::{Answer, Node};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::operator::Request;
use crate::plant::Plant;

impl Node {
    /// Puts a kill out though it is not stored.
    pub(super) fn brake(
        &mut self,
        request: &Request,
        clock: &Clock,
        chance: &mut Chance,
        written: &mut Written,
    ) -> Answer {
        let ruling = rule(&self.state, request, clock.wall(), chance, self.plant);
        let decided = ruling.ruling.clone();
        let now = ruling.meta.now;
        written.rulings.push(ruling);
        let events = match decided {
            Ok(Decision::Append(events)) => events,
            Ok(Decision::Unchanged { revision } | Decision::Repeat { revision }) => {
                return Answer::Accepted {
                    revision,
                    link: None,
                    environments: Vec::new(),
                    node: self.index,
                };
            }
            Err(rejection) => return Answer::Rejected(rejection),
        };
        let moved = events.iter().filter_map(|event| match event {
            Event::PositionMoved {
                flag, environment, ..
            } => Some((flag.clone(), environment.clone())),
            _ => None,
        });
        let (flags, environments): (BTreeSet<_>, BTreeSet<_>) = moved.unzip();
        let Some(environment) = environments.into_iter().next() else {
            return Answer::Unavailable("there is nothing to close".to_owned());
        };
        let number = match self.brakes.covering(&environment, &flags) {
            Some(known) => known,
            None => {
                let closed = (environment.clone(), flags);
                let decided_on = self.state.revision();
                let fence = match self.plant {
                    Some(Plant::BrakeNumbersBeginAgain) => 0,
                    _ => self.fence.map_or(0, Fence::number),
                };
                let brake = self.brakes.add(request, (now, decided_on), fence, closed);
                if let Some(feed) = self.feeds.get_mut(&environment) {
                    feed.brake(&brake);
                }
                let number = brake.number;
                written.braked.push(brake);
                number
            }
        };
        Answer::NotStored {
            number,
            environment,
            node: self.index,
        }
    }

    /// An operator's kill has waited for the store for long enough: it goes out ahead of it.
    pub(crate) fn lose_patience(
        &mut self,
        errand: u64,
        clock: &Clock,
        chance: &mut Chance,
    ) -> Option<Written> {
        if !self.leads() || self.plant == Some(Plant::BrakeNeedsTheStore) {
            return None;
        }
        let is_waiting = |job: &&mut Job| {
            let is_kill = matches!(job.request.command, Command::Close { .. });
            job.is_awaited && is_kill && job.request.errand == errand
        };
        let mut request = None;
        if let Some(job) = self.queue.iter_mut().find(is_waiting) {
            job.is_awaited = false;
            request = Some(job.request.clone());
        }
        if request.is_none()
            && let Some(group) = self.group_mut()
            && let Some(job) = group.jobs.iter_mut().find(is_waiting)
        {
            job.is_awaited = false;
            request = Some(job.request.clone());
        }
        let request = request?;
        let mut written = Written::default();
        let answer = self.brake(&request, clock, chance, &mut written);
        written.answers.push((request.operator, errand, answer));
        written.words = format!("does not wait for the store with errand {errand}");
        Some(written)
    }

    /// The kills of a group that was stored are in the journal, or never can be.
    pub(super) fn settle(&mut self, group: &Group) -> Vec<(u64, Option<u64>)> {
        let mut settled = Vec::new();
        for (job, given) in group.jobs.iter().zip(&group.answers) {
            let Some(number) = job.brake else {
                continue;
            };
            let revision = match given {
                Given::Stored(index) => group
                    .steps
                    .get(*index)
                    .map(|step| step.entry.record.revision),
                Given::Settled(Answer::Accepted { revision, .. }) => Some(*revision),
                Given::Settled(_) => None,
            };
            let until = revision.unwrap_or_else(|| self.state.revision());
            self.settle_one(number, until);
            settled.push((number, revision));
        }
        settled
    }

    /// What must not be done: to take a kill for settled that is not.
    pub(super) fn give_up(&mut self, job: &Job) -> Option<(u64, Option<u64>)> {
        let number = job.brake?;
        let revision = self.state.revision();
        self.settle_one(number, revision);
        Some((number, Some(revision)))
    }

    fn settle_one(&mut self, number: u64, revision: u64) {
        self.brakes.outstanding.remove(&number);
        for feed in self.feeds.values_mut() {
            feed.settled(number, revision);
        }
    }

    /// Whether kills are out that are not in the journal.
    pub(crate) fn has_brakes(&self) -> bool {
        !self.brakes.outstanding.is_empty()
    }

    /// The kills that are out and not in the journal.
    pub(crate) fn brakes(&self) -> &Brakes {
        &self.brakes
    }

    /// What was out when the node before this one ended is out again before anybody can ask.
    pub(super) fn take_brakes_up(&mut self) {
        if self.plant == Some(Plant::BrakesForgottenOnStart) {
            return;
        }
        let beside: Arc<dyn Beside> = self.store.beside();
        self.brakes = Brakes::kept(beside.load_brakes());
        for brake in self.brakes.outstanding.values() {
            if let Some(feed) = self.feeds.get_mut(&brake.environment) {
                feed.brake(brake);
            }
        }
    }

    /// Keeps beside the journal what is out.
    pub(crate) fn keep_brakes(&self) {
        if self.plant == Some(Plant::BrakesAreNotKept) {
            return;
        }
        let beside: Arc<dyn Beside> = self.store.beside();
        if let Ok(bytes) = serde_json::to_vec(&self.brakes) {
            // What comes of that the auditor sees.
            let _ = beside.save_brakes(&bytes);
        }
    }

    /// Who has a kill that went out ahead of the journal.
    pub(crate) fn brake_confirmation(
        &self,
        environment: &EnvironmentKey,
        number: u64,
        clock: &Clock,
    ) -> Option<Confirmation> {
        let feed = self.feeds.get(environment)?;
        feed.brake_confirmation(number, self.steady(clock))
    }
}
