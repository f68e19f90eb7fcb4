//! The shop: twelve evaluators, each with a connection of its own, and seeded visitors.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use leverframe::{Client, Context};
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::meter::Meter;
use super::setup::FLAG;
use crate::failure::Failure;

/// How many processes the shop would run.
pub(crate) const EVALUATORS: usize = 12;
/// How many different visitors there are.
const VISITORS: u32 = 20_000;
/// How often the legacy path fails, in requests of ten thousand.
const LEGACY_ERRORS: u32 = 30;
/// How often the new path fails: the reason to pull the lever.
const NEW_ERRORS: u32 = 600;
/// How often waiting requests are served.
const TICK: Duration = Duration::from_millis(5);
/// Most open answers whose beginning an evaluator remembers.
const OPEN_ANSWERS_MAX: usize = 1_000_000;

/// The shop, open for visitors until it is dropped.
pub(crate) struct Shop {
    evaluators: Vec<Arc<Evaluator>>,
    meter: Arc<Mutex<Meter>>,
    traffic: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

struct Evaluator {
    client: Client,
    log: Arc<Mutex<Log>>,
}

/// What one evaluator has to show for itself.
#[derive(Default)]
struct Log {
    /// When each revision was in force here, just before its acknowledgement went out.
    in_force: BTreeMap<u64, Instant>,
    /// When each evaluation that answered open began.
    open_begun: Vec<Instant>,
    answers: u64,
}

/// What the evaluators answered around one revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answers {
    /// Evaluators that have acknowledged the revision.
    pub(crate) acknowledged: usize,
    /// Evaluations so far.
    pub(crate) evaluations: u64,
    /// Those that answered open.
    pub(crate) open: usize,
    /// Those that answered open though they began after their evaluator had acknowledged.
    pub(crate) open_after_confirmed: usize,
}

impl Shop {
    /// Starts the evaluators and, once all of them have a rule set, lets visitors in.
    pub(crate) async fn open(
        url: &str,
        token: &str,
        seed: u64,
        rate: u32,
    ) -> Result<Self, Failure> {
        let mut evaluators = Vec::with_capacity(EVALUATORS);
        for number in 0..EVALUATORS {
            evaluators.push(Arc::new(Evaluator::start(url, token, number).await?));
        }
        let meter = Arc::new(Mutex::new(Meter::default()));
        let (stop, stopped) = watch::channel(false);
        let traffic = tokio::spawn(serve(
            evaluators.clone(),
            Arc::clone(&meter),
            seed,
            rate,
            stopped,
        ));
        Ok(Self {
            evaluators,
            meter,
            traffic,
            stop,
        })
    }

    pub(crate) fn meter(&self) -> MutexGuard<'_, Meter> {
        lock(&self.meter)
    }

    /// What happened around `revision`, by the evaluators' own logs.
    pub(crate) fn answers(&self, revision: u64) -> Answers {
        let none = Answers {
            acknowledged: 0,
            evaluations: 0,
            open: 0,
            open_after_confirmed: 0,
        };
        self.evaluators.iter().fold(none, |sum, evaluator| {
            let log = lock(&evaluator.log);
            let in_force = log.in_force.range(revision..).next().map(|(_, at)| *at);
            let is_late = |begun: &&Instant| in_force.is_some_and(|at| **begun >= at);
            Answers {
                acknowledged: sum.acknowledged + usize::from(in_force.is_some()),
                evaluations: sum.evaluations + log.answers,
                open: sum.open + log.open_begun.len(),
                open_after_confirmed: sum.open_after_confirmed
                    + log.open_begun.iter().filter(is_late).count(),
            }
        })
    }

    /// Forgets the answers so far, so that [`Shop::answers`] tells of what comes.
    pub(crate) fn forget_answers(&self) {
        for evaluator in &self.evaluators {
            let mut log = lock(&evaluator.log);
            log.open_begun.clear();
            log.answers = 0;
        }
    }

    /// Lets nobody in any more and says goodbye for every evaluator.
    pub(crate) async fn close(self) {
        self.stop.send_replace(true);
        // It ends by itself; a panic in it was printed already.
        let _ = self.traffic.await;
        for evaluator in &self.evaluators {
            evaluator.client.shutdown().await;
        }
    }
}

impl Evaluator {
    async fn start(url: &str, token: &str, number: usize) -> Result<Self, Failure> {
        let log = Arc::new(Mutex::new(Log::default()));
        let observed = Arc::clone(&log);
        let client = Client::builder()
            .url(url)
            .token(token)
            .application("demo-shop")
            .build_id(if number < EVALUATORS / 2 {
                "2026.11.20-a"
            } else {
                "2026.11.21-b"
            })
            .connect_timeout(Duration::from_secs(10))
            .on_acknowledge(move |acknowledged| {
                lock(&observed)
                    .in_force
                    .insert(acknowledged.revision, acknowledged.published_at);
            })
            .connect()
            .await
            .map_err(|error| {
                Failure::failed(format!("evaluator {number} does not start: {error}"))
            })?;
        Ok(Self { client, log })
    }

    /// Asks the flag for one visitor, and remembers when.
    fn is_exposed(&self, visitor: u32) -> bool {
        let context = Context::new(&format!("u-{visitor}"));
        let begun = Instant::now();
        let is_open = self.client.is_on(FLAG, &context);
        let mut log = lock(&self.log);
        log.answers += 1;
        if is_open && log.open_begun.len() < OPEN_ANSWERS_MAX {
            log.open_begun.push(begun);
        }
        is_open
    }
}

/// Serves `rate` requests a second, the same ones for the same seed.
async fn serve(
    evaluators: Vec<Arc<Evaluator>>,
    meter: Arc<Mutex<Meter>>,
    seed: u64,
    rate: u32,
    mut stopped: watch::Receiver<bool>,
) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let began = Instant::now();
    let mut served = 0_u64;
    let mut seconds = 0_u64;
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stopped.changed() => return,
        }
        let elapsed = began.elapsed();
        let due = u64::try_from(elapsed.as_millis() * u128::from(rate) / 1_000).unwrap_or(u64::MAX);
        while served < due {
            served += 1;
            let Some(evaluator) = evaluators.get(random.random_range(0..evaluators.len())) else {
                return;
            };
            let is_exposed = evaluator.is_exposed(random.random_range(0..VISITORS));
            let errors = if is_exposed {
                NEW_ERRORS
            } else {
                LEGACY_ERRORS
            };
            let is_error = random.next_u32() % 10_000 < errors;
            lock(&meter).count(is_exposed, is_error);
        }
        while seconds < elapsed.as_secs() {
            seconds += 1;
            lock(&meter).end_second();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
