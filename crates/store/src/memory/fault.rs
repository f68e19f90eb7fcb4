//! Orders to fail.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::Disk;

/// How an append fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// With an error, before anything was stored.
    BeforeDurable,
    /// With an error, although the group is stored: the case that tempts one to say too much.
    AfterDurable,
    /// Because there is no room; nothing was stored.
    Full,
}

/// Makes a [`Disk`] fail on command.
#[derive(Debug, Clone)]
pub struct Faults {
    disk: Disk,
}

/// The orders a disk is under.
#[derive(Debug, Default)]
pub(super) struct Orders {
    next: VecDeque<Failure>,
    always: Option<Failure>,
    pub(super) gate: Arc<Gate>,
    pub(super) ignores_syncs: bool,
    pub(super) fails_reads: bool,
    pub(super) fails_measurements: bool,
    pub(super) fails_sessions: bool,
}

impl Orders {
    pub(super) fn next_failure(&mut self) -> Option<Failure> {
        self.next.pop_front().or(self.always)
    }
}

/// A disk that hangs, until this is dropped.
#[derive(Debug)]
pub struct Hang(Arc<Gate>);

impl Drop for Hang {
    fn drop(&mut self) {
        *self.0.lock() = false;
        self.0.opened.notify_all();
    }
}

/// What appends wait at.
#[derive(Debug, Default)]
pub(super) struct Gate {
    is_shut: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    pub(super) fn pass(&self) {
        let shut = self.lock();
        drop(
            self.opened
                .wait_while(shut, |is_shut| *is_shut)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.is_shut.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Faults {
    pub(super) fn of(disk: Disk) -> Self {
        Self { disk }
    }

    /// Fails the next append; orders given before come first.
    pub fn fail_next_append(&self, failure: Failure) {
        self.disk.medium().orders.next.push_back(failure);
    }

    /// Fails every append from now on, or with `None` ends that.
    pub fn fail_appends(&self, failure: Option<Failure>) {
        self.disk.medium().orders.always = failure;
    }

    /// Makes appends wait until the returned hang is dropped.
    #[must_use = "it ends when it is dropped"]
    pub fn hang_appends(&self) -> Hang {
        let gate = Arc::clone(&self.disk.medium().orders.gate);
        *gate.lock() = true;
        Hang(gate)
    }

    /// Fails every read of the journal from now on, or ends that.
    pub fn fail_reads(&self, is_failing: bool) {
        self.disk.medium().orders.fails_reads = is_failing;
    }

    /// Takes no measurements from now on, or ends that.
    pub fn fail_measurements(&self, is_failing: bool) {
        self.disk.medium().orders.fails_measurements = is_failing;
    }

    /// Takes and drops no sessions from now on, or ends that.
    pub fn fail_sessions(&self, is_failing: bool) {
        self.disk.medium().orders.fails_sessions = is_failing;
    }

    /// Lies about syncs from now on, or ends that: appends succeed, and [`Disk::cut_power`] takes
    /// them back to the last real one. Plants the fault that a missing fsync would be.
    pub fn ignore_syncs(&self, is_lying: bool) {
        self.disk.medium().orders.ignores_syncs = is_lying;
    }

    /// Damages the newest of the stored snapshots that is still whole.
    pub fn damage_snapshot(&self) {
        self.disk.medium().damage_snapshot();
    }

    /// Replaces the text of a stored record, leaving its link: what an editor of the disk would do.
    pub fn edit(&self, revision: u64, text: &str) {
        let mut medium = self.disk.medium();
        let mut rows = medium.rows.iter_mut();
        if let Some(row) = rows.find(|row| row.revision == revision) {
            row.text = text.into();
        }
    }

    /// Takes a stored record out.
    pub fn remove(&self, revision: u64) {
        let mut medium = self.disk.medium();
        medium.rows.retain(|row| row.revision != revision);
    }
}
