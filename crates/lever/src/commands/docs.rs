//! `lever docs`: pages of the reference, made from this program, so that they cannot be wrong.

use clap::ValueEnum;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::reference;

/// Print a page of the reference, made from this program.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The page
    #[arg(value_name = "PAGE")]
    page: Page,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Page {
    /// docs/reference/cli.md
    Cli,
    /// docs/reference/exit-codes.md
    ExitCodes,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let page = match args.page {
        Page::Cli => reference::cli(),
        Page::ExitCodes => reference::exit_codes(),
    };
    crate::output::raw(page.as_bytes())?;
    Ok(Exit::Done)
}
