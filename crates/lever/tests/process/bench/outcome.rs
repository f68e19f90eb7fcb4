//! How a command ended, and what it said.

use std::time::Duration;

use serde_json::Value;

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) line: String,
    /// `None` when a signal ended it.
    pub(crate) exit: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Outcome {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.exit, Some(code), "{self}");
        self
    }

    /// Stdout holds this.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.stdout.contains(words), "not said: {words}\n{self}");
        self
    }

    /// Stdout does not hold this.
    #[track_caller]
    pub(crate) fn never_says(self, words: &str) -> Self {
        assert!(!self.stdout.contains(words), "said: {words}\n{self}");
        self
    }

    /// Stderr holds this.
    #[track_caller]
    pub(crate) fn complains(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "not said: {words}\n{self}");
        self
    }

    /// Stdout as its one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is not one JSON document: {error}\n{self}"))
    }

    /// The problem: one JSON document on stderr, and nothing on stdout.
    #[track_caller]
    pub(crate) fn problem(&self) -> Value {
        assert_eq!(self.stdout, "", "data with a problem\n{self}");
        let problem: Value = serde_json::from_str(&self.stderr)
            .unwrap_or_else(|error| panic!("stderr is not one JSON document: {error}\n{self}"));
        for name in ["type", "title", "status", "detail", "code"] {
            assert!(!problem[name].is_null(), "no {name} in the problem\n{self}");
        }
        problem
    }

    /// The revision a change has, from the human answer: the last word of the form r57 in its first
    /// line.
    #[track_caller]
    pub(crate) fn revision(&self) -> u64 {
        let first = self.stdout.lines().next().unwrap_or_default();
        first
            .split([' ', ';'])
            .rev()
            .find_map(|word| word.strip_prefix('r')?.parse().ok())
            .unwrap_or_else(|| panic!("no revision\n{self}"))
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            line,
            exit,
            stdout,
            stderr,
            took,
        } = self;
        write!(
            f,
            "$ lever {line}\n{stdout}--- stderr\n{stderr}--- exit {exit:?} after {took:?}"
        )
    }
}
