//! `lever env …`: environments.

mod create;
mod guard;
mod list;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// What to do with environments.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List environments
    List(list::Args),
    /// Add an environment
    Create(create::Args),
    /// Guard an environment: openings need a reason there
    Guard(guard::Args),
}

pub(crate) async fn run(session: &Session, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::List(args) => list::run(session, &args).await,
        Command::Create(args) => create::run(session, &args).await,
        Command::Guard(args) => guard::run(session, &args).await,
    }
}
