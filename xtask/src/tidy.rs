//! What no compiler checks. Each rule is a pure function of the tree and of `cargo metadata`, with
//! a test that shows it failing.

mod attributes;
mod dependency;
mod duplicates;
mod law;
mod licences;
pub(crate) mod limits;
mod links;
mod names;
mod pages;
mod size;
mod sources;
mod surfaces;

use std::fmt;

use anyhow::Context as _;
use cargo_metadata::{CargoOpt, Metadata, MetadataCommand};

use crate::bench::Bench;
use crate::outcome::{Done, Failed, Tally};
use crate::tree::Tree;

/// Something a rule does not accept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    place: String,
    what: String,
}

/// What rules look at.
struct Subject {
    tree: Tree,
    metadata: Metadata,
}

const RULES: [fn(&Subject) -> Vec<Finding>; 12] = [
    |subject| law::check(&subject.metadata),
    |subject| dependency::check(&subject.tree, &subject.metadata),
    |subject| sources::check(&subject.tree),
    |subject| licences::check(&subject.metadata),
    |subject| duplicates::check(&subject.metadata),
    |subject| size::check(&subject.tree),
    |subject| names::check(&subject.tree),
    |subject| attributes::check(&subject.tree),
    |subject| surfaces::check(&subject.tree),
    |subject| links::check(&subject.tree),
    |subject| pages::check(&subject.tree),
    |subject| limits::check(&subject.tree),
];

/// As a step of `cargo xtask test`.
pub(crate) fn step(bench: &Bench) -> Result<Done, Failed> {
    let findings = findings(bench).map_err(|error| Failed::new(format!("{error:#}")))?;
    if findings.is_empty() {
        return Ok(Done::tests(Tally {
            passed: RULES.len() as u64,
            failed: 0,
        }));
    }
    Err(Failed {
        output: findings
            .iter()
            .map(|finding| format!("  {finding}\n"))
            .collect(),
        ..Failed::new(format!("{} findings", findings.len()))
    })
}

/// As a command of its own; true when nothing was found.
pub(crate) fn run_alone(bench: &Bench) -> anyhow::Result<bool> {
    let findings = findings(bench)?;
    for finding in &findings {
        println!("{finding}");
    }
    println!("{} rules, {} findings", RULES.len(), findings.len());
    Ok(findings.is_empty())
}

fn findings(bench: &Bench) -> anyhow::Result<Vec<Finding>> {
    let subject = Subject {
        tree: Tree::read(bench)?,
        metadata: metadata(bench)?,
    };
    Ok(RULES.iter().flat_map(|rule| rule(&subject)).collect())
}

/// With every feature, for this platform only: what other platforms need is not downloaded here.
fn metadata(bench: &Bench) -> anyhow::Result<Metadata> {
    let about = bench
        .command("rustc")
        .arg("-vV")
        .output()
        .context("rustc does not start")?;
    let about = String::from_utf8_lossy(&about.stdout).into_owned();
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    MetadataCommand::new()
        .current_dir(bench.root())
        .features(CargoOpt::AllFeatures)
        .other_options([
            "--locked".to_owned(),
            "--filter-platform".to_owned(),
            host.context("rustc does not name its host")?.to_owned(),
        ])
        .exec()
        .context("cargo metadata")
}

impl Finding {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}
