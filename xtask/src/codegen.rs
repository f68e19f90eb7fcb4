//! Rewrites the pages that are made from the code.

use anyhow::{Context as _, anyhow, bail};

use crate::bench::Bench;
use crate::tidy::limits;
use crate::tree::Tree;

/// Tests that compare a page with the code write the page when they find this set.
const WRITE_PAGES: &str = "LEVER_UPDATE_DOCS";

/// Packages with such tests.
const PACKAGES: [&str; 2] = ["leverframe-server", "lever"];

pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    let page = limits::page(&Tree::read(bench)?).map_err(|finding| anyhow!("{finding}"))?;
    let path = bench.root().join(limits::PAGE);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::write(&path, page).with_context(|| path.display().to_string())?;
    println!("wrote {}", limits::PAGE);

    let mut command = bench.cargo(&["test", "--quiet", "--all-features", "--test", "it"]);
    for package in PACKAGES {
        command.args(["--package", package]);
    }
    let status = command
        .env(WRITE_PAGES, "1")
        .status()
        .context("cargo does not start")?;
    if !status.success() {
        bail!("the tests that write the reference pages failed");
    }
    println!(
        "the tests of {} wrote theirs; see git diff",
        PACKAGES.join(" and ")
    );
    Ok(())
}
