//! Many evaluators in one process of their own, from `crates/client/examples/crowd.rs`: each is a
//! whole client.

use std::io::Write as _;
use std::time::Duration;

use super::process::Process;
use super::{PATIENCE, Recipe};

/// A crowd of evaluators that runs. It says when the last of them has come to a revision.
pub(crate) struct Crowd {
    process: Process,
}

/// How many of a crowd are connected, and where the slowest and the fastest are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) connected: usize,
    pub(crate) slowest: u64,
    pub(crate) newest: u64,
}

impl Crowd {
    /// Starts as many as this and waits until all are connected.
    #[track_caller]
    pub(crate) fn start(recipe: &Recipe, count: usize) -> Self {
        let mut command = recipe.command("crowd");
        command.arg(count.to_string());
        let process = Process::start(command);
        let patience = PATIENCE.max(Duration::from_millis(60) * u32::try_from(count).unwrap());
        let line = process.stdout.until_within(patience, |_| true);
        assert_eq!(line, format!("ready {count}"));
        Self { process }
    }

    /// Waits until the last one has this revision, or a later one.
    #[track_caller]
    pub(crate) fn until(&self, revision: u64) {
        self.until_within(PATIENCE, revision);
    }

    #[track_caller]
    pub(crate) fn until_within(&self, patience: Duration, revision: u64) {
        self.process.stdout.until_within(patience, |line| {
            assert!(!line.contains("went back"), "{line}");
            let reached = line.strip_prefix("all r");
            reached.is_some_and(|reached| reached.parse::<u64>().unwrap() >= revision)
        });
    }

    /// How many answer true, of how many.
    #[track_caller]
    pub(crate) fn asked(&mut self, flag: &str, unit: &str) -> (usize, usize) {
        let line = self.ask(&format!("ask {flag} {unit}"), "asked ");
        let numbers = line.rsplit_once(&format!("{flag} {unit} ")).unwrap().1;
        let (on, count) = numbers.split_once(" of ").unwrap();
        (on.parse().unwrap(), count.parse().unwrap())
    }

    #[track_caller]
    pub(crate) fn standing(&mut self) -> Standing {
        let line = self.ask("standing", "standing ");
        let words: Vec<&str> = line.split(' ').collect();
        let [_, connected, _, _, slowest, _, newest] = words.as_slice() else {
            panic!("{line}")
        };
        let revision = |text: &str| text.strip_prefix('r').unwrap().parse().unwrap();
        Standing {
            connected: connected.parse().unwrap(),
            slowest: revision(slowest),
            newest: revision(newest),
        }
    }

    /// One of them says goodbye, and another one comes.
    #[track_caller]
    pub(crate) fn renew(&mut self) {
        self.ask("renew", "renewed ");
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    #[track_caller]
    fn ask(&mut self, question: &str, start: &str) -> String {
        writeln!(self.process.stdin().unwrap(), "{question}").unwrap();
        self.process.stdout.until(|line| {
            assert!(!line.contains("went back"), "{line}");
            line.starts_with(start)
        })
    }
}
