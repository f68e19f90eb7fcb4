//! The dependency law: which crate may know which, and what the pure ones may never reach.

use std::collections::{BTreeSet, HashMap};

use cargo_metadata::{DependencyKind, Metadata, PackageId};

use super::Finding;

/// One crate and the crates of ours that it may know.
struct Article {
    package: &'static str,
    may_know: &'static [&'static str],
    /// Beyond `may_know`, for its tests. Nobody's tests know a crate that stands above it, but for
    /// the client's and the server's, which talk to a running server.
    tests_may_know: &'static [&'static str],
}

const FLAGS: &str = "leverframe-flags";
const CORE: &str = "leverframe-core";
const WIRE: &str = "leverframe-wire";
const CONSOLE: &str = "leverframe-console";
const STORE: &str = "leverframe-store";
const NODE: &str = "leverframe-node";
const SERVER: &str = "leverframe-server";
const CLIENT: &str = "leverframe";
const LEVER: &str = "lever";

const LAW: [Article; 11] = [
    Article::new(FLAGS, &[], &[]),
    Article::new(CORE, &[FLAGS], &[]),
    Article::new(WIRE, &[], &[]),
    Article::new(CONSOLE, &[WIRE], &[]),
    Article::new(STORE, &[FLAGS, CORE], &[]),
    Article::new(NODE, &[FLAGS, CORE, STORE], &[]),
    Article::new(
        SERVER,
        &[FLAGS, CORE, STORE, NODE, WIRE, CONSOLE],
        &[CLIENT],
    ),
    Article::new(CLIENT, &[FLAGS, WIRE], &[CORE, STORE, NODE, SERVER]),
    Article::new(
        LEVER,
        &[FLAGS, CORE, STORE, NODE, SERVER, WIRE, CONSOLE, CLIENT],
        &[],
    ),
    Article::new("leverframe-sim", &[FLAGS, CORE, STORE], &[]),
    Article::new("xtask", &[], &[]),
];

/// These decide; they never wait, draw lots, or talk to anything.
const PURE: [&str; 4] = [FLAGS, CORE, WIRE, CONSOLE];

/// What a pure crate never reaches, through whatever it depends on.
const IMPURE: [&str; 9] = [
    "axum",
    "getrandom",
    "hyper",
    "mio",
    "rand",
    "reqwest",
    "rusqlite",
    "socket2",
    "tokio",
];

impl Article {
    const fn new(
        package: &'static str,
        may_know: &'static [&'static str],
        tests_may_know: &'static [&'static str],
    ) -> Self {
        Self {
            package,
            may_know,
            tests_may_know,
        }
    }
}

/// One of our crates knows another.
struct Edge {
    from: String,
    to: String,
    test_only: bool,
}

pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    let packages = metadata.workspace_packages();
    let ours: BTreeSet<&str> = packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let edges = packages.iter().flat_map(|package| {
        let known = package.dependencies.iter();
        known
            .filter(|dependency| ours.contains(dependency.name.as_str()))
            .map(|dependency| Edge {
                from: package.name.to_string(),
                to: dependency.name.clone(),
                test_only: dependency.kind == DependencyKind::Development,
            })
    });
    let mut findings: Vec<_> = edges.filter_map(|edge| judge(&edge)).collect();
    for package in &ours {
        if LAW.iter().all(|article| article.package != *package) {
            let what = "the dependency law does not name this crate; a new one needs an ADR";
            findings.push(Finding::new(*package, what));
        }
    }
    findings.extend(PURE.iter().flat_map(|package| impure(metadata, package)));
    findings
}

fn judge(edge: &Edge) -> Option<Finding> {
    let article = LAW.iter().find(|article| article.package == edge.from)?;
    let allowed = article.may_know.contains(&edge.to.as_str())
        || edge.test_only && article.tests_may_know.contains(&edge.to.as_str());
    let word = if edge.test_only {
        "its tests know"
    } else {
        "knows"
    };
    let what = format!("{word} {}, against the dependency law", edge.to);
    (!allowed).then(|| Finding::new(&edge.from, what))
}

/// Follows what `package` is built with, tests aside.
fn impure(metadata: &Metadata, package: &str) -> Vec<Finding> {
    let Some(resolve) = &metadata.resolve else {
        return vec![Finding::new(package, "cargo metadata resolved nothing")];
    };
    let nodes: HashMap<&PackageId, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let start = metadata.packages.iter().find(|found| found.name == package);
    let mut ahead: Vec<(&PackageId, String)> = start
        .iter()
        .map(|found| (&found.id, package.to_owned()))
        .collect();
    let mut seen = BTreeSet::new();
    let mut findings = Vec::new();
    while let Some((id, path)) = ahead.pop() {
        let Some(node) = nodes.get(id).filter(|_| seen.insert(id)) else {
            continue;
        };
        for dependency in &node.deps {
            let built_with = dependency.dep_kinds.iter();
            if built_with
                .clone()
                .all(|kind| kind.kind != DependencyKind::Normal)
            {
                continue;
            }
            let name = dependency.name.as_str();
            let path = format!("{path} → {name}");
            if IMPURE.contains(&name) {
                findings.push(Finding::new(
                    package,
                    format!("is pure, but reaches {path}"),
                ));
            }
            ahead.push((&dependency.pkg, path));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(from: &str, to: &str, test_only: bool) -> bool {
        let edge = Edge {
            from: from.to_owned(),
            to: to.to_owned(),
            test_only,
        };
        judge(&edge).is_none()
    }

    #[test]
    fn nobody_knows_what_stands_above_it() {
        assert!(allowed(CORE, FLAGS, false));
        assert!(!allowed(FLAGS, CORE, false));
        assert!(!allowed(STORE, NODE, false));
        assert!(!allowed(CLIENT, CORE, false));
    }

    #[test]
    fn core_and_wire_do_not_know_each_other_even_in_tests() {
        assert!(!allowed(CORE, WIRE, false) && !allowed(CORE, WIRE, true));
        assert!(!allowed(WIRE, CORE, false) && !allowed(WIRE, CORE, true));
    }

    #[test]
    fn the_clients_tests_may_run_a_server_and_the_stores_may_not() {
        assert!(allowed(CLIENT, SERVER, true));
        assert!(!allowed(STORE, SERVER, true));
    }
}
