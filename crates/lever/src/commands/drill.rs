//! `lever drill …`: pull levers for practice.

mod history;
mod run;
mod schedule;

use clap::Subcommand;
use leverframe_wire::admin::DrillState;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Tone;
use crate::session::Session;

/// What to do with drills.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Pull a lever the real way, measure, and put it back; exit 3 when somebody had not heard
    Run(run::Args),
    /// Have a lever drilled by itself at regular times, or no more
    Schedule(schedule::Args),
    /// Show the drills that were run, and which levers are drilled by themselves
    History(history::Args),
}

pub(crate) async fn run(session: &Session, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Run(args) => run::run(session, &args).await,
        Command::Schedule(args) => schedule::run(session, &args).await,
        Command::History(args) => history::run(session, &args).await,
    }
}

/// How a drill stands, by colour, glyph and word.
fn words(state: DrillState) -> (Tone, &'static str, &'static str) {
    match state {
        DrillState::Running => (Tone::Braked, "▷", "running"),
        DrillState::Passed => (Tone::Good, "✓", "passed"),
        DrillState::Failed => (Tone::Bad, "✗", "failed"),
    }
}
