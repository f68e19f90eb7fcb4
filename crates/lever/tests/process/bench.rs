//! The bench: a real server in a directory of its own, the commands a person types at it, and
//! evaluators that follow it. Everything is a process, and all of them die with the bench.

mod change;
mod crowd;
mod evaluator;
mod frames;
mod http;
mod outcome;
mod output;
mod process;
mod proxy;
mod report;
mod server;
mod tracer;
mod words;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) use change::kill;
pub(crate) use crowd::Crowd;
pub(crate) use evaluator::{Evaluator, Recipe};
pub(crate) use http::{Answer, Call};
pub(crate) use outcome::Outcome;
pub(crate) use process::{Pending, Signal};
pub(crate) use proxy::{Line, Mishap, Proxy};
pub(crate) use report::{figure, minutes, progress, seed};
pub(crate) use server::{Server, Start};
pub(crate) use tracer::{Site, Tracer, WRITE_LIKE};
pub(crate) use words::words;

/// Longest anything may take that ought to happen at once, on a machine that is busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A server and everything it takes to work with it.
pub(crate) struct Bench {
    /// `HOME`, the working directory of every command, and the parent of the data directory.
    home: tempfile::TempDir,
    start: Start,
    server: Option<Server>,
    token: String,
}

impl Bench {
    /// A server on an empty data directory.
    pub(crate) fn new() -> Self {
        Self::with(Start::default())
    }

    /// A server on an empty data directory, started in this way.
    pub(crate) fn with(start: Start) -> Self {
        Self::in_home(tempfile::tempdir().unwrap(), start)
    }

    /// A server on an empty data directory on another disk.
    pub(crate) fn on(disk: &Path) -> Self {
        Self::in_home(tempfile::tempdir_in(disk).unwrap(), Start::default())
    }

    fn in_home(home: tempfile::TempDir, start: Start) -> Self {
        let mut bench = Self {
            home,
            start,
            server: None,
            token: String::new(),
        };
        bench.start();
        bench.token = bench.admin_secret();
        bench
    }

    /// The same with `new-checkout`, closed everywhere.
    pub(crate) fn with_checkout() -> Self {
        let bench = Self::new();
        bench
            .lever("flag create new-checkout --owner team-pay --kind release --sunset 30d")
            .exits(0);
        bench
    }

    /// The same with `new-checkout` open to everybody in prod.
    pub(crate) fn with_open_checkout() -> Self {
        let bench = Self::with_checkout();
        bench
            .lever("open new-checkout -e prod --to 100% -r release")
            .exits(0);
        bench
    }

    /// A server on another data directory in the home of `other`, whose tokens it must share.
    pub(crate) fn at(other: &Self, directory: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::rename(other.home.path().join(directory), home.path().join("data")).unwrap();
        let mut bench = Self {
            home,
            start: Start::default(),
            server: None,
            token: other.token.clone(),
        };
        bench.start();
        bench
    }

    /// Runs `lever` with these words, quoted as in a shell, as the first admin.
    #[track_caller]
    pub(crate) fn lever(&self, line: &str) -> Outcome {
        self.lever_as(&self.token, line)
    }

    /// Runs `lever` as somebody else.
    #[track_caller]
    pub(crate) fn lever_as(&self, token: &str, line: &str) -> Outcome {
        let mut command = self.command(line);
        command.env("LEVER_TOKEN", token);
        Pending::start(line, command).outcome()
    }

    /// Starts `lever` and does not wait.
    pub(crate) fn begin(&self, line: &str) -> Pending {
        Pending::start(line, self.command(line))
    }

    /// The command, to be changed and run.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = self.bare_command(line);
        command.env("LEVER_TOKEN", &self.token);
        if let Some(server) = &self.server {
            command.env("LEVER_URL", server.url());
        }
        command
    }

    /// The command with nothing set but a home.
    pub(crate) fn bare_command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lever"));
        command.args(words(line));
        isolate(&mut command, self.home.path());
        command
    }

    /// What `line` answers with `-o json`.
    #[track_caller]
    pub(crate) fn json(&self, line: &str) -> Value {
        self.lever(&format!("{line} -o json")).exits(0).json()
    }

    /// The journal's head.
    pub(crate) fn revision(&self) -> u64 {
        self.json("whoami")["revision"].as_u64().unwrap()
    }

    /// Where a flag stands in an environment, and nothing else.
    #[track_caller]
    pub(crate) fn position(&self, flag: &str, environment: &str) -> Value {
        let shown = self.json(&format!("flag show {flag}"));
        let levers = shown["levers"].as_array().unwrap();
        let lever = levers
            .iter()
            .find(|lever| lever["environment"] == environment);
        lever.expect("a lever for every environment")["position"].clone()
    }

    /// A new token's secret.
    #[track_caller]
    pub(crate) fn token(&self, line: &str) -> String {
        let made = self.json(&format!("token create {line}"));
        made["token"].as_str().unwrap().to_owned()
    }

    /// An evaluator of `new-checkout` in prod that the server knows to have what there is.
    #[track_caller]
    pub(crate) fn follow(&self, build: &str) -> Evaluator {
        let evaluator = self.recipe(build).start();
        self.until_current(build, 1);
        evaluator
    }

    /// Waits until this many evaluators of a build have acknowledged what there is.
    #[track_caller]
    pub(crate) fn until_current(&self, build: &str, count: usize) {
        self.eventually("fleet -e prod", |fleet| {
            let evaluators = fleet["evaluators"].as_array().unwrap();
            let is_current = |one: &&Value| one["build"] == build && one["current"] == true;
            evaluators.iter().filter(is_current).count() >= count
        });
    }

    /// An evaluator of `new-checkout` in prod, to be changed and started.
    pub(crate) fn recipe(&self, build: &str) -> Recipe {
        let token = self.token(&format!("{build} --role evaluator -e prod"));
        Recipe::new(self.home.path(), self.server().url(), &token, build)
    }

    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().expect("the server is started")
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// The first admin's token, as the first start left it.
    pub(crate) fn admin_secret(&self) -> String {
        let text = std::fs::read_to_string(self.data().join("admin-token")).unwrap();
        text.trim().to_owned()
    }

    /// Ends the server as a power cut would.
    pub(crate) fn kill_server(&mut self) {
        self.server.take().expect("the server is started").kill();
    }

    /// Asks the server to end, and waits until it has.
    pub(crate) fn stop_server(&mut self) {
        self.server.take().expect("the server is started").stop();
    }

    /// Starts the server where it was, so that everybody finds it again.
    pub(crate) fn start(&mut self) {
        let server = self.start.start(self.home.path(), &self.data());
        self.start.listen(server.address());
        self.server = Some(server);
    }

    /// `kill -9`, and a start on what that left.
    pub(crate) fn crash(&mut self) {
        self.kill_server();
        self.start();
    }

    /// Asks until the answer of `line` is good.
    #[track_caller]
    pub(crate) fn eventually(&self, line: &str, is_good: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.json(line);
            if is_good(&answer) {
                return answer;
            }
            assert!(
                Instant::now() < deadline,
                "lever {line} never got there: {answer:#}"
            );
        }
    }
}

/// Nothing of the person who runs the tests reaches a command, and nothing of a command reaches
/// them.
fn isolate(command: &mut Command, home: &Path) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("LEVER_") || name.starts_with("XDG_") || name.ends_with("_proxy") {
            command.env_remove(name.as_ref());
        }
    }
    command.env("HOME", home).current_dir(home);
}
