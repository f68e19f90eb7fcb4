//! The canary: a lever of the node's own in every environment that somebody follows, closed and opened
//! again at regular times the very way a person's is, so that the way of a kill is never one that was
//! not gone lately.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use leverframe_core::flag::FlagDefinition;
use leverframe_core::limit::DRILL_MISSING_MAX;
use leverframe_core::{Command, Confirmation, Selection, Timestamp};
use leverframe_flags::{EnvironmentKey, Exposure, FlagKey, Percentage};

use crate::node::Node;
use crate::presence::Confirmed;
use crate::pull::Wanted;
use crate::request::{Accepted, Request, SubmitError};

/// The name of the canary's flag.
pub const CANARY_KEY: &str = "leverframe.canary";
/// How long everybody on the roll has to confirm.
const TIME_MAX: Duration = Duration::from_secs(60);
/// What pulls it, in the journal.
const VIA: &str = "canary";

/// How the canary of an environment did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Canary {
    /// When it was last closed, opened again, and confirmed by everybody each time; by the steady clock.
    pub last_success: Option<Timestamp>,
    /// What went wrong the last time, if something did.
    pub failure: Option<String>,
}

/// The canary of every environment that has one.
#[derive(Debug, Default)]
pub(crate) struct Canaries(Mutex<BTreeMap<EnvironmentKey, Canary>>);

impl Canaries {
    pub(crate) fn all(&self) -> Vec<(EnvironmentKey, Canary)> {
        let canaries = self.lock();
        let pairs = canaries.iter();
        pairs
            .map(|(environment, canary)| (environment.clone(), canary.clone()))
            .collect()
    }

    /// What went wrong the last time, in sentences.
    pub(crate) fn problems(&self) -> Vec<String> {
        let of = |(environment, canary): (&EnvironmentKey, &Canary)| {
            let failure = canary.failure.as_ref()?;
            Some(format!("the canary of {environment} failed: {failure}"))
        };
        self.lock().iter().filter_map(of).collect()
    }

    fn note(&self, environment: &EnvironmentKey, pulled: Result<Timestamp, String>) {
        let mut canaries = self.lock();
        let canary = canaries.entry(environment.clone()).or_default();
        match pulled {
            Ok(at) => {
                canary.last_success = Some(at);
                canary.failure = None;
            }
            Err(why) => canary.failure = Some(why),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<EnvironmentKey, Canary>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Pulls the canaries until the node stops, the first time one interval after the start.
pub(crate) async fn keep(node: Node) {
    let Some(every) = node.shared.options.canary_every else {
        return;
    };
    let stopping = node.stopping();
    let work = async {
        loop {
            tokio::time::sleep(jittered(every)).await;
            for feed in node.feeds() {
                let environment = feed.environment();
                let (expected, _) = feed.presence().heard_since(Timestamp::default());
                if expected > 0 {
                    pull_and_note(&node, environment).await;
                }
            }
        }
    };
    stopping.run_until_cancelled(work).await;
}

/// Up to a tenth more or less, so that the nodes of a company do not all pull at once.
fn jittered(every: Duration) -> Duration {
    let mut random = [0; 4];
    // Without randomness they do.
    let share = getrandom::fill(&mut random).map_or(0.5, |()| {
        f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX)
    });
    every.mul_f64(0.9 + 0.2 * share)
}

async fn pull_and_note(node: &Node, environment: &EnvironmentKey) {
    let pulled = match pull(node, environment).await {
        Ok(Pulled::Confirmed) => Ok(node.steady_now()),
        Ok(Pulled::NotNow) => return,
        Err(why) => {
            let failures = &node.measurements().canary_failures;
            failures.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(%environment, why, "the canary failed");
            Err(why)
        }
    };
    node.shared.canaries.note(environment, pulled);
}

enum Pulled {
    Confirmed,
    /// Nothing is opened there at the moment, so there was nothing to close.
    NotNow,
}

/// Closes the canary, once it is open, and opens it again.
async fn pull(node: &Node, environment: &EnvironmentKey) -> Result<Pulled, String> {
    let flag = made(node).await?;
    let is_closed = || {
        let state = node.state();
        let flag = state.flag(flag.as_str());
        flag.is_none_or(|flag| flag.position(environment.as_str()).is_closed())
    };
    if is_closed() && !open(node, &flag, environment).await? {
        return Ok(Pulled::NotNow);
    }
    let close = Command::Close {
        flags: Selection::Flags([flag.clone()].into()),
        environment: environment.clone(),
    };
    let closed = submit(node, close, None).await.map_err(words)?;
    let confirmed = confirmed(node, environment, &closed).await?;
    if let Some(elapsed_ms) = confirmed.elapsed_ms {
        let took = Duration::from_secs_f64(elapsed_ms / 1_000.0);
        node.measurements().canary_seconds.observe(took);
    }
    if let Some(number) = closed.brake {
        return Err(format!("its close went out as {number} and is not stored"));
    }
    // Frozen since: it is opened the next time.
    open(node, &flag, environment).await?;
    Ok(Pulled::Confirmed)
}

/// The canary's flag, made when it is first needed.
async fn made(node: &Node) -> Result<FlagKey, String> {
    let key = FlagKey::new(CANARY_KEY).map_err(|error| error.to_string())?;
    if node.state().flag(CANARY_KEY).is_none() {
        let definition = definition().map_err(|error| error.to_string())?;
        let create = Command::CreateFlag {
            definition: Box::new(definition),
        };
        submit(node, create, None).await.map_err(words)?;
    }
    Ok(key)
}

fn definition() -> Result<FlagDefinition, serde_json::Error> {
    serde_json::from_value(serde_json::json!({
        "key": CANARY_KEY,
        "kind": "ops",
        "type": "boolean",
        "owner": "leverframe",
        "description": "The server's own: it closes and opens this at regular times, to see that it works.",
        "tags": ["internal"],
        "variants": {"on": true, "off": false},
        "closed": "off",
        "open": "on",
    }))
}

/// Whether it could be opened: nothing is where the environment is frozen.
async fn open(node: &Node, flag: &FlagKey, environment: &EnvironmentKey) -> Result<bool, String> {
    let state = node.state();
    let entry = state
        .flag(flag.as_str())
        .ok_or_else(|| format!("there is no flag {flag}"))?;
    if state
        .freeze(environment.as_str(), node.wall_now())
        .is_some()
    {
        return Ok(false);
    }
    let command = Command::Open {
        flag: flag.clone(),
        environment: environment.clone(),
        exposure: Exposure::of(Percentage::FULL),
    };
    let seen = state.lever_revision(entry, environment.as_str());
    let opened = submit(node, command, Some(seen)).await.map_err(words)?;
    confirmed(node, environment, &opened).await?;
    Ok(true)
}

async fn submit(
    node: &Node,
    command: Command,
    if_match: Option<u64>,
) -> Result<Accepted, SubmitError> {
    let request = Request {
        if_match,
        ..Request::of_node(command, VIA, Some("the canary"))
    };
    node.submit(request).await
}

/// Waits until everybody on the roll has it.
async fn confirmed(
    node: &Node,
    environment: &EnvironmentKey,
    accepted: &Accepted,
) -> Result<Confirmed, String> {
    let feed = node
        .feed(environment.as_str())
        .ok_or_else(|| format!("there is no environment {environment}"))?;
    let wanted = accepted
        .brake
        .map_or(Wanted::Revision(accepted.receipt.revision), Wanted::Brake);
    let confirmed = feed.presence().wait(wanted, TIME_MAX).await;
    let confirmation = &confirmed.confirmation;
    // Who was there has said goodbye meanwhile.
    if confirmation.is_complete() || confirmation.is_empty_roll() {
        return Ok(confirmed);
    }
    Err(missing(confirmation))
}

fn missing(confirmation: &Confirmation) -> String {
    let stragglers = confirmation.stragglers.iter().take(DRILL_MISSING_MAX);
    let names: Vec<&str> = stragglers.map(|one| &*one.instance).collect();
    format!(
        "only {} of {} evaluators had it within {} s; without it: {}",
        confirmation.confirmed,
        confirmation.expected,
        TIME_MAX.as_secs(),
        names.join(", ")
    )
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is the end of a chain of calls"
)]
fn words(error: SubmitError) -> String {
    error.to_string()
}
