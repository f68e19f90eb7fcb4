//! The steps that Cargo does.

use std::process::{Command, Stdio};

use crate::bench::Bench;
use crate::outcome::{Done, Failed, Tally, closing_lines};
use crate::program::run;

pub(super) fn format(bench: &Bench) -> Result<Done, Failed> {
    run(bench, bench.cargo(&["fmt", "--all", "--check"]))?;
    Ok(Done::check())
}

pub(super) fn clippy(bench: &Bench) -> Result<Done, Failed> {
    let lint = [
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--all-features",
    ];
    let mut command = bench.cargo(&lint);
    command.args(["--", "-D", "warnings"]);
    run(bench, command)?;
    Ok(Done::check())
}

/// Builds everything at once, so that the features of shared dependencies are decided once and
/// the later steps find their parts built.
pub(crate) fn build(bench: &Bench) -> Result<Done, Failed> {
    run(bench, bench.cargo(&BUILD))?;
    Ok(Done::check())
}

pub(super) const BUILD: [&str; 5] = [
    "build",
    "--locked",
    "--workspace",
    "--all-targets",
    "--all-features",
];

pub(super) fn doc(bench: &Bench) -> Result<Done, Failed> {
    let mut command = bench.cargo(&["doc", "--locked", "--workspace", "--all-features"]);
    // The libraries, private items too, so that links in them are checked as well. The binary's
    // comments are its help texts, written for a terminal.
    command
        .args(["--lib", "--no-deps", "--document-private-items"])
        .env("RUSTDOCFLAGS", "-D warnings");
    run(bench, command)?;
    Ok(Done::check())
}

pub(super) fn doctest(bench: &Bench) -> Result<Done, Failed> {
    let arguments = ["test", "--locked", "--workspace", "--all-features", "--doc"];
    let output = run(bench, bench.cargo(&arguments))?;
    // A workspace whose examples are all in guides has none, and that is no failure.
    Ok(Done::tests(closing_lines(&output).unwrap_or(Tally::ONE)))
}

/// Packages that are a step of their own.
const SIMULATION: &str = "leverframe-sim";
const PROCESS: &str = "lever";

pub(super) fn test(bench: &Bench) -> Result<Done, Failed> {
    let filter = format!("not (package({SIMULATION}) or package({PROCESS}))");
    let without = ["--workspace", "--exclude", SIMULATION, "--exclude", PROCESS];
    tests(bench, &filter, &without, &[]).map(|(done, _)| done)
}

pub(super) fn process(bench: &Bench) -> Result<Done, Failed> {
    let filter = format!("package({PROCESS})");
    tests(bench, &filter, &["--package", PROCESS], &[]).map(|(done, _)| done)
}

pub(super) fn simulation(bench: &Bench) -> Result<Done, Failed> {
    let filter = format!("package({SIMULATION})");
    // A test that passed says its seeds, too.
    let shown = ["--success-output", "final"];
    let (mut done, output) = tests(bench, &filter, &["--package", SIMULATION], &shown)?;
    done.note = seeds(&output);
    Ok(done)
}

/// What the simulation says of its seeds, part by part: `seeds: 250 of 1000 from 1, every 4th …`.
fn seeds(output: &str) -> String {
    let mut lived = 0_u64;
    let mut all = "";
    for line in output.lines() {
        let said = line
            .trim()
            .strip_prefix("seeds: ")
            .and_then(|said| said.split_once(' '));
        if let Some((part, rest)) = said {
            lived += part.parse().unwrap_or(0);
            all = rest.split(',').next().unwrap_or(rest);
        }
    }
    match lived {
        0 => String::new(),
        lived => format!("seeds: {lived} {all}"),
    }
}

/// Runs the tests of some packages: with nextest, which runs each test in a process of its own
/// and ends those that hang, or with `cargo test` where there is no nextest.
fn tests(
    bench: &Bench,
    filter: &str,
    packages: &[&str],
    nextest: &[&str],
) -> Result<(Done, String), Failed> {
    let output = if has_nextest(bench) {
        let mut command = bench.cargo(&["nextest", "run", "--locked", "--workspace"]);
        command.args(["--all-features", "-E", filter]).args(nextest);
        run(bench, command)?
    } else {
        let mut command = bench.cargo(&["test", "--locked", "--all-features", "--all-targets"]);
        command.args(packages).args(["--", "--show-output"]);
        run(bench, command)?
    };
    match closing_lines(&output) {
        Some(tally) if tally.passed > 0 => Ok((Done::tests(tally), output)),
        _ => Err(Failed {
            output,
            ..Failed::new("no test ran")
        }),
    }
}

fn has_nextest(bench: &Bench) -> bool {
    let mut command: Command = bench.cargo(&["nextest", "--version"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::seeds;

    #[test]
    fn the_seeds_of_all_parts_are_added_up() {
        let output = "test seeds::every_promise ... ok\n  seeds: 250 of 1000 from 1, every 4th from 1\n\
                      seeds: 750 of 1000 from 1, every 4th from 2\n";
        assert_eq!(seeds(output), "seeds: 1000 of 1000 from 1");
        assert_eq!(seeds("nothing"), "");
    }
}
