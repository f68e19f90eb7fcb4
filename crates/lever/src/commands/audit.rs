//! `lever audit …`: check the journal.

mod verify;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// What to do with the journal.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read the whole hash chain again; exit 3 when it is broken
    Verify(verify::Args),
}

pub(crate) async fn run(session: &Session, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Verify(args) => verify::run(session, &args).await,
    }
}
