//! An evaluator: a process of its own with our client, from `crates/client/examples/follow.rs`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use super::isolate;
use super::process::{Process, Signal};

/// How to start an evaluator.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    home: PathBuf,
    variables: Vec<(&'static str, String)>,
    flag: String,
}

/// An evaluator that runs and prints what its flag answers.
pub(crate) struct Evaluator {
    process: Process,
}

impl Recipe {
    pub(crate) fn new(home: &Path, url: &str, token: &str, build: &str) -> Self {
        Self {
            home: home.to_owned(),
            variables: vec![
                ("LEVER_URL", url.to_owned()),
                ("LEVER_TOKEN", token.to_owned()),
                ("LEVER_APPLICATION", "shop".to_owned()),
                ("LEVER_BUILD", build.to_owned()),
            ],
            flag: "new-checkout".to_owned(),
        }
    }

    /// With another value of one of the client's variables.
    pub(crate) fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// Of another flag.
    pub(crate) fn flag(mut self, flag: &str) -> Self {
        flag.clone_into(&mut self.flag);
        self
    }

    /// Starts it; it prints its first line once it has a rule set or has given up waiting for one.
    #[track_caller]
    pub(crate) fn start(&self) -> Evaluator {
        let mut command = self.command("follow");
        command.args([&self.flag, "u-1"]);
        Evaluator {
            process: Process::start(command),
        }
    }

    /// One of the client's example programs, with its variables set.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(example(program));
        isolate(&mut command, &self.home);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Evaluator {
    /// The next line: `r7 new-checkout true`.
    #[track_caller]
    pub(crate) fn next(&self) -> String {
        let line = self.process.stdout.next();
        line.unwrap_or_else(|| panic!("the evaluator ended:\n{}", self.log()))
    }

    /// Reads on until it answers this.
    #[track_caller]
    pub(crate) fn until(&self, is_on: bool) -> String {
        let end = format!(" {is_on}");
        self.process.stdout.until(|line| line.ends_with(&end))
    }

    /// Reads on until it has this revision, and gives its answer at it.
    #[track_caller]
    pub(crate) fn at(&self, revision: u64) -> bool {
        let start = format!("r{revision} ");
        let line = self.process.stdout.until(|line| line.starts_with(&start));
        line.ends_with(" true")
    }

    /// What it answers for a unit now.
    #[track_caller]
    pub(crate) fn asked(&mut self, unit: &str) -> bool {
        writeln!(self.process.stdin().unwrap(), "{unit}").unwrap();
        let end = format!(" {unit}");
        let line = self.process.stdout.until(|line| line.ends_with(&end));
        line.ends_with(&format!(" true{end}"))
    }

    /// Waits until it says this in its log.
    #[track_caller]
    pub(crate) fn until_logs(&self, words: &str) {
        self.process.stderr.until(|line| line.contains(words));
    }

    pub(crate) fn log(&self) -> String {
        self.process.stderr.so_far()
    }

    /// Everything it has printed.
    pub(crate) fn answers(&self) -> String {
        self.process.stdout.so_far()
    }

    #[track_caller]
    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// `kill -9`: no goodbye.
    pub(crate) fn kill(mut self) {
        self.process.kill();
    }

    /// Ctrl-C, with a goodbye.
    #[track_caller]
    pub(crate) fn leave(mut self) -> ExitStatus {
        self.process.signal(Signal::Interrupt);
        self.process.end()
    }
}

/// An example of the client, which Cargo builds beside the tests.
fn example(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let profile = own.ancestors().nth(2).unwrap();
    let program = profile.join("examples").join(name);
    assert!(
        program.exists(),
        "{} is missing; build it: cargo build -p leverframe --examples",
        program.display()
    );
    program
}
