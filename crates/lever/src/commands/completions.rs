//! `lever completions`: a completion script for a shell.

use clap::{CommandFactory as _, ValueEnum};
use clap_complete::Shell;

use crate::arguments::Cli;
use crate::exit::Exit;
use crate::failure::Failure;

/// Print a completion script for a shell.
///
/// For bash: lever completions bash > ~/.local/share/bash-completion/completions/lever
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Known,
}

/// The shells whose scripts are tried.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Known {
    Bash,
    Zsh,
    Fish,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let shell = match args.shell {
        Known::Bash => Shell::Bash,
        Known::Zsh => Shell::Zsh,
        Known::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "lever", &mut script);
    crate::output::raw(&script)?;
    Ok(Exit::Done)
}
