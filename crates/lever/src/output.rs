//! What is said: answers on stdout in the format that was asked for, everything else on stderr.

mod annotation;
mod answer;
mod inert;
mod live;
mod moment;
mod screen;
mod style;
mod table;

use std::ffi::OsString;
use std::io::Write as _;

use crate::arguments::Format;
use crate::exit::Exit;
use crate::failure::Failure;

pub(crate) use annotation::annotate;
pub(crate) use answer::Answer;
pub(crate) use inert::{inert, json as inert_json};
pub(crate) use live::Live;
pub(crate) use moment::{ago, milliseconds, parse_time, utc};
pub(crate) use screen::Screen;
pub(crate) use style::{Tone, paint};
pub(crate) use table::Table;

/// How many columns the terminal on stdout has; `None` where there is none.
pub(crate) fn columns() -> Option<usize> {
    comfy_table::Table::new().width().map(usize::from)
}

/// Writes a made text to stdout as it is.
pub(crate) fn raw(text: &[u8]) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        // The reader has seen enough: `lever log | head`.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::failed(format!("stdout: {error}"))),
    }
}

/// Tells why a command failed: as a sentence, or as a JSON problem where a program reads.
pub(crate) fn failure(failure: &Failure, format: Format) {
    let mut stderr = anstream::stderr().lock();
    // Nothing can be told when stderr itself is gone.
    let _ = if matches!(format, Format::Json | Format::Ndjson) {
        let json = serde_json::to_string(&*failure.problem).unwrap_or_default();
        writeln!(stderr, "{}", inert::json(&json))
    } else {
        let detail: Vec<String> = failure
            .problem
            .detail
            .lines()
            .map(|line| inert(line).into_owned())
            .collect();
        writeln!(
            stderr,
            "{} {}",
            paint(Tone::Bad, "✗ error:"),
            detail.join("\n  ")
        )
    };
}

/// Tells why the command line makes no sense, or the help that was asked for.
pub(crate) fn usage(refusal: &clap::Error, typed: impl Iterator<Item = OsString>) -> Exit {
    if !refusal.use_stderr() {
        // Help and version are answers.
        let _ = refusal.print();
        return Exit::Done;
    }
    if asks_for_json(typed) {
        let text = refusal.render().to_string();
        let text = text.trim().strip_prefix("error: ").unwrap_or(text.trim());
        failure(&Failure::usage(text), Format::Json);
    } else {
        let _ = refusal.print();
    }
    Exit::Usage
}

/// Whether a command line that cannot be parsed would have asked for JSON.
fn asks_for_json(typed: impl Iterator<Item = OsString>) -> bool {
    let mut expects_format = false;
    for word in typed {
        let word = word.to_string_lossy().into_owned();
        let value = word
            .strip_prefix("--output=")
            .or_else(|| word.strip_prefix("-o").filter(|rest| !rest.is_empty()))
            .map(|value| value.trim_start_matches('='));
        let given = if expects_format {
            Some(word.as_str())
        } else {
            value
        };
        if matches!(given, Some("json" | "ndjson")) {
            return true;
        }
        expects_format = word == "-o" || word == "--output";
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_gets_json_even_when_the_command_line_makes_no_sense() {
        let asks = |line: &str| asks_for_json(line.split(' ').map(OsString::from));
        assert!(asks("lever kil -o json"));
        assert!(asks("lever kil -ojson x"));
        assert!(asks("lever kil --output=json"));
        assert!(asks("lever --output ndjson kil"));
        assert!(!asks("lever kil json"));
        assert!(!asks("lever kil -o table"));
    }
}
