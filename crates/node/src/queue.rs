//! The way to the writer: two lanes, kills ahead of everything.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

use leverframe_core::Command;
use leverframe_core::limit::GROUP_COMMANDS_MAX;
use tokio::sync::oneshot;

use crate::request::{Accepted, Request, SubmitError};

/// Most commands that wait in one lane.
const LANE_MAX: usize = 4_096;

/// A request on its way to the writer and the way back.
pub(crate) struct Job {
    pub(crate) request: Request,
    pub(crate) reply: oneshot::Sender<Result<Accepted, SubmitError>>,
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

    /// Waits for jobs and takes at most one group of them; `None` once closed and empty.
    pub(crate) fn take_group(&self) -> Option<Vec<Job>> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let Lanes {
                brakes,
                rest,
                is_closed,
            } = &mut *lanes;
            let brakes_taken = brakes.len().min(GROUP_COMMANDS_MAX);
            let mut group: Vec<Job> = brakes.drain(..brakes_taken).collect();
            let rest_taken = rest.len().min(GROUP_COMMANDS_MAX - brakes_taken);
            group.extend(rest.drain(..rest_taken));
            if !group.is_empty() {
                return Some(group);
            }
            if *is_closed {
                return None;
            }
            lanes = self
                .filled
                .wait(lanes)
                .unwrap_or_else(PoisonError::into_inner);
        }
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
