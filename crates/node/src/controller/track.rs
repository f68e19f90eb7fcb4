//! One rollout that runs: its evidence, and up to where it was folded.

use std::collections::BTreeMap;
use std::sync::Arc;

use leverframe_core::Timestamp;
use leverframe_core::rollout::{
    Glance, LOOK_BACK_MS, Ledger, Measure, Measurement, Rollout, row_key,
};
use leverframe_store::{Beside, Series, StoreError};

use super::looks::Look;

/// Measurements read at once.
const PAGE: usize = 10_000;

/// The evidence of one rollout.
pub(super) struct Track {
    ledger: Ledger,
    moves: u64,
    /// Which rows are folded as which metrics.
    rows: Vec<(Series, Box<str>)>,
}

impl Track {
    /// From what is stored.
    pub(super) fn begin(rollout: &Rollout, beside: &dyn Beside) -> Result<Self, StoreError> {
        let rows: Vec<(Series, Box<str>)> = rollout
            .plan
            .metrics
            .iter()
            .map(|metric| (series(rollout, &metric.measure), metric.key.clone()))
            .collect();
        let mut track = Self {
            ledger: Ledger::of(rollout),
            moves: last_move(rollout),
            rows,
        };
        // By the steady clock, which measurements are timed by; the start itself is told by the other.
        let began_at = rollout.moves.first().map_or(rollout.since, |made| made.at);
        for (series, metric) in &track.rows {
            let mut from = began_at.plus_ms(-LOOK_BACK_MS);
            loop {
                let page = beside.measurements(series, from, Timestamp::from_ms(i64::MAX), PAGE)?;
                for row in &page {
                    track.ledger.take(metric, &row.measurement);
                }
                match page.last() {
                    Some(last) if page.len() >= PAGE => from = last.measurement.at.plus_ms(1),
                    _ => break,
                }
            }
        }
        Ok(track)
    }

    /// Takes note of what the rollout did.
    pub(super) fn follow(&mut self, rollout: &Rollout) {
        let moves = last_move(rollout);
        if moves != self.moves {
            self.moves = moves;
            self.ledger.follow(rollout);
        }
    }

    /// Folds what is of this rollout, each metric in the order of time.
    pub(super) fn take_all(&mut self, fresh: &BTreeMap<Series, Vec<Measurement>>) {
        for (series, metric) in &self.rows {
            for measurement in fresh.get(series).into_iter().flatten() {
                self.ledger.take(metric, measurement);
            }
        }
    }

    pub(super) fn look(&self, rollout: &Rollout, glance: &Glance) -> Look {
        Look {
            observation: Arc::new(self.ledger.look(rollout, glance)),
        }
    }
}

fn last_move(rollout: &Rollout) -> u64 {
    rollout.moves.last().map_or(0, |last| last.revision)
}

/// Under which name what a rollout's metric sees is kept.
pub(crate) fn series(rollout: &Rollout, measure: &Measure) -> Series {
    let flag = match measure {
        // Gauges that evaluators report are of the application, not of a flag.
        Measure::Gauge { source, .. } if &**source == "outcomes" => "*",
        _ => rollout.flag.as_str(),
    };
    Series::new(rollout.environment.as_str(), flag, row_key(measure))
}
