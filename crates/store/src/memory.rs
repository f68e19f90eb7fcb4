//! The memory adapter: a journal on an imaginary disk, for tests and the simulation.
//!
//! The [`Disk`] outlives the stores opened on it, as a file outlives a process: dropping a
//! [`MemoryStore`] is a crash of the process, [`Disk::cut_power`] one of the machine. [`Faults`]
//! makes the disk fail on command; without orders it never does. Nothing here is random or timed.
//!
//! Several stores may be open on one disk, as several nodes are on one PostgreSQL: only the one with
//! the current fence can write.

mod fault;
mod measurements;
mod medium;
mod sessions;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use leverframe_core::{Entry, Timestamp};

pub use self::fault::{Failure, Faults, Hang};
use self::medium::Medium;
use crate::chain::{self, Walk};
use crate::error::{AppendError, StoreError};
use crate::port::{
    BackupReport, Beside, Fence, Head, Reader, Series, Store, StoredMeasurement, StoredSession,
    StoredSnapshot,
};

/// An imaginary disk: what survives when a store is dropped. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct Disk(Arc<Mutex<Medium>>);

/// A store on an imaginary disk.
#[derive(Debug)]
pub struct MemoryStore {
    disk: Disk,
}

impl Disk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives it orders to fail.
    #[must_use]
    pub fn faults(&self) -> Faults {
        Faults::of(self.clone())
    }

    /// The machine dies: what was not really synced is gone. See [`Faults::ignore_syncs`].
    pub fn cut_power(&self) {
        self.medium().cut_power();
    }

    fn medium(&self) -> MutexGuard<'_, Medium> {
        // No operation on the medium can leave it half changed, so a panic elsewhere spoils nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryStore {
    /// A store on a disk of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::open(&Disk::new())
    }

    /// A store on this disk, with what it holds.
    #[must_use]
    pub fn open(disk: &Disk) -> Self {
        Self { disk: disk.clone() }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for MemoryStore {
    fn append(
        &mut self,
        expected_revision: u64,
        fence: Fence,
        entries: &[Entry],
    ) -> Result<(), AppendError> {
        let gate = Arc::clone(&self.disk.medium().orders.gate);
        gate.pass();
        let mut medium = self.disk.medium();
        let failure = medium.orders.next_failure();
        match failure {
            Some(Failure::Full) => return Err(full().into()),
            Some(Failure::BeforeDurable) => return Err(broken("write").into()),
            Some(Failure::AfterDurable) | None => {}
        }
        chain::admit(
            medium.head(),
            Fence(medium.fence),
            expected_revision,
            fence,
            entries,
        )?;
        medium.append(entries);
        match failure {
            Some(_) => Err(broken("sync").into()),
            None => Ok(()),
        }
    }

    fn take_leadership(&mut self, _now: Timestamp) -> Result<Fence, StoreError> {
        let mut medium = self.disk.medium();
        medium.fence += 1;
        Ok(Fence(medium.fence))
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(self.disk.clone())
    }

    fn beside(&self) -> Arc<dyn Beside> {
        Arc::new(self.disk.clone())
    }
}

impl Reader for Disk {
    fn head(&self) -> Result<Head, StoreError> {
        Ok(self.medium().readable()?.head())
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let medium = self.medium();
        let medium = medium.readable()?;
        if after > medium.head().revision {
            return Ok(Vec::new());
        }
        let from = medium
            .place(after)
            .ok_or_else(|| chain::missing(after, place()))?;
        let mut walk = Walk::from(from, place());
        medium
            .rows_after(after)
            .take(limit)
            .map(|row| walk.step(row.clone()))
            .collect()
    }

    fn check(&self, known: Head) -> Result<(), StoreError> {
        let medium = self.medium();
        let medium = medium.readable()?;
        let found = medium.place(known.revision).map(|head| head.link);
        chain::compare(known, found, medium.head(), place())
    }

    fn verify(
        &self,
        known: Option<Head>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Head, StoreError> {
        let head = {
            let medium = self.medium();
            let mut walk = Walk::from(Head::START, place());
            for row in medium.readable()?.rows_after(0) {
                walk.step(row.clone())?;
            }
            walk.head()
        };
        progress(head.revision);
        known.map_or(Ok(()), |known| self.check(known))?;
        Ok(head)
    }

    /// There is no file that could hold it.
    fn backup(&self, to: &Path) -> Result<BackupReport, StoreError> {
        let source = "a journal in memory has no backup; use the SQLite store";
        Err(StoreError::unavailable("write", to, source))
    }
}

impl Beside for Disk {
    fn save_snapshot(&self, snapshot: &StoredSnapshot) -> Result<(), StoreError> {
        self.medium().save_snapshot(snapshot.clone());
        Ok(())
    }

    fn offer_snapshots(&self, take: &mut dyn FnMut(StoredSnapshot) -> bool) {
        let snapshots = self.medium().snapshots();
        snapshots.into_iter().any(take);
    }

    fn save_brakes(&self, brakes: &[u8]) -> Result<(), StoreError> {
        self.medium().brakes = Some(brakes.to_vec());
        Ok(())
    }

    fn load_brakes(&self) -> Option<Vec<u8>> {
        self.medium().brakes.clone()
    }

    fn save_roll(&self, environment: &str, roll: &[u8]) -> Result<(), StoreError> {
        let mut medium = self.medium();
        medium.rolls.insert(environment.into(), roll.to_vec());
        Ok(())
    }

    fn load_rolls(&self) -> Vec<(Box<str>, Vec<u8>)> {
        let medium = self.medium();
        let rolls = medium.rolls.iter();
        rolls
            .map(|(key, roll)| (key.clone(), roll.clone()))
            .collect()
    }

    fn save_session(&self, session: &StoredSession) -> Result<(), StoreError> {
        let mut medium = self.medium();
        medium.takes_sessions("save a session in")?;
        medium.sessions.save(session.clone());
        Ok(())
    }

    fn sessions(&self, now: Timestamp) -> Result<Vec<StoredSession>, StoreError> {
        let medium = self.medium();
        Ok(medium.readable()?.sessions.not_over(now))
    }

    fn drop_session(&self, secret_sha256: &[u8; 32]) -> Result<(), StoreError> {
        let mut medium = self.medium();
        medium.takes_sessions("drop a session in")?;
        medium.sessions.drop_one(secret_sha256);
        Ok(())
    }

    fn drop_sessions_over(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut medium = self.medium();
        medium.takes_sessions("drop sessions in")?;
        Ok(medium.sessions.drop_over(now))
    }

    fn save_measurements(&self, measurements: &[StoredMeasurement]) -> Result<(), StoreError> {
        let mut medium = self.medium();
        if medium.orders.fails_measurements {
            return Err(broken("save measurements in"));
        }
        for one in measurements {
            one.check()
                .map_err(|why| StoreError::unavailable("save measurements in", place(), why))?;
        }
        medium.measurements.save(measurements);
        Ok(())
    }

    fn measurements(
        &self,
        series: &Series,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<StoredMeasurement>, StoreError> {
        let medium = self.medium();
        let medium = medium.readable()?;
        Ok(medium.measurements.read(series, from, until, limit))
    }

    fn measured_since(&self, since: Timestamp) -> Result<Vec<(Series, Timestamp)>, StoreError> {
        let medium = self.medium();
        Ok(medium.readable()?.measurements.since(since))
    }

    fn drop_measurements_before(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(self.medium().measurements.drop_before(before))
    }
}

/// What stands in errors where a file adapter names its directory.
fn place() -> &'static Path {
    Path::new("memory")
}

fn full() -> StoreError {
    StoreError::DiskFull {
        file: place().to_owned(),
    }
}

fn broken(action: &'static str) -> StoreError {
    StoreError::unavailable(action, place(), "the disk was told to fail")
}
