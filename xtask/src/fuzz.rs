//! `cargo xtask fuzz`: every fuzz target of `fuzz/` for a while, on the nightly toolchain.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use cargo_metadata::MetadataCommand;

use crate::bench::Bench;
use crate::outcome::Failed;
use crate::program::run;

/// The longest input that is tried, in bytes: what is wrong shows in short ones, and sooner.
const INPUT_BYTES_MAX: u32 = 4096;

/// The names of the targets, as `fuzz/Cargo.toml` has them.
pub(crate) fn targets(bench: &Bench) -> anyhow::Result<Vec<String>> {
    let metadata = MetadataCommand::new()
        .manifest_path(folder(bench).join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("fuzz/Cargo.toml")?;
    let targets = metadata
        .packages
        .iter()
        .flat_map(|package| &package.targets);
    Ok(targets
        .filter(|target| target.is_bin())
        .map(|target| target.name.clone())
        .collect())
}

/// Runs one target, or all of them one after another; true when none found anything.
pub(crate) fn run_alone(bench: &Bench, target: Option<&str>, seconds: u32) -> anyhow::Result<bool> {
    let mut targets = targets(bench)?;
    if let Some(wanted) = target {
        if !targets.iter().any(|name| name == wanted) {
            bail!(
                "there is no target {wanted}; there are {}",
                targets.join(", ")
            );
        }
        targets.retain(|name| name == wanted);
    }
    let mut is_clean = true;
    for name in targets {
        match fuzz(bench, &name, seconds) {
            Ok(told) => println!("✓ {name}: {told}"),
            Err(failed) => {
                is_clean = false;
                println!("{}\n✗ {name}: {}", failed.output.trim_end(), failed.why);
            }
        }
    }
    Ok(is_clean)
}

/// Fuzzes one target for so many seconds, from its corpus, which stays as it is; gives what the
/// fuzzer says at its end. Needs cargo-fuzz and a nightly toolchain.
pub(crate) fn fuzz(bench: &Bench, target: &str, seconds: u32) -> Result<String, Failed> {
    let found = bench.root().join("target/fuzz").join(target);
    std::fs::create_dir_all(&found)
        .map_err(|error| Failed::new(format!("{}: {error}", found.display())))?;
    // Not through the shims of rustup with `+nightly`: the CARGO that runs this is the pinned one.
    let mut command = bench.command("cargo");
    command
        .env_remove("CARGO")
        .env_remove("RUSTUP_TOOLCHAIN")
        // There is no unsafe code to sanitize, and without it twice as much is tried.
        .args(["+nightly", "fuzz", "run", "--sanitizer", "none", target])
        // What is new goes into the first, the committed one is only read.
        .arg(&found)
        .arg(folder(bench).join("corpus").join(target))
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={INPUT_BYTES_MAX}"))
        .args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]);
    let output = run(bench, command)?;
    Ok(ending(&output))
}

fn folder(bench: &Bench) -> PathBuf {
    bench.root().join("fuzz")
}

/// `#2097152 DONE cov: 1234 ft: 5678 …` in words.
fn ending(output: &str) -> String {
    let last = output
        .lines()
        .rev()
        .find(|line| line.starts_with('#') && line.contains(" cov: "));
    let Some(last) = last else {
        return "it said nothing of what it tried".to_owned();
    };
    let words: Vec<&str> = last.split_whitespace().collect();
    let after = |name: &str| {
        let at = words.iter().position(|word| *word == name);
        at.and_then(|at| words.get(at + 1)).copied().unwrap_or("?")
    };
    let tried = words
        .first()
        .map_or("?", |word| word.trim_start_matches('#'));
    format!(
        "{tried} inputs, coverage {}, features {}",
        after("cov:"),
        after("ft:")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_a_corpus_and_a_test_that_runs_it() {
        let bench = Bench::new();
        let targets = targets(&bench).unwrap();
        assert!(targets.len() > 5, "{targets:?}");
        for target in targets {
            let corpus = folder(&bench).join("corpus").join(&target);
            assert!(corpus.is_dir(), "{} is missing", corpus.display());
            let call = format!("replay(\"{target}\", {target}::check)");
            let is_replayed = ["flags", "core", "server", "client"].iter().any(|name| {
                let test = bench
                    .root()
                    .join(format!("crates/{name}/tests/it/corpus.rs"));
                std::fs::read_to_string(test).is_ok_and(|text| text.contains(&call))
            });
            assert!(is_replayed, "no tests/it/corpus.rs has {call}");
        }
    }

    #[test]
    fn the_last_line_of_the_fuzzer_is_told_in_words() {
        let output =
            "#2\tINITED cov: 1 ft: 2\n#900\tDONE   cov: 12 ft: 34 corp: 5/6b\nDone 900 runs\n";
        assert_eq!(ending(output), "900 inputs, coverage 12, features 34");
    }
}
