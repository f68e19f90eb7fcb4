//! `lever rollout watch` and `wait`: look at a rollout until it is over.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use leverframe_wire::admin::{Confirmation, Evidence, RolloutState};

use super::news::news;
use super::picture::picture;
use super::which;
use crate::api::Client;
use crate::arguments::{Format, PlaceArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Live, annotate};
use crate::session::Session;
use crate::span::Span;

/// How often a rollout is looked at.
const PAUSE: Duration = Duration::from_millis(500);

/// Wait until a rollout is over: exit 0 done, 3 rolled back, 8 still under way at the timeout.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The flag, or the rollout's own name
    #[arg(value_name = "FLAG|ROLLOUT")]
    which: String,

    /// Wait at most this long
    #[arg(long, value_name = "DURATION")]
    timeout: Option<Span>,

    #[command(flatten)]
    place: PlaceArgs,
}

/// Show a rollout as it goes, until it is over; the exit codes are those of `wait`.
#[derive(Debug, clap::Args)]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    args: Args,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let rollout = which(session, &client, &args.which, &args.place).await?;
    let limit = args.timeout.map(Span::duration);
    to_the_end(session, &client, &rollout.id, limit, false).await
}

pub(crate) async fn watch(session: &Session, args: &WatchArgs) -> Result<Exit, Failure> {
    let args = &args.args;
    if session.screen.format() == Format::Yaml {
        return Err(Failure::usage(
            "watch shows many documents: use -o ndjson, or `lever rollout wait` for the last one",
        ));
    }
    let client = session.client()?;
    let rollout = which(session, &client, &args.which, &args.place).await?;
    let limit = args.timeout.map(Span::duration);
    to_the_end(session, &client, &rollout.id, limit, true).await
}

/// Looks until the rollout is over or the time is; shows on the way how it goes, and at the end where
/// it is.
pub(super) async fn to_the_end(
    session: &Session,
    client: &Client,
    id: &str,
    limit: Option<Duration>,
    is_watched: bool,
) -> Result<Exit, Failure> {
    tokio::select! {
        biased;
        () = interrupted() => Err(Failure::new(Exit::Interrupted, "interrupted", format!(
            "interrupted; {id} goes on without you; look again: lever rollout watch {id}; to stop it: \
             lever rollback {id} -r \"…\""
        ))),
        exit = look(session, client, id, limit, is_watched) => exit,
    }
}

async fn look(
    session: &Session,
    client: &Client,
    id: &str,
    limit: Option<Duration>,
    is_watched: bool,
) -> Result<Exit, Failure> {
    let screen = &session.screen;
    let started = Instant::now();
    let mut live = if is_watched { Live::open(screen) } else { None };
    let mut before: Option<Evidence> = None;
    loop {
        let evidence = client.evidence(id).await?;
        let is_late = limit.is_some_and(|limit| started.elapsed() >= limit);
        let is_last = evidence.rollout.state.is_over() || is_late;
        let fleet = fleet(client, &evidence).await;
        if let Some(live) = &mut live {
            live.draw(&picture(&evidence, fleet.as_ref(), Timestamp::now()))?;
        } else {
            let lines = news(before.as_ref(), &evidence);
            match screen.format() {
                Format::Ndjson if is_watched && (before.is_none() || !lines.is_empty()) => {
                    screen.answer(&Answer::new(&evidence, "")?)?;
                }
                Format::Table if is_watched => screen.lines(&lines)?,
                _ => lines.iter().for_each(|line| screen.progress(line)),
            }
        }
        if is_last {
            if live.is_none() && !(is_watched && screen.format() == Format::Ndjson) {
                let human = picture(&evidence, fleet.as_ref(), Timestamp::now()).join("\n");
                screen.answer(&Answer::new(&evidence, human)?.named([id]))?;
            }
            let exit = exit(evidence.rollout.state);
            annotate(session.is_github(), exit, "rollout", &words(&evidence));
            return Ok(exit);
        }
        before = Some(evidence);
        let rest = limit.map_or(PAUSE, |limit| limit.saturating_sub(started.elapsed()));
        tokio::time::sleep(rest.min(PAUSE)).await;
    }
}

/// Who has the last move; not worth failing for.
pub(super) async fn fleet(client: &Client, evidence: &Evidence) -> Option<Confirmation> {
    let rollout = &evidence.rollout;
    let revision = rollout.moves.last()?.revision;
    let asked = client.confirmation(&rollout.environment, revision, None, Duration::ZERO);
    asked.await.ok()
}

/// How a script learns where it ended.
fn exit(state: RolloutState) -> Exit {
    match state {
        RolloutState::Done => Exit::Done,
        RolloutState::RolledBack | RolloutState::Ended => Exit::Gate,
        RolloutState::Baking
        | RolloutState::Holding
        | RolloutState::Asking
        | RolloutState::Looking
        | RolloutState::Retreated
        | RolloutState::Warm
        | RolloutState::Paused => Exit::Pending,
    }
}

fn words(evidence: &Evidence) -> String {
    let rollout = &evidence.rollout;
    let (_, _, word) = super::state_words(rollout.state);
    format!(
        "{} in {} ({}): {}: {}",
        rollout.flag,
        rollout.environment,
        rollout.id,
        word.to_lowercase(),
        rollout.sentence
    )
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a signal handler the process ends by itself.
        std::future::pending::<()>().await;
    }
}
