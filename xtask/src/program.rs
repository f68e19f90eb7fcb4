//! Runs a program: a progress line while it goes on, its whole output only when it fails.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use crate::bench::Bench;
use crate::outcome::Failed;

/// How often the progress line is redrawn on a terminal.
const REDRAW: Duration = Duration::from_millis(200);
/// How often a sign of life is printed elsewhere.
const SIGN_OF_LIFE: Duration = Duration::from_secs(60);
/// Longest one program may take: well over the whole of CI's goal of 15 minutes.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Runs `command` to its end and gives what it printed, both streams in the order of arrival.
pub(crate) fn run(bench: &Bench, command: Command) -> Result<String, Failed> {
    run_within(bench, command, PATIENCE)
}

/// The same for what may take longer.
pub(crate) fn run_within(
    bench: &Bench,
    mut command: Command,
    patience: Duration,
) -> Result<String, Failed> {
    let shown = shown(&command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| Failed::new(format!("{shown}: {error}")))?;
    let (sender, lines) = channel();
    if let Some(stream) = child.stdout.take() {
        read_lines(stream, sender.clone());
    }
    if let Some(stream) = child.stderr.take() {
        read_lines(stream, sender);
    }
    let (output, in_time) = follow(bench, &lines, patience);
    if !in_time {
        // What it started itself may live on and hold its streams, so nobody waits for those.
        let _ = child.kill();
    }
    let status = child
        .wait()
        .map_err(|error| Failed::new(format!("{shown}: {error}")))?;
    if status.success() && in_time {
        return Ok(output);
    }
    let why = if in_time {
        format!("{shown}: {status}")
    } else {
        format!("{shown}: ended after {} minutes", patience.as_secs() / 60)
    };
    Err(Failed {
        tally: crate::outcome::closing_lines(&output)
            .filter(|tally| tally.failed > 0)
            .unwrap_or(Failed::new("").tally),
        why,
        output,
    })
}

fn read_lines(stream: impl Read + Send + 'static, sender: Sender<String>) {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader
            .read_until(b'\n', &mut line)
            .is_ok_and(|bytes| bytes > 0)
        {
            let text = String::from_utf8_lossy(&line).into_owned();
            line.clear();
            if sender.send(text).is_err() {
                break;
            }
        }
    });
}

/// Collects lines until both streams end; false when that took too long.
fn follow(bench: &Bench, lines: &Receiver<String>, patience: Duration) -> (String, bool) {
    let started = Instant::now();
    let mut progress = Progress::new(bench.terminal, started);
    let mut output = String::new();
    loop {
        match lines.recv_timeout(REDRAW) {
            Ok(line) => {
                progress.last = line.trim().to_owned();
                output.push_str(&line);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return (output, true),
        }
        if started.elapsed() > patience {
            return (output, false);
        }
        progress.show();
    }
}

struct Progress {
    terminal: bool,
    started: Instant,
    shown: Instant,
    last: String,
}

impl Progress {
    fn new(terminal: bool, started: Instant) -> Self {
        Self {
            terminal,
            started,
            shown: started,
            last: String::new(),
        }
    }

    fn show(&mut self) {
        let every = if self.terminal { REDRAW } else { SIGN_OF_LIFE };
        if self.shown.elapsed() < every {
            return;
        }
        self.shown = Instant::now();
        let line: String = self
            .last
            .chars()
            .filter(|c| !c.is_control())
            .take(100)
            .collect();
        let seconds = self.started.elapsed().as_secs();
        if self.terminal {
            print!("\r\x1b[2K  {seconds} s  {line}");
            let _ = std::io::stdout().flush();
        } else {
            println!("  … {seconds} s: {line}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal {
            print!("\r\x1b[2K");
            let _ = std::io::stdout().flush();
        }
    }
}

/// The command as a person would type it.
fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
