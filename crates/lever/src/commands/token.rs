//! `lever token …`: make and revoke tokens.

mod create;
mod list;
mod revoke;

use clap::Subcommand;
use leverframe_wire::admin::Role;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a token; its secret is shown this once
    Create(create::Args),
    /// List tokens, without their secrets
    List(list::Args),
    /// Make a token stop working, at once and for good
    Revoke(revoke::Args),
}

pub(crate) async fn run(session: &Session, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Create(args) => create::run(session, &args).await,
        Command::List(args) => list::run(session, &args).await,
        Command::Revoke(args) => revoke::run(session, &args).await,
    }
}

pub(super) fn role_word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Evaluator => "evaluator",
        Role::ClientEvaluator => "client-evaluator",
        Role::Brake => "brake",
        Role::Operator => "operator",
        Role::Admin => "admin",
    }
}
