//! The command line's shape that commands share: global options, reasons, waiting, environments.

mod change;
mod global;
mod output;
mod place;
mod scalar;
mod wait;

use clap::Parser;

use crate::commands::Command;

pub(crate) use change::ChangeArgs;
pub(crate) use global::GlobalArgs;
pub(crate) use output::Format;
pub(crate) use place::PlaceArgs;
pub(crate) use scalar::{
    condition, environment_key, flag_key, percentage, plan_key, revision, segment_key, serve,
    split_list, variant_key,
};
pub(crate) use wait::WaitArgs;

/// Pull a lever, and know that it took effect.
#[derive(Debug, Parser)]
#[command(
    name = "lever",
    version,
    about,
    propagate_version = true,
    max_term_width = 100,
    after_help = "A second terminal beside `lever dev` or `lever serve` needs no settings.\n\
                  Exit codes: 0 done, 2 usage, 4 not authenticated, 5 not found, 6 conflict, \
                  7 denied, 9 not confirmed by everybody; all of them: docs/reference/exit-codes.md"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}
