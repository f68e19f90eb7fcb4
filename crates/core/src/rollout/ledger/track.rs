//! One metric of a rollout, folded interval by interval.

use crate::analysis::{
    ALPHA_OK, Clumps, Counts, Evidence, Finding, Harm, Harmless, Judgement, Limits, Sort, as_f64,
    below, judge, judge_alone,
};
use crate::rollout::{Detail, Measure, Measurement, Metric, Plan, Reading, Rollout, Seen, row_key};
use crate::time::Timestamp;

use super::epoch::{Epoch, Placement, place};
use super::gauge::Gauge;
use super::limit::Limit;
use super::shared::{Shared, Terms};
use super::sums::{Interval, Sums};
use super::trust;
use super::waiting::waiting;

/// The level of a rollout: how often a good release may be convicted, all its metrics together.
const ALPHA: f64 = 0.01;
/// A source that answers nothing new this many times in a row is away.
const EMPTY_MAX: u32 = 3;
/// Nothing new for this many intervals, or this part of a bake, is no data.
const STALE_INTERVALS: i64 = 6;
const STALE_PART: i64 = 4;
/// How many requests are taken to go wrong together before that could be seen.
const CLUMP_UNKNOWN: f64 = 10.0;

/// One metric, folded.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Track {
    /// Which of the plan's.
    pub(super) index: usize,
    pub(super) row: Box<str>,
    pub(super) folded_until: Option<Timestamp>,
    last: Option<Last>,
    empty_in_a_row: u32,
    gauge: Option<Gauge>,
    limit: Option<Limit>,
    harm: Harm,
    /// Since the rollout began.
    total: Sums,
    clumps: Clumps,
    is_approximate: bool,
    /// The revision of the epoch that the last interval belonged to, and what was seen in it.
    epoch: u64,
    stage: Stage,
    /// Since the lever was last moved, what settles and all.
    at_once: Sums,
    shared: Shared,
    /// Exposed units for which something went wrong, what settles and all.
    hit: u64,
}

/// What was seen in one epoch.
#[derive(Debug, Clone, PartialEq)]
struct Stage {
    harmless: Harmless,
    sums: Sums,
    analysed_ms: i64,
    /// For how many intervals nobody exposed has been heard, while those held back were.
    silent_intervals: u32,
}

/// The last interval, whatever it had.
#[derive(Debug, Clone, PartialEq)]
struct Last {
    end: Timestamp,
    length_ms: i64,
    why_not: Option<Reading>,
}

impl Track {
    pub(super) fn of(rollout: &Rollout, index: usize, metric: &Metric) -> Self {
        let limit = Limit::of(rollout, metric);
        let mut track = Self {
            index,
            row: row_key(&metric.measure),
            folded_until: None,
            last: None,
            empty_in_a_row: 0,
            gauge: Gauge::of(metric),
            harm: Harm::beyond(metric.tolerance),
            limit,
            total: Sums::default(),
            clumps: Clumps::default(),
            is_approximate: false,
            epoch: 0,
            stage: Stage {
                harmless: Harmless::within(f64::INFINITY),
                sums: Sums::default(),
                analysed_ms: 0,
                silent_intervals: 0,
            },
            at_once: Sums::default(),
            shared: Shared::default(),
            hit: 0,
        };
        track.harm = Harm::beyond(track.tolerance(metric));
        track
    }

    /// The ratio of bad rates that is tolerated.
    pub(super) fn tolerance(&self, metric: &Metric) -> f64 {
        match &self.limit {
            Some(Limit::Known { tolerance, .. }) => *tolerance,
            Some(Limit::Sought { .. }) | None => metric.tolerance,
        }
    }

    /// Within which time answers have to be good, in milliseconds; none while that is not known.
    pub(super) fn limit_ms(&self) -> Option<u32> {
        match &self.limit {
            Some(Limit::Known { limit_ms, .. }) => Some(*limit_ms),
            Some(Limit::Sought { .. }) | None => None,
        }
    }

    /// Whether it waits for a limit, and counts nothing until there is one.
    pub(super) fn is_seeking(&self) -> bool {
        matches!(&self.limit, Some(Limit::Sought { .. }))
    }

    /// Distinct units since the start, at an exposed share.
    pub(super) fn so_far(&self, share: f64) -> Counts {
        Counts {
            exposed: self.total.canary(share),
            held_back: self.total.distinct().held_back,
        }
    }

    /// Folds one interval; one that is older than what was folded, or was folded already, changes
    /// nothing.
    pub(super) fn take(&mut self, plan: &Plan, epochs: &[Epoch], seen: &Measurement) {
        let Some(metric) = plan.metrics.get(self.index) else {
            return;
        };
        if seen.length_ms <= 0 || self.folded_until.is_some_and(|until| seen.at < until) {
            return;
        }
        let end = seen.at.plus_ms(seen.length_ms);
        self.folded_until = Some(end);
        self.last = Some(Last {
            end,
            length_ms: seen.length_ms,
            why_not: why_not(&seen.seen),
        });
        let Some((epoch, placement)) = place(epochs, seen) else {
            return;
        };
        // Gauges are of a process and not of a lever: they belong to where they fall.
        if placement == Placement::Foreign && self.gauge.is_none() {
            return;
        }
        self.enter(plan, metric, epoch);
        if let (Some(gauge), Seen::Gauge { value }) = (&mut self.gauge, &seen.seen) {
            if epoch.revision > 0 {
                gauge.take(*value);
                if placement != Placement::Settling && value.is_finite() {
                    self.stage.analysed_ms += seen.length_ms;
                }
            }
            return;
        }
        let limit_ms = match &mut self.limit {
            Some(Limit::Known { limit_ms, .. }) => *limit_ms,
            Some(limit @ Limit::Sought { .. }) => {
                if epoch.revision > 0 {
                    limit.seek(metric, &seen.seen);
                    self.harm = Harm::beyond(self.tolerance(metric));
                }
                return;
            }
            None => 0,
        };
        if let Some(interval) = Interval::of(&seen.seen, limit_ms) {
            let interval = interval.at(epoch.share);
            self.count(plan, metric, (epoch, placement), seen, &interval);
        }
    }

    /// Begins anew what an epoch begins anew.
    fn enter(&mut self, plan: &Plan, metric: &Metric, epoch: &Epoch) {
        if epoch.revision == self.epoch {
            return;
        }
        self.epoch = epoch.revision;
        let margin = plan.margin(epoch.stage);
        self.stage = Stage {
            // What is tolerated cannot have to be ruled out.
            harmless: Harmless::within(margin.max(1.25 * self.tolerance(metric))),
            sums: Sums::default(),
            analysed_ms: 0,
            silent_intervals: 0,
        };
        if epoch.is_step {
            self.at_once = Sums::default();
            self.shared.step(epoch, terms(plan, metric, epoch));
        }
    }

    fn count(
        &mut self,
        plan: &Plan,
        metric: &Metric,
        (epoch, placement): (&Epoch, Placement),
        seen: &Measurement,
        interval: &Interval,
    ) {
        self.is_approximate |= interval.is_approximate;
        self.empty_in_a_row = if interval.is_empty() {
            self.empty_in_a_row.saturating_add(1)
        } else {
            0
        };
        let is_outset = epoch.revision == 0;
        self.shared.observe_everybody(seen.at, interval, is_outset);
        if !is_outset {
            self.at_once.add(interval);
            let let_through = if epoch.share > 0.0 {
                interval.exposed
            } else {
                interval.assigned
            };
            self.hit = self.hit.saturating_add(let_through.bad);
        }
        if placement != Placement::Counts {
            return;
        }
        self.shared
            .observe(seen.at, interval, epoch, terms(plan, metric, epoch));
        if is_outset {
            return;
        }
        // An interval in which nobody came at all says nothing, and is no part of a bake.
        if !interval.is_empty() {
            self.stage.analysed_ms += seen.length_ms;
        }
        self.stage.sums.add(interval);
        self.stage.silent_intervals = match (interval.exposed.units, interval.held_back.units) {
            (0, 1..) => self.stage.silent_intervals.saturating_add(1),
            _ => 0,
        };
        self.total.add(interval);
        if epoch.compares() {
            self.harm.observe(interval.counts());
            self.stage.harmless.observe(interval.counts());
            self.clumps.observe(interval.counts());
        }
    }

    /// How much of an epoch was analysed, in milliseconds.
    pub(super) fn analysed_ms(&self, epoch: &Epoch) -> i64 {
        if self.epoch == epoch.revision {
            self.stage.analysed_ms
        } else {
            0
        }
    }

    /// Exposed units for which something went wrong so far.
    pub(super) fn hit(&self) -> u64 {
        self.hit
    }

    /// What was seen since the lever was moved, if that is the epoch's doing.
    pub(super) fn at_once(&self, epoch: &Epoch) -> Sums {
        if self.epoch == epoch.revision {
            self.at_once
        } else {
            Sums::default()
        }
    }

    /// What was counted in an epoch.
    pub(super) fn sums(&self, epoch: &Epoch) -> Sums {
        if self.epoch == epoch.revision {
            self.stage.sums
        } else {
            Sums::default()
        }
    }

    /// Whether those exposed were there and are not any more, though those held back are.
    pub(super) fn is_canary_gone(&self, epoch: &Epoch, intervals: u32, units_min: f64) -> bool {
        let silent = self.stage.silent_intervals;
        let spoken = self
            .stage
            .sums
            .intervals()
            .saturating_sub(u64::from(silent));
        self.epoch == epoch.revision
            && silent >= intervals
            && spoken > 0
            && as_f64(self.stage.sums.units().0) / as_f64(spoken) >= units_min
    }

    /// What is known of both arms together, once something of the epoch was seen.
    pub(super) fn shared(&self, epoch: &Epoch) -> Option<&Shared> {
        (self.epoch == epoch.revision && self.epoch > 0).then_some(&self.shared)
    }

    /// What the metric says now.
    pub(super) fn reading(
        &self,
        plan: &Plan,
        metric: &Metric,
        epoch: &Epoch,
        now: Timestamp,
    ) -> Reading {
        let Some(last) = &self.last else {
            return Reading::NoData;
        };
        // That harm was found is not forgotten because the source goes quiet afterwards.
        let judged = self.judged(plan, metric, epoch);
        if judged.is_bad() {
            return judged;
        }
        if let Some(why_not) = &last.why_not {
            return why_not.clone();
        }
        let stale_ms =
            (STALE_INTERVALS * last.length_ms).max(plan.bake_ms(epoch.stage) / STALE_PART);
        if now.ms_since(last.end) > stale_ms || self.empty_in_a_row >= EMPTY_MAX {
            return Reading::NoData;
        }
        match trust::doubt(&self.sums(epoch)) {
            Some(why) => Reading::Untrusted { why },
            None => judged,
        }
    }

    fn judged(&self, plan: &Plan, metric: &Metric, epoch: &Epoch) -> Reading {
        if let Some(gauge) = &self.gauge {
            return gauge.reading();
        }
        let alpha = ALPHA / as_count(plan.convicting_by_counts().max(1));
        let limits = Limits {
            alpha,
            margin: plan.margin(epoch.stage),
            tolerable: tolerable(metric),
            ceiling: metric.ceiling,
        };
        let sums = self.sums(epoch);
        let at_once = self.at_once(epoch);
        let nothing = Harmless::within(limits.margin);
        let harmless = if self.epoch == epoch.revision {
            &self.stage.harmless
        } else {
            &nothing
        };
        let clump = match (self.is_approximate, self.clumps.size()) {
            (false, _) => 1.0,
            (true, size) => size.unwrap_or(CLUMP_UNKNOWN),
        };
        let evidence = Evidence {
            harm: &self.harm,
            harmless,
            total: self.total.distinct(),
            stage: sums.distinct(),
            at_once: at_once.distinct(),
            clump,
        };
        let is_alone = !epoch.compares();
        let judgement = if is_alone {
            self.alone(&sums, &at_once, epoch, &limits)
        } else {
            judge(&evidence, &limits)
        };
        let waits_for = (judgement.finding == Finding::Learning && !is_alone)
            .then(|| waiting(&evidence, &limits, sums.units(), self.analysed_ms(epoch)))
            .flatten();
        Reading::Judged {
            judgement,
            detail: Detail {
                tolerance: self.tolerance(metric),
                is_alone,
                is_approximate: self.is_approximate,
                limit_ms: match &self.limit {
                    Some(Limit::Known { limit_ms, .. }) => Some(*limit_ms),
                    Some(Limit::Sought { .. }) | None => None,
                },
                is_under_ceiling: metric.ceiling.is_some_and(|ceiling| {
                    below(judgement.stage.exposed, ceiling).rejects(ALPHA_OK)
                }),
                waits_for,
            },
        }
    }

    fn alone(&self, sums: &Sums, at_once: &Sums, epoch: &Epoch, limits: &Limits) -> Judgement {
        let mut judgement = judge_alone(
            self.total.canary(epoch.share),
            sums.canary(epoch.share),
            at_once.canary(epoch.share),
            limits,
        );
        // What convicted a release while there was something to compare with still does.
        if judgement.harm.is_none()
            && self.harm.convicts(limits.alpha / 2.0)
            && !self.is_approximate
        {
            judgement.finding = Finding::Bad;
            judgement.harm = Some(Sort::Relative);
            judgement.total = self.total.distinct();
            judgement.e_bad = self.harm.evidence();
        }
        judgement
    }
}

/// A bad rate that is no harm: as many as a quantile leaves out are slow by definition.
fn tolerable(metric: &Metric) -> f64 {
    match metric.measure {
        Measure::Latency { quantile, .. } => metric.tolerable.max(1.0 - quantile),
        Measure::Outcomes { .. } | Measure::Counters { .. } | Measure::Gauge { .. } => {
            metric.tolerable
        }
    }
}

pub(super) fn terms(plan: &Plan, metric: &Metric, epoch: &Epoch) -> Terms {
    Terms {
        tolerable: tolerable(metric),
        bake_ms: plan.bake_ms(epoch.stage),
    }
}

/// Why an interval cannot be used, if it cannot.
fn why_not(seen: &Seen) -> Option<Reading> {
    match seen {
        Seen::NoData => Some(Reading::NoData),
        Seen::Error { why } => Some(Reading::Error { why: why.clone() }),
        Seen::Untrusted { why } => Some(Reading::Untrusted { why: why.clone() }),
        Seen::Gauge { value } if !value.is_finite() => Some(Reading::Error {
            why: "the source gave no number".into(),
        }),
        Seen::Units { .. } | Seen::Latency { .. } | Seen::Gauge { .. } => None,
    }
}

fn as_count(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "metrics are few")]
    let count = count as f64;
    count
}
