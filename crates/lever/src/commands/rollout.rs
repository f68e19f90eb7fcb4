//! `lever rollout …`: take a lever from closed to open, decided by evidence.

mod explain;
mod history;
mod list;
mod news;
mod picture;
mod plan;
mod preflight;
mod stages;
mod start;
mod status;
mod steer;
mod wait;
mod which;

#[cfg(test)]
mod tests;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

pub(super) use news::news;
pub(super) use picture::{headline, picture, state_words};
pub(super) use which::which;

/// What to do with rollouts.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List and show plans; files make them: lever apply -f DIR
    #[command(subcommand)]
    Plan(plan::Command),
    /// Say what a plan could prove here before it starts; exit 3 when it may not start
    Preflight(preflight::Args),
    /// Start a rollout
    Start(start::Args),
    /// Show a rollout as it is now
    Status(status::Args),
    /// Show a rollout as it goes, until it is over
    Watch(wait::WatchArgs),
    /// Say why a rollout is where it is: the evidence with its numbers
    Explain(explain::Args),
    /// Wait until a rollout is over: exit 0 done, 3 rolled back, 8 still under way at the timeout
    Wait(wait::Args),
    /// List rollouts, the last started first
    List(list::Args),
    /// Show every transition of a rollout and whom it told
    History(history::Args),
    /// Stop a rollout where it stands; a brake token may
    Pause(steer::Args),
    /// Let a paused rollout go on; its stage begins anew
    Resume(steer::Args),
    /// Go to the next stage now, if the evidence allows it
    Advance(steer::Args),
    /// Go to the next stage without evidence
    Skip(steer::Args),
    /// Say that you looked and it is fine, where a stage waits for that
    Approve(steer::Args),
}

pub(crate) async fn run(session: &Session, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Plan(command) => plan::run(session, command).await,
        Command::Preflight(args) => preflight::run(session, &args).await,
        Command::Start(args) => start::run(session, &args).await,
        Command::Status(args) => status::run(session, &args).await,
        Command::Watch(args) => wait::watch(session, &args).await,
        Command::Explain(args) => explain::run(session, &args).await,
        Command::Wait(args) => wait::run(session, &args).await,
        Command::List(args) => list::run(session, &args).await,
        Command::History(args) => history::run(session, &args).await,
        Command::Pause(args) => steer::run(session, &args, steer::Verb::Pause).await,
        Command::Resume(args) => steer::run(session, &args, steer::Verb::Resume).await,
        Command::Advance(args) => steer::run(session, &args, steer::Verb::Advance).await,
        Command::Skip(args) => steer::run(session, &args, steer::Verb::Skip).await,
        Command::Approve(args) => steer::run(session, &args, steer::Verb::Approve).await,
    }
}
