//! Options of every command.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::output::{Format, OutputChoice, OutputParser};

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// A server; repeat or separate with commas for several: `kill` asks all of them at once, all
    /// else in order [env: LEVER_URL]
    #[arg(long, global = true, value_name = "URL", value_delimiter = ',')]
    pub(crate) url: Vec<String>,

    /// The token to show; other users of this machine can see it in the process list, so prefer
    /// LEVER_TOKEN or a file [env: LEVER_TOKEN]
    #[arg(long, global = true, value_name = "TOKEN")]
    pub(crate) token: Option<String>,

    /// Certificate authorities to trust beside the system's, as a PEM file [env: LEVER_CA_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,

    /// How to write the answer; for `export` also the directory
    #[arg(
        short,
        long = "output",
        global = true,
        value_name = "FORMAT",
        value_parser = OutputParser,
        action = ArgAction::Append
    )]
    pub(crate) output: Vec<OutputChoice>,

    /// Say only what was asked for: no progress, no hints
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    /// Say every request on stderr
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,

    /// Never ask; fail instead
    #[arg(long, global = true)]
    pub(crate) no_input: bool,

    /// Answer "yes" where a command would ask whether to go on
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,
}

impl GlobalArgs {
    /// The format that was asked for last.
    pub(crate) fn format(&self) -> Format {
        self.output
            .iter()
            .rev()
            .find_map(|choice| match choice {
                OutputChoice::Format(format) => Some(*format),
                OutputChoice::Directory(_) => None,
            })
            .unwrap_or_default()
    }

    /// The directory that `export` was given with `-o`.
    pub(crate) fn directory(&self) -> Option<&PathBuf> {
        self.output.iter().find_map(|choice| match choice {
            OutputChoice::Directory(directory) => Some(directory),
            OutputChoice::Format(_) => None,
        })
    }
}
