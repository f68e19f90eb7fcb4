//! Runs `lever` with nothing around it but what a test says.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// The one JSON document on stdout.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The JSON problem on stderr.
    pub(crate) fn problem(&self) -> serde_json::Value {
        serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A home directory and variables.
pub(crate) struct Program {
    pub(crate) home: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Program {
    pub(crate) fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        }
    }

    /// Talks to these servers with a token.
    pub(crate) fn talking_to(urls: &str) -> Self {
        Self::new()
            .variable("LEVER_URL", urls)
            .variable("LEVER_TOKEN", "lever_test")
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lever"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .envs(self.variables.iter().cloned())
            .current_dir(self.home.path())
            .stdin(Stdio::null());
        command
    }

    /// Starts, and leaves it running.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs to the end; for tests without a server.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        ended(self.command(arguments).output().unwrap())
    }

    /// Runs to the end while the test's own server goes on.
    pub(crate) async fn lever(&self, arguments: &[&str]) -> Run {
        let mut command = self.command(arguments);
        tokio::task::spawn_blocking(move || ended(command.output().unwrap()))
            .await
            .unwrap()
    }

    pub(crate) fn path(&self) -> &Path {
        self.home.path()
    }
}

/// Waits for the end of what was started.
pub(crate) async fn end(child: Child) -> Run {
    tokio::task::spawn_blocking(move || ended(child.wait_with_output().unwrap()))
        .await
        .unwrap()
}

fn ended(output: Output) -> Run {
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
