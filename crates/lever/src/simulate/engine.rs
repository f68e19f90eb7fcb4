//! The engine itself on the plan `safe`: the ledger and the step that a server runs, on its grid and
//! with its watermark.

use std::collections::{BTreeSet, VecDeque};

use leverframe_core::Timestamp;
use leverframe_core::rollout::{
    Arrivals, Baseline, Cause, Glance, Histogram, Ledger, Measurement, Move, Part, Phase, Plan,
    Rollout, Seen, step,
};
use leverframe_flags::Position;

use super::outcome::{End, Outcome};
use super::situation::Situation;
use super::traffic::{INTERVAL_MS, Interval, SLOW_RATE, Traffic};

/// A closed interval is folded this long after its end.
const WATERMARK_MS: i64 = 15_000;
/// Nobody waits longer for a rollout that nobody helps.
const RUN_MS_MAX: i64 = 12 * 60 * 60 * 1_000;
/// The limit of the latency metric, and buckets of the histogram on its two sides.
const LIMIT_MS: u32 = 240;
const FAST_MICROS: u64 = 100_000;
const SLOW_MICROS: u64 = 1_000_000;

/// One rollout under way.
pub(super) struct Engine {
    rollout: Rollout,
    ledger: Ledger,
    retreats: u32,
    inconclusive: bool,
}

impl Engine {
    /// From the start to the end, or to where it waits for a person.
    pub(super) fn run(situation: &Situation, seed: u64) -> Outcome {
        let mut traffic = Traffic::of(situation, seed);
        let Some(mut engine) = Self::start() else {
            return Outcome::default();
        };
        let mut users_hit = 0;
        let mut waiting: VecDeque<(Timestamp, u64, Interval)> = VecDeque::new();
        for at in (0..RUN_MS_MAX).step_by(10_000) {
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of a day")]
            let minute = at as f64 / 60_000.0;
            let interval = traffic.next(minute, engine.share());
            users_hit += interval.units.exposed.bad;
            let from = Timestamp::from_ms(at);
            waiting.push_back((from, engine.rollout.lever_revision, interval));
            // Ticks fall between the bounds of intervals, as the watermark does.
            let now = from.plus_ms(WATERMARK_MS - INTERVAL_MS);
            let is_due = |(from, _, _): &mut (Timestamp, u64, Interval)| {
                now.ms_since(*from) >= INTERVAL_MS + WATERMARK_MS
            };
            while let Some((from, lever_revision, interval)) = waiting.pop_front_if(is_due) {
                engine.take(from, lever_revision, &interval);
            }
            if let Some(end) = engine.tick(now) {
                #[expect(clippy::cast_precision_loss, reason = "milliseconds of a day")]
                let minutes = now.as_ms() as f64 / 60_000.0;
                return Outcome {
                    end,
                    minutes,
                    users_hit,
                    retreats: engine.retreats,
                    inconclusive: engine.inconclusive,
                };
            }
        }
        Outcome {
            end: End::Waits,
            minutes: 0.0,
            users_hit,
            retreats: engine.retreats,
            inconclusive: engine.inconclusive,
        }
    }

    fn start() -> Option<Self> {
        let at = Timestamp::from_ms(0);
        let mut rollout = Rollout {
            id: "ro_simulated".into(),
            flag: "simulated".parse().ok()?,
            environment: "prod".parse().ok()?,
            plan: Plan::safe().into(),
            before: Position::start(),
            lever_revision: 1,
            phase: Phase::Stage {
                index: 0,
                part: Part::Baking,
            },
            since: at,
            proved: None,
            started_by: "simulate".into(),
            started_by_id: "simulate".into(),
            started_at: at,
            reason: None,
            baselines: vec![Baseline {
                metric: "latency_p95".into(),
                limit_ms: LIMIT_MS,
                share: SLOW_RATE,
            }],
            builds: BTreeSet::new(),
            is_watch: false,
            moves: Vec::new(),
        };
        let to = rollout.phase.clone();
        rollout.follow(made(1, at, to, Cause::Started));
        Some(Self {
            ledger: Ledger::of(&rollout),
            rollout,
            retreats: 0,
            inconclusive: false,
        })
    }

    fn take(&mut self, at: Timestamp, lever_revision: u64, interval: &Interval) {
        let units = interval.units;
        let measured = |seen| Measurement {
            at,
            length_ms: INTERVAL_MS,
            lever_revision,
            seen,
        };
        let errors = Seen::Units {
            exposed: units.exposed,
            held_back: units.held_back,
            assigned: Default::default(),
            late: (0, 0),
            arrivals: Some(Arrivals {
                exposed: units.exposed.units,
                held_back: units.held_back.units,
                assigned: 0,
            }),
            is_approximate: false,
        };
        self.ledger.take("errors", &measured(errors));
        let times = |units: u64, slow: u64| {
            let mut histogram = Histogram::default();
            histogram.add(Histogram::bucket(FAST_MICROS, false), units - slow);
            histogram.add(Histogram::bucket(SLOW_MICROS, false), slow);
            histogram
        };
        let latency = Seen::Latency {
            exposed: times(units.exposed.units, interval.slow.0),
            held_back: times(units.held_back.units, interval.slow.1),
            assigned: Histogram::default(),
            late: (0, 0),
        };
        self.ledger.take("latency_p95", &measured(latency));
    }

    /// One tick; how it ended, if it did.
    fn tick(&mut self, now: Timestamp) -> Option<End> {
        let glance = Glance {
            now,
            // It never looks away.
            looked_since: self.rollout.since,
            lever_revision: self.rollout.lever_revision,
            is_frozen: false,
            new_build: None,
        };
        let made_now = step(&self.rollout, &self.ledger.look(&self.rollout, &glance))?;
        let revision = self.rollout.lever_revision + 1;
        let moves = self.rollout.moves.len() as u64 + 1;
        let revision = revision.max(moves);
        if made_now.position.is_some() {
            self.rollout.lever_revision = revision;
        }
        self.rollout.proved = made_now.proved.or(self.rollout.proved);
        self.rollout.follow(made(
            revision,
            now,
            made_now.to.clone(),
            made_now.cause.clone(),
        ));
        self.ledger.follow(&self.rollout);
        match (&made_now.to, &made_now.cause) {
            (Phase::RolledBack, Cause::Harm { .. }) => Some(End::Convicted),
            (Phase::Warm, _) => Some(End::Through),
            (Phase::Retreated { to, .. }, _) => {
                self.retreats += 1;
                to.is_none().then_some(End::Waits)
            }
            (Phase::Paused { .. }, _) => Some(End::Waits),
            (
                Phase::Stage {
                    part: Part::Asking, ..
                },
                _,
            ) => {
                self.inconclusive = true;
                Some(End::Waits)
            }
            (Phase::Stage { .. }, _) => None,
            (Phase::RolledBack | Phase::Done | Phase::Ended, _) => Some(End::Waits),
        }
    }

    fn share(&self) -> f64 {
        let stage = match &self.rollout.phase {
            Phase::Stage { index, .. } => Some(*index),
            Phase::Retreated { to, .. } => *to,
            Phase::Warm | Phase::Paused { .. } | Phase::Done | Phase::RolledBack | Phase::Ended => {
                None
            }
        };
        stage.map_or(0.0, |stage| {
            f64::from(self.rollout.exposure(stage).percentage.thousandths()) / 100_000.0
        })
    }
}

fn made(revision: u64, at: Timestamp, to: Phase, cause: Cause) -> Move {
    Move {
        revision,
        at,
        to,
        cause,
        by: "simulate".into(),
        sentence: "".into(),
    }
}
