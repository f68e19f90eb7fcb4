//! What five hundred rollouts at once cost a node. Run with
//! `cargo test --release -p leverframe-node --test it -- --ignored --nocapture rollout_load`.

#![expect(clippy::print_stdout, reason = "the figure is printed")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use leverframe_core::command::{PlanChoice, Survey, Terms};
use leverframe_core::rollout::{Cause, Phase};
use leverframe_core::{Command, access::Actor};
use leverframe_flags::Update;
use leverframe_node::outcomes::{Arm, Batch, Chosen, ERRORS, Origin, Report, ReportedUnit};
use leverframe_node::{DurationsSnapshot, Encoder, Grid, Node, Options};
use leverframe_store::SqliteStore;

use crate::bench::{boolean, environment_key, flag_key, request};
use crate::rollout_faults::plan;

const ROLLOUTS: usize = 500;
/// Evaluators, each of which reports of every flag in every interval.
const EVALUATORS: usize = 4;
/// Units that one evaluator has for one flag in an interval.
const UNITS: u64 = 50;
/// How many intervals the figure is of.
const INTERVALS: usize = 30;
const TICK_LAG_MAX_S: f64 = 1.0;

struct Mute;

impl Encoder for Mute {
    fn encode(&self, _: &Update) -> Result<Bytes, String> {
        Ok(Bytes::from_static(b"frame"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures: see the head of the file"]
async fn five_hundred_rollouts_are_looked_at_in_time() {
    let place = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(place.path()).unwrap();
    // The tick of a server, and intervals that close five times as often.
    let options = Options {
        outcomes: Grid {
            length: Duration::from_secs(2),
            watermark: Duration::from_secs(1),
        },
        ..Options::default()
    };
    let started = Node::start(Box::new(store), options, Arc::new(Mute))
        .await
        .unwrap();
    let node = started.node;
    let admin = started.first_start.unwrap().admin_id;
    for index in 0..ROLLOUTS {
        begin(&node, &admin, index).await;
    }
    let ticks_before = node.measurements().tick_lag_seconds.snapshot();
    let grid = node.outcomes().grid();
    let mut at = grid.begin(node.steady_now());
    for interval in 0..INTERVALS {
        for evaluator in 0..EVALUATORS {
            let batch = batch(at, evaluator, interval);
            let taken = node.outcomes().take(&environment_key("prod"), &batch);
            assert_eq!(taken.no_room + taken.astray, 0, "{taken:?}");
        }
        while grid.begin(node.steady_now()) == at {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        at = grid.begin(node.steady_now());
    }
    let lag = since(
        &ticks_before,
        &node.measurements().tick_lag_seconds.snapshot(),
    );
    let took = node.measurements().tick_seconds.snapshot();
    let state = node.state();
    let steps = state.rollouts().flat_map(|rollout| &rollout.moves);
    let steps = steps.filter(|made| made.cause != Cause::Started).count();
    let ended = state
        .rollouts()
        .filter(|one| one.phase == Phase::Done)
        .count();
    println!(
        "figure: {ROLLOUTS} rollouts, {} ticks: lag p99 ≤ {} s (mean {:.0} ms); a tick took p99 ≤ {} s \
         (mean {:.0} ms); {steps} steps made, {ended} rollouts done; {} units an interval of 2 s",
        lag.count,
        quantile(&lag, 0.99),
        1_000.0 * lag.sum_s / lag.count as f64,
        quantile(&took, 0.99),
        1_000.0 * took.sum_s / took.count as f64,
        ROLLOUTS as u64 * EVALUATORS as u64 * UNITS,
    );
    assert!(quantile(&lag, 0.99) <= TICK_LAG_MAX_S, "{lag:?} {took:?}");
    assert!(steps >= ROLLOUTS, "something came of it: {steps}");
    node.stop().await;
}

async fn begin(node: &Node, admin: &str, index: usize) {
    let key = format!("flag-{index}");
    let definition = Box::new(boolean(&key));
    let create = request(admin, Command::CreateFlag { definition });
    node.submit(create).await.unwrap();
    let state = node.state();
    let seen = state.lever_revision(state.flag(&key).unwrap(), "prod");
    let mut plan = plan();
    plan.bake_ms = 20_000;
    plan.settle_ms = 1_000;
    let mut start = request(
        admin,
        Command::StartRollout {
            flag: flag_key(&key),
            environment: environment_key("prod"),
            plan: PlanChoice::Inline(Box::new(plan)),
            terms: Terms::default(),
            survey: Box::new(Survey::default()),
        },
    );
    start.if_match = Some(seen);
    assert!(matches!(start.actor, Actor::Token { .. }));
    node.submit(start).await.unwrap();
}

/// What one evaluator saw of every flag in one interval: new people each time, half of them exposed.
fn batch(at: leverframe_core::Timestamp, evaluator: usize, interval: usize) -> Batch {
    let reports = (0..ROLLOUTS)
        .map(|flag| {
            let first = ((interval * EVALUATORS + evaluator) * ROLLOUTS + flag) as u64 * UNITS;
            let units = (first..first + UNITS).map(|unit| {
                let hash = unit.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                ReportedUnit {
                    hash,
                    arm: if unit.is_multiple_of(2) {
                        Arm::Exposed
                    } else {
                        Arm::HeldBack
                    },
                    // One of a hundred fails, whatever its arm.
                    bad: u8::from(hash % 100 == 0),
                    latency: Some(Chosen {
                        choice: (hash >> 8) as u16,
                        bucket: 20 + (hash % 8) as u8,
                    }),
                }
            });
            Report {
                at,
                flag: flag_key(&format!("flag-{flag}")),
                threshold: u64::MAX,
                names: vec![ERRORS.into()],
                units: units.collect(),
            }
        })
        .collect();
    Batch {
        instance: format!("shop-{evaluator}").into(),
        sequence: interval as u64 + 1,
        origin: Origin::Evaluator,
        reports,
        gauges: Vec::new(),
    }
}

/// What was counted after `before`.
fn since(before: &DurationsSnapshot, after: &DurationsSnapshot) -> DurationsSnapshot {
    let buckets = before.buckets.iter().zip(&after.buckets);
    DurationsSnapshot {
        buckets: buckets
            .map(|((_, before), (bound, after))| (*bound, after - before))
            .collect(),
        count: after.count - before.count,
        sum_s: after.sum_s - before.sum_s,
    }
}

/// The bound under which this part of all are; endless beyond the largest.
fn quantile(durations: &DurationsSnapshot, part: f64) -> f64 {
    let mut buckets = durations.buckets.iter();
    let wanted = part * durations.count as f64;
    buckets
        .find(|(_, count)| *count as f64 >= wanted)
        .map_or(f64::INFINITY, |(bound, _)| *bound)
}
