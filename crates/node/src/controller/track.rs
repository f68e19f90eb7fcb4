//! One rollout that runs: its evidence, and up to where it was folded.

use std::sync::Arc;

use leverframe_core::Timestamp;
use leverframe_core::rollout::{Glance, LOOK_BACK_MS, Ledger, Measure, Rollout, row_key};
use leverframe_store::{Beside, Series, StoreError, StoredMeasurement};

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
        let mut stored = Vec::new();
        for (series, _) in &track.rows {
            let mut from = rollout.started_at.plus_ms(-LOOK_BACK_MS);
            loop {
                let page = beside.measurements(series, from, Timestamp::from_ms(i64::MAX), PAGE)?;
                let Some(last) = page.last() else { break };
                from = last.measurement.at.plus_ms(1);
                let is_last = page.len() < PAGE;
                stored.extend(page);
                if is_last {
                    break;
                }
            }
        }
        stored.sort_by_key(|row| row.measurement.at);
        for row in &stored {
            track.take(row);
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

    /// Folds a measurement, if it is of this rollout.
    pub(super) fn take(&mut self, row: &StoredMeasurement) {
        for (series, metric) in &self.rows {
            if *series == row.series {
                self.ledger.take(metric, &row.measurement);
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
