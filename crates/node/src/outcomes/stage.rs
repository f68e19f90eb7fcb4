//! What is remembered of the units of one stage: the time since the lever was last moved.

use std::collections::BTreeMap;

use leverframe_core::analysis::Tally;
use leverframe_core::rollout::Arrivals;

use super::interval::Interval;
use super::limit::OUTCOME_NAMES_MAX;
use super::report::Arm;

/// The units that a stage has seen: which arm answered, and what of each was bad already.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    /// The revision that last moved the lever.
    pub(super) revision: u64,
    /// Which hour of remembering it is, where nobody watches.
    pub(super) period: i64,
    /// Only units with a smaller hash count.
    threshold: u64,
    known: BTreeMap<u64, Known>,
}

/// What is known of one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Known {
    pub(super) arms: u8,
    pub(super) bad: u8,
}

/// What an interval adds to a stage.
#[derive(Debug, Default)]
pub(super) struct Added {
    /// By arm, in the order of [`Arm::ALL`].
    pub(super) units: [u64; 3],
    /// By name and arm; each unit once in a stage.
    pub(super) bad: [[u64; 3]; OUTCOME_NAMES_MAX],
    pub(super) arrivals: [u64; 3],
    /// The units of which something new is known, for those who go on after a restart.
    pub(super) learned: Vec<(u64, Known)>,
    /// Only units with a smaller hash were counted.
    pub(super) threshold: u64,
}

impl Stage {
    pub(super) fn new(revision: u64, period: i64) -> Self {
        Self {
            revision,
            period,
            threshold: u64::MAX,
            known: BTreeMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Learns again what was learned before a restart.
    pub(super) fn recall(&mut self, learned: &[(u64, Known)], threshold: u64, units_max: usize) {
        self.lower(threshold);
        for (hash, known) in learned {
            if *hash < self.threshold {
                self.known.entry(*hash).or_default().unite(*known);
            }
        }
        self.keep(units_max);
    }

    /// Counts an interval. A unit that both arms have answered in this stage counts no more.
    pub(super) fn add(&mut self, interval: &Interval, units_max: usize) -> Added {
        let limit = self.threshold.min(interval.threshold());
        let mut seen = Vec::with_capacity(interval.len());
        for (hash, joined) in interval.units() {
            if hash >= limit {
                break;
            }
            let known = self.known.entry(hash).or_default();
            let before = *known;
            known.unite(Known {
                arms: joined.arms,
                bad: joined.bad,
            });
            seen.push((hash, before, *known));
        }
        self.keep(units_max);
        let mut added = Added {
            threshold: self.threshold.min(limit),
            ..Added::default()
        };
        for (hash, before, after) in seen {
            if hash >= added.threshold {
                break;
            }
            if before != after {
                added.learned.push((hash, after));
            }
            let Some(arm) = Arm::only(after.arms) else {
                continue;
            };
            let arm = place(arm);
            count(&mut added.units, arm);
            if before.arms == 0 {
                count(&mut added.arrivals, arm);
            }
            let newly_bad = after.bad & !before.bad;
            for (bit, bad) in added.bad.iter_mut().enumerate() {
                if newly_bad & (1 << bit) != 0 {
                    count(bad, arm);
                }
            }
        }
        added
    }

    /// Only units with a smaller hash than this count from now on.
    pub(super) fn threshold(&self) -> u64 {
        self.threshold
    }

    fn lower(&mut self, threshold: u64) {
        if threshold < self.threshold {
            self.threshold = threshold;
            self.known.split_off(&threshold);
        }
    }

    /// Forgets the units with the largest hashes, which then count no more: the same in both arms.
    fn keep(&mut self, units_max: usize) {
        while self.known.len() > units_max {
            let Some((largest, _)) = self.known.pop_last() else {
                return;
            };
            self.threshold = largest;
        }
    }
}

impl Known {
    fn unite(&mut self, other: Self) {
        self.arms |= other.arms;
        self.bad |= other.bad;
    }
}

impl Added {
    /// Units and bad ones of a name, by arm.
    pub(super) fn tally(&self, name: usize, arm: Arm) -> Tally {
        let arm = place(arm);
        let bad = self.bad.get(name).and_then(|bad| bad.get(arm));
        Tally {
            units: self.units.get(arm).copied().unwrap_or(0),
            bad: bad.copied().unwrap_or(0),
        }
    }

    pub(super) fn arrivals(&self) -> Arrivals {
        let [exposed, held_back, assigned] = self.arrivals;
        Arrivals {
            exposed,
            held_back,
            assigned,
        }
    }
}

/// The place of an arm in [`Arm::ALL`].
pub(super) fn place(arm: Arm) -> usize {
    match arm {
        Arm::Exposed => 0,
        Arm::HeldBack => 1,
        Arm::Assigned => 2,
    }
}

fn count(counts: &mut [u64; 3], at: usize) {
    if let Some(count) = counts.get_mut(at) {
        *count += 1;
    }
}
