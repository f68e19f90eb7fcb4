//! What was counted in one interval, and sums of it.

use crate::analysis::{Counts, Tally};
use crate::rollout::{Arrivals, Seen};

/// One metric in one interval, whatever source it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Interval {
    pub(super) exposed: Tally,
    pub(super) held_back: Tally,
    pub(super) assigned: Tally,
    pub(super) arrivals: Option<Arrivals>,
    pub(super) late: (u64, u64),
    pub(super) is_approximate: bool,
}

impl Interval {
    /// Of what was seen, times being held against a limit; none when it is nothing that is counted.
    pub(super) fn of(seen: &Seen, limit_ms: u32) -> Option<Self> {
        match seen {
            Seen::Units {
                exposed,
                held_back,
                assigned,
                late,
                arrivals,
                is_approximate,
            } => Some(Self {
                exposed: sound(*exposed),
                held_back: sound(*held_back),
                assigned: sound(*assigned),
                arrivals: *arrivals,
                late: *late,
                is_approximate: *is_approximate,
            }),
            Seen::Latency {
                exposed,
                held_back,
                assigned,
                late,
            } => Some(Self {
                exposed: exposed.tally(limit_ms),
                held_back: held_back.tally(limit_ms),
                assigned: assigned.tally(limit_ms),
                arrivals: None,
                late: *late,
                is_approximate: false,
            }),
            Seen::Gauge { .. } | Seen::NoData | Seen::Error { .. } | Seen::Untrusted { .. } => None,
        }
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            exposed: self.exposed,
            held_back: self.held_back,
        }
    }

    /// The same as it counts at an exposed share: where nobody is held back, whoever is let through is
    /// exposed, though chance did not decide.
    pub(super) fn at(mut self, share: f64) -> Self {
        if share >= 1.0 {
            self.exposed += std::mem::take(&mut self.assigned);
            if let Some(new) = &mut self.arrivals {
                new.exposed = new
                    .exposed
                    .saturating_add(std::mem::take(&mut new.assigned));
            }
        }
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.exposed.units == 0 && self.held_back.units == 0 && self.assigned.units == 0
    }
}

/// A source that says more went wrong than happened is not believed the difference.
fn sound(tally: Tally) -> Tally {
    Tally {
        bad: tally.bad.min(tally.units),
        ..tally
    }
}

/// One arm over several intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Arm {
    tally: Tally,
    arrived: Option<u64>,
    largest: u64,
}

impl Arm {
    fn add(&mut self, tally: Tally, arrived: Option<u64>) {
        self.tally += tally;
        self.largest = self.largest.max(tally.units);
        if let Some(arrived) = arrived {
            let sum = self.arrived.get_or_insert(0);
            *sum = sum.saturating_add(arrived);
        }
    }

    /// Distinct units, as well as they are known: where arrivals are, those, and at least as many as
    /// were there in one interval.
    fn distinct(&self) -> Tally {
        match self.arrived {
            Some(arrived) => Tally {
                units: arrived.max(self.largest).max(self.tally.bad),
                bad: self.tally.bad,
            },
            None => self.tally,
        }
    }
}

/// All arms over several intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sums {
    exposed: Arm,
    held_back: Arm,
    assigned: Arm,
    late: (u64, u64),
    intervals: u64,
}

impl Sums {
    pub(super) fn add(&mut self, interval: &Interval) {
        let arrived = |of: fn(Arrivals) -> u64| interval.arrivals.map(of);
        self.exposed
            .add(interval.exposed, arrived(|new| new.exposed));
        self.held_back
            .add(interval.held_back, arrived(|new| new.held_back));
        self.assigned
            .add(interval.assigned, arrived(|new| new.assigned));
        self.late.0 = self.late.0.saturating_add(interval.late.0);
        self.late.1 = self.late.1.saturating_add(interval.late.1);
        self.intervals += 1;
    }

    /// Distinct units of the arms that chance decided.
    pub(super) fn distinct(&self) -> Counts {
        Counts {
            exposed: self.exposed.distinct(),
            held_back: self.held_back.distinct(),
        }
    }

    /// Those who are let through: by the percentage where there is one, and else by a cohort.
    pub(super) fn canary(&self, share: f64) -> Tally {
        if share > 0.0 || share.is_nan() {
            self.exposed.distinct()
        } else {
            self.assigned.distinct()
        }
    }

    /// Everybody.
    pub(super) fn everybody(&self) -> Tally {
        let mut all = self.exposed.distinct();
        all += self.held_back.distinct();
        all += self.assigned.distinct();
        all
    }

    /// Units of which the arms' shares can be told. Where nobody is known the same ones come in every
    /// interval, and then only one interval's worth is certain.
    pub(super) fn for_shares(&self) -> Counts {
        let of = |arm: &Arm| Tally {
            units: match arm.arrived {
                Some(arrived) => arrived,
                None => arm.tally.units / self.intervals.max(1),
            },
            bad: 0,
        };
        Counts {
            exposed: of(&self.exposed),
            held_back: of(&self.held_back),
        }
    }

    /// Units by interval, exposed and held back.
    pub(super) fn units(&self) -> (u64, u64) {
        (self.exposed.tally.units, self.held_back.tally.units)
    }

    /// How many intervals they are of.
    pub(super) fn intervals(&self) -> u64 {
        self.intervals
    }

    /// Those that came too late, exposed and held back.
    pub(super) fn late(&self) -> (u64, u64) {
        self.late
    }
}
