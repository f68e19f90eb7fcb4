//! Has what people open in a guarded environment watched, where anything is seen of it: where nobody
//! reports outcomes, a watch would have nothing to go by.

use leverframe_core::rollout::Plan;
use leverframe_core::{Command, Timestamp};
use leverframe_flags::{EnvironmentKey, FlagKey, Percentage};
use leverframe_store::{Series, StoreError};
use tokio::time::MissedTickBehavior;

use crate::node::Node;
use crate::request::Request;

/// What was opened longer ago is not watched any more, in milliseconds.
const OPENED_MS_MAX: i64 = 60 * 60_000;
/// Outcomes that were reported within this are lately, in milliseconds.
const REPORTED_MS_MAX: i64 = 10 * 60_000;
/// The outcome that tells: every interval in which anything was reported has one.
const OUTCOME: &str = "errors";
/// What starts a watch, in the journal.
const VIA: &str = "watch";

/// Looks for openings at every tick, until the node stops.
pub(crate) async fn keep(node: Node) {
    let stopping = node.stopping();
    let mut tick = tokio::time::interval(node.shared.options.tick);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The revision at which there was nothing to watch.
    let mut nothing_at = 0;
    let work = async {
        loop {
            tick.tick().await;
            let revision = node.state().revision();
            if nothing_at != revision && !look(&node).await {
                nothing_at = revision;
            }
        }
    };
    stopping.run_until_cancelled(work).await;
}

/// Whether there is anything that has to be watched and was not before this.
async fn look(node: &Node) -> bool {
    let state = node.state();
    let since = node.wall_now().plus_ms(-OPENED_MS_MAX);
    let guarded = state
        .environments()
        .map(|entry| &entry.environment)
        .filter(|environment| environment.guarded);
    let mut is_anything = false;
    for environment in guarded {
        for (flag, opened) in state.unwatched(&environment.key, since) {
            is_anything = true;
            if let Err(error) = watch(node, flag, &environment.key, opened).await {
                tracing::warn!(%flag, environment = %environment.key, error, "what was opened is not watched yet");
            }
        }
    }
    is_anything
}

async fn watch(
    node: &Node,
    flag: &FlagKey,
    environment: &EnvironmentKey,
    opened: u64,
) -> Result<(), String> {
    let words = |error: StoreError| error.to_string();
    let now = node.steady_now();
    if !is_reported(node, flag, environment, now)
        .await
        .map_err(words)?
    {
        return Ok(());
    }
    let survey = node
        .survey(flag, environment, &Plan::watch(Percentage::FULL))
        .await
        .map_err(words)?;
    let start = Command::StartWatch {
        flag: flag.clone(),
        environment: environment.clone(),
        opened,
        survey: Box::new(survey),
    };
    let started = node.submit(Request::of_node(start, VIA, None)).await;
    started.map(drop).map_err(|error| error.to_string())
}

async fn is_reported(
    node: &Node,
    flag: &FlagKey,
    environment: &EnvironmentKey,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let series = Series::new(environment.as_str(), flag.as_str(), OUTCOME);
    let since = now.plus_ms(-REPORTED_MS_MAX);
    let seen = node.measured(series, since, now, 1).await?;
    Ok(!seen.is_empty())
}
