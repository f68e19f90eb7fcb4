//! An open interval of one lever: what reports add up to, whatever their order.

use std::collections::BTreeMap;

use super::report::{Chosen, ReportedUnit};

/// The units of one lever in one interval. Joining is commutative and idempotent: bits are united, and
/// of the latencies the smallest choice wins.
#[derive(Debug, Clone)]
pub(super) struct Interval {
    /// Only units with a smaller hash are in it.
    threshold: u64,
    units: BTreeMap<u64, Joined>,
}

/// What all reports say of one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Joined {
    pub(super) arms: u8,
    /// By the lever's names.
    pub(super) bad: u8,
    pub(super) latency: Option<Chosen>,
}

impl Default for Interval {
    fn default() -> Self {
        Self {
            threshold: u64::MAX,
            units: BTreeMap::new(),
        }
    }
}

impl Interval {
    /// Leaves out units with a hash that is not below this.
    pub(super) fn lower(&mut self, threshold: u64) {
        if threshold < self.threshold {
            self.threshold = threshold;
            self.units.split_off(&threshold);
        }
    }

    /// Adds a unit, keeping at most `units_max`: those with the smallest hashes.
    pub(super) fn join(&mut self, unit: ReportedUnit, bad: u8, units_max: usize) {
        if unit.hash >= self.threshold {
            return;
        }
        let joined = self.units.entry(unit.hash).or_default();
        joined.arms |= unit.arm.bit();
        joined.bad |= bad;
        joined.latency = match (joined.latency, unit.latency) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        while self.units.len() > units_max {
            let Some((largest, _)) = self.units.pop_last() else {
                break;
            };
            self.threshold = largest;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.units.len()
    }

    /// Its units, those with the smallest hashes first.
    pub(super) fn units(&self) -> impl Iterator<Item = (u64, Joined)> {
        self.units.iter().map(|(hash, joined)| (*hash, *joined))
    }

    pub(super) fn threshold(&self) -> u64 {
        self.threshold
    }
}
