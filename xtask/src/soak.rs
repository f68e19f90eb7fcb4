//! `cargo xtask soak`: what takes too long for every change. Each part says its seed and its figure,
//! and the summary puts them side by side.

mod summary;

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::bail;

use self::summary::{Row, Told};
use crate::bench::Bench;
use crate::fuzz;
use crate::need::{self, C_COMPILER, Need, STRACE};
use crate::outcome::Failed;
use crate::program::run_within;
use crate::step::cargo;

/// One part.
struct Part {
    name: &'static str,
    title: &'static str,
    needs: &'static [&'static Need],
    runs: Runs,
}

/// What a part is.
enum Runs {
    /// Tests of the real binary, those with these words in their names, ignored or not.
    Tests(&'static [&'static str]),
    /// Every fuzz target for a minute.
    Fuzz,
}

/// What the caller decides.
pub(crate) struct Wish {
    /// How long the load goes on.
    pub(crate) minutes: u64,
    /// The seed to repeat.
    pub(crate) seed: Option<u64>,
}

/// What every part but the load is done in.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// How long each target is fuzzed.
const FUZZ_SECONDS: u32 = 60;

const PARTS: [Part; 9] = [
    Part {
        name: "kill-points",
        title: "SIGKILL at every call of a change that writes",
        needs: &[&C_COMPILER, &STRACE],
        runs: Runs::Tests(&["kill_points::"]),
    },
    Part {
        name: "store",
        title: "a journal that fails, hangs, or lies on a full disk",
        needs: &[&C_COMPILER, &STRACE],
        runs: Runs::Tests(&["failing_store::", "full_disk::"]),
    },
    Part {
        name: "line",
        title: "frames lost, half-open and slow lines, a server that is away",
        needs: &[&C_COMPILER],
        runs: Runs::Tests(&["faulty_line::"]),
    },
    Part {
        name: "restarts",
        title: "two servers, a paused one, an empty roll, restores, spoilt caches",
        needs: &[&C_COMPILER],
        runs: Runs::Tests(&[
            "directory::",
            "evaluator::",
            "paused::",
            "restore::",
            "roll::",
        ]),
    },
    Part {
        name: "rollouts",
        title: "SIGKILL anywhere in 200 rollouts",
        needs: &[&C_COMPILER],
        runs: Runs::Tests(&["rollout_deaths::"]),
    },
    Part {
        name: "storm",
        title: "ten thousand evaluators come back at once",
        needs: &[&C_COMPILER],
        runs: Runs::Tests(&["storm::"]),
    },
    Part {
        name: "growth",
        title: "twenty minutes of changes without growth",
        needs: &[&C_COMPILER],
        runs: Runs::Tests(&["twenty_minutes::"]),
    },
    Part {
        name: "demo",
        title: "both releases of the demo, with twenty seeds each",
        needs: &[&C_COMPILER],
        runs: Runs::Tests(&["demo::twenty"]),
    },
    Part {
        name: "fuzz",
        title: "every fuzz target, a minute each",
        needs: &[&C_COMPILER],
        runs: Runs::Fuzz,
    },
];

/// Prints the parts.
pub(crate) fn list() {
    for part in &PARTS {
        let needs: Vec<_> = part.needs.iter().map(|need| need.name).collect();
        println!(
            "{:12}  {} (needs {})",
            part.name,
            part.title,
            needs.join(", ")
        );
    }
}

/// Runs the parts, all of them or the named, whatever happens to those before; true when all passed.
pub(crate) fn run_all(bench: &Bench, only: &[String], wish: &Wish) -> anyhow::Result<bool> {
    if let Some(unknown) = only
        .iter()
        .find(|name| PARTS.iter().all(|part| part.name != **name))
    {
        bail!("there is no part {unknown}; see cargo xtask soak --list");
    }
    println!("▸ build: the binary, its tests and the evaluators");
    if let Err(failed) = need::provide(bench, &[&C_COMPILER]).and_then(|()| cargo::build(bench)) {
        println!("{}", failed.output.trim_end());
        bail!("{}", failed.why);
    }
    let wanted = |part: &&Part| only.is_empty() || only.iter().any(|name| name == part.name);
    let rows: Vec<Row> = PARTS
        .iter()
        .filter(wanted)
        .map(|part| part.run(bench, wish))
        .collect();
    println!("\n{}", summary::table(&rows));
    Ok(rows.iter().all(|row| row.passed))
}

impl Part {
    fn run(&self, bench: &Bench, wish: &Wish) -> Row {
        println!("▸ {}: {}", self.name, self.title);
        let started = Instant::now();
        let outcome = need::provide(bench, self.needs).and_then(|()| self.output(bench, wish));
        let passed = outcome.is_ok();
        let output = outcome.unwrap_or_else(|failed| {
            println!("{}", failed.output.trim_end());
            println!("  ✗ {}: {}", self.name, failed.why);
            failed.output
        });
        let row = Row {
            name: self.name,
            time: started.elapsed(),
            passed,
            told: Told::read(&output),
        };
        if passed {
            println!("  ✓ {:.1} s", row.time.as_secs_f64());
        }
        row
    }

    fn output(&self, bench: &Bench, wish: &Wish) -> Result<String, Failed> {
        match self.runs {
            Runs::Tests(words) => {
                let patience = PATIENCE + Duration::from_secs(60 * wish.minutes);
                let output = run_within(bench, tests(bench, words, wish), patience)?;
                if Told::read(&output).tests == 0 {
                    return Err(Failed {
                        output,
                        ..Failed::new("no test ran")
                    });
                }
                Ok(output)
            }
            Runs::Fuzz => fuzz_all(bench),
        }
    }
}

/// Every target, whatever was found in those before.
fn fuzz_all(bench: &Bench) -> Result<String, Failed> {
    let targets = fuzz::targets(bench).map_err(|error| Failed::new(format!("{error:#}")))?;
    let mut told = String::new();
    let mut found = Vec::new();
    for target in targets {
        match fuzz::fuzz(bench, &target, FUZZ_SECONDS) {
            Ok(ending) => told.extend(["figure: ", &target, ": ", &ending, "\n"]),
            Err(failed) => {
                told.push_str(&failed.output);
                found.push(target);
            }
        }
    }
    if found.is_empty() {
        return Ok(told);
    }
    Err(Failed {
        output: told,
        ..Failed::new(format!("found by {}", found.join(", ")))
    })
}

/// One after another, because they measure; with the features of the build before.
fn tests(bench: &Bench, words: &[&str], wish: &Wish) -> Command {
    let mut command = bench.cargo(&["test", "--locked", "--workspace", "--all-features"]);
    command.args(["--test", "process", "--"]);
    command.args(["--include-ignored", "--nocapture", "--test-threads=1"]);
    command.args(words);
    command.env("LEVER_SOAK_MINUTES", wish.minutes.to_string());
    if let Some(seed) = wish.seed {
        command.env("LEVER_SOAK_SEED", seed.to_string());
    }
    command
}
