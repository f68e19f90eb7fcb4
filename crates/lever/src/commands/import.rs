//! `lever import …`: definitions from the files of other systems.

mod flagd;
mod levers;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// What to read.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Flagd(flagd::Args),
}

pub(crate) async fn run(session: &Session, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Flagd(args) => flagd::run(session, &args).await,
    }
}
