//! Processes that are started, watched, signalled and never left behind.

use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::PATIENCE;
use super::outcome::Outcome;
use super::output::Lines;

/// A process with its output. It is killed when it is dropped.
pub(super) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    pub(super) stdout: Lines,
    pub(super) stderr: Lines,
}

/// What can be done to a process from outside.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signal {
    /// It stands still, and nothing of it knows.
    Stop,
    /// It goes on.
    Continue,
    /// Ctrl-C.
    Interrupt,
    /// What a supervisor sends.
    Terminate,
}

impl Process {
    #[track_caller]
    pub(super) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        Self {
            stdin: child.stdin.take(),
            stdout: Lines::of(child.stdout.take().unwrap()),
            stderr: Lines::of(child.stderr.take().unwrap()),
            child,
        }
    }

    pub(super) fn stdin(&mut self) -> Option<&mut ChildStdin> {
        self.stdin.as_mut()
    }

    /// What it reads ends.
    pub(super) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    #[track_caller]
    pub(super) fn signal(&self, signal: Signal) {
        let name = match signal {
            Signal::Stop => "-STOP",
            Signal::Continue => "-CONT",
            Signal::Interrupt => "-INT",
            Signal::Terminate => "-TERM",
        };
        let sent = Command::new("kill")
            .args([name, &self.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success(), "kill {name} {}", self.id());
    }

    pub(super) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for its end, which the end of its output announces.
    #[track_caller]
    pub(super) fn end(&mut self) -> ExitStatus {
        self.stdout.rest();
        self.stderr.rest();
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A `lever` that runs.
pub(crate) struct Pending {
    line: String,
    process: Process,
    started: Instant,
}

impl Pending {
    /// Starts `command`, which `line` is in words. Nobody sits at its stdin.
    #[track_caller]
    pub(crate) fn start(line: &str, command: Command) -> Self {
        let started = Instant::now();
        let mut process = Process::start(command);
        process.close_stdin();
        Self {
            line: line.to_owned(),
            process,
            started,
        }
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn outcome(self) -> Outcome {
        self.outcome_within(PATIENCE)
    }

    /// The same of what may say nothing for this long.
    #[track_caller]
    pub(crate) fn outcome_within(mut self, patience: Duration) -> Outcome {
        self.process.stdout.rest_within(patience);
        let status = self.process.end();
        Outcome {
            took: self.started.elapsed(),
            line: self.line,
            exit: status.code(),
            stdout: self.process.stdout.so_far(),
            stderr: self.process.stderr.so_far(),
        }
    }

    /// Waits until it has said this on stderr.
    #[track_caller]
    pub(crate) fn until_says(&self, words: &str) {
        self.process.stderr.until(|line| line.contains(words));
    }

    /// Waits until it has written this on stdout.
    #[track_caller]
    pub(crate) fn until_writes(&self, words: &str) -> String {
        self.process.stdout.until(|line| line.contains(words))
    }

    /// The same of what may take this long.
    #[track_caller]
    pub(crate) fn until_writes_within(&self, words: &str, patience: Duration) -> String {
        let stdout = &self.process.stdout;
        stdout.until_within(patience, |line| line.contains(words))
    }

    #[track_caller]
    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }
}
