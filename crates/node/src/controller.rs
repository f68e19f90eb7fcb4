//! The control loop: keeps what was seen in the intervals that have closed, looks at every rollout that
//! runs, and has the step decided that follows. Knows the clock, the store beside the journal and the
//! way to the writer; not what a step is (the control domain does), nor where anything is seen (its
//! eyes do).
//!
//! What is folded is always stored first, so that a restart folds the same and comes to the same. A
//! step is decided again by the writer, against the state as it is then.

mod builds;
mod looks;
mod sampling;
mod surroundings;
mod track;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use leverframe_core::access::Actor;
use leverframe_core::effect::Effect;
use leverframe_core::rollout::{
    LATENCY_ROW, Measure, Measurement, Observation, Phase, Rollout, Transition, step,
};
use leverframe_core::{Command, Decision, Event, Selection, State, Timestamp, Why, decide};
use leverframe_store::{Beside, Series, StoredMeasurement};
use tokio::time::MissedTickBehavior;

use crate::outcomes::Watched;
use crate::request::{Request, SubmitError};
use crate::shared::Shared;
use crate::source::WantedSample;

pub(crate) use builds::{builds, is_fresh};
pub use looks::{Look, Looks};
pub(crate) use sampling::Sampling;
use surroundings::Surroundings;
use track::Track;

/// What a rollout was made by, in the journal.
const VIA: &str = "rollout controller";
/// How long what was seen is kept, in milliseconds.
const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// How often what is older is dropped.
const DROP_EVERY: Duration = Duration::from_secs(600);
/// Most measurements that wait for the store; the oldest go first, and are as if never seen.
const UNSAVED_MAX: usize = 100_000;

/// The loop and what it remembers from tick to tick.
pub(crate) struct Controller {
    shared: Arc<Shared>,
    beside: Arc<dyn Beside>,
    sampling: Sampling,
    tracks: BTreeMap<Box<str>, Track>,
    unsaved: Vec<StoredMeasurement>,
    dropped: Option<Instant>,
}

impl Controller {
    pub(crate) fn new(shared: Arc<Shared>, beside: Arc<dyn Beside>, sampling: Sampling) -> Self {
        Self {
            shared,
            beside,
            sampling,
            tracks: BTreeMap::new(),
            unsaved: Vec::new(),
            dropped: None,
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
        let state = self.shared.state();
        let fresh = by_series(self.see(now, &state).await);
        self.track(&state).await;
        let surroundings = Surroundings::of(&self.shared, &state, now);
        let mut steps = Vec::new();
        let mut seen = BTreeMap::new();
        for rollout in state.running() {
            let Some(track) = self.tracks.get_mut(&rollout.id) else {
                continue;
            };
            track.take_all(&fresh);
            let look = track.look(rollout, &surroundings.glance(rollout));
            if let Some(transition) = step(rollout, &look.observation) {
                steps.push((Arc::clone(rollout), transition, look.clone()));
            }
            seen.insert(rollout.id.clone(), look);
        }
        self.shared.looks.set(seen);
        self.make(steps).await;
    }
}

impl Controller {
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
        let is_drop_due = self.dropped.is_none_or(|last| last.elapsed() >= DROP_EVERY);
        if is_drop_due {
            self.dropped = Some(Instant::now());
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

    /// Has the writer decide the steps, all at once, so that they become one group.
    async fn make(&mut self, steps: Vec<(Arc<Rollout>, Transition, Look)>) {
        let made = steps
            .iter()
            .map(|(rollout, _, look)| self.shared.submit(request(observed(rollout, look))));
        let made = futures_util::future::join_all(made).await;
        for ((rollout, transition, look), made) in steps.iter().zip(made) {
            match made {
                Ok(_) => self.shared.looks.made(&rollout.id),
                Err(SubmitError::Rejected(why)) => {
                    // Somebody was faster: it ended, or is in a person's hand.
                    tracing::info!(rollout = %rollout.id, %why, "a step was not made");
                }
                Err(SubmitError::Unavailable { why, .. }) => {
                    self.failed(rollout, transition, look, &why).await;
                }
            }
        }
    }

    /// A step that cannot be stored is tried again with every tick. One that closes cannot wait for
    /// that: it goes out ahead of the journal, the way a kill does.
    async fn failed(&self, rollout: &Rollout, transition: &Transition, look: &Look, why: &str) {
        let (flag, environment) = (&rollout.flag, &rollout.environment);
        tracing::error!(rollout = %rollout.id, why, "a step could not be stored; it is tried again");
        let closes = transition
            .position
            .as_ref()
            .is_some_and(leverframe_flags::Position::is_closed);
        let mut told = format!(
            "the step of {} could not be stored: {why}; by hand: lever kill {flag} -e {environment} -r \"…\"",
            rollout.id
        );
        if transition.to == Phase::RolledBack && closes {
            let kill = Request {
                why: Why {
                    reason: Some(
                        format!("{}: rolled back, and the store refuses", rollout.id).into(),
                    ),
                    incident: None,
                },
                ..request(Command::Close {
                    flags: Selection::Flags([flag.clone()].into()),
                    environment: environment.clone(),
                })
            };
            match self.shared.submit(kill).await {
                Ok(_) => {
                    told = format!(
                        "{}: {flag} is closed in {environment}, NOT STORED: {why}",
                        rollout.id
                    );
                }
                Err(error) => told = format!("{told}; closing it failed too: {error}"),
            }
        }
        if self.shared.looks.failed(&rollout.id, told) {
            self.page_ahead(rollout, look);
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

impl Controller {
    /// Tells of a step that the store refuses, under the id that its record would have: whoever is told
    /// again when it is stored drops the repeat.
    fn page_ahead(&self, rollout: &Rollout, look: &Look) {
        let observe = request(observed(rollout, look));
        let Ok(meta) = self.shared.meta(&observe) else {
            return;
        };
        let Ok(Decision::Append(events)) = decide(&self.shared.state(), &observe.command, &meta)
        else {
            return;
        };
        for event in events {
            if let Event::EffectWanted { effect } = event {
                let effect = self
                    .shared
                    .options
                    .outside
                    .addressed(Effect::clone(&effect));
                let effects = self.shared.effects.clone();
                tokio::spawn(async move {
                    let came = effects.teller().tell(&effect).await;
                    tracing::warn!(effect = %effect.id, ?came, "told ahead of the journal");
                });
            }
        }
    }
}

fn observed(rollout: &Rollout, look: &Look) -> Command {
    Command::Observe {
        rollout: rollout.id.clone(),
        seen: Box::new(Observation::clone(&look.observation)),
    }
}

fn wanted(rollout: &Rollout) -> impl Iterator<Item = WantedSample> {
    rollout.plan.metrics.iter().map(|metric| WantedSample {
        environment: rollout.environment.clone(),
        flag: rollout.flag.clone(),
        lever_revision: rollout.lever_revision,
        measure: metric.measure.clone(),
    })
}

fn request(command: Command) -> Request {
    Request {
        command,
        actor: Actor::System,
        via: VIA.into(),
        why: Why::default(),
        if_match: None,
        idempotency: None,
        dry_run: false,
        received: Instant::now(),
    }
}
