//! A whole rollout with the real systems around it: watched by Prometheus, paged through Alertmanager.

use std::sync::Arc;
use std::time::Duration;

use leverframe_core::Command;
use leverframe_core::command::{PlanChoice, Survey, Terms};
use leverframe_core::effect::{Settlement, Urgency};
use leverframe_core::rollout::{Cause, Measure, Metric, Phase, Plan, Standing};
use leverframe_node::{Grid, Links, Options, Outside, Request};
use leverframe_store::memory::Disk;

use crate::bench::{Bench, boolean};
use crate::outside::until;
use crate::rollouts::{Crowd, compressed, plan};
use crate::{alertmanager, prometheus};

/// A queue that Prometheus knows, and that must stay below a hundred.
fn queue(source: &str) -> Metric {
    Metric {
        key: "queue".into(),
        standing: Standing::Convicts,
        measure: Measure::Gauge {
            source: source.into(),
            query: r#"sum(failures_total{arm="exposed"})"#.into(),
            limit: 100.0,
            above: false,
            in_a_row: 2,
        },
        ..plan().metrics.remove(0)
    }
}

fn watched(bake_ms: i64, hold_ms_max: i64) -> Plan {
    let mut plan = plan();
    plan.bake_ms = bake_ms;
    plan.hold_ms_max = hold_ms_max;
    plan.metrics.push(queue("prom"));
    plan.page = vec!["oncall".into(), "chat".into()];
    plan
}

async fn crowd(
    prometheus: &prometheus::World,
    alertmanager: &alertmanager::World,
    plan: Plan,
) -> Crowd {
    let options = Options {
        samples: Grid {
            length: Duration::from_millis(250),
            watermark: Duration::from_millis(150),
        },
        outside: Outside {
            sources: prometheus.sources(),
            channels: alertmanager.channels(),
            links: Links::default(),
            ..Outside::default()
        },
        ..compressed()
    };
    let bench = Bench::with(Disk::new(), options).await;
    bench.node.check_plan(&plan).await.unwrap();
    let definition = Box::new(boolean("checkout"));
    bench
        .submit(Command::CreateFlag { definition })
        .await
        .unwrap();
    let seen = {
        let state = bench.node.state();
        let flag = state.flag("checkout").unwrap();
        state.lever_revision(flag, "prod")
    };
    let start = Command::StartRollout {
        flag: "checkout".parse().unwrap(),
        environment: "prod".parse().unwrap(),
        plan: PlanChoice::Inline(Box::new(plan)),
        terms: Terms::default(),
        survey: Box::new(Survey::default()),
    };
    let request = Request {
        if_match: Some(seen),
        ..bench.request(start)
    };
    bench.node.submit(request).await.unwrap();
    Crowd {
        bench: Arc::new(bench),
        next: 0,
        bad_of_100: 0,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_prometheus_sees_closes_the_flag_and_alertmanager_has_the_page() {
    let prometheus = prometheus::World::start().await;
    let alertmanager = alertmanager::World::start().await;
    let mut crowd = crowd(&prometheus, &alertmanager, watched(60_000, 120_000)).await;
    let node = crowd.bench.node.clone();
    let mut strange = watched(60_000, 120_000);
    strange.metrics.push(queue("grafana"));
    let refusal = node.check_plan(&strange).await.unwrap_err().to_string();
    assert!(refusal.contains("there is no source grafana"), "{refusal}");
    crowd.come();
    prometheus.set([[500, 80, 500, 1], [500, 80, 500, 1]]).await;
    let rollout = until("the rollout is taken back", || {
        crowd.come();
        let state = crowd.bench.node.state();
        let rollout = state.rollouts().next().map(Arc::clone);
        async move { rollout.filter(|rollout| rollout.is_over()) }
    })
    .await;
    assert_eq!(rollout.phase, Phase::RolledBack, "{:?}", rollout.moves);
    let cause = &rollout.moves.last().unwrap().cause;
    let shown = format!("{cause:?}");
    assert!(shown.contains("queue"), "{shown}");
    let page = until("the page is settled", || {
        let state = node.state();
        let pages = state
            .effects()
            .find(|entry| entry.effect.urgency == Urgency::Page && entry.settlement.is_some());
        let page = pages.cloned();
        async move { page }
    })
    .await;
    let delivered = Settlement::Delivered {
        channels: vec!["oncall".into()],
        read_back: true,
        failed: Vec::new(),
    };
    assert_eq!(page.settlement, Some(delivered));
    let call = until("the receiver is notified", || async {
        alertmanager.receiver.calls().first().cloned()
    })
    .await;
    let alert = &call.json()["alerts"][0];
    assert_eq!(alert["labels"]["effect"], &*page.effect.id);
    assert_eq!(
        alert["annotations"]["description"],
        &*rollout.moves.last().unwrap().sentence
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_prometheus_gone_a_rollout_never_goes_forward_and_goes_back_in_the_end() {
    let mut prometheus = prometheus::World::start().await;
    let alertmanager = alertmanager::World::start().await;
    let mut crowd = crowd(&prometheus, &alertmanager, watched(1_500, 5_000)).await;
    prometheus.prometheus.kill();
    let rollout = until("the rollout goes back", || {
        crowd.come();
        let state = crowd.bench.node.state();
        let rollout = state.rollouts().next().map(Arc::clone);
        async move { rollout.filter(|rollout| rollout.moves.len() > 1) }
    })
    .await;
    assert!(rollout.moves.iter().all(|one| one.cause != Cause::Proved));
    let back = |one: &leverframe_core::rollout::Move| {
        matches!(one.to, Phase::Retreated { to: None, .. })
            && matches!(one.cause, Cause::Blind { .. })
    };
    assert!(rollout.moves.iter().any(back), "{:?}", rollout.moves);
    let state = crowd.bench.node.state();
    let position = state.flag("checkout").unwrap().position("prod").to_string();
    assert_eq!(position, "closed");
}
