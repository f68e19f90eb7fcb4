//! A rollout that is fed and ticks, as a node would do it.

use std::collections::BTreeSet;

use leverframe_core::Timestamp;
use leverframe_core::analysis::Tally;
use leverframe_core::rollout::{
    Arrivals, Cause, Glance, Ledger, Measurement, Move, Observation, Part, Phase, Plan, Rollout,
    Seen, Transition, step,
};
use leverframe_flags::Position;

pub(super) const INTERVAL_MS: i64 = 10_000;
pub(super) const WATERMARK_MS: i64 = 15_000;

/// A rollout, its ledger and everything that was stored.
pub(super) struct Journey {
    pub(super) rollout: Rollout,
    pub(super) ledger: Ledger,
    pub(super) stored: Vec<(Box<str>, Measurement)>,
    pub(super) now: Timestamp,
    pub(super) is_frozen: bool,
    waiting: Vec<(Box<str>, Measurement)>,
}

impl Journey {
    /// Started now, which is not on the grid.
    pub(super) fn of(plan: Plan) -> Self {
        let now = Timestamp::from_ms(1_000_003_000);
        let mut rollout = Rollout {
            id: "ro_1".into(),
            flag: "checkout".parse().unwrap(),
            environment: "prod".parse().unwrap(),
            plan: plan.into(),
            before: Position::start(),
            lever_revision: 1,
            phase: Phase::Stage {
                index: 0,
                part: Part::Baking,
            },
            since: now,
            proved: None,
            started_by: "ana".into(),
            started_by_id: "tok_1".into(),
            reason: None,
            baselines: Vec::new(),
            builds: BTreeSet::new(),
            is_watch: false,
            moves: Vec::new(),
            started_at: now,
        };
        rollout.follow(Move {
            revision: 1,
            at: now,
            to: rollout.phase.clone(),
            cause: Cause::Started,
            by: "ana".into(),
            sentence: "".into(),
        });
        Self {
            ledger: Ledger::of(&rollout),
            rollout,
            stored: Vec::new(),
            now,
            is_frozen: false,
            waiting: Vec::new(),
        }
    }

    /// Lets one interval pass. What is seen in it, by metric, is stored once its watermark is over.
    pub(super) fn pass(&mut self, seen: Vec<(&str, Seen)>) -> Option<Transition> {
        let at = self.now.as_ms().div_euclid(INTERVAL_MS) * INTERVAL_MS;
        let lever_revision = self.rollout.lever_revision;
        for (metric, seen) in seen {
            let measurement = Measurement {
                at: Timestamp::from_ms(at),
                length_ms: INTERVAL_MS,
                // Gauges are of a process, and know of no lever.
                lever_revision: match seen {
                    Seen::Gauge { .. } => 0,
                    _ => lever_revision,
                },
                seen,
            };
            self.waiting.push((metric.into(), measurement));
        }
        self.now = self.now.plus_ms(INTERVAL_MS);
        let now = self.now;
        let is_due = |(_, seen): &(Box<str>, Measurement)| {
            now.ms_since(seen.at) >= INTERVAL_MS + WATERMARK_MS
        };
        let (due, waiting): (Vec<_>, Vec<_>) = self.waiting.drain(..).partition(is_due);
        self.waiting = waiting;
        for (metric, measurement) in due {
            self.ledger.take(&metric, &measurement);
            self.stored.push((metric, measurement));
        }
        let transition = step(&self.rollout, &self.look());
        if let Some(transition) = &transition {
            self.make(transition);
        }
        transition
    }

    /// Makes a transition, as the journal would.
    pub(super) fn make(&mut self, transition: &Transition) {
        let revision = self.rollout.moves.len() as u64 + 1;
        if transition.position.is_some() {
            self.rollout.lever_revision = revision;
        }
        self.rollout.follow(Move {
            revision,
            at: self.now,
            to: transition.to.clone(),
            cause: transition.cause.clone(),
            by: "lever".into(),
            sentence: "".into(),
        });
        self.rollout.proved = transition.proved.or(self.rollout.proved);
        self.ledger.follow(&self.rollout);
    }

    pub(super) fn look(&self) -> Observation {
        self.look_at(&self.ledger)
    }

    pub(super) fn look_at(&self, ledger: &Ledger) -> Observation {
        let glance = Glance {
            now: self.now,
            looked_since: Timestamp::from_ms(0),
            lever_revision: self.rollout.lever_revision,
            is_frozen: self.is_frozen,
            new_build: None,
        };
        ledger.look(&self.rollout, &glance)
    }

    /// What a node would know that was killed and has read everything again.
    pub(super) fn refolded(&self) -> Ledger {
        let mut ledger = Ledger::of(&self.rollout);
        for (metric, measurement) in &self.stored {
            ledger.take(metric, measurement);
        }
        ledger
    }

    /// The share that is exposed, from 0 to 1.
    pub(super) fn share(&self) -> f64 {
        match &self.rollout.phase {
            Phase::Stage { index, .. }
            | Phase::Retreated {
                to: Some(index), ..
            } => f64::from(self.rollout.exposure(*index).percentage.thousandths()) / 100_000.0,
            Phase::Warm => 0.99,
            _ => 0.0,
        }
    }
}

/// Units that are all new, and the bad ones among them.
pub(super) fn units(exposed: (u64, u64), held_back: (u64, u64)) -> Seen {
    let tally = |(units, bad)| Tally { units, bad };
    Seen::Units {
        exposed: tally(exposed),
        held_back: tally(held_back),
        assigned: Tally::default(),
        late: (0, 0),
        arrivals: Some(Arrivals {
            exposed: exposed.0,
            held_back: held_back.0,
            assigned: 0,
        }),
        is_approximate: false,
    }
}
