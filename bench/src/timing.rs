//! Timing: everybody who is compared runs in turn, many times and briefly, so that whatever else
//! the machine does falls on all of them alike; the median of the turns counts.

use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

/// Runs a number of operations and gives a sum of the answers, so that none can be left out.
pub(crate) type Worker = Box<dyn FnMut(usize) -> u64>;
/// Makes a worker on the thread that is going to run it.
pub(crate) type Factory = Arc<dyn Fn() -> Worker + Send + Sync>;

/// Somebody who is measured.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) factory: Factory,
}

impl Subject {
    pub(crate) fn new(
        name: impl Into<String>,
        factory: impl Fn() -> Worker + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            factory: Arc::new(factory),
        }
    }
}

/// How long a turn should take: shorter than the kernel's slices, so that most turns are not
/// interrupted at all.
const TURN: Duration = Duration::from_micros(1_500);

/// Nanoseconds for one operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Took {
    pub(crate) median: f64,
    /// A tenth of the turns were faster: what the machine can do when nobody else uses it.
    pub(crate) best_tenth: f64,
}

/// What one operation of each subject takes, over `turns` turns.
pub(crate) fn took_ns(subjects: &[Subject], turns: usize) -> Vec<Took> {
    let mut workers: Vec<(Worker, usize)> = subjects
        .iter()
        .map(|subject| {
            let mut worker = (subject.factory)();
            let count = operations_in(TURN, &mut worker);
            (worker, count)
        })
        .collect();
    let mut samples = vec![Vec::with_capacity(turns); subjects.len()];
    for _ in 0..turns {
        for ((worker, count), samples) in workers.iter_mut().zip(&mut samples) {
            // What the turn before has pushed out of the caches is not this one's cost.
            black_box(worker(*count / 4 + 1));
            let started = Instant::now();
            black_box(worker(*count));
            samples.push(ns_each(started.elapsed(), *count));
        }
    }
    samples
        .into_iter()
        .map(|samples| Took {
            median: median(samples.clone()),
            best_tenth: quantile(samples, 0.1),
        })
        .collect()
}

/// How much more two threads get done than one, for each subject: the median over `turns` turns in
/// which one thread and two run one after the other.
pub(crate) fn two_threads_over_one(subjects: &[Subject], turns: usize) -> Vec<f64> {
    subjects
        .iter()
        .map(|subject| {
            let mut worker = (subject.factory)();
            let count = operations_in(Duration::from_millis(15), &mut worker);
            let ratios = (0..turns)
                .map(|_| {
                    black_box(worker(count / 4 + 1));
                    let started = Instant::now();
                    black_box(worker(count));
                    let alone = started.elapsed().as_secs_f64();
                    2.0 * alone / together(&subject.factory, count).as_secs_f64()
                })
                .collect();
            median(ratios)
        })
        .collect()
}

/// How long two threads take that each do `count` operations.
fn together(factory: &Factory, count: usize) -> Duration {
    let barrier = Barrier::new(2);
    let run = || {
        let mut worker = factory();
        black_box(worker(count / 4 + 1));
        barrier.wait();
        let started = Instant::now();
        black_box(worker(count));
        started.elapsed()
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(run);
        let mine = run();
        other.join().map_or(mine, |theirs| mine.max(theirs))
    })
}

/// Median milliseconds of pieces of work that run in turn, over `turns` turns.
pub(crate) fn medians_ms(work: &mut [(String, Box<dyn FnMut()>)], turns: usize) -> Vec<f64> {
    let mut samples = vec![Vec::with_capacity(turns); work.len()];
    for _ in 0..turns {
        for ((_, work), samples) in work.iter_mut().zip(&mut samples) {
            let started = Instant::now();
            work();
            samples.push(started.elapsed().as_secs_f64() * 1e3);
        }
    }
    samples.into_iter().map(median).collect()
}

fn operations_in(wanted: Duration, worker: &mut Worker) -> usize {
    let mut count = 16;
    loop {
        let started = Instant::now();
        black_box(worker(count));
        let took = started.elapsed();
        if took * 2 > wanted || count >= 1 << 26 {
            let fit = (count as f64 * wanted.as_secs_f64() / took.as_secs_f64()) as usize;
            return fit.max(1);
        }
        count *= 2;
    }
}

fn ns_each(took: Duration, count: usize) -> f64 {
    took.as_nanos() as f64 / count as f64
}

pub(crate) fn median(samples: Vec<f64>) -> f64 {
    quantile(samples, 0.5)
}

/// The value below which a share of the samples lies.
pub(crate) fn quantile(mut samples: Vec<f64>, share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let last = samples.len().saturating_sub(1);
    let index = (last as f64 * share).round() as usize;
    samples.get(index).copied().unwrap_or(f64::NAN)
}
