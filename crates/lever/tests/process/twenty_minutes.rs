//! Changes, kills, evaluators that come and go, web clients and readers of the journal, for twenty
//! minutes: nothing grows but the journal, and at the end everybody says the same.

use std::path::Path;
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::bench::{Bench, Call, Crowd, figure, minutes, progress, seed};
use crate::measure::resident_kib;

const FLAGS: usize = 50;
const EVALUATORS: usize = 20;
/// How often what may not grow is looked at.
const SAMPLE_EVERY: Duration = Duration::from_secs(5);
/// What memory may grow by over the second half, beyond what is remembered by design.
const GROWTH_MAX_KIB: f64 = 8.0 * 1024.0;
/// What the state remembers of each change: an undo, an idempotency key, a revision of the ring.
const REMEMBERED_BYTES_MAX: f64 = 4.0 * 1024.0;
/// The log is written back into the journal when it is this long, with the last change beyond it.
const WAL_BYTES_MAX: u64 = 16 * 1024 * 1024;

#[test]
#[ignore = "long: cargo xtask soak"]
fn twenty_minutes_of_changes_let_nothing_grow_and_leave_everybody_agreed() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    let bench = Bench::new();
    for flag in 0..FLAGS {
        let line = format!("flag create {} --owner web --kind ops", name(flag));
        bench.lever(&line).exits(0);
    }
    let mut crowd = Crowd::start(&bench.recipe("crowd"), EVALUATORS);
    let web = bench.token("web --role evaluator -e prod");
    let end = Duration::from_secs(60 * minutes());
    let began = Instant::now();
    let mut samples: Vec<Sample> = Vec::new();
    let mut tally = Tally::default();
    while began.elapsed() < end {
        act(&bench, &mut crowd, &web, &mut random, &mut tally);
        let since = samples
            .last()
            .map_or(Duration::MAX, |last| began.elapsed() - last.at);
        if since >= SAMPLE_EVERY {
            let sample = Sample::of(&bench, began.elapsed(), tally.changes());
            if samples.len().is_multiple_of(12) {
                progress(&format!(
                    "{:?} of {end:?}: {sample} after {tally:?}",
                    sample.at
                ));
            }
            samples.push(sample);
        }
    }
    let growth = Growth::of(&samples);
    figure(&format!(
        "{} min, {tally:?}; {growth}; {}",
        minutes(),
        samples.last().unwrap()
    ));
    growth.is_allowed(&samples);

    let verified = bench
        .call(&Call::post("/api/v1/journal/verify", json!({})))
        .unwrap()
        .ok();
    assert_eq!(verified["intact"], true, "{verified:#}");
    assert_eq!(verified["revision"], bench.revision());
    agree(&bench, &mut crowd);
}

/// What was done.
#[derive(Debug, Default)]
struct Tally {
    edits: usize,
    kills: usize,
    openings: usize,
    renewals: usize,
    evaluations: usize,
    readings: usize,
}

impl Tally {
    fn changes(&self) -> usize {
        self.edits + self.kills + self.openings
    }
}

/// One step of the load.
fn act(bench: &Bench, crowd: &mut Crowd, web: &str, random: &mut ChaCha8Rng, tally: &mut Tally) {
    let flag = name(random.random_range(0..FLAGS));
    match random.random_range(0..100) {
        0..25 => {
            let description = format!("change {}", tally.changes());
            bench.edit(&flag, &description);
            tally.edits += 1;
        }
        25..45 => {
            bench.kill(&flag);
            tally.kills += 1;
        }
        45..65 => {
            bench.open(&flag);
            tally.openings += 1;
        }
        65..67 => {
            crowd.renew();
            tally.renewals += 1;
        }
        67..90 => {
            let address = bench.server().address();
            let body =
                json!({"context": {"targetingKey": format!("u-{}", random.random::<u16>())}});
            let path = if random.random_bool(0.2) {
                "/ofrep/v1/evaluate/flags".to_owned()
            } else {
                format!("/ofrep/v1/evaluate/flags/{flag}")
            };
            Call::post(&path, body).send(address, web).unwrap().ok();
            tally.evaluations += 1;
        }
        _ => {
            let paths = [
                "/api/v1/journal?limit=50",
                "/api/v1/environments/prod/status",
                "/api/v1/environments/prod/fleet",
                "/api/v1/flags?limit=50",
                "/api/v1/health",
            ];
            let path = paths[random.random_range(0..paths.len())];
            bench.call(&Call::get(path)).unwrap().ok();
            tally.readings += 1;
        }
    }
}

fn name(flag: usize) -> String {
    format!("flag-{flag}")
}

/// At the end every evaluator answers what the server does, flag by flag.
fn agree(bench: &Bench, crowd: &mut Crowd) {
    bench.until_current("crowd", EVALUATORS);
    for flag in 0..FLAGS {
        let flag = name(flag);
        for unit in ["u-1", "u-2"] {
            let body = json!({"flag": flag, "context": {"targetingKey": unit}});
            let call = Call::post("/api/v1/environments/prod/evaluate", body);
            let is_on = bench.call(&call).unwrap().ok()["value"] == Value::Bool(true);
            let expected = if is_on { EVALUATORS } else { 0 };
            assert_eq!(crowd.asked(&flag, unit), (expected, EVALUATORS), "{flag}");
        }
    }
}

/// What may not grow, at one moment.
#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Duration,
    changes: usize,
    resident_kib: u64,
    descriptors: usize,
    threads: usize,
    journal_bytes: u64,
    wal_bytes: u64,
}

impl Sample {
    fn of(bench: &Bench, at: Duration, changes: usize) -> Self {
        let id = bench.server().id();
        let count = |what: &str| {
            std::fs::read_dir(format!("/proc/{id}/{what}"))
                .unwrap()
                .count()
        };
        let size = |file: &Path| std::fs::metadata(file).map_or(0, |file| file.len());
        Self {
            at,
            changes,
            resident_kib: resident_kib(id),
            descriptors: count("fd"),
            threads: count("task"),
            journal_bytes: size(&bench.data().join("lever.db")),
            wal_bytes: size(&bench.data().join("lever.db-wal")),
        }
    }
}

impl std::fmt::Display for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "memory {:.1} MiB, {} descriptors, {} threads, journal {:.1} MiB, log {:.1} MiB",
            self.resident_kib as f64 / 1024.0,
            self.descriptors,
            self.threads,
            self.journal_bytes as f64 / 1048576.0,
            self.wal_bytes as f64 / 1048576.0
        )
    }
}

/// How much more there was at the end of the second half than at its beginning, by the line that
/// fits the samples best.
#[derive(Debug, Clone, Copy)]
struct Growth {
    kib: f64,
    descriptors: f64,
    threads: f64,
    changes: usize,
}

impl Growth {
    fn of(samples: &[Sample]) -> Self {
        let half = &samples[samples.len() / 2..];
        let over = |value: &dyn Fn(&Sample) -> f64| {
            let points: Vec<(f64, f64)> = half
                .iter()
                .map(|sample| (sample.at.as_secs_f64(), value(sample)))
                .collect();
            slope(&points) * (points.last().unwrap().0 - points[0].0)
        };
        Self {
            kib: over(&|sample| sample.resident_kib as f64),
            descriptors: over(&|sample| sample.descriptors as f64),
            threads: over(&|sample| sample.threads as f64),
            changes: half.last().unwrap().changes - half[0].changes,
        }
    }

    fn is_allowed(self, samples: &[Sample]) {
        let remembered_kib = self.changes as f64 * REMEMBERED_BYTES_MAX / 1024.0;
        assert!(
            self.kib < GROWTH_MAX_KIB + remembered_kib,
            "memory grows: {self}"
        );
        assert!(self.descriptors < 10.0, "descriptors grow: {self}");
        assert!(self.threads < 3.0, "threads grow: {self}");
        let wal = samples.iter().map(|sample| sample.wal_bytes).max().unwrap();
        assert!(wal < WAL_BYTES_MAX, "the log of the journal grows: {wal}");
    }
}

impl std::fmt::Display for Growth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "over the second half with its {} changes {:+.1} MiB, {:+.1} descriptors, {:+.1} threads",
            self.changes,
            self.kib / 1024.0,
            self.descriptors,
            self.threads
        )
    }
}

/// The slope of the line through `points` with the least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let above: f64 = points
        .iter()
        .map(|(x, y)| (x - mean_x) * (y - mean_y))
        .sum();
    let below: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    above / below
}

#[test]
fn growth_is_told_from_noise() {
    let points = |growth: f64| -> Vec<(f64, f64)> {
        let noise = [3.0, -3.0, 1.0, -1.0];
        let value = |n: u32| f64::from(n) * growth + noise[n as usize % noise.len()];
        (0..100).map(|n| (f64::from(n), value(n))).collect()
    };
    assert!(slope(&points(0.0)).abs() < 0.01);
    assert!((slope(&points(0.5)) - 0.5).abs() < 0.01);
}
