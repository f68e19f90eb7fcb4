//! Processes that are started here, seen from outside, and never left behind.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// A process that says one line once it is ready. It is killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    lines: BufReader<ChildStdout>,
}

/// What a process holds, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) resident: f64,
    /// What is its own alone and not a file's: what another process of the kind would cost.
    pub(crate) private_dirty: f64,
}

impl Process {
    /// Starts it and gives the first line it prints.
    pub(crate) fn start(command: &mut Command) -> Result<(Self, String)> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{:?}", command.get_program()))?;
        let stdout = child.stdout.take().context("stdout")?;
        let mut process = Self {
            child,
            lines: BufReader::new(stdout),
        };
        let line = process.line()?;
        Ok((process, line))
    }

    /// The next line it prints.
    pub(crate) fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.lines.read_line(&mut line)? == 0 {
            bail!("{:?} ended before it was ready", self.child);
        }
        Ok(line)
    }

    pub(crate) fn memory(&self) -> Result<Memory> {
        let path = format!("/proc/{}/smaps_rollup", self.child.id());
        let text = fs::read_to_string(path)?;
        let field = |name: &str| {
            text.lines()
                .filter_map(|line| line.strip_prefix(name))
                .filter_map(|rest| rest.split_whitespace().next())
                .find_map(|kib| kib.parse::<f64>().ok())
                .map(|kib| kib * 1024.0)
                .with_context(|| name.to_owned())
        };
        Ok(Memory {
            resident: field("Rss:")?,
            private_dirty: field("Private_Dirty:")?,
        })
    }

    /// What its threads have worked so far.
    pub(crate) fn worked(&self) -> Result<Duration> {
        worked(&self.child.id().to_string())
    }

    /// Asks it to end, as a supervisor does, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<()> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        self.child.wait()?;
        Ok(())
    }
}

/// What the threads that a process has now have worked; `self` is this one.
pub(crate) fn worked(process: &str) -> Result<Duration> {
    let mut ns = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may end meanwhile.
        let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else {
            continue;
        };
        let first = text.split_whitespace().next().context("schedstat")?;
        ns += first.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(ns))
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
