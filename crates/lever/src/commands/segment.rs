//! `lever segment …`: named sets of contexts.

mod create;
mod delete;
mod edit;
mod list;
mod show;

use clap::Subcommand;

use crate::arguments::condition;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// What to do with segments.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Define a new segment
    Create(create::Args),
    /// List segments
    List(list::Args),
    /// Show one segment and what uses it
    Show(show::Args),
    /// Change the named parts of a segment and leave the rest
    Edit(edit::Args),
    /// Remove a segment that nothing uses
    Delete(delete::Args),
}

pub(crate) async fn run(session: &Session, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Create(args) => create::run(session, &args).await,
        Command::List(args) => list::run(session, &args).await,
        Command::Show(args) => show::run(session, &args).await,
        Command::Edit(args) => edit::run(session, &args).await,
        Command::Delete(args) => delete::run(session, &args).await,
    }
}

/// The parts of a segment; what is not given stays as it is.
#[derive(Debug, Clone, Default, clap::Args)]
struct DefinitionArgs {
    /// Contexts that meet this belong to it: 'email ends_with "@acme.test"'
    #[arg(long, value_name = "CONDITION", value_parser = condition)]
    when: Option<String>,

    /// Units that belong to it by name; those given replace those there are
    #[arg(long, value_name = "UNIT,…", value_delimiter = ',')]
    include: Vec<String>,

    /// Units that never belong to it; those given replace those there are
    #[arg(long, value_name = "UNIT,…", value_delimiter = ',')]
    exclude: Vec<String>,
}
