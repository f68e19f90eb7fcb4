//! `lever flag …`: define flags.

mod archive;
mod create;
mod definition;
mod edit;
mod list;
mod rule;
mod show;
mod values;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// What to do with flags.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Define a new flag; it is closed everywhere
    Create(create::Args),
    /// List flags
    List(list::Args),
    /// Show one flag: definition, rules and levers
    Show(show::Args),
    /// Change the named parts of a definition and leave the rest
    Edit(edit::Args),
    /// Take a flag out of use
    Archive(archive::Args),
    /// Change the rules of a flag in one environment
    #[command(subcommand)]
    Rule(rule::Command),
}

pub(crate) async fn run(session: &Session, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Create(args) => create::run(session, &args).await,
        Command::List(args) => list::run(session, &args).await,
        Command::Show(args) => show::run(session, &args).await,
        Command::Edit(args) => edit::run(session, &args).await,
        Command::Archive(args) => archive::run(session, &args).await,
        Command::Rule(command) => rule::run(session, command).await,
    }
}
