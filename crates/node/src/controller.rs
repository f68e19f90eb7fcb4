//! The control loop: keeps what was seen in the intervals that have closed, looks at every rollout that
//! runs, and has the step decided that follows. Knows the clock, the store beside the journal and the
//! way to the writer; not what a step is (the control domain does), nor where anything is seen (its
//! eyes do).
//!
//! What is folded is always stored first, so that a restart folds the same and comes to the same. A
//! step is decided again by the writer, against the state as it is then.

mod builds;
mod looks;
mod making;
mod sampling;
mod surroundings;
mod track;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use leverframe_core::rollout::{LATENCY_ROW, Measure, Measurement, Rollout, step};
use leverframe_core::{State, Timestamp};
use leverframe_store::{Beside, Series, StoredMeasurement};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::outcomes::Watched;
use crate::shared::Shared;
use crate::source::WantedSample;

pub(crate) use builds::{builds, is_fresh};
pub use looks::{Look, Looks};
use making::Step;
pub(crate) use sampling::Sampling;
use surroundings::Surroundings;
use track::Track;

/// How long what was seen is kept, in milliseconds.
const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// How often what is older is dropped.
const DROP_EVERY: Duration = Duration::from_secs(600);
/// Most measurements that wait for the store; the oldest go first, and are as if never seen.
const UNSAVED_MAX: usize = 100_000;
/// Ticks that are further apart than this, in milliseconds, have not looked at what was between: the
/// process was stopped.
const BREAK_MS: i64 = 10_000;

/// The loop and what it remembers from tick to tick.
pub(crate) struct Controller {
    shared: Arc<Shared>,
    beside: Arc<dyn Beside>,
    sampling: Sampling,
    tracks: BTreeMap<Box<str>, Track>,
    unsaved: Vec<StoredMeasurement>,
    /// Steps that the writer has to decide, by rollout.
    under_way: BTreeMap<Box<str>, JoinHandle<()>>,
    dropped: Instant,
    /// Since when it has looked without a break, and when last.
    looked: Option<(Timestamp, Timestamp)>,
}

impl Controller {
    pub(crate) fn new(shared: Arc<Shared>, beside: Arc<dyn Beside>, sampling: Sampling) -> Self {
        Self {
            shared,
            beside,
            sampling,
            tracks: BTreeMap::new(),
            unsaved: Vec::new(),
            under_way: BTreeMap::new(),
            // Not at once: after a start the clock may be wrong, and what is dropped is gone.
            dropped: Instant::now(),
            looked: None,
        }
    }

    /// Ticks until the node stops.
    pub(crate) async fn run(mut self) {
        let stopping = self.shared.stopping.clone();
        let mut tick = tokio::time::interval(self.shared.options.tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = tokio::select! {
                due = tick.tick() => due,
                () = stopping.cancelled() => return,
            };
            let late = tokio::time::Instant::now().saturating_duration_since(due);
            self.shared.measurements.tick_lag_seconds.observe(late);
            let began = Instant::now();
            self.tick().await;
            self.shared
                .measurements
                .tick_seconds
                .observe(began.elapsed());
        }
    }

    async fn tick(&mut self) {
        let now = self.shared.clock.steady();
        let looked_since = self.looks_at(now);
        let state = self.shared.state();
        let fresh = by_series(self.see(now, &state).await);
        self.track(&state).await;
        let surroundings = Surroundings::of(&self.shared, &state, now, looked_since);
        self.under_way.retain(|_, step| !step.is_finished());
        let mut steps = Vec::new();
        let mut seen = BTreeMap::new();
        for rollout in state.running() {
            let Some(track) = self.tracks.get_mut(&rollout.id) else {
                continue;
            };
            track.take_all(&fresh);
            let look = track.look(rollout, &surroundings.glance(rollout));
            // While the store hangs, a step is under way for longer than a tick.
            let is_under_way = self.under_way.contains_key(&rollout.id);
            if let Some(transition) = step(rollout, &look.observation)
                && !is_under_way
            {
                steps.push(Step {
                    shared: Arc::clone(&self.shared),
                    rollout: Arc::clone(rollout),
                    transition,
                    look: look.clone(),
                });
            }
            seen.insert(rollout.id.clone(), look);
        }
        self.shared.looks.set(seen);
        self.make(steps);
    }
}

impl Controller {
    /// Has the writer decide the steps, all at once, so that they become one group.
    fn make(&mut self, steps: Vec<Step>) {
        for step in steps {
            let rollout = step.rollout.id.clone();
            self.under_way.insert(rollout, tokio::spawn(step.make()));
        }
    }

    /// Since when it has looked without a break.
    fn looks_at(&mut self, now: Timestamp) -> Timestamp {
        let tick_ms = i64::try_from(self.shared.options.tick.as_millis()).unwrap_or(i64::MAX);
        let break_ms = tick_ms.saturating_mul(3).max(BREAK_MS);
        let since = match self.looked {
            Some((since, last)) if now.ms_since(last) <= break_ms => since,
            _ => now,
        };
        self.looked = Some((since, now));
        since
    }

    /// Takes what has closed, and stores it before anybody uses it. What cannot be stored waits, and
    /// nothing is decided by it.
    async fn see(&mut self, now: Timestamp, state: &Arc<State>) -> Vec<StoredMeasurement> {
        let wanted: Vec<WantedSample> = state
            .running()
            .flat_map(|rollout| wanted(rollout))
            .collect();
        self.unsaved.extend(self.sampling.came(now, &wanted));
        let excess = self.unsaved.len().saturating_sub(UNSAVED_MAX);
        self.unsaved.drain(..excess);
        let is_drop_due = self.dropped.elapsed() >= DROP_EVERY;
        if is_drop_due {
            self.dropped = Instant::now();
        }
        let work = Stored {
            shared: Arc::clone(&self.shared),
            beside: Arc::clone(&self.beside),
            state: Arc::clone(state),
            samples: std::mem::take(&mut self.unsaved),
            drop_before: is_drop_due.then(|| now.plus_ms(-KEPT_MS)),
        };
        match tokio::task::spawn_blocking(move || work.store(now)).await {
            Ok((fresh, unsaved)) => {
                self.unsaved = unsaved;
                fresh
            }
            Err(error) => {
                tracing::error!(%error, "storing what was seen panicked; what was sampled is lost");
                Vec::new()
            }
        }
    }

    /// Has a track for every rollout that runs, and none for others. A new one begins with what is
    /// stored, which after a restart is everything.
    async fn track(&mut self, state: &State) {
        self.tracks
            .retain(|id, _| state.rollout(id).is_some_and(|rollout| !rollout.is_over()));
        for rollout in state.running() {
            if let Some(track) = self.tracks.get_mut(&rollout.id) {
                track.follow(rollout);
                continue;
            }
            let (beside, begun) = (Arc::clone(&self.beside), Arc::clone(rollout));
            let track = tokio::task::spawn_blocking(move || Track::begin(&begun, &*beside)).await;
            match track {
                Ok(Ok(track)) => {
                    self.tracks.insert(rollout.id.clone(), track);
                }
                Ok(Err(error)) => {
                    tracing::warn!(rollout = %rollout.id, %error, "what was seen cannot be read; the rollout waits");
                }
                Err(error) => tracing::error!(%error, "reading what was seen panicked"),
            }
        }
    }
}

/// In the order of time within each series.
fn by_series(measurements: Vec<StoredMeasurement>) -> BTreeMap<Series, Vec<Measurement>> {
    let mut sorted: BTreeMap<Series, Vec<Measurement>> = BTreeMap::new();
    for one in measurements {
        sorted.entry(one.series).or_default().push(one.measurement);
    }
    sorted
}

/// What is closed and stored at one tick, away from the runtime: it waits for the disk.
struct Stored {
    shared: Arc<Shared>,
    beside: Arc<dyn Beside>,
    state: Arc<State>,
    samples: Vec<StoredMeasurement>,
    drop_before: Option<Timestamp>,
}

impl Stored {
    /// What is stored and may be folded, and what could not be stored.
    fn store(self, now: Timestamp) -> (Vec<StoredMeasurement>, Vec<StoredMeasurement>) {
        let outcomes = &self.shared.outcomes;
        outcomes.watch(&watched(&self.state));
        let mut fresh = outcomes.close_until(now, |environment, flag| {
            let flag = self.state.flag(flag);
            let lever = flag.and_then(|flag| flag.lever(environment));
            lever.map_or(0, |lever| lever.moved_revision)
        });
        let mut unsaved = Vec::new();
        match self.beside.save_measurements(&self.samples) {
            Ok(()) => fresh.extend(self.samples),
            Err(error) => {
                tracing::warn!(%error, "samples could not be stored; they are tried again, and nothing goes forward by them");
                unsaved = self.samples;
            }
        }
        let dropped = self
            .drop_before
            .map(|before| self.beside.drop_measurements_before(before));
        if let Some(Err(error)) = dropped {
            tracing::warn!(%error, "old measurements could not be dropped");
        }
        (fresh, unsaved)
    }
}

/// The outcomes that rollouts wait for, so that an interval without any says so.
fn watched(state: &State) -> Vec<Watched> {
    let names = |rollout: &Rollout| {
        let metrics = rollout.plan.metrics.iter();
        metrics
            .filter_map(|metric| match &metric.measure {
                Measure::Outcomes { name } => Some(name.clone()),
                Measure::Latency { .. } => Some(LATENCY_ROW.into()),
                Measure::Counters { .. } | Measure::Gauge { .. } => None,
            })
            .collect()
    };
    state
        .running()
        .map(|rollout| Watched {
            environment: rollout.environment.clone(),
            flag: rollout.flag.clone(),
            names: names(rollout),
        })
        .collect()
}

fn wanted(rollout: &Rollout) -> impl Iterator<Item = WantedSample> {
    rollout.plan.metrics.iter().map(|metric| WantedSample {
        environment: rollout.environment.clone(),
        flag: rollout.flag.clone(),
        lever_revision: rollout.lever_revision,
        measure: metric.measure.clone(),
    })
}
