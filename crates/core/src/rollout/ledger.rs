//! The evidence of a running rollout: stored intervals, folded. Pure, and a function of the intervals
//! and of the moves the rollout made alone: folded again from the beginning after a restart, it says the
//! same.

mod course;
mod epoch;
mod gauge;
mod limit;
mod shared;
mod sums;
mod track;
mod trust;
pub(super) mod waiting;

use std::sync::Arc;

use crate::analysis::{Share, ShareGuard};
use crate::time::Timestamp;

use super::{Both, Measure, Measurement, Metric, Observation, Plan, Rollout, Sight, Standing};
pub use course::{Course, Step, course};
use epoch::Epoch;
use track::Track;

/// How long before the start measurements are read, in milliseconds: an error budget is looked at by
/// the hour, and what is worse is worse than something.
pub const LOOK_BACK_MS: i64 = 60 * 60 * 1_000;

/// A canary that had at least this many units an interval, and has none for so many intervals, is dead.
const DEAD_INTERVALS: u32 = 3;
const DEAD_UNITS_MIN: f64 = 10.0;

/// The evidence of one rollout.
#[derive(Debug, Clone, PartialEq)]
pub struct Ledger {
    plan: Arc<Plan>,
    began_at: Timestamp,
    epochs: Vec<Epoch>,
    tracks: Vec<Track>,
}

/// A row that has to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// For which metric of the plan.
    pub metric: Box<str>,
    /// The row, as in [`super::row_key`].
    pub row: Box<str>,
    /// Intervals that begin at this time or later are still missing.
    pub from: Timestamp,
}

/// What a tick knows beside the measurements.
#[derive(Debug, Clone, PartialEq)]
pub struct Glance {
    /// When, by the node's steady clock.
    pub now: Timestamp,
    /// Since when this node has looked without a break.
    pub looked_since: Timestamp,
    /// The revision that last moved the lever.
    pub lever_revision: u64,
    /// Whether forward steps are stopped.
    pub is_frozen: bool,
    /// A build that answers now and that the rollout has not seen.
    pub new_build: Option<Box<str>>,
}

impl Ledger {
    /// Of a rollout, with nothing folded yet.
    #[must_use]
    pub fn of(rollout: &Rollout) -> Self {
        let metrics = rollout.plan.metrics.iter().enumerate();
        Self {
            plan: Arc::clone(&rollout.plan),
            // The first move, because the rollout's own start is told by another clock.
            began_at: rollout
                .moves
                .first()
                .map_or(rollout.since, |first| first.at),
            epochs: epoch::epochs(rollout),
            tracks: metrics
                .map(|(index, metric)| Track::of(rollout, index, metric))
                .collect(),
        }
    }

    /// Takes note of the moves the rollout has made. Before intervals are taken that end after a move,
    /// it must be known.
    pub fn follow(&mut self, rollout: &Rollout) {
        self.epochs = epoch::epochs(rollout);
    }

    /// The rows to be read, each from where it is folded to.
    #[must_use]
    pub fn wanted(&self) -> Vec<Wanted> {
        let tracks = self.tracks.iter();
        let start = self.began_at.plus_ms(-LOOK_BACK_MS);
        let wanted = tracks.filter_map(|track| {
            let metric = self.plan.metrics.get(track.index)?;
            Some(Wanted {
                metric: metric.key.clone(),
                row: track.row.clone(),
                from: track.folded_until.unwrap_or(start),
            })
        });
        wanted.collect()
    }

    /// Folds one closed interval of a metric. Intervals come in the order of time; one that was folded,
    /// or is older than what was, changes nothing.
    pub fn take(&mut self, metric: &str, seen: &Measurement) {
        let index = self.plan.metrics.iter().position(|one| &*one.key == metric);
        if let Some(track) = index.and_then(|index| self.tracks.get_mut(index)) {
            track.take(&self.plan, &self.epochs, seen);
        }
    }

    /// What a tick sees.
    #[must_use]
    pub fn look(&self, rollout: &Rollout, glance: &Glance) -> Observation {
        let Some(epoch) = self.epochs.last() else {
            return blank(rollout, glance);
        };
        let sights = self.each(|track, metric| {
            Some(Sight {
                metric: metric.key.clone(),
                reading: track.reading(&self.plan, metric, epoch, glance.now),
            })
        });
        let convicting = self.each(|track, metric| {
            (metric.standing == Standing::Convicts).then(|| track.analysed_ms(epoch))
        });
        let is_new = |build: &_| !rollout.builds.contains(build);
        Observation {
            now: glance.now,
            looked_since: glance.looked_since,
            lever_revision: glance.lever_revision,
            move_revision: move_revision(rollout),
            is_frozen: glance.is_frozen,
            new_build: glance.new_build.clone().filter(is_new),
            analysed_ms: convicting.into_iter().min().unwrap_or(0),
            sights,
            share: self.share(epoch),
            both: self.together(epoch, glance.now),
            users_hit: self.users_hit(),
        }
    }

    fn each<T>(&self, of: impl Fn(&Track, &Metric) -> Option<T>) -> Vec<T> {
        let tracks = self.tracks.iter();
        tracks
            .filter_map(|track| of(track, self.plan.metrics.get(track.index)?))
            .collect()
    }

    /// By the outcomes that the plan trusts; times are of requests, not of people.
    fn share(&self, epoch: &Epoch) -> Share {
        let guard = ShareGuard::of(epoch.share);
        let shares = self.each(|track, metric| {
            let is_trusted = metric.standing == Standing::Convicts
                && matches!(metric.measure, Measure::Outcomes { .. });
            is_trusted.then(
                || match track.is_canary_gone(epoch, DEAD_INTERVALS, DEAD_UNITS_MIN) {
                    true => Share::TooFew,
                    false => guard.look(track.sums(epoch).for_shares()),
                },
            )
        });
        let wrong = shares.into_iter().find(|share| *share != Share::AsMeant);
        wrong.unwrap_or(Share::AsMeant)
    }

    fn together(&self, epoch: &Epoch, now: Timestamp) -> Both {
        let bake_ms = self.plan.bake_ms(epoch.stage);
        let is_recent = now.ms_since(epoch.settled_at.max(epoch.stepped_at)) <= bake_ms;
        let mut both = Both {
            is_step_recent: is_recent && epoch.is_growth,
            is_clean: true,
            ..Both::default()
        };
        for (track, metric) in self.tracks.iter().zip(&self.plan.metrics) {
            let Some(shared) = track.shared(epoch) else {
                continue;
            };
            if metric.standing != Standing::Convicts
                || matches!(metric.measure, Measure::Gauge { .. })
            {
                continue;
            }
            let terms = track::terms(&self.plan, metric, epoch);
            if epoch.is_retreat {
                both.is_clean &= shared.is_clean(terms);
                let outlasts = shared.outlasts_retreat(terms);
                if outlasts || now.ms_since(epoch.settled_at) > bake_ms {
                    both.outlasts_retreat = Some(outlasts || both.outlasts_retreat == Some(true));
                }
                continue;
            }
            both.is_worse |= both.is_step_recent && shared.is_worse(epoch, terms);
            both.is_outage |= !both.is_step_recent && shared.is_outage(epoch, terms);
            both.is_burning |= shared.is_burning(terms);
        }
        both
    }

    /// The most that any metric counted; outcomes before times, which are of requests and not of people.
    fn users_hit(&self) -> u64 {
        let of = |is_wanted: fn(&Measure) -> bool| {
            let hits = self.each(|track, metric| {
                let is_trusted = metric.standing == Standing::Convicts;
                (is_trusted && is_wanted(&metric.measure)).then(|| track.hit())
            });
            hits.into_iter().max()
        };
        of(|measure| matches!(measure, Measure::Outcomes { .. }))
            .or_else(|| of(|_| true))
            .unwrap_or(0)
    }
}

fn move_revision(rollout: &Rollout) -> u64 {
    rollout.moves.last().map_or(0, |last| last.revision)
}

fn blank(rollout: &Rollout, glance: &Glance) -> Observation {
    Observation {
        now: glance.now,
        looked_since: glance.looked_since,
        lever_revision: glance.lever_revision,
        move_revision: move_revision(rollout),
        is_frozen: glance.is_frozen,
        new_build: None,
        analysed_ms: 0,
        sights: Vec::new(),
        share: Share::AsMeant,
        both: Both::default(),
        users_hit: 0,
    }
}
