//! `lever export`: every definition as a file.

use std::path::PathBuf;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::output::{Answer, Tone, inert, paint};
use crate::plan::Present;
use crate::session::Session;

/// Write every definition to files: lever export -o flags/
///
/// A directory called `flags` holds flags/<key>.yaml and flags/segments/<key>.yaml; any other
/// directory holds flags/<key>.yaml and segments/<key>.yaml below it. Positions are never in files.
/// For the answer as JSON: lever export -o flags/ -o json
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(
    session: &Session,
    _: &Args,
    directory: Option<&PathBuf>,
) -> Result<Exit, Failure> {
    let directory = directory.ok_or_else(|| {
        Failure::usage(
            "say where to: lever export -o flags/ (a directory called like a format: -o ./json)",
        )
    })?;
    let present = Present::read(&session.client()?).await?;
    let written = files::write(directory, &present.definitions())?;
    let mut human = vec![format!(
        "{} {} and {} in {} · {} unchanged",
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
