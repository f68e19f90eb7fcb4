//! The two ends of a terminal: stdout for data, stderr for the rest, stdin for a question.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::{Answer, Tone, inert, paint};
use crate::arguments::{Format, GlobalArgs};
use crate::failure::Failure;

/// How this run talks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    format: Format,
    is_quiet: bool,
    is_verbose: bool,
    may_ask: bool,
    is_agreed: bool,
}

impl Screen {
    pub(crate) fn new(global: &GlobalArgs) -> Self {
        let format = global.format();
        Self {
            format,
            is_quiet: global.quiet,
            is_verbose: global.verbose,
            may_ask: !global.no_input && io::stdin().is_terminal() && io::stderr().is_terminal(),
            is_agreed: global.yes,
        }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Whether hints are wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    /// Writes an answer to stdout.
    pub(crate) fn answer(&self, answer: &Answer) -> Result<(), Failure> {
        super::raw(answer.text(self.format)?.as_bytes())
    }

    /// Writes lines, each of which was made inert, to stdout.
    pub(crate) fn lines(&self, lines: &[String]) -> Result<(), Failure> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        super::raw(text.as_bytes())
    }

    /// Writes a line that was made inert to stderr, unless only the answer is wanted.
    pub(crate) fn progress(&self, line: &str) {
        if !self.is_quiet {
            stderr_line(line);
        }
    }

    /// Says on stderr how it goes, to a person.
    pub(crate) fn note(&self, sentence: &str) {
        if !self.is_quiet && !self.format.is_machine() {
            stderr_line(&format!("{} {}", paint(Tone::Quiet, "·"), inert(sentence)));
        }
    }

    /// What is told of every request, if asked to.
    pub(crate) fn trace(&self) -> Option<fn(&str)> {
        self.is_verbose.then_some(|sentence: &str| {
            stderr_line(&paint(Tone::Quiet, &inert(sentence)));
        })
    }

    /// Asks for a line; `None` where nobody can be asked or nothing was said.
    pub(crate) fn ask(&self, question: &str) -> Option<String> {
        if !self.may_ask {
            return None;
        }
        let mut stderr = anstream::stderr().lock();
        write!(stderr, "{question} ").ok()?;
        stderr.flush().ok()?;
        drop(stderr);
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).ok()?;
        let line = line.trim();
        (!line.is_empty()).then(|| line.to_owned())
    }

    /// Whether to go on with what cannot be taken back. Where nobody can be asked the command line
    /// is the answer.
    pub(crate) fn agrees(&self, question: &str) -> bool {
        if self.is_agreed || !self.may_ask {
            return true;
        }
        let answer = self.ask(&format!("{question} [y/N]"));
        matches!(answer.as_deref(), Some("y" | "Y" | "yes"))
    }
}

fn stderr_line(line: &str) {
    // Progress that cannot be told is not worth failing for.
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}
