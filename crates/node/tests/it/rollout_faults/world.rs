//! A shop with one flag, users who come and say how it went, and a pager that remembers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use leverframe_core::Command;
use leverframe_core::command::{PlanChoice, Survey, Terms};
use leverframe_core::effect::Urgency;
use leverframe_core::rollout::{
    Inconclusive, Measure, Metric, OnBad, Phase, Plan, Rollout, Stage, Standing, Target,
};
use leverframe_flags::{EnvironmentKey, FlagKey, Percentage};
use leverframe_node::outcomes::{Arm, Batch, ERRORS, Origin, Report, ReportedUnit};
use leverframe_node::{Channel, Channels, Grid, Options, Outside, Request, Told, Untold, Words};
use leverframe_store::memory::Disk;

use crate::bench::Bench;

/// How long a test waits for what must come about.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes what it is told while it is up, and remembers it.
#[derive(Default)]
pub(super) struct Pager {
    is_down: AtomicBool,
    taken: Mutex<Vec<Words>>,
}

#[async_trait]
impl Channel for Pager {
    async fn tell(&self, words: &Words) -> Result<Told, Untold> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(Untold::passing("the pager is down"));
        }
        self.taken.lock().unwrap().push(words.clone());
        Ok(Told { read_back: true })
    }
}

impl Pager {
    pub(super) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// The pages it took; notices aside.
    pub(super) fn pages(&self) -> Vec<Words> {
        let taken = self.taken.lock().unwrap();
        let pages = taken.iter().filter(|words| words.urgency == Urgency::Page);
        pages.cloned().collect()
    }
}

/// What of a hundred users fails.
#[derive(Clone, Copy, Default)]
pub(super) struct Weather {
    pub(super) exposed: u64,
    pub(super) held_back: u64,
}

pub(super) struct World {
    bench: Option<Arc<Bench>>,
    pub(super) disk: Disk,
    pub(super) first: Arc<Pager>,
    pub(super) second: Arc<Pager>,
    next: u64,
    pub(super) weather: Weather,
}

impl World {
    /// A rollout of `checkout` in prod has started by this plan.
    pub(super) async fn rolling(plan: Plan) -> Self {
        let mut world = Self {
            bench: None,
            disk: Disk::new(),
            first: Arc::default(),
            second: Arc::default(),
            next: 0,
            weather: Weather::default(),
        };
        world.start_node().await;
        world.bench().create_flag("checkout").await;
        world.start(plan).await;
        world
    }

    pub(super) fn bench(&self) -> &Arc<Bench> {
        self.bench.as_ref().unwrap()
    }

    pub(super) async fn start_node(&mut self) {
        let mut channels = Channels::default();
        channels.add("first", self.first.clone());
        channels.add("second", self.second.clone());
        let options = Options {
            store_name: "memory",
            tick: Duration::from_millis(10),
            brake_after: Duration::from_millis(50),
            outcomes: Grid {
                length: Duration::from_millis(40),
                watermark: Duration::from_millis(40),
            },
            outside: Outside {
                channels,
                page: vec!["first".into(), "second".into()],
                ..Outside::default()
            },
            ..Options::default()
        };
        self.bench = Some(Arc::new(Bench::with(self.disk.clone(), options).await));
    }

    /// The server goes away as if it were killed: nothing is told, nothing saved.
    pub(super) async fn kill_node(&mut self) {
        let bench = self.bench.take().unwrap();
        let node = bench.node.clone();
        drop(bench);
        // The writer's thread ends by itself; a second one on the same disk is not let in before.
        node.stop().await;
    }

    async fn start(&self, plan: Plan) {
        let bench = self.bench();
        let seen = {
            let state = bench.node.state();
            state.lever_revision(state.flag("checkout").unwrap(), "prod")
        };
        let command = Command::StartRollout {
            flag: flag(),
            environment: prod(),
            plan: PlanChoice::Inline(Box::new(plan)),
            terms: Terms::default(),
            survey: Box::new(Survey {
                builds: ["shop b1".into()].into(),
                ..Survey::default()
            }),
        };
        let request = Request {
            if_match: Some(seen),
            ..bench.request(command)
        };
        bench.node.submit(request).await.unwrap();
    }

    pub(super) fn rollout(&self) -> Arc<Rollout> {
        let state = self.bench().node.state();
        Arc::clone(state.rollouts().next().unwrap())
    }

    pub(super) fn problems(&self) -> Vec<String> {
        self.bench().node.health().problems
    }

    /// Users come to whom the open interval belongs, half of them exposed.
    pub(super) fn come(&mut self) {
        let batch = self.batch(Origin::Evaluator, self.weather, 0);
        self.bench().node.outcomes().take(&prod(), &batch);
    }

    /// What an evaluator would say of forty new users who came so many intervals ago.
    pub(super) fn batch(&mut self, origin: Origin, weather: Weather, ago: i64) -> Batch {
        let node = &self.bench().node;
        let grid = node.outcomes().grid();
        let at = grid
            .begin(node.steady_now())
            .plus_ms(-ago * grid.length_ms());
        let units = (0..40)
            .map(|_| {
                self.next += 1;
                let is_exposed = self.next.is_multiple_of(2);
                let (arm, bad_of_100) = match is_exposed {
                    true => (Arm::Exposed, weather.exposed),
                    false => (Arm::HeldBack, weather.held_back),
                };
                ReportedUnit {
                    hash: self.next.wrapping_mul(0x9e37_79b9_7f4a_7c15),
                    arm,
                    bad: u8::from((self.next / 2) % 100 < bad_of_100),
                    latency: None,
                }
            })
            .collect();
        Batch {
            instance: "shop-1".into(),
            sequence: self.next,
            origin,
            reports: vec![Report {
                at,
                flag: flag(),
                threshold: u64::MAX,
                names: vec![ERRORS.into()],
                units,
            }],
            gauges: Vec::new(),
        }
    }

    /// Lets users come until it is as wanted; panics with how it is when that takes too long.
    pub(super) async fn until<T>(
        &mut self,
        what: &str,
        wanted: impl FnMut(&Self) -> Option<T>,
    ) -> T {
        self.until_with(what, Self::come, wanted).await
    }

    /// Lets something happen again and again until it is as wanted.
    pub(super) async fn until_with<T>(
        &mut self,
        what: &str,
        mut happens: impl FnMut(&mut Self),
        mut wanted: impl FnMut(&Self) -> Option<T>,
    ) -> T {
        let began = Instant::now();
        loop {
            happens(self);
            if let Some(found) = wanted(self) {
                return found;
            }
            let rollout = self.rollout();
            assert!(
                began.elapsed() < PATIENCE,
                "never came about: {what}; {rollout:#?} {:#?} {:?}",
                self.bench().node.look(&rollout.id),
                self.problems()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(super) async fn until_over(&mut self) -> Arc<Rollout> {
        self.until("the end", |world| {
            Some(world.rollout()).filter(|rollout| rollout.is_over())
        })
        .await
    }

    /// Until everybody is told and everything stored.
    pub(super) async fn until_settled(&mut self) {
        let is_settled = |world: &Self| {
            let node = &world.bench().node;
            let is_quiet = node.brakes().is_empty() && node.state().unsettled().next().is_none();
            is_quiet.then_some(())
        };
        self.until_with("all told and stored", |_| (), is_settled)
            .await;
    }

    pub(super) async fn until_at(&mut self, index: usize) {
        self.until("the stage", |world| {
            let rollout = world.rollout();
            matches!(rollout.phase, Phase::Stage { index: at, .. } if at == index).then_some(())
        })
        .await;
    }
}

pub(super) fn flag() -> FlagKey {
    FlagKey::new("checkout").unwrap()
}

pub(super) fn prod() -> EnvironmentKey {
    EnvironmentKey::new("prod").unwrap()
}

fn percent(whole: u32) -> Percentage {
    Percentage::from_thousandths(whole * 1_000).unwrap()
}

/// Half of everybody, then everybody, a fifth of a second each.
pub(crate) fn plan() -> Plan {
    let stage = |whole: u32| Stage {
        to: Target::Share {
            percentage: percent(whole),
        },
        bake_ms: None,
        hold_ms_max: None,
        margin: None,
    };
    Plan {
        key: "quick".into(),
        stages: vec![stage(50), stage(51), stage(100)],
        bake_ms: 200,
        hold_ms_max: 60_000,
        metrics: vec![Metric {
            key: "errors".into(),
            standing: Standing::Convicts,
            tolerance: 1.2,
            tolerable: 0.05,
            ceiling: None,
            measure: Measure::Outcomes {
                name: ERRORS.into(),
            },
        }],
        on_bad: OnBad::Close,
        inconclusive: Inconclusive::Ask,
        hold_back: percent(0),
        warm_ms: 0,
        settle_ms: 0,
        notify: Vec::new(),
        page: Vec::new(),
    }
}
