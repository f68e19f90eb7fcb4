//! A number on the right or wrong side of its limit.

use crate::rollout::{Measure, Metric, Reading};

/// A gauge and how often in a row it was on the wrong side.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gauge {
    limit: f64,
    is_floor: bool,
    in_a_row_max: u32,
    wrong_in_a_row: u32,
    value: Option<f64>,
}

impl Gauge {
    /// Of a metric; none when it is no gauge.
    pub(super) fn of(metric: &Metric) -> Option<Self> {
        match &metric.measure {
            Measure::Gauge {
                limit,
                above,
                in_a_row,
                ..
            } => Some(Self {
                limit: *limit,
                is_floor: *above,
                in_a_row_max: (*in_a_row).max(1),
                wrong_in_a_row: 0,
                value: None,
            }),
            Measure::Outcomes { .. } | Measure::Latency { .. } | Measure::Counters { .. } => None,
        }
    }

    /// Takes the next sample; what is not a number is none.
    pub(super) fn take(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        let is_wrong = if self.is_floor {
            value < self.limit
        } else {
            value > self.limit
        };
        self.wrong_in_a_row = if is_wrong {
            self.wrong_in_a_row.saturating_add(1)
        } else {
            0
        };
        self.value = Some(value);
    }

    pub(super) fn reading(&self) -> Reading {
        match self.value {
            None => Reading::NoData,
            Some(value) => Reading::Gauge {
                value,
                limit: self.limit,
                is_floor: self.is_floor,
                wrong_in_a_row: self.wrong_in_a_row,
                in_a_row_max: self.in_a_row_max,
            },
        }
    }
}
