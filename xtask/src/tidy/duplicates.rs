//! No crate is built in two incompatible versions, but for the named.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::Metadata;
use cargo_metadata::semver::Version;

use super::Finding;

/// A crate that comes twice, and who keeps the older one.
struct Known {
    package: &'static str,
    because: &'static str,
}

const KNOWN: [Known; 5] = [
    Known::new("getrandom", "ring is on 0.2"),
    Known::new("rand_core", "imbl's rand_xoshiro is on 0.9"),
    Known::new("syn", "derive macros are moving from 2 to 3"),
    Known::new(
        "synstructure",
        "cargo metadata counts rcgen's x509-parser, which is not built",
    ),
    Known::new("tower-http", "reqwest is on 0.6"),
];

impl Known {
    const fn new(package: &'static str, because: &'static str) -> Self {
        Self { package, because }
    }
}

pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    let packages = metadata.packages.iter();
    judge(packages.map(|package| (package.name.as_str(), &package.version)))
}

fn judge<'a>(packages: impl Iterator<Item = (&'a str, &'a Version)>) -> Vec<Finding> {
    let mut lines: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (name, version) in packages {
        lines.entry(name).or_default().insert(line(version));
    }
    lines.retain(|_, versions| versions.len() > 1);
    let mut findings = Vec::new();
    for (name, versions) in &lines {
        if KNOWN.iter().all(|known| known.package != *name) {
            let versions: Vec<_> = versions.iter().map(String::as_str).collect();
            let what = format!("is built in the versions {}", versions.join(" and "));
            findings.push(Finding::new(*name, what));
        }
    }
    for known in &KNOWN {
        if !lines.contains_key(known.package) {
            let what = format!("is named as a duplicate ({}) and is none", known.because);
            findings.push(Finding::new(known.package, what));
        }
    }
    findings
}

/// Versions of one line are compatible, and Cargo builds one of them.
fn line(version: &Version) -> String {
    match (version.major, version.minor) {
        (0, 0) => version.to_string(),
        (0, minor) => format!("0.{minor}"),
        (major, _) => major.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_incompatible_versions_are_found_and_two_compatible_ones_are_not() {
        let versions = ["1.0.0", "2.0.0", "0.3.1", "0.3.9"].map(|v| Version::parse(v).unwrap());
        let [one, two, old, new] = &versions;
        let findings = judge([("a", one), ("a", two), ("b", old), ("b", new)].into_iter());
        let about = |name: &str| findings.iter().any(|finding| finding.place == name);
        assert!(about("a") && !about("b"));
        assert!(about("syn"), "a named duplicate that is none is found too");
    }
}
