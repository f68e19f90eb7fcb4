//! The way to the writer: two lanes, kills ahead of everything.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use leverframe_core::Command;
use leverframe_core::limit::GROUP_COMMANDS_MAX;
use tokio::sync::oneshot;

use crate::request::{Accepted, Request, SubmitError};

/// Most commands that wait in one lane.
const LANE_MAX: usize = 4_096;

/// A request on its way to the writer and the way back.
pub(crate) struct Job {
    pub(crate) request: Request,
    /// Nobody waits for the answer of a kill that was answered when it went out.
    pub(crate) reply: Option<oneshot::Sender<Result<Accepted, SubmitError>>>,
    /// The number of the kill that this is to store.
    pub(crate) brake: Option<u64>,
    /// The revision that was to be seen when it came: a kill that came later may overtake it.
    pub(crate) seen: u64,
}

/// The lane is full, or the node is stopping.
#[derive(Debug)]
pub(crate) struct Refused;

/// Jobs that wait for the writer. A close never waits behind anything else.
#[derive(Default)]
pub(crate) struct Queue {
    lanes: Mutex<Lanes>,
    filled: Condvar,
}

#[derive(Default)]
struct Lanes {
    brakes: VecDeque<Job>,
    rest: VecDeque<Job>,
    is_closed: bool,
    is_nudged: bool,
}

/// What the writer has to do.
pub(crate) enum Work {
    /// At most one group of jobs; none when it was nudged or has waited long enough.
    Group(Vec<Job>),
    /// Nothing more will come.
    Closed,
}

impl Queue {
    /// Queues a job.
    pub(crate) fn push(&self, job: Job) -> Result<(), Refused> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if lanes.is_closed {
            return Err(Refused);
        }
        let is_brake = matches!(job.request.command, Command::Close { .. });
        let lane = if is_brake {
            &mut lanes.brakes
        } else {
            &mut lanes.rest
        };
        if lane.len() >= LANE_MAX {
            return Err(Refused);
        }
        lane.push_back(job);
        drop(lanes);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits for jobs, no longer than `patience`, and takes at most one group of them.
    pub(crate) fn take_group(&self, patience: Option<Duration>) -> Work {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let Lanes {
                brakes,
                rest,
                is_closed,
                is_nudged,
            } = &mut *lanes;
            let brakes_taken = brakes.len().min(GROUP_COMMANDS_MAX);
            let mut group: Vec<Job> = brakes.drain(..brakes_taken).collect();
            let rest_taken = rest.len().min(GROUP_COMMANDS_MAX - brakes_taken);
            group.extend(rest.drain(..rest_taken));
            if !group.is_empty() || std::mem::take(is_nudged) {
                return Work::Group(group);
            }
            if *is_closed {
                return Work::Closed;
            }
            let Some(patience) = patience else {
                lanes = self
                    .filled
                    .wait(lanes)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let (woken, timeout) = self
                .filled
                .wait_timeout(lanes, patience)
                .unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() {
                return Work::Group(Vec::new());
            }
            lanes = woken;
        }
    }

    /// Wakes the writer: there is something to store that is not a job.
    pub(crate) fn nudge(&self) {
        self.lanes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_nudged = true;
        self.filled.notify_one();
    }

    /// Takes no more jobs and lets go of those that wait: nobody is left to serve them.
    pub(crate) fn abandon(&self) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.is_closed = true;
        lanes.brakes.clear();
        lanes.rest.clear();
    }

    /// Takes no more jobs; those that wait are still served.
    pub(crate) fn close(&self) {
        self.lanes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_closed = true;
        self.filled.notify_all();
    }
}
