//! The book: the outcomes of all levers. Pure: time and revisions are arguments, and what is closed is
//! handed out.

use std::collections::{BTreeMap, HashMap};

use leverframe_core::Timestamp;
use leverframe_core::rollout::LATENCY_ROW;
use leverframe_flags::{EnvironmentKey, FlagKey};
use leverframe_store::{Series, StoredMeasurement};

use super::gauges::Gauges;
use super::lever::{Closing, Lever, minute_of};
use super::limit::{
    OUTCOME_CROWDED_UNITS_MAX, OUTCOME_INSTANCES_MAX, OUTCOME_INTERVAL_UNITS_MAX,
    OUTCOME_LEVERS_MAX, OUTCOME_STAGE_UNITS_MAX, OUTCOME_UNITS_MAX,
};
use super::minute::INTERVALS;
use super::report::{BROWSER, Batch, Gauge, NO_FLAG, Origin, Taken};
use crate::node::Grid;

/// A flag that somebody watches, such as a rollout that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Where.
    pub environment: EnvironmentKey,
    /// Which.
    pub flag: FlagKey,
    /// The names of outcomes that are waited for; an interval in which nothing came says so.
    pub names: Vec<Box<str>>,
}

/// Where, which flag, and who says it.
type Key = (Box<str>, Box<str>, Origin);

pub(super) struct Book {
    grid: Grid,
    levers: BTreeMap<Key, Lever>,
    gauges: BTreeMap<Box<str>, Gauges>,
    /// Every interval that ends here or before is closed.
    closed_until: Timestamp,
    /// Of intervals that ended before this process began nobody knows which reports were folded.
    began_at: Timestamp,
    /// The last late report of each evaluator, so that one sent twice is late once.
    late: HashMap<Box<str>, u64>,
    /// Units in open intervals, of all levers.
    held: i64,
}

impl Book {
    /// A book in which every interval up to `closed_until` is closed.
    pub(super) fn new(grid: Grid, closed_until: Timestamp, began_at: Timestamp) -> Self {
        Self {
            grid,
            levers: BTreeMap::new(),
            gauges: BTreeMap::new(),
            closed_until: grid.begin(closed_until),
            began_at: began_at.max(closed_until),
            late: HashMap::new(),
            held: 0,
        }
    }

    pub(super) fn closed_until(&self) -> Timestamp {
        self.closed_until
    }

    /// Takes what comes at once.
    pub(super) fn take(
        &mut self,
        environment: &EnvironmentKey,
        batch: &Batch,
        now: Timestamp,
    ) -> Taken {
        let mut taken = Taken::default();
        let mut is_new_late = None;
        for report in &batch.reports {
            let units = report.units.len();
            if self.is_astray(report.at, now) {
                taken.astray += units;
                continue;
            }
            let flag = report.flag.as_str().into();
            let key = (environment.as_str().into(), flag, batch.origin);
            if report.at < self.closed_until {
                taken.late += units;
                let is_new = *is_new_late.get_or_insert_with(|| self.is_new_late(batch));
                if is_new
                    && !self.is_before_us(report.at)
                    && let Some(lever) = self.levers.get_mut(&key)
                {
                    lever.take_late(report);
                }
                continue;
            }
            let units_max = self.interval_units_max();
            match self.lever(key) {
                Some(lever) => {
                    self.held += lever.take(report, units_max);
                    taken.counted += units;
                }
                None => taken.no_room += units,
            }
        }
        if batch.origin == Origin::Evaluator {
            self.take_gauges(environment, &batch.gauges, now);
        }
        taken
    }

    fn take_gauges(&mut self, environment: &EnvironmentKey, gauges: &[Gauge], now: Timestamp) {
        for gauge in gauges {
            let is_number = gauge.min.is_finite() && gauge.max.is_finite();
            if is_number && gauge.at >= self.closed_until && !self.is_astray(gauge.at, now) {
                let kept = self.gauges.entry(environment.as_str().into());
                kept.or_default().take(gauge);
            }
        }
    }

    /// Says which flags are watched; the ones of before no longer are.
    pub(super) fn watch(&mut self, watched: &[Watched]) {
        for lever in self.levers.values_mut() {
            lever.unwatch();
        }
        for one in watched {
            self.watch_one(one, Origin::Evaluator);
            if one.names.iter().any(|name| name.starts_with(BROWSER)) {
                self.watch_one(one, Origin::Browser);
            }
        }
    }

    fn watch_one(&mut self, watched: &Watched, origin: Origin) {
        let (environment, flag) = (watched.environment.as_str(), watched.flag.as_str());
        let from = self.closed_until;
        let names = watched
            .names
            .iter()
            .filter_map(|name| name.strip_prefix(origin.prefix()))
            .filter(|name| !name.contains(':'));
        if let Some(lever) = self.lever((environment.into(), flag.into(), origin)) {
            lever.watch(names, from);
        }
    }

    /// Closes every interval that ends at `until` or before, in the order of time.
    pub(super) fn close(
        &mut self,
        until: Timestamp,
        now: Timestamp,
        revision: impl Fn(&str, &str) -> u64,
    ) -> Vec<StoredMeasurement> {
        for ((environment, flag, _), lever) in &mut self.levers {
            lever.note_revision(now, revision(environment, flag));
        }
        let length_ms = self.grid.length_ms();
        let mut rows = Vec::new();
        while self.closed_until.plus_ms(length_ms) <= until {
            let at = self.closed_until;
            let remembered: usize = self.levers.values().map(|lever| lever.held().1).sum();
            let closing = Closing {
                at,
                length_ms,
                units_max: units_max(remembered, OUTCOME_STAGE_UNITS_MAX),
            };
            for ((environment, flag, origin), lever) in &mut self.levers {
                rows.extend(lever.close((environment, flag, origin.prefix()), closing));
            }
            for (environment, gauges) in &mut self.gauges {
                rows.extend(gauges.close(environment, at, length_ms));
            }
            self.levers.retain(|_, lever| !lever.is_forgotten(at));
            self.gauges.retain(|_, gauges| !gauges.is_empty());
            self.closed_until = at.plus_ms(length_ms);
        }
        let held: usize = self.levers.values().map(|lever| lever.held().0).sum();
        self.held = i64::try_from(held).unwrap_or(i64::MAX);
        rows
    }

    /// A lever was measured before the restart: in these rows, the last time at `last`.
    pub(super) fn recall(
        &mut self,
        origin: Origin,
        series: &[Series],
        last: Timestamp,
        rows: &[StoredMeasurement],
    ) {
        let Some(Series {
            environment, flag, ..
        }) = series.first()
        else {
            return;
        };
        let key = (environment.clone(), flag.clone(), origin);
        let names = series
            .iter()
            .filter_map(|series| series.metric.strip_prefix(origin.prefix()))
            .filter(|name| !name.contains(':') && *name != LATENCY_ROW);
        if let Some(lever) = self.lever(key) {
            lever.recall_names(names, last);
            for row in rows {
                lever.recall(row, OUTCOME_STAGE_UNITS_MAX);
            }
        }
    }

    fn lever(&mut self, key: Key) -> Option<&mut Lever> {
        if !self.levers.contains_key(&key) && self.levers.len() >= OUTCOME_LEVERS_MAX {
            return None;
        }
        let length_ms = self.grid.length_ms();
        let began = self.began_at;
        let lever = self.levers.entry(key).or_insert_with(|| {
            // The first whole minute of this process.
            let minute_ms = length_ms.saturating_mul(INTERVALS);
            let next = minute_of(began, length_ms).saturating_add(1);
            Lever::new(Timestamp::from_ms(next.saturating_mul(minute_ms)))
        });
        Some(lever)
    }

    /// Of another grid, of the future, or of so long ago that nobody can mean it.
    fn is_astray(&self, at: Timestamp, now: Timestamp) -> bool {
        at != self.grid.begin(at) || at > now.plus_ms(self.grid.length_ms())
    }

    /// Of an interval that ended before this process began: it may have been in time then.
    fn is_before_us(&self, at: Timestamp) -> bool {
        at.plus_ms(self.grid.length_ms()) <= self.began_at
    }

    /// Whether a late batch has not come before.
    fn is_new_late(&mut self, batch: &Batch) -> bool {
        let instance = &batch.instance;
        if !self.late.contains_key(instance) && self.late.len() >= OUTCOME_INSTANCES_MAX {
            // Who is forgotten may be counted late once more, which holds a rollout and no more.
            self.late.clear();
        }
        let last = self.late.entry(instance.clone()).or_insert(0);
        let is_new = batch.sequence > *last;
        *last = batch.sequence.max(*last);
        is_new
    }

    fn interval_units_max(&self) -> usize {
        let held = usize::try_from(self.held).unwrap_or(0);
        units_max(held, OUTCOME_INTERVAL_UNITS_MAX)
    }
}

/// How many units one lever may keep when all together hold so many.
fn units_max(held: usize, units_max: usize) -> usize {
    if held < OUTCOME_UNITS_MAX / 2 {
        units_max
    } else {
        OUTCOME_CROWDED_UNITS_MAX
    }
}

/// Who wrote a row, if outcomes did and not a source.
pub(super) fn origin_of(series: &Series) -> Option<Origin> {
    if *series.flag == *NO_FLAG {
        return None;
    }
    let origin = match series.metric.strip_prefix(BROWSER) {
        Some(name) if !name.contains(':') => Origin::Browser,
        None if !series.metric.contains(':') => Origin::Evaluator,
        _ => return None,
    };
    Some(origin)
}
