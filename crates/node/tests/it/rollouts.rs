//! Rollouts on a running node: outcomes go in, and levers move by themselves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use leverframe_core::Command;
use leverframe_core::command::{PlanChoice, Survey, Terms};
use leverframe_core::effect::{Settlement, Urgency};
use leverframe_core::flag::FlagDefinition;
use leverframe_core::position::latch;
use leverframe_core::rollout::{
    Cause, Inconclusive, Measure, Metric, OnBad, Phase, Plan, Rollout, Stage, Standing, Target,
};
use leverframe_flags::{EnvironmentKey, FlagKey, Percentage};
use leverframe_node::outcomes::{Arm, Batch, ERRORS, Origin, Report, ReportedUnit};
use leverframe_node::{Grid, Options, Request};
use leverframe_store::memory::Disk;

use crate::bench::{Bench, boolean};

/// Short intervals: the plan is compressed, not the clock.
pub(crate) fn compressed() -> Options {
    Options {
        store_name: "memory",
        tick: Duration::from_millis(10),
        outcomes: Grid {
            length: Duration::from_millis(40),
            watermark: Duration::from_millis(40),
        },
        ..Options::default()
    }
}

pub(crate) fn plan() -> Plan {
    let percent = |whole: u32| Percentage::from_thousandths(whole * 1_000).unwrap();
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
        stages: vec![stage(50), stage(100)],
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

/// Users come, half of them exposed, and so many of a hundred of those fail.
pub(crate) struct Crowd {
    pub(crate) bench: Arc<Bench>,
    pub(crate) next: u64,
    pub(crate) bad_of_100: u64,
}

impl Crowd {
    pub(crate) fn come(&mut self) {
        let outcomes = self.bench.node.outcomes();
        let at = outcomes.grid().begin(self.bench.node.steady_now());
        let units = (0..40)
            .map(|_| {
                self.next += 1;
                let is_exposed = self.next.is_multiple_of(2);
                ReportedUnit {
                    hash: self.next.wrapping_mul(0x9e37_79b9_7f4a_7c15),
                    arm: if is_exposed {
                        Arm::Exposed
                    } else {
                        Arm::HeldBack
                    },
                    bad: u8::from(is_exposed && (self.next / 2) % 100 < self.bad_of_100),
                    latency: None,
                }
            })
            .collect();
        let batch = Batch {
            instance: "shop-1".into(),
            sequence: self.next,
            origin: Origin::Evaluator,
            reports: vec![Report {
                at,
                flag: flag(),
                threshold: u64::MAX,
                names: vec![ERRORS.into()],
                units,
            }],
            gauges: Vec::new(),
        };
        outcomes.take(&prod(), &batch);
    }
}

fn flag() -> FlagKey {
    FlagKey::new("checkout").unwrap()
}

fn prod() -> EnvironmentKey {
    EnvironmentKey::new("prod").unwrap()
}

async fn start(bench: &Bench) {
    let seen = {
        let state = bench.node.state();
        let flag = state.flag("checkout").unwrap();
        state.lever_revision(flag, "prod")
    };
    let command = Command::StartRollout {
        flag: flag(),
        environment: prod(),
        plan: PlanChoice::Inline(Box::new(plan())),
        terms: Terms::default(),
        survey: Box::new(Survey::default()),
    };
    let request = Request {
        if_match: Some(seen),
        ..bench.request(command)
    };
    bench.node.submit(request).await.unwrap();
}

/// Lets users come until the rollout is as wanted; panics with how it is after twenty seconds.
async fn until(crowd: &mut Crowd, wanted: impl Fn(&Rollout) -> bool) -> Arc<Rollout> {
    let began = Instant::now();
    loop {
        crowd.come();
        let state = crowd.bench.node.state();
        let rollout = Arc::clone(state.rollouts().next().unwrap());
        if wanted(&rollout) {
            return rollout;
        }
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{rollout:#?} {:#?}",
            crowd.bench.node.look(&rollout.id)
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn crowd(bad_of_100: u64) -> Crowd {
    crowd_of(boolean("checkout"), bad_of_100).await
}

async fn crowd_of(definition: FlagDefinition, bad_of_100: u64) -> Crowd {
    let bench = Bench::with(Disk::new(), compressed()).await;
    let definition = Box::new(definition);
    bench
        .submit(Command::CreateFlag { definition })
        .await
        .unwrap();
    start(&bench).await;
    Crowd {
        bench: Arc::new(bench),
        next: 0,
        bad_of_100,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_release_is_rolled_back_by_itself_and_stays_killed() {
    let mut crowd = crowd(30).await;
    let rollout = until(&mut crowd, Rollout::is_over).await;
    assert_eq!(rollout.phase, Phase::RolledBack);
    let last = rollout.moves.last().unwrap();
    assert!(matches!(last.cause, Cause::Harm { .. }), "{last:?}");
    let state = crowd.bench.node.state();
    let flag = state.flag("checkout").unwrap();
    assert!(latch(flag.position("prod")).is_some());
    let pages: Vec<_> = state
        .effects()
        .filter(|entry| entry.effect.urgency == Urgency::Page)
        .collect();
    assert_eq!(pages.len(), 1, "{pages:?}");
    assert_eq!(&*pages[0].effect.message.sentence, &*last.sentence);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_release_reaches_everybody_by_evidence() {
    let mut crowd = crowd(0).await;
    let rollout = until(&mut crowd, Rollout::is_over).await;
    assert_eq!(rollout.phase, Phase::Done, "{:?}", rollout.moves);
    let state = crowd.bench.node.state();
    let position = state.flag("checkout").unwrap().position("prod").to_string();
    assert_eq!(position, "open to 100 %");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_cannot_be_told_is_said_so_in_the_journal() {
    let mut crowd = crowd(30).await;
    until(&mut crowd, Rollout::is_over).await;
    let began = Instant::now();
    while crowd.bench.node.state().unsettled().next().is_some() {
        assert!(began.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let state = crowd.bench.node.state();
    let came: Vec<_> = state
        .effects()
        .map(|entry| entry.settlement.clone())
        .collect();
    assert!(
        came.iter().all(|came| *came == Some(Settlement::Nobody)),
        "no channel is configured: {came:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_in_the_middle_goes_on_with_what_was_stored() {
    let mut crowd = crowd(0).await;
    until(&mut crowd, |rollout| rollout.proved == Some(0)).await;
    let disk = crowd.bench.disk.clone();
    crowd.bench.node.stop().await;
    drop(crowd.bench);
    let bench = Bench::with(disk, compressed()).await;
    let mut crowd = Crowd {
        bench: Arc::new(bench),
        next: 1 << 32,
        bad_of_100: 0,
    };
    let rollout = until(&mut crowd, Rollout::is_over).await;
    assert_eq!(rollout.phase, Phase::Done, "{:?}", rollout.moves);
    let proved = rollout
        .moves
        .iter()
        .filter(|one| one.cause == Cause::Proved)
        .count();
    assert_eq!(proved, 2, "each stage once: {:?}", rollout.moves);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_must_not_be_closed_any_more_is_stopped_and_paged() {
    let definition = FlagDefinition {
        unsafe_closing: Some("unsafe after 10% — old code loses orders".parse().unwrap()),
        ..boolean("checkout")
    };
    let mut crowd = crowd_of(definition, 30).await;
    let is_paused = |rollout: &Rollout| matches!(rollout.phase, Phase::Paused { .. });
    let rollout = until(&mut crowd, is_paused).await;
    let last = rollout.moves.last().unwrap();
    assert!(matches!(last.cause, Cause::Harm { .. }), "{last:?}");
    assert!(last.sentence.contains("old code loses orders"), "{last:?}");
    let position = |crowd: &Crowd| {
        let state = crowd.bench.node.state();
        state.flag("checkout").unwrap().position("prod").to_string()
    };
    assert_eq!(position(&crowd), "open to 50 %");
    let revision = crowd.bench.node.state().revision();
    for _ in 0..40 {
        crowd.come();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let state = crowd.bench.node.state();
    let pages = state
        .effects()
        .filter(|entry| entry.effect.urgency == Urgency::Page)
        .count();
    assert_eq!(pages, 1, "once, not with every tick");
    assert!(state.revision() <= revision + 1, "only the settlement");
    // A person's kill is free all the same.
    crowd.bench.kill("checkout", "prod").await.unwrap();
    assert_eq!(position(&crowd), "closed");
}
