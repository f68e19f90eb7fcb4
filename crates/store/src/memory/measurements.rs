//! The measurements on the imaginary disk.

use std::collections::BTreeMap;

use leverframe_core::Timestamp;

use crate::limit::{MEASUREMENTS_MAX, MEASUREMENTS_READ_MAX};
use crate::port::{Series, StoredMeasurement};

#[derive(Debug, Default)]
pub(super) struct Measurements(BTreeMap<Series, BTreeMap<Timestamp, StoredMeasurement>>);

impl Measurements {
    pub(super) fn save(&mut self, measurements: &[StoredMeasurement]) {
        for one in measurements {
            let series = self.0.entry(one.series.clone()).or_default();
            series
                .entry(one.measurement.at)
                .or_insert_with(|| one.clone());
        }
        while self.len() > MEASUREMENTS_MAX {
            let oldest = self.0.values().filter_map(|rows| rows.keys().next()).min();
            let Some(oldest) = oldest.copied() else {
                return;
            };
            self.drop_before(oldest.plus_ms(1));
        }
    }

    pub(super) fn read(
        &self,
        series: &Series,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Vec<StoredMeasurement> {
        let rows = self.0.get(series).filter(|_| from < until);
        rows.into_iter()
            .flat_map(|rows| rows.range(from..until))
            .take(limit.min(MEASUREMENTS_READ_MAX))
            .map(|(_, one)| one.clone())
            .collect()
    }

    pub(super) fn since(&self, since: Timestamp) -> Vec<(Series, Timestamp)> {
        let last = |(series, rows): (&Series, &BTreeMap<Timestamp, _>)| {
            let (last, _) = rows.last_key_value()?;
            (*last >= since).then(|| (series.clone(), *last))
        };
        self.0.iter().filter_map(last).collect()
    }

    pub(super) fn drop_before(&mut self, before: Timestamp) -> u64 {
        let count = self.len();
        for rows in self.0.values_mut() {
            *rows = rows.split_off(&before);
        }
        self.0.retain(|_, rows| !rows.is_empty());
        count - self.len()
    }

    fn len(&self) -> u64 {
        self.0.values().map(|rows| rows.len() as u64).sum()
    }
}
