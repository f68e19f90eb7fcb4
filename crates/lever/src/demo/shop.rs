//! The shop: twelve evaluators, each with a connection of its own, and seeded visitors.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use leverframe::{Client, Context, Guard, Outcome};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::meter::Meter;
use super::setup::FLAG;
use super::till::{End, Release, Till};
use super::visitors::{Visit, Visitors};
use crate::failure::Failure;

/// How many processes the shop would run.
pub(crate) const EVALUATORS: usize = 12;
/// How often waiting requests are served.
const TICK: Duration = Duration::from_millis(5);
/// Most open answers whose beginning an evaluator remembers.
const OPEN_ANSWERS_MAX: usize = 1_000_000;

/// The shop, open for visitors until it is dropped.
pub(crate) struct Shop {
    evaluators: Vec<Arc<Evaluator>>,
    book: Arc<Mutex<Book>>,
    traffic: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

/// What the shop knows of its own visitors, whatever it reported.
#[derive(Default)]
struct Book {
    meter: Meter,
    is_held: bool,
    served: u64,
    exposed: BTreeSet<u32>,
    hit: BTreeSet<u32>,
}

/// The shop's own count of visitors, each of them once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Toll {
    /// All who came.
    pub(crate) served: u64,
    /// Those who were exposed to the release.
    pub(crate) exposed: usize,
    /// Those of them who could not pay.
    pub(crate) hit: usize,
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
        release: Release,
    ) -> Result<Self, Failure> {
        let mut evaluators = Vec::with_capacity(EVALUATORS);
        for number in 0..EVALUATORS {
            evaluators.push(Arc::new(Evaluator::start(url, token, number).await?));
        }
        let book = Arc::new(Mutex::new(Book::default()));
        let (stop, stopped) = watch::channel(false);
        let traffic = tokio::spawn(serve(
            evaluators.clone(),
            Arc::clone(&book),
            Visitors::of(seed, rate),
            Till::with(release),
            stopped,
        ));
        Ok(Self {
            evaluators,
            book,
            traffic,
            stop,
        })
    }

    /// What `look` makes of the last minute of the traffic.
    pub(crate) fn metered<T>(&self, look: impl FnOnce(&Meter) -> T) -> T {
        look(&lock(&self.book).meter)
    }

    /// Who came so far, and how they fared.
    pub(crate) fn toll(&self) -> Toll {
        lock(&self.book).toll()
    }

    /// Lets nobody in until [`Shop::let_in`], and says who came so far: nobody is on the way.
    pub(crate) fn hold(&self) -> Toll {
        let mut book = lock(&self.book);
        book.is_held = true;
        book.toll()
    }

    /// Lets visitors in again, who have not come meanwhile.
    pub(crate) fn let_in(&self) {
        lock(&self.book).is_held = false;
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
            .declare([FLAG])
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
    fn ask(&self, visit: &Visit) -> (bool, Guard) {
        let context = Context::new(&visit.user());
        let begun = Instant::now();
        let (is_open, guard) = self.client.observe(FLAG, &context);
        let mut log = lock(&self.log);
        log.answers += 1;
        if is_open && log.open_begun.len() < OPEN_ANSWERS_MAX {
            log.open_begun.push(begun);
        }
        (is_open, guard)
    }
}

/// Serves visits at their times.
async fn serve(
    evaluators: Vec<Arc<Evaluator>>,
    book: Arc<Mutex<Book>>,
    mut visitors: Visitors,
    mut till: Till,
    mut stopped: watch::Receiver<bool>,
) {
    let began = Instant::now();
    let mut last = began;
    let mut open = Duration::ZERO;
    let mut seconds = 0_u64;
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stopped.changed() => return,
        }
        let now = Instant::now();
        if !lock(&book).is_held {
            open += now.duration_since(last);
        }
        last = now;
        let open_ms = u64::try_from(open.as_millis()).unwrap_or(u64::MAX);
        while let Some(visit) = visitors.until(open_ms) {
            let Some(evaluator) = visit.one_of(&evaluators) else {
                return;
            };
            // Locked for the whole visit: whoever holds the shop finds nobody half way.
            let mut book = lock(&book);
            if book.is_held {
                break;
            }
            let (is_exposed, guard) = evaluator.ask(&visit);
            let end = till.serve(&visit, is_exposed);
            guard.report(end.outcome());
            book.enter(&visit, is_exposed, end);
        }
        while seconds < now.duration_since(began).as_secs() {
            seconds += 1;
            lock(&book).meter.end_second();
        }
    }
}

impl Book {
    fn toll(&self) -> Toll {
        Toll {
            served: self.served,
            exposed: self.exposed.len(),
            hit: self.hit.len(),
        }
    }

    fn enter(&mut self, visit: &Visit, is_exposed: bool, end: End) {
        self.served += 1;
        self.meter.count(is_exposed, end.is_failure);
        if is_exposed {
            self.exposed.insert(visit.visitor);
            if end.is_failure {
                self.hit.insert(visit.visitor);
            }
        }
    }
}

impl End {
    /// The same as the evaluator reports it. The time is that of the model: nobody really waits.
    fn outcome(self) -> Outcome<'static> {
        let outcome = if self.is_failure {
            Outcome::bad()
        } else {
            Outcome::ok()
        };
        outcome.taking(Duration::from_millis(u64::from(self.took_ms)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
