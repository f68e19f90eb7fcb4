//! The steps in which real clients talk to the real binary. They are installed from their
//! registries by lock file, into `e2e/`.

use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;

use super::cargo::BUILD;
use crate::bench::Bench;
use crate::outcome::{Done, Failed, closing_lines};
use crate::program::run;

/// Where the harnesses find the binary.
const BINARY_VARIABLE: &str = "LEVER_BIN";
/// Where the browser's tests leave their files.
const FILES_VARIABLE: &str = "LEVER_BROWSER_OUT";

pub(super) fn node(bench: &Bench) -> Result<Done, Failed> {
    let binary = binary(bench)?;
    let place = npm_place(bench)?;
    let mut test = bench.command("node");
    test.current_dir(&place)
        .args(["--test", "--test-reporter=spec"])
        .args(test_files(&place.join("node"), ".test.js")?)
        .env(BINARY_VARIABLE, binary);
    counted(run(bench, test)?)
}

/// What each task of an operator took is shown, and stays in the target directory with a picture of
/// every page.
pub(super) fn browser(bench: &Bench) -> Result<Done, Failed> {
    let binary = binary(bench)?;
    let place = npm_place(bench)?;
    let files = binary
        .ancestors()
        .nth(2)
        .ok_or_else(|| Failed::new(format!("{} is in no directory", binary.display())))?
        .join("browser");
    let mut test = bench.command("node");
    test.current_dir(&place)
        .args(["--test", "--test-reporter=spec"])
        .args(test_files(&place.join("browser"), ".test.js")?)
        .env(BINARY_VARIABLE, &binary)
        .env(FILES_VARIABLE, &files);
    let mut done = counted(run(bench, test)?)?;
    let tasks = files.join("tasks.txt");
    let table = std::fs::read_to_string(&tasks)
        .map_err(|error| Failed::new(format!("{}: {error}", tasks.display())))?;
    for line in table.lines() {
        println!("  {line}");
    }
    done.note = format!("pages in {}", files.display());
    Ok(done)
}

/// Where the packages of npm are, installed by lock file.
fn npm_place(bench: &Bench) -> Result<PathBuf, Failed> {
    let place = bench.root().join("e2e");
    let mut install = bench.command("npm");
    install
        .current_dir(&place)
        .args(["ci", "--no-audit", "--no-fund"]);
    run(bench, install)?;
    Ok(place)
}

pub(super) fn python(bench: &Bench) -> Result<Done, Failed> {
    let binary = binary(bench)?;
    let place = bench.root().join("e2e");
    let environment = place.join(".venv");
    let interpreter = environment.join("bin/python");
    if !interpreter.is_file() {
        let mut create = bench.command("python3");
        create.args(["-m", "venv"]).arg(&environment);
        run(bench, create)?;
    }
    let mut install = bench.command(&interpreter);
    install
        .current_dir(&place)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(["--require-hashes", "--requirement", "requirements.txt"]);
    run(bench, install)?;
    let mut test = bench.command(&interpreter);
    test.current_dir(place.join("python"))
        .args(["-m", "unittest", "--verbose"])
        .env(BINARY_VARIABLE, binary);
    counted(run(bench, test)?)
}

fn counted(output: String) -> Result<Done, Failed> {
    match closing_lines(&output) {
        Some(tally) if tally.passed > 0 => Ok(Done::tests(tally)),
        _ => Err(Failed {
            output,
            ..Failed::new("no test ran")
        }),
    }
}

/// Builds as the build step does, so that nothing is built twice, and gives the path.
fn binary(bench: &Bench) -> Result<PathBuf, Failed> {
    run(bench, bench.cargo(&BUILD))?;
    let metadata = MetadataCommand::new()
        .current_dir(bench.root())
        .no_deps()
        .exec()
        .map_err(|error| Failed::new(error.to_string()))?;
    let binary = metadata.target_directory.join("debug/lever");
    if binary.is_file() {
        Ok(binary.into_std_path_buf())
    } else {
        Err(Failed::new(format!("{binary} was not built")))
    }
}

/// Named one by one: Node 20 takes no pattern.
fn test_files(place: &Path, ending: &str) -> Result<Vec<PathBuf>, Failed> {
    let unreadable = |error: std::io::Error| Failed::new(format!("{}: {error}", place.display()));
    let mut files = Vec::new();
    for entry in place.read_dir().map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.to_string_lossy().ends_with(ending) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
