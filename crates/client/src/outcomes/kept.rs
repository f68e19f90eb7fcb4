//! What is kept of one interval, in parts that threads seldom meet in.

use std::collections::BTreeMap;

/// Most units of one part in one interval.
pub(super) const PART_UNITS_MAX: usize = 512;

/// A part of an interval: units by fingerprint and flag.
#[derive(Debug)]
pub(super) struct Part {
    /// Only units with a smaller fingerprint are in it.
    pub(super) threshold: u64,
    units: BTreeMap<(u64, u32), Cell>,
}

/// What is known of one unit and flag.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cell {
    /// Which arms answered: bit 0 exposed, 1 held back, 2 assigned.
    pub(super) arms: u8,
    /// Which outcomes were bad, by their numbers.
    pub(super) bad: u64,
    /// The die and the bucket of one outcome; the smallest die stands for all.
    pub(super) latency: Option<(u16, u8)>,
    /// Whether something of it has never been sent.
    pub(super) is_new: bool,
}

impl Default for Part {
    fn default() -> Self {
        Self {
            threshold: u64::MAX,
            units: BTreeMap::new(),
        }
    }
}

impl Part {
    pub(super) fn add(&mut self, unit: u64, flag: u32, seen: Cell) {
        if unit >= self.threshold {
            return;
        }
        let cell = self.units.entry((unit, flag)).or_default();
        let latency = match (cell.latency, seen.latency) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let arms = cell.arms | seen.arms;
        let bad = cell.bad | seen.bad;
        if (arms, bad, latency) != (cell.arms, cell.bad, cell.latency) {
            *cell = Cell {
                arms,
                bad,
                latency,
                is_new: true,
            };
        }
        if self.units.len() > PART_UNITS_MAX
            && let Some(((largest, _), _)) = self.units.last_key_value()
        {
            let largest = *largest;
            self.threshold = largest;
            self.units.split_off(&(largest, 0));
        }
    }

    pub(super) fn is_new(&self) -> bool {
        self.units.values().any(|cell| cell.is_new)
    }

    /// Hands out what was never sent, or everything, below a threshold.
    pub(super) fn take(
        &mut self,
        everything: bool,
        threshold: u64,
    ) -> impl Iterator<Item = (u64, u32, Cell)> + '_ {
        let below = self.units.range_mut(..(threshold, 0));
        below.filter_map(move |((unit, flag), cell)| {
            let is_wanted = everything || cell.is_new;
            cell.is_new = false;
            is_wanted.then_some((*unit, *flag, *cell))
        })
    }

    /// What lies beyond a threshold is not sent, and so not new.
    pub(super) fn lower(&mut self, threshold: u64) {
        if threshold < self.threshold {
            self.threshold = threshold;
            self.units.split_off(&(threshold, 0));
        }
    }
}
