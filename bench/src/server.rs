//! The server: a release build of `lever`, in a process and a directory of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::catalogue::Catalogue;
use crate::http::Connection;
use crate::ours;
use crate::process::{Memory, Process};

/// The environment that is followed: one that is not guarded, so that openings need no ETag.
pub(crate) const ENVIRONMENT: &str = "staging";
/// Connections that fill a server.
const FILLERS: usize = 32;

/// Where the server's binary is.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Binary {
    /// A release build of lever: cargo build --release -p lever
    #[arg(long, env = "LEVER_BINARY", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release/lever"))]
    lever: PathBuf,
}

/// A directory with a journal in it.
pub(crate) struct Data {
    directory: TempDir,
}

/// A server that listens.
pub(crate) struct Server {
    process: Process,
    address: String,
    admin: String,
    started: Instant,
}

impl Data {
    pub(crate) fn new() -> Result<Self> {
        // Beside the package, because /tmp may be memory and its fsync then costs nothing.
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
        std::fs::create_dir_all(&target)?;
        Ok(Self {
            directory: tempfile::Builder::new()
                .prefix("data-")
                .tempdir_in(target)?,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn serve(&self, binary: &Binary) -> Result<Server> {
        let started = Instant::now();
        let mut command = Command::new(&binary.lever);
        command
            .args([
                "serve",
                "--json",
                "--no-profile",
                "--listen",
                "127.0.0.1:0",
                "--data",
            ])
            .arg(self.directory.path())
            .env("LEVER_LOG", "error")
            .stderr(Stdio::inherit());
        let (process, line) = Process::start(&mut command)?;
        let said: Value = serde_json::from_str(&line)?;
        let url = said["url"].as_str().context("url")?;
        let admin = std::fs::read_to_string(self.directory.path().join("admin-token"))?;
        Ok(Server {
            process,
            address: url.trim_start_matches("http://").to_owned(),
            admin: admin.trim().to_owned(),
            started,
        })
    }
}

impl Server {
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// When its process was started.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    pub(crate) fn memory(&self) -> Result<Memory> {
        self.process.memory()
    }

    /// What its threads have worked so far.
    pub(crate) fn worked(&self) -> Result<Duration> {
        self.process.worked()
    }

    pub(crate) fn stop(self) -> Result<()> {
        self.process.stop()
    }

    /// A connection of the first admin's.
    pub(crate) fn admin(&self) -> Result<Connection> {
        Connection::open(&self.address, &self.admin)
    }

    /// A new token that follows the environment and evaluates in it.
    pub(crate) fn evaluator_token(&self) -> Result<String> {
        let wanted = json!({
            "name": "bench", "role": "evaluator", "environments": [ENVIRONMENT],
        });
        let made = self.admin()?.post("/api/v1/tokens", &wanted)?;
        Ok(made["token"].as_str().context("token")?.to_owned())
    }

    /// Puts the whole catalogue in, every flag as open as it is to be.
    pub(crate) fn fill(&self, catalogue: &Catalogue) -> Result<()> {
        self.each(catalogue.segments.len(), |connection, number| {
            let segment = &catalogue.segments[number];
            let definition = json!({"key": segment.key, "include": segment.units});
            let body = json!({"definition": definition, "why": why()});
            connection.post("/api/v1/segments", &body).map(drop)
        })?;
        self.each(catalogue.flags.len(), |connection, number| {
            let flag = &catalogue.flags[number];
            let mut definition = boolean(&flag.key);
            definition["environments"] = json!({ENVIRONMENT: {
                "rules": ours::rules(catalogue, flag),
            }});
            let body = json!({"definition": definition, "why": why()});
            connection.post("/api/v1/flags", &body)?;
            open(connection, &flag.key, f64::from(ours::percentage(flag))).map(drop)
        })
    }

    /// Does numbered things over several connections at once.
    fn each(
        &self,
        count: usize,
        act: impl Fn(&mut Connection, usize) -> Result<()> + Sync,
    ) -> Result<()> {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let fillers: Vec<_> = (0..FILLERS)
                .map(|_| {
                    scope.spawn(|| -> Result<()> {
                        let mut connection = self.admin()?;
                        loop {
                            let number = next.fetch_add(1, Ordering::Relaxed);
                            if number >= count {
                                return Ok(());
                            }
                            act(&mut connection, number)?;
                        }
                    })
                })
                .collect();
            fillers.into_iter().try_for_each(|filler| {
                filler
                    .join()
                    .map_err(|_| anyhow::anyhow!("a filler panicked"))?
            })
        })
    }
}

/// A boolean flag that is off when closed.
pub(crate) fn boolean(key: &str) -> Value {
    json!({
        "key": key, "kind": "ops", "type": "boolean", "owner": "bench",
        "variants": {"on": true, "off": false}, "closed": "off", "open": "on",
    })
}

/// Opens a flag and gives the revision.
pub(crate) fn open(connection: &mut Connection, flag: &str, percentage: f64) -> Result<u64> {
    let path = format!("/api/v1/flags/{flag}/environments/{ENVIRONMENT}/open");
    let body = json!({"exposure": {"percentage": percentage}, "why": why()});
    revision(&connection.post(&path, &body)?)
}

/// Closes a flag and gives the revision.
pub(crate) fn kill(connection: &mut Connection, flag: &str) -> Result<u64> {
    let path = format!("/api/v1/environments/{ENVIRONMENT}/kill");
    let body = json!({"flags": [flag], "why": why()});
    revision(&connection.post(&path, &body)?)
}

/// Waits until everybody has a revision, and gives what the server says of it.
pub(crate) fn confirmation(connection: &mut Connection, revision: u64) -> Result<Value> {
    connection.get(&format!(
        "/api/v1/environments/{ENVIRONMENT}/confirmations/{revision}?wait_ms=20000"
    ))
}

pub(crate) fn why() -> Value {
    json!({"reason": "a measurement"})
}

fn revision(receipt: &Value) -> Result<u64> {
    receipt["revision"].as_u64().context("revision")
}
