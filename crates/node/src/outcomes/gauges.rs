//! Gauges of one environment: the largest and the smallest that any evaluator says of each.

use std::collections::BTreeMap;

use leverframe_core::Timestamp;
use leverframe_core::rollout::{Measurement, Seen, source_row};
use leverframe_store::{Series, StoredMeasurement};

use super::limit::{OUTCOME_FORGET_MS, OUTCOME_GAUGES_MAX};
use super::report::{Gauge, NO_FLAG};

/// What plans call the source of gauges that evaluators report.
const SOURCE: &str = "outcomes";

#[derive(Debug, Clone, Default)]
pub(super) struct Gauges(BTreeMap<Box<str>, Kept>);

#[derive(Debug, Clone)]
struct Kept {
    heard: (Timestamp, Timestamp),
    open: BTreeMap<Timestamp, (f64, f64)>,
}

impl Gauges {
    /// False when there is no room for it.
    pub(super) fn take(&mut self, gauge: &Gauge) -> bool {
        if !self.0.contains_key(&gauge.name) && self.0.len() >= OUTCOME_GAUGES_MAX {
            return false;
        }
        let kept = self.0.entry(gauge.name.clone()).or_insert_with(|| Kept {
            heard: (gauge.at, gauge.at),
            open: BTreeMap::new(),
        });
        let (first, last) = kept.heard;
        kept.heard = (first.min(gauge.at), last.max(gauge.at));
        let (min, max) = kept.open.entry(gauge.at).or_insert((gauge.min, gauge.max));
        *min = min.min(gauge.min);
        *max = max.max(gauge.max);
        true
    }

    /// `queue_depth` is the largest value in the interval, `min(queue_depth)` the smallest.
    pub(super) fn close(
        &mut self,
        environment: &str,
        at: Timestamp,
        length_ms: i64,
    ) -> Vec<StoredMeasurement> {
        let mut rows = Vec::new();
        self.0.retain(|name, kept| {
            let value = kept.open.remove(&at);
            let (first, last) = kept.heard;
            let is_kept = at.ms_since(last) <= OUTCOME_FORGET_MS;
            if value.is_none() && (!is_kept || at < first) {
                return is_kept;
            }
            let seen =
                |value: Option<f64>| value.map_or(Seen::NoData, |value| Seen::Gauge { value });
            for (query, value) in [
                (name.to_string(), value.map(|(_, max)| max)),
                (format!("min({name})"), value.map(|(min, _)| min)),
            ] {
                rows.push(StoredMeasurement {
                    series: Series::new(environment, NO_FLAG, source_row(SOURCE, &[&query])),
                    measurement: Measurement {
                        at,
                        length_ms,
                        lever_revision: 0,
                        seen: seen(value),
                    },
                    private: None,
                });
            }
            true
        });
        rows
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
