//! Outcomes: what evaluators, applications and browsers say went well or not, folded into closed
//! intervals that are kept beside the journal.
//!
//! An interval is closed once, at its watermark, and never changes: what comes later is counted as late
//! and nowhere else. Until it is closed *and stored*, whoever reports keeps what they said and says it
//! again after a restart of either side; joining the same twice makes no difference. What counts is a
//! *unit* (a person, a job), once an interval, and bad once a stage.
//!
//! The arithmetic is in `book` and below, pure; what is here locks, and reads and writes the store.

mod book;
mod gauges;
mod interval;
mod lever;
mod limit;
mod minute;
mod note;
mod report;
mod stage;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use leverframe_core::Timestamp;
use leverframe_flags::EnvironmentKey;
use leverframe_store::{Beside, Series, StoreError, StoredMeasurement};

use self::book::Book;
pub use self::book::Watched;
use self::limit::{OUTCOME_FORGET_MS, OUTCOME_REOPEN_MS_MAX, OUTCOME_UNSAVED_MAX};
pub use self::report::{
    Arm, BROWSER, Batch, Chosen, ERRORS, Gauge, NO_FLAG, Origin, Report, ReportedUnit, Taken,
    is_outcome_name,
};
use crate::clock::Clock;
use crate::node::Grid;

/// Measurements read at once when a stage is taken up again.
const PAGE: usize = 10_000;

/// The outcomes of a node.
pub struct Outcomes {
    grid: Grid,
    clock: Clock,
    beside: Arc<dyn Beside>,
    inner: Mutex<Inner>,
    /// Held while intervals are closed and stored, so that they are stored in the order of time.
    closing: Mutex<()>,
}

struct Inner {
    book: Book,
    /// Until then nothing is closed, so that those who report can come back after a restart.
    grace_until: Timestamp,
    /// Closed and not stored yet.
    unsaved: Vec<StoredMeasurement>,
    unsaved_intervals: usize,
    /// Every interval that ends here or before is closed and stored.
    settled_until: Timestamp,
}

impl Outcomes {
    /// Takes up what is stored; blocking.
    pub(crate) fn resume(grid: Grid, clock: Clock, beside: Arc<dyn Beside>) -> Self {
        let now = clock.steady();
        let book = recalled(grid, now, &*beside).unwrap_or_else(|error| {
            tracing::warn!(%error, "what was measured cannot be read; stages begin anew");
            Book::new(grid, grid.begin(now), now)
        });
        let settled_until = book.closed_until();
        let watermark = i64::try_from(grid.watermark.as_millis()).unwrap_or(i64::MAX);
        Self {
            grid,
            clock,
            beside,
            inner: Mutex::new(Inner {
                book,
                grace_until: now.plus_ms(watermark),
                unsaved: Vec::new(),
                unsaved_intervals: 0,
                settled_until,
            }),
            closing: Mutex::default(),
        }
    }

    /// How intervals are cut.
    #[must_use]
    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// Every interval that ends here or before is closed and stored: nobody has to keep what they said
    /// of it.
    #[must_use]
    pub fn settled_until(&self) -> Timestamp {
        self.lock().settled_until
    }

    /// Takes what somebody says.
    pub fn take(&self, environment: &EnvironmentKey, batch: &Batch) -> Taken {
        let now = self.clock.steady();
        self.lock().book.take(environment, batch, now)
    }

    /// Says which flags are watched, such as by rollouts that run: for each there is a measurement of
    /// every interval, even of one in which nothing came. Replaces what was said before.
    pub fn watch(&self, watched: &[Watched]) {
        self.lock().book.watch(watched);
    }

    /// Closes the intervals whose watermark has passed, stores what was measured in them, and returns
    /// that in the order of time, each once. `revision` says which revision has last moved a lever, by
    /// environment and flag. Blocking: it waits for the store; when that fails, nothing is returned
    /// until it works again.
    pub fn close_until(
        &self,
        now: Timestamp,
        revision: impl Fn(&str, &str) -> u64,
    ) -> Vec<StoredMeasurement> {
        let _closing = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        let (rows, until) = {
            let mut inner = self.lock();
            if now < inner.grace_until {
                return Vec::new();
            }
            if inner.unsaved_intervals < OUTCOME_UNSAVED_MAX {
                let before = inner.book.closed_until();
                let rows = inner.book.close(self.grid.closed_until(now), now, revision);
                if inner.book.closed_until() > before {
                    inner.unsaved_intervals += 1;
                }
                inner.unsaved.extend(rows);
            }
            (
                std::mem::take(&mut inner.unsaved),
                inner.book.closed_until(),
            )
        };
        let saved = if rows.is_empty() {
            Ok(())
        } else {
            self.beside.save_measurements(&rows)
        };
        let mut inner = self.lock();
        match saved {
            Ok(()) => {
                inner.unsaved_intervals = 0;
                inner.settled_until = until;
                rows
            }
            Err(error) => {
                tracing::error!(%error, "what was measured cannot be stored; rollouts hold");
                inner.unsaved = rows;
                Vec::new()
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The book as it was when the last measurement was stored.
fn recalled(grid: Grid, now: Timestamp, beside: &dyn Beside) -> Result<Book, StoreError> {
    let since = now.plus_ms(-OUTCOME_FORGET_MS);
    let mut levers: BTreeMap<_, (Timestamp, Vec<Series>)> = BTreeMap::new();
    for (series, last) in beside.measured_since(since)? {
        // A clock that went back makes the future of measurements that are past.
        if let Some(origin) = book::origin_of(&series)
            && last <= now
        {
            let key = (series.environment.clone(), series.flag.clone(), origin);
            let (latest, all) = levers.entry(key).or_default();
            *latest = last.max(*latest);
            all.push(series);
        }
    }
    let last = levers.values().map(|(last, _)| *last).max();
    let oldest = now.plus_ms(-OUTCOME_REOPEN_MS_MAX);
    // Where nothing is stored, what was said may have been on its way to the first measurement.
    let closed_until = last.map_or(oldest, |last| last.plus_ms(grid.length_ms()).max(oldest));
    let mut book = Book::new(grid, closed_until, now);
    for ((environment, flag, origin), (last, series)) in levers {
        let errors = [origin.prefix(), ERRORS].concat();
        let errors = Series::new(environment, flag, errors);
        let rows = stage_rows(beside, &errors, last)?;
        book.recall(origin, &series, last, &rows);
    }
    Ok(book)
}

/// The measurements of the stage that was the last one.
fn stage_rows(
    beside: &dyn Beside,
    errors: &Series,
    last: Timestamp,
) -> Result<Vec<StoredMeasurement>, StoreError> {
    let end = last.plus_ms(1);
    let newest = beside.measurements(errors, last, end, 1)?;
    let Some(newest) = newest.first().map(|one| one.measurement.clone()) else {
        return Ok(Vec::new());
    };
    let mut stage = Vec::new();
    let mut until = end;
    // Backwards by pages, for as long as it is the same stage.
    let step_ms = newest.length_ms.saturating_mul(PAGE as i64).max(1);
    loop {
        let from = until.plus_ms(-step_ms);
        let mut page = beside.measurements(errors, from, until, PAGE)?;
        let is_whole = page
            .iter()
            .all(|one| one.measurement.lever_revision == newest.lever_revision);
        let is_empty = page.is_empty();
        page.retain(|one| one.measurement.lever_revision == newest.lever_revision);
        page.append(&mut stage);
        stage = page;
        if is_empty || !is_whole {
            return Ok(stage);
        }
        until = from;
    }
}
