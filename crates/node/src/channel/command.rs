//! A program of this machine: what is to be said comes as JSON on its standard input, and it exits
//! with 0 when it was said. No shell, so nothing in a text can become a command; and none of the
//! server's own environment, so no secret of it goes along.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::{Channel, Told, Untold, Words};
use crate::limit::COMMAND_STDERR_BYTES_MAX;
use crate::outgoing::inert;

/// Where the program finds others.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long its last words are waited for after it has ended.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// One program with its arguments.
pub(super) struct Program {
    pub(super) argv: Vec<String>,
    pub(super) timeout: Duration,
}

impl Program {
    /// Whether it names a program by its whole path.
    pub(super) fn is_named(argv: &[String]) -> bool {
        argv.first()
            .is_some_and(|program| Path::new(program).is_absolute())
    }

    fn start(&self, words: &Words) -> Result<Child, Untold> {
        let (program, arguments) = self
            .argv
            .split_first()
            .ok_or_else(|| Untold::lasting("no program is named"))?;
        Command::new(program)
            .args(arguments)
            .env_clear()
            .env("PATH", PATH)
            .env("LEVER_EFFECT", &words.id)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Untold::lasting(format!("{program} does not start: {error}")))
    }

    async fn go(&self, mut child: Child, words: &Words) -> Result<Told, Untold> {
        let mut body = words.json().to_string();
        body.push('\n');
        let (input, errors) = (child.stdin.take(), child.stderr.take());
        let feed = async {
            if let Some(mut input) = input {
                // A program that does not read says by its exit whether that is well.
                let _ = input.write_all(body.as_bytes()).await;
            }
        };
        let mut said = Vec::new();
        let listen = async {
            if let Some(errors) = errors {
                let _ = errors
                    .take(COMMAND_STDERR_BYTES_MAX)
                    .read_to_end(&mut said)
                    .await;
            }
        };
        let status = {
            let mut talk = std::pin::pin!(async { tokio::join!(feed, listen) });
            let mut is_said = false;
            let status = loop {
                tokio::select! {
                    status = child.wait() => break status,
                    _ = &mut talk, if !is_said => is_said = true,
                }
            };
            if !is_said {
                // Its last words may be on their way. What it started itself may hold its streams
                // open, and nobody waits for that.
                let _ = tokio::time::timeout(LAST_WORDS, &mut talk).await;
            }
            status
        };
        let status = status.map_err(|error| Untold::passing(error.to_string()))?;
        if status.success() {
            return Ok(Told { read_back: false });
        }
        let said = inert(&String::from_utf8_lossy(&said));
        Err(Untold::passing(format!(
            "{} ended with {status}: {said}",
            self.name()
        )))
    }

    fn name(&self) -> &str {
        self.argv.first().map_or("", |program| program)
    }
}

#[async_trait]
impl Channel for Program {
    async fn tell(&self, words: &Words) -> Result<Told, Untold> {
        let child = self.start(words)?;
        match tokio::time::timeout(self.timeout, self.go(child, words)).await {
            Ok(outcome) => outcome,
            // It is killed where it is dropped.
            Err(_) => Err(Untold::passing(format!(
                "{} did not end within {} ms",
                self.name(),
                self.timeout.as_millis()
            ))),
        }
    }
}
