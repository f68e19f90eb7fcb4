//! The guard: stops every step forward in an environment by itself when too little of its roll is heard,
//! when the journal cannot be written, and when three rollouts went bad there within ten minutes. The
//! first two last as long as what they say; the third is a freeze in the journal, which a person may
//! lift. Closing works all the time.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use leverframe_core::limit::SILENT_MS;
use leverframe_core::rollout::Cause;
use leverframe_core::{Command, State, Timestamp};
use leverframe_flags::EnvironmentKey;
use tokio::time::MissedTickBehavior;

use crate::node::Node;
use crate::request::Request;

/// Somebody is fresh who was heard within this, in milliseconds.
const FRESH_MS: i64 = 6 * SILENT_MS;
/// Of a hundred on the roll so many have to be.
const FRESH_PERCENT_MIN: usize = 90;
/// How long nothing goes forward after a change could not be stored, in milliseconds: longer, and
/// nobody would ever find out that it works again.
const UNWRITABLE_MS: i64 = 30_000;
/// So many rollouts that went bad are too many.
const BAD_MAX: usize = 3;
/// Within this, in milliseconds.
const BAD_MS: i64 = 10 * 60_000;
/// For so long nothing is opened then, in milliseconds.
const FREEZE_MS: i64 = 30 * 60_000;
/// What freezes, in the journal.
const VIA: &str = "guard";

/// Why nothing goes forward, for each environment where that is so.
#[derive(Debug, Default)]
pub(crate) struct Guard(Mutex<BTreeMap<EnvironmentKey, String>>);

impl Guard {
    /// Why nothing goes forward in an environment by the node's own judgement.
    pub(crate) fn is_frozen(&self, environment: &EnvironmentKey) -> Option<String> {
        self.lock().get(environment).cloned()
    }

    /// The same for every environment, in sentences.
    pub(crate) fn problems(&self) -> Vec<String> {
        let held = self.lock();
        let sentences = held.iter();
        sentences
            .map(|(environment, why)| format!("nothing goes forward in {environment}: {why}"))
            .collect()
    }

    fn set(&self, held: BTreeMap<EnvironmentKey, String>) {
        *self.lock() = held;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<EnvironmentKey, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at every environment at every tick, until the node stops.
pub(crate) async fn keep(node: Node) {
    let stopping = node.stopping();
    let mut tick = tokio::time::interval(node.shared.options.tick);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watch = Watch {
        node,
        failures: 0,
        unwritable_since: None,
        frozen_at: BTreeMap::new(),
    };
    loop {
        tokio::select! {
            _ = tick.tick() => watch.look().await,
            () = stopping.cancelled() => return,
        }
    }
}

/// What is remembered from look to look.
struct Watch {
    node: Node,
    /// How many changes could not be stored.
    failures: u64,
    /// When the last of them was noticed.
    unwritable_since: Option<Timestamp>,
    /// What went bad up to these revisions has led to a freeze already; who lifted it has seen it.
    frozen_at: BTreeMap<EnvironmentKey, u64>,
}

impl Watch {
    async fn look(&mut self) {
        let now = self.node.steady_now();
        let unwritable = self.unwritable(now);
        let state = self.node.state();
        let mut held = BTreeMap::new();
        for feed in self.node.feeds() {
            let environment = feed.environment();
            let why = unwritable.clone().or_else(|| {
                let since = now.plus_ms(-FRESH_MS);
                let (expected, heard) = feed.presence().heard_since(since);
                unheard(expected, heard)
            });
            if let Some(why) = why {
                held.insert(environment.clone(), why);
            }
            self.freeze(&state, environment, now).await;
        }
        self.node.shared.guard.set(held);
    }

    /// A change could not be stored a moment ago, and none could since.
    fn unwritable(&mut self, now: Timestamp) -> Option<String> {
        let failures = self
            .node
            .measurements()
            .commit_failures
            .load(Ordering::Relaxed);
        if failures != self.failures {
            self.failures = failures;
            self.unwritable_since = Some(now);
        }
        if self.node.health().writable {
            self.unwritable_since = None;
        }
        let is_recent = |since: &Timestamp| now.ms_since(*since) < UNWRITABLE_MS;
        let since = self.unwritable_since.filter(is_recent);
        since.map(|_| "the last change could not be stored".to_owned())
    }

    async fn freeze(&mut self, state: &State, environment: &EnvironmentKey, now: Timestamp) {
        let wall = self.node.wall_now();
        if state.freeze(environment.as_str(), wall).is_some() {
            return;
        }
        let seen = self.frozen_at.get(environment).copied().unwrap_or_default();
        let bad = went_bad(state, environment, seen, now.plus_ms(-BAD_MS));
        if bad.len() < BAD_MAX {
            return;
        }
        let reason = format!(
            "{} rollouts went bad here within ten minutes: {}",
            bad.len(),
            bad.join(", ")
        );
        let freeze = Command::Freeze {
            environment: environment.clone(),
            until: wall.plus_ms(FREEZE_MS),
        };
        let frozen = self
            .node
            .submit(Request::of_node(freeze, VIA, Some(&reason)));
        match frozen.await {
            Ok(accepted) => {
                let revision = accepted.receipt.revision;
                self.frozen_at.insert(environment.clone(), revision);
                tracing::warn!(%environment, reason, "frozen for 30 minutes");
            }
            Err(why) => tracing::error!(%environment, %why, "it could not be frozen"),
        }
    }
}

/// Why too little is heard of a roll, if it is. Nobody on it is nobody to hear of.
fn unheard(expected: usize, heard: usize) -> Option<String> {
    (heard * 100 < expected * FRESH_PERCENT_MIN).then(|| {
        format!(
            "only {heard} of {expected} evaluators were heard in the last {} s",
            FRESH_MS / 1_000
        )
    })
}

/// The rollouts of an environment that went bad after a revision and since a time, by name.
fn went_bad<'a>(
    state: &'a State,
    environment: &EnvironmentKey,
    after: u64,
    since: Timestamp,
) -> Vec<&'a str> {
    state
        .rollouts()
        .filter(|rollout| rollout.environment == *environment)
        .filter(|rollout| {
            rollout.moves.iter().any(|made| {
                made.revision > after
                    && made.at >= since
                    && matches!(
                        made.cause,
                        Cause::Harm { .. }
                            | Cause::SharedHarm
                            | Cause::Outage
                            | Cause::Limit { .. }
                    )
            })
        })
        .map(|rollout| &*rollout.id)
        .collect()
}

#[cfg(test)]
mod tests;
