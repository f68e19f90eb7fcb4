//! The steps of `cargo xtask test`, in order: what fails soonest comes first.

pub(crate) mod cargo;
mod clients;

use std::time::Instant;

use anyhow::bail;

use crate::bench::Bench;
use crate::need::{
    self, ALERTMANAGER, C_COMPILER, CHROMIUM, GIT, NODE, NPM, Need, PROMETHEUS, PYTHON, STRACE,
};
use crate::outcome::{Done, Failed};
use crate::report::{self, Line};
use crate::tidy;

/// One step.
struct Step {
    name: &'static str,
    title: &'static str,
    needs: &'static [&'static Need],
    /// The step without which this one would only say the same again.
    after: Option<&'static str>,
    run: fn(&Bench) -> Result<Done, Failed>,
}

const BUILD: &str = "build";

const STEPS: [Step; 12] = [
    Step {
        name: "format",
        title: "every file is formatted",
        needs: &[],
        after: None,
        run: cargo::format,
    },
    Step {
        name: "tidy",
        title: "dependency law, licences, file sizes, links, pages",
        needs: &[&GIT],
        after: None,
        run: tidy::step,
    },
    Step {
        name: "clippy",
        title: "no lint and no warning, in all targets with all features",
        needs: &[&C_COMPILER],
        after: None,
        run: cargo::clippy,
    },
    Step {
        name: BUILD,
        title: "the binary and every test",
        needs: &[&C_COMPILER],
        after: None,
        run: cargo::build,
    },
    Step {
        name: "test",
        title: "unit, property and contract tests",
        needs: &[&C_COMPILER, &PROMETHEUS, &ALERTMANAGER],
        after: Some(BUILD),
        run: cargo::test,
    },
    Step {
        name: "simulation",
        title: "the seeded world",
        needs: &[&C_COMPILER],
        after: Some(BUILD),
        run: cargo::simulation,
    },
    Step {
        name: "process",
        title: "the real binary, from outside",
        needs: &[&C_COMPILER, &STRACE],
        after: Some(BUILD),
        run: cargo::process,
    },
    Step {
        name: "doctest",
        title: "the examples in the documentation",
        needs: &[&C_COMPILER],
        after: None,
        run: cargo::doctest,
    },
    Step {
        name: "doc",
        title: "the documentation builds without a warning",
        needs: &[&C_COMPILER],
        after: None,
        run: cargo::doc,
    },
    Step {
        name: "e2e-node",
        title: "real OpenFeature clients in Node, server and web",
        needs: &[&C_COMPILER, &NODE, &NPM],
        after: Some(BUILD),
        run: clients::node,
    },
    Step {
        name: "e2e-python",
        title: "the real OpenFeature client in Python",
        needs: &[&C_COMPILER, &PYTHON],
        after: Some(BUILD),
        run: clients::python,
    },
    Step {
        name: "browser",
        title: "the console in a real Chromium: an operator's tasks, axe, screenshots",
        needs: &[&C_COMPILER, &NODE, &NPM, &CHROMIUM],
        after: Some(BUILD),
        run: clients::browser,
    },
];

/// Prints the steps.
pub(crate) fn list() {
    for step in STEPS {
        let needs: Vec<_> = step.needs.iter().map(|need| need.name).collect();
        let needs = match needs.is_empty() {
            true => String::new(),
            false => format!(" (needs {})", needs.join(", ")),
        };
        println!("{:12}  {}{needs}", step.name, step.title);
    }
}

/// Runs the steps, all of them or the named, whatever happens to those before; true when all passed.
pub(crate) fn run_all(bench: &Bench, only: &[String]) -> anyhow::Result<bool> {
    if let Some(unknown) = only
        .iter()
        .find(|name| STEPS.iter().all(|step| step.name != **name))
    {
        bail!("there is no step {unknown}; see cargo xtask test --list");
    }
    let mut lines: Vec<Line> = Vec::new();
    for step in &STEPS {
        let wanted = only.is_empty() || only.iter().any(|name| name == step.name);
        let in_vain = |line: &&Line| Some(line.name) == step.after && line.tally.failed > 0;
        match lines.iter().find(in_vain) {
            Some(line) if wanted => lines.push(Line::skipped(step.name, line.name)),
            None if wanted => lines.push(run(bench, step)),
            _ => {}
        }
    }
    println!("\n{}", report::summary(&lines));
    Ok(lines.iter().all(|line| line.tally.failed == 0))
}

fn run(bench: &Bench, step: &Step) -> Line {
    println!("▸ {}: {}", step.name, step.title);
    let started = Instant::now();
    let outcome = need::provide(bench, step.needs).and_then(|()| (step.run)(bench));
    let (tally, note) = match outcome {
        Ok(done) => (done.tally, done.note),
        Err(failed) => {
            println!("{}", failed.output.trim_end());
            println!("  ✗ {}: {}", step.name, failed.why);
            (failed.tally, String::new())
        }
    };
    let line = Line {
        name: step.name,
        time: started.elapsed(),
        tally,
        note,
        skipped: false,
    };
    if tally.failed == 0 {
        let told = format!(
            "  ✓ {:.1} s  {}",
            line.time.as_secs_f64(),
            report::counted(&line)
        );
        println!("{}", told.trim_end());
    }
    line
}
