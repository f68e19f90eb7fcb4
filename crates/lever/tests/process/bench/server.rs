//! `lever serve` as a process.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use super::output::Lines;
use super::process::{Pending, Process, Signal};
use super::{Outcome, PATIENCE, isolate};

/// How to start a server.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    listen: String,
    /// What a shell does before it becomes the server, such as setting a limit.
    before: String,
    log: &'static str,
}

/// A server that listens.
pub(crate) struct Server {
    process: Process,
    said: Value,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:0".to_owned(),
            before: String::new(),
            log: "info",
        }
    }
}

impl Start {
    /// With these lines of shell first.
    pub(crate) fn after(mut self, shell: &str) -> Self {
        self.before = format!("{shell}; ");
        self
    }

    /// With everything it can say in its log.
    pub(crate) fn talkative(mut self) -> Self {
        self.log = "debug";
        self
    }

    pub(super) fn listen(&mut self, address: &str) {
        address.clone_into(&mut self.listen);
    }

    /// Starts it and waits until it says where it listens.
    #[track_caller]
    pub(super) fn start(&self, home: &Path, data: &Path) -> Server {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut process = Process::start(self.command(home, data));
            if let Some(line) = process.stdout.next() {
                let said = serde_json::from_str(&line).unwrap();
                return Server { process, said };
            }
            process.end();
            let stderr = process.stderr.so_far();
            // Between a crash and the restart somebody may have been given the port.
            let is_taken = stderr.contains("in use") && Instant::now() < deadline;
            assert!(is_taken, "the server does not start:\n{stderr}");
        }
    }

    /// Starts it where it is expected to refuse.
    #[track_caller]
    pub(crate) fn refusal(&self, home: &Path, data: &Path) -> Outcome {
        Pending::start("serve", self.command(home, data)).outcome()
    }

    fn command(&self, home: &Path, data: &Path) -> Command {
        let mut command = Command::new("sh");
        let script = format!("{}exec \"$@\"", self.before);
        command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_lever"), "serve"]);
        command.args(["--listen", &self.listen, "--json", "--no-profile", "--data"]);
        command.arg(data);
        isolate(&mut command, home);
        command.env("LEVER_LOG", self.log);
        command
    }
}

impl Server {
    pub(crate) fn url(&self) -> &str {
        self.said["url"].as_str().unwrap()
    }

    /// `127.0.0.1:40123`.
    pub(crate) fn address(&self) -> &str {
        self.url().strip_prefix("http://").unwrap()
    }

    /// The line it said where it listens with.
    pub(crate) fn said(&self) -> &Value {
        &self.said
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    #[track_caller]
    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Its log so far.
    pub(crate) fn log(&self) -> String {
        self.lines().so_far()
    }

    fn lines(&self) -> &Lines {
        &self.process.stderr
    }

    pub(super) fn kill(mut self) {
        self.process.kill();
    }

    #[track_caller]
    pub(super) fn stop(mut self) {
        self.process.signal(Signal::Terminate);
        let status = self.process.end();
        assert!(status.success(), "{status}\n{}", self.log());
    }
}
