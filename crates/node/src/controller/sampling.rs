//! The eye on other systems: when an interval has ended, its samples are asked for aside, and given out
//! when they are there.

use std::sync::{Arc, Mutex, PoisonError};

use leverframe_core::Timestamp;
use leverframe_store::StoredMeasurement;

use crate::node::Grid;
use crate::source::{Interval, Sampler, WantedSample};

/// Asks the sources once an interval.
pub(crate) struct Sampling {
    sampler: Arc<Sampler>,
    grid: Grid,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    /// Up to when intervals were asked for.
    asked_until: Option<Timestamp>,
    came: Vec<StoredMeasurement>,
}

impl Sampling {
    pub(crate) fn new(sampler: Arc<Sampler>, grid: Grid) -> Self {
        Self {
            sampler,
            grid,
            inner: Arc::default(),
        }
    }

    /// The samples that have come since the last time, each once. Has the next ones asked for when their
    /// interval has ended; never waits.
    pub(super) fn came(&self, now: Timestamp, wanted: &[WantedSample]) -> Vec<StoredMeasurement> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let came = std::mem::take(&mut inner.came);
        let until = self.grid.begin(now);
        // An interval that nobody watched is not asked for afterwards: what stands there now is of now.
        let is_due = inner.asked_until.is_some_and(|asked| asked < until);
        inner.asked_until = Some(until);
        if !is_due {
            return came;
        }
        let length_ms = self.grid.length_ms();
        let interval = Interval {
            at: until.plus_ms(-length_ms),
            length_ms,
        };
        let wanted: Vec<WantedSample> = wanted
            .iter()
            .filter(|wanted| Sampler::samples(&wanted.measure))
            .cloned()
            .collect();
        if wanted.is_empty() {
            return came;
        }
        let (sampler, inner) = (Arc::clone(&self.sampler), Arc::clone(&self.inner));
        tokio::spawn(async move {
            let samples = sampler.sample(interval, &wanted).await;
            let mut inner = inner.lock().unwrap_or_else(PoisonError::into_inner);
            inner.came.extend(samples);
        });
        came
    }
}
