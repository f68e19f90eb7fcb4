//! Asks, environment by environment, until everybody has a revision or the time is over.

use std::time::{Duration, Instant};

use leverframe_wire::admin::{Confirmation, ConfirmationState, Receipt};
use tokio::task::JoinSet;

use crate::api::Client;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Screen;

/// A wait shorter than this passes without a word.
const SILENT: Duration = Duration::from_secs(1);

/// How it stood at the end of the wait.
#[derive(Debug, Default)]
pub(super) struct Awaited {
    /// In the receipt's order of environments.
    pub(super) confirmations: Vec<Confirmation>,
    /// Environments that could not be asked, and why.
    pub(super) unasked: Vec<(String, String)>,
}

/// Waits for every environment of `receipt` at the same time.
///
/// # Errors
/// Exit 130 when interrupted; nothing else, because the pull itself is done.
pub(super) async fn everybody(
    screen: &Screen,
    client: &Client,
    receipt: &Receipt,
    limit: Duration,
) -> Result<Awaited, Failure> {
    tokio::select! {
        biased;
        () = interrupted() => Err(Failure::new(Exit::Interrupted, "interrupted", format!(
            "interrupted; r{} is out and the server goes on delivering it; see who has it: lever status{}",
            receipt.revision,
            receipt.environments.first().map(|first| format!(" -e {first}")).unwrap_or_default(),
        ))),
        awaited = ask_all(screen, client, receipt, limit) => Ok(awaited),
    }
}

async fn ask_all(screen: &Screen, client: &Client, receipt: &Receipt, limit: Duration) -> Awaited {
    let mut asked = JoinSet::new();
    for (index, environment) in receipt.environments.iter().enumerate() {
        let (client, environment) = (client.clone(), environment.clone());
        let (screen, revision, brake) = (*screen, receipt.revision, receipt.brake);
        asked.spawn(async move {
            let answer = ask(screen, &client, &environment, revision, brake, limit).await;
            (index, environment, answer)
        });
    }
    let mut answers = asked.join_all().await;
    answers.sort_by_key(|(index, ..)| *index);
    let mut awaited = Awaited::default();
    for (_, environment, answer) in answers {
        match answer {
            Ok(confirmation) => awaited.confirmations.push(confirmation),
            Err(failure) => awaited.unasked.push((environment, failure.to_string())),
        }
    }
    awaited
}

async fn ask(
    screen: Screen,
    client: &Client,
    environment: &str,
    revision: u64,
    brake: Option<u64>,
    limit: Duration,
) -> Result<Confirmation, Failure> {
    let started = Instant::now();
    let first = client
        .confirmation(environment, revision, brake, limit.min(SILENT))
        .await?;
    let rest = limit.saturating_sub(started.elapsed());
    if first.state != ConfirmationState::Pending || rest.is_zero() {
        return Ok(first);
    }
    screen.note(&format!(
        "r{revision} is out; waiting for {} of {} evaluators in {environment}",
        first.expected.saturating_sub(first.confirmed),
        first.expected,
    ));
    Ok(client
        .confirmation(environment, revision, brake, rest)
        .await?)
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a signal handler the process ends by itself.
        std::future::pending::<()>().await;
    }
}
