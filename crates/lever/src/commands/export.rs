//! `lever export`: every definition as a file, or one environment in another system's form.

mod flagd;

use std::path::PathBuf;

use clap::ValueEnum;

use crate::arguments::PlaceArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::output::{Answer, Tone, inert, paint};
use crate::plan::Present;
use crate::session::Session;

/// Write every definition to files: lever export -o flags/
///
/// A directory called `flags` holds flags/<key>.yaml, flags/segments/<key>.yaml and
/// flags/plans/<key>.yaml; any other directory holds flags/<key>.yaml, segments/<key>.yaml and
/// plans/<key>.yaml below it. Positions are never in files.
/// For the answer as JSON: lever export -o flags/ -o json
///
/// With --format flagd one environment is written as a flagd file, positions included, to stdout or
/// with -o to a file: lever export --format flagd -e prod -o flags.json
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// In which form
    #[arg(long, value_name = "FORM", default_value = "definitions")]
    format: Form,

    /// Write the rest when there are flags that flagd cannot be told
    #[arg(long)]
    skip_refused: bool,

    #[command(flatten)]
    place: PlaceArgs,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Our own files: every definition, no positions
    Definitions,
    /// A flagd file: one environment as it is now
    Flagd,
}

pub(crate) async fn run(
    session: &Session,
    args: &Args,
    directory: Option<&PathBuf>,
) -> Result<Exit, Failure> {
    if args.format == Form::Flagd {
        let environment = session.environment_to_read(&args.place)?;
        let file = directory.map(PathBuf::as_path);
        return flagd::run(session, &environment, args.skip_refused, file).await;
    }
    let directory = directory.ok_or_else(|| {
        Failure::usage(
            "say where to: lever export -o flags/ (a directory called like a format: -o ./json)",
        )
    })?;
    let present = Present::read(&session.client()?).await?;
    let written = files::write(directory, &present.definitions())?;
    let plans = if written.plans > 0 {
        format!(" and {}", count(written.plans, "plan"))
    } else {
        String::new()
    };
    let mut human = vec![format!(
        "{} {} and {}{plans} in {} · {} unchanged",
        paint(Tone::Good, "✓"),
        count(written.flags, "flag"),
        count(written.segments, "segment"),
        inert(&directory.display().to_string()),
        written.unchanged
    )];
    human.extend(written.foreign.iter().map(|path| {
        format!(
            "  · {} belongs to nothing on the server, and was left alone",
            inert(&path.display().to_string())
        )
    }));
    let answer = Answer::new(&written, human.join("\n"))?.named([directory.display().to_string()]);
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
