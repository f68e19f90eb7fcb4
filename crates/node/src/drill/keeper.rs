//! Ends the drills that nobody ends, and runs those that are scheduled, one at a time.

use std::collections::BTreeMap;

use leverframe_core::{Command, Timestamp};
use tokio::time::MissedTickBehavior;

use super::due::{Lever, due};
use super::{DRILL_TIME_MAX, VIA, attend};
use crate::node::Node;
use crate::request::{Request, SubmitError};

/// How long after its time a drill is ended whose own task is not there any more, in milliseconds.
const GRACE_MS: i64 = 30_000;

struct Keeper {
    node: Node,
    /// Since when drills have been seen to run.
    running: BTreeMap<u64, Timestamp>,
    /// When schedules were last tried.
    tried: BTreeMap<Lever, Timestamp>,
}

/// Keeps drills until the node stops.
pub(crate) async fn keep(node: Node) {
    let stopping = node.stopping();
    let mut tick = tokio::time::interval(node.shared.options.tick);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut keeper = Keeper {
        node,
        running: BTreeMap::new(),
        tried: BTreeMap::new(),
    };
    keeper.resume();
    loop {
        tokio::select! {
            _ = tick.tick() => keeper.tick().await,
            () = stopping.cancelled() => return,
        }
    }
}

impl Keeper {
    /// Ends what a restart interrupted: the roll is waited for, and the lever put back.
    fn resume(&self) {
        let state = self.node.state();
        for drill in state.drills().filter(|drill| drill.result.is_none()) {
            tokio::spawn(attend(self.node.behind(), drill.revision, DRILL_TIME_MAX));
        }
    }

    async fn tick(&mut self) {
        self.end_abandoned();
        let state = self.node.state();
        let now = self.node.steady_now();
        for schedule in due(&state, &self.tried, now) {
            let lever = (schedule.flag.clone(), schedule.environment.clone());
            self.tried.insert(lever, now);
            let (flag, environment) = (&schedule.flag, &schedule.environment);
            if let Some(why) = self.node.shared.guard.is_frozen(environment) {
                tracing::info!(%flag, %environment, why, "not drilled this time");
                continue;
            }
            let start = Command::StartDrill {
                flag: flag.clone(),
                environment: environment.clone(),
            };
            let reason = format!("scheduled by {} at r{}", schedule.by, schedule.revision);
            let drilled = self
                .node
                .drill(Request::of_node(start, VIA, Some(&reason)), DRILL_TIME_MAX)
                .await;
            match drilled {
                Ok(report) if report.drill.is_passed() => {}
                Ok(report) => tracing::warn!(%flag, %environment, "{}", report.drill.sentence()),
                Err(SubmitError::Rejected(why)) => {
                    tracing::info!(%flag, %environment, %why, "not drilled this time");
                }
                Err(SubmitError::Unavailable { why, .. }) => {
                    tracing::warn!(%flag, %environment, why, "not drilled this time");
                }
            }
        }
    }

    /// The start of a drill may have been stored although whoever asked was told otherwise: then nobody
    /// attends it, and its lever would stay closed.
    fn end_abandoned(&mut self) {
        let state = self.node.state();
        let now = self.node.steady_now();
        self.running
            .retain(|revision, _| state.is_drilling(*revision));
        for drill in state.drills().filter(|drill| drill.result.is_none()) {
            let since = self.running.entry(drill.revision).or_insert(now);
            let time_ms = i64::try_from(DRILL_TIME_MAX.as_millis()).unwrap_or(i64::MAX);
            if now.ms_since(*since) > time_ms + GRACE_MS {
                // Once, until it had that time again.
                *since = now;
                let at_once = std::time::Duration::ZERO;
                tokio::spawn(attend(self.node.behind(), drill.revision, at_once));
            }
        }
    }
}
