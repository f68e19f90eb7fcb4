//! Samples everything that is wanted of one interval: at once, bounded in number and time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use leverframe_core::Timestamp;
use leverframe_core::rollout::{Measure, Measurement, Seen, row_key};
use leverframe_flags::{EnvironmentKey, FlagKey};
use leverframe_store::{Series, StoredMeasurement};
use tokio::sync::Semaphore;

mod round;

use self::round::{Counted, Four};
use super::{Question, Sample, Shape, Source, Sources};
use crate::clock::Clock;
use crate::limit::{SAMPLES_AT_ONCE, SAMPLING_TIME_MAX};

/// The source of gauges that evaluators report themselves; not asked here.
const OWN: &str = "outcomes";

/// A stretch of time that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Its begin, by the node's steady clock.
    pub at: Timestamp,
    /// How long it is, in milliseconds.
    pub length_ms: i64,
}

/// A metric of a lever that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Where.
    pub environment: EnvironmentKey,
    /// Whose lever.
    pub flag: FlagKey,
    /// The revision that had last moved the lever when the interval began.
    pub lever_revision: u64,
    /// What is measured.
    pub measure: Measure,
}

/// Why a metric cannot be sampled, for whoever applies a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// Nothing of that name is configured.
    #[error("there is no source {name}; {}", known(names))]
    UnknownSource {
        /// The name.
        name: String,
        /// Those that there are.
        names: Vec<String>,
    },
    /// It was asked, and does not answer as it should.
    #[error("the source {name} cannot be used: {why}")]
    Fails {
        /// The name.
        name: String,
        /// Why; without a secret in it.
        why: String,
    },
}

fn known(names: &[String]) -> String {
    if names.is_empty() {
        return "the server's file names none (lever serve --config)".to_owned();
    }
    format!("the server's file names {}", names.join(", "))
}

/// Asks the sources. Remembers of counters where they stood, and nothing that a restart may not lose.
#[derive(Debug)]
pub struct Sampler {
    sources: Sources,
    clock: Clock,
    seats: Semaphore,
    time_max: Duration,
    counted: Mutex<BTreeMap<Box<str>, Counted>>,
}

impl Sampler {
    /// A sampler of these sources.
    #[must_use]
    pub fn new(sources: Sources, clock: Clock) -> Self {
        Self {
            sources,
            clock,
            seats: Semaphore::new(SAMPLES_AT_ONCE),
            time_max: SAMPLING_TIME_MAX,
            counted: Mutex::default(),
        }
    }

    /// The same with less time for all samples of an interval, for intervals that are short.
    #[must_use]
    pub fn within(mut self, time_max: Duration) -> Self {
        self.time_max = time_max.min(SAMPLING_TIME_MAX);
        self
    }

    /// Whether a metric is one that is sampled here.
    #[must_use]
    pub fn samples(measure: &Measure) -> bool {
        source_of(measure).is_some()
    }

    /// Asks for everything that is wanted of a closed interval. Each gives one measurement, a failure
    /// too; the same query of several levers is asked once. Ends within [the time for
    /// it](Self::within) and a moment.
    pub async fn sample(&self, interval: Interval, wanted: &[Wanted]) -> Vec<StoredMeasurement> {
        let wanted: Vec<(Box<str>, &Wanted)> = wanted
            .iter()
            .filter(|wanted| Self::samples(&wanted.measure))
            .map(|wanted| (row_key(&wanted.measure), wanted))
            .collect();
        let measures: BTreeMap<&str, &Measure> = wanted
            .iter()
            .map(|(row, wanted)| (&**row, &wanted.measure))
            .collect();
        self.forget_but(&measures.keys().copied().collect());
        let deadline = tokio::time::Instant::now() + self.time_max;
        let asked = measures.into_iter().map(|(row, measure)| async move {
            let seen = self.row(row, measure, interval);
            let seen = tokio::time::timeout_at(deadline, seen).await;
            let late = || Seen::Error {
                why: format!(
                    "it was not answered within {} ms",
                    self.time_max.as_millis()
                )
                .into(),
            };
            (row, seen.unwrap_or_else(|_| late()))
        });
        let seen: BTreeMap<&str, Seen> = join_all(asked).await.into_iter().collect();
        let sampled = wanted.iter().filter_map(|(row, wanted)| {
            Some(StoredMeasurement {
                series: Series {
                    environment: wanted.environment.as_str().into(),
                    flag: wanted.flag.as_str().into(),
                    metric: row.clone(),
                },
                measurement: Measurement {
                    at: interval.at,
                    length_ms: interval.length_ms,
                    lever_revision: wanted.lever_revision,
                    seen: seen.get(&**row)?.clone(),
                },
                private: None,
            })
        });
        sampled.collect()
    }

    /// Tries whether a metric can be sampled: its source is there, answers, and understands what it
    /// is asked. No data is fine: nobody is exposed yet.
    ///
    /// # Errors
    /// When it is not.
    pub async fn check(&self, measure: &Measure) -> Result<(), Unusable> {
        let Some(name) = source_of(measure) else {
            return Ok(());
        };
        let source = self
            .sources
            .get(name)
            .ok_or_else(|| Unusable::UnknownSource {
                name: name.to_owned(),
                names: self.sources.names().map(str::to_owned).collect(),
            })?;
        let at = self.clock.wall();
        let samples = match measure {
            Measure::Counters { .. } => {
                let four = Four::ask(source.as_ref(), measure, at).await;
                four.samples.to_vec()
            }
            _ => vec![self.number(source.as_ref(), measure, at).await],
        };
        for sample in samples {
            if let Sample::Error(why) = sample {
                let name = name.to_owned();
                return Err(Unusable::Fails { name, why });
            }
        }
        Ok(())
    }

    async fn row(&self, row: &str, measure: &Measure, interval: Interval) -> Seen {
        let Some(source) = source_of(measure).and_then(|name| self.sources.get(name)) else {
            let why = "its source is not in the server's file any more".into();
            return Seen::Error { why };
        };
        // It is never closed.
        let _seat = self.seats.acquire().await;
        let end = interval.at.plus_ms(interval.length_ms);
        match measure {
            Measure::Counters { .. } => {
                self.counters(row, source.as_ref(), measure, interval.at, end)
                    .await
            }
            _ => match self.number(source.as_ref(), measure, self.wall(end)).await {
                Sample::Value(value) => Seen::Gauge { value },
                Sample::Counters(_) => Seen::Error {
                    why: "it answered with counters".into(),
                },
                other => round::unseen(&other),
            },
        }
    }

    async fn number(&self, source: &dyn Source, measure: &Measure, at: Timestamp) -> Sample {
        let Measure::Gauge { query, .. } = measure else {
            return Sample::NoData;
        };
        let question = Question {
            query: query.clone(),
            shape: Shape::Number,
            at,
        };
        source.sample(&question).await
    }

    async fn counters(
        &self,
        row: &str,
        source: &dyn Source,
        measure: &Measure,
        begin: Timestamp,
        end: Timestamp,
    ) -> Seen {
        let mut counted = self.recall(row);
        let before = match counted.standing_at(begin) {
            Some(before) => before,
            None => Four::ask(source, measure, self.wall(begin)).await,
        };
        let after = Four::ask(source, measure, self.wall(end)).await;
        let seen = counted.count(&before, &after);
        counted.stand(end, after);
        self.memory().insert(row.into(), counted);
        seen
    }

    /// A moment of the steady clock by the wall clock as it goes now: the other side has only that.
    fn wall(&self, steady: Timestamp) -> Timestamp {
        let ago_ms = self.clock.steady().ms_since(steady);
        self.clock.wall().plus_ms(-ago_ms)
    }

    fn recall(&self, row: &str) -> Counted {
        self.memory().get(row).cloned().unwrap_or_default()
    }

    fn forget_but(&self, rows: &BTreeSet<&str>) {
        self.memory().retain(|row, _| rows.contains(&**row));
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, BTreeMap<Box<str>, Counted>> {
        // What was remembered stays true, whoever panicked.
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The source that a metric is sampled from; none when evaluators report it.
fn source_of(measure: &Measure) -> Option<&str> {
    match measure {
        Measure::Counters { source, .. } => Some(source),
        Measure::Gauge { source, .. } if &**source != OWN => Some(source),
        Measure::Gauge { .. } | Measure::Outcomes { .. } | Measure::Latency { .. } => None,
    }
}
