//! The commands, one file each, and which is which.
//!
//! A new command that talks to a server is a file with `Args` and `run(&Session, &Args)`, and a
//! line in [`ServerCommand`] and [`talk`]; one that does not is a line in [`Command`] and [`run`].

mod apply;
mod audit;
mod backup;
mod completions;
mod console;
mod dev;
mod diff;
mod docs;
mod doctor;
mod drill;
mod env;
mod eval;
mod export;
mod flag;
mod fleet;
mod freeze;
mod import;
mod kill;
mod log;
mod open;
mod pin;
mod probe;
mod ramp;
mod restore;
mod rollback;
mod rollout;
mod segment;
mod serve;
mod simulate;
mod status;
mod thaw;
mod token;
mod undo;
mod whoami;

use std::time::Duration;

use clap::Subcommand;

use crate::arguments::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Screen;
use crate::session::Session;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Server(Box<ServerCommand>),

    Serve(serve::Args),
    Dev(dev::Args),
    Backup(backup::Args),
    Restore(restore::Args),
    Simulate(simulate::Args),

    /// Print a completion script for a shell
    Completions(completions::Args),

    /// Print a page of the reference, made from this program
    #[command(hide = true)]
    Docs(docs::Args),
}

/// What to ask a running server for.
#[derive(Debug, Subcommand)]
pub(crate) enum ServerCommand {
    /// Close flags: now, without asking anybody
    #[command(alias = "close")]
    Kill(kill::Args),
    /// Let people through: a percentage, cohorts, or both
    Open(open::Args),
    /// Change the percentage of an open flag
    Ramp(ramp::Args),
    /// Give everybody one variant
    Pin(pin::Args),
    /// Take back one revision: yours, the last, when none is named
    Undo(undo::Args),
    /// Take a lever through stages, decided by evidence
    #[command(subcommand)]
    Rollout(rollout::Command),
    /// Stop a rollout and go back to where the lever was before it
    Rollback(rollback::Args),
    /// Stop every opening in an environment for a while; closing still works
    Freeze(freeze::Args),
    /// End a freeze
    Thaw(thaw::Args),
    /// Ask how a flag did just now: exit 3 when its error budget is spent
    Probe(probe::Args),
    /// Pull levers for practice
    #[command(subcommand)]
    Drill(drill::Command),
    /// Show which levers were pulled and who has it
    Status(status::Args),
    /// Show what changed: who, when, why
    Log(log::Args),
    /// Ask a flag about a context
    Eval(eval::Args),
    /// Show the evaluators that follow an environment
    Fleet(fleet::Args),
    /// Define flags and their rules
    #[command(subcommand)]
    Flag(flag::Command),
    /// Define segments: named sets of contexts
    #[command(subcommand)]
    Segment(segment::Command),
    /// List, create and guard environments
    #[command(subcommand)]
    Env(env::Command),
    /// Make and revoke tokens
    #[command(subcommand)]
    Token(token::Command),
    /// Write every definition to files: lever export -o flags/
    Export(export::Args),
    /// Define flags from the files of other systems: lever import flagd flags.json
    #[command(subcommand)]
    Import(import::Command),
    /// Compare files with the server; exit 10 when they differ
    Diff(diff::Args),
    /// Bring the server's definitions to what files say; never a position
    Apply(apply::Args),
    /// Check the journal
    #[command(subcommand)]
    Audit(audit::Command),
    /// Look for what is wrong between here and the server, and say what to do
    Doctor(doctor::Args),
    /// Print a link that signs a browser in to the console
    Console(console::Args),
    /// Show who the token is and whom it talks to
    Whoami(whoami::Args),
}

/// How long an interrupted command has to say how far it came.
const LAST_WORDS_MAX: Duration = Duration::from_millis(250);

/// Does what the command line says.
pub(crate) async fn run(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        Command::Server(command) => {
            let session = Session::open(&cli.global)?;
            let mut talk = Box::pin(talk(&session, *command, &cli.global));
            tokio::select! {
                biased;
                outcome = &mut talk => return outcome,
                Ok(()) = tokio::signal::ctrl_c() => {}
            }
            tokio::select! {
                // The command has a moment more: one that is waiting has better words for an
                // interruption, and hears of it at the same time.
                biased;
                outcome = &mut talk => outcome,
                () = tokio::time::sleep(LAST_WORDS_MAX) => Err(Failure::new(
                    Exit::Interrupted,
                    "interrupted",
                    "interrupted; what the server was asked for goes on there: lever log --since 5m",
                )),
            }
        }
        Command::Serve(args) => serve::run(args, cli.global.format()).await,
        Command::Dev(args) => Box::pin(dev::run(args, cli.global.format())).await,
        Command::Backup(args) => backup::run(args, &Screen::new(&cli.global)).await,
        Command::Restore(args) => restore::run(args, &Screen::new(&cli.global)).await,
        Command::Simulate(args) => simulate::run(args, Screen::new(&cli.global)).await,
        Command::Completions(args) => completions::run(&args),
        Command::Docs(args) => docs::run(&args),
    }
}

async fn talk(
    session: &Session,
    command: ServerCommand,
    global: &crate::arguments::GlobalArgs,
) -> Result<Exit, Failure> {
    match command {
        ServerCommand::Kill(args) => kill::run(session, &args).await,
        ServerCommand::Open(args) => open::run(session, &args).await,
        ServerCommand::Ramp(args) => ramp::run(session, &args).await,
        ServerCommand::Pin(args) => pin::run(session, &args).await,
        ServerCommand::Undo(args) => undo::run(session, &args).await,
        ServerCommand::Rollout(command) => Box::pin(rollout::run(session, command)).await,
        ServerCommand::Rollback(args) => rollback::run(session, &args).await,
        ServerCommand::Freeze(args) => freeze::run(session, &args).await,
        ServerCommand::Thaw(args) => thaw::run(session, &args).await,
        ServerCommand::Probe(args) => probe::run(session, &args).await,
        ServerCommand::Drill(command) => drill::run(session, command).await,
        ServerCommand::Status(args) => status::run(session, &args).await,
        ServerCommand::Log(args) => log::run(session, &args).await,
        ServerCommand::Eval(args) => eval::run(session, &args).await,
        ServerCommand::Fleet(args) => fleet::run(session, &args).await,
        ServerCommand::Flag(command) => flag::run(session, command).await,
        ServerCommand::Segment(command) => segment::run(session, command).await,
        ServerCommand::Env(command) => env::run(session, command).await,
        ServerCommand::Token(command) => token::run(session, command).await,
        ServerCommand::Export(args) => export::run(session, &args, global.directory()).await,
        ServerCommand::Import(command) => import::run(session, command).await,
        ServerCommand::Diff(args) => diff::run(session, &args).await,
        ServerCommand::Apply(args) => apply::run(session, &args).await,
        ServerCommand::Audit(command) => audit::run(session, command).await,
        ServerCommand::Doctor(args) => doctor::run(session, &args).await,
        ServerCommand::Console(args) => console::run(session, &args).await,
        ServerCommand::Whoami(args) => whoami::run(session, &args).await,
    }
}
