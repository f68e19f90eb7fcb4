//! Every dependency a crate names is used by it.

use cargo_metadata::Metadata;

use super::Finding;
use crate::tree::{TextFile, Tree};

pub(super) fn check(tree: &Tree, metadata: &Metadata) -> Vec<Finding> {
    let root = &metadata.workspace_root;
    let mut findings = Vec::new();
    for package in metadata.workspace_packages() {
        let folder = package.manifest_path.parent();
        let Some(folder) = folder.and_then(|folder| folder.strip_prefix(root).ok()) else {
            continue;
        };
        let inside = format!("{folder}/");
        let code: Vec<_> = tree
            .ending(".rs")
            .filter(|file| file.path.starts_with(&inside))
            .collect();
        for dependency in &package.dependencies {
            let name = dependency.rename.as_ref().unwrap_or(&dependency.name);
            if !used(&code, name) {
                let what = format!("depends on {name} and does not use it");
                findings.push(Finding::new(package.name.to_string(), what));
            }
        }
    }
    findings
}

/// Whether the crate is named anywhere: in a path, an attribute, or a `use`.
fn used(code: &[&TextFile], dependency: &str) -> bool {
    let name = dependency.replace('-', "_");
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let names_it = |line: &str| {
        line.match_indices(&name).any(|(at, _)| {
            let (before, after) = (line[..at].chars().next_back(), &line[at + name.len()..]);
            let starts = before.is_none_or(|c| !is_word(c));
            starts && !after.chars().next().is_some_and(is_word)
        })
    };
    code.iter().any(|file| {
        let mut lines = file.text.lines().map(str::trim_start);
        lines.any(|line| !line.starts_with("//") && names_it(line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_used_when_code_names_it_as_a_whole_word() {
        let tree = Tree::of(&[("crates/a/src/lib.rs", "use serde_json::Value;\n// rand\n")]);
        let code: Vec<_> = tree.iter().collect();
        assert!(used(&code, "serde-json"));
        assert!(!used(&code, "serde"));
        assert!(!used(&code, "rand"));
    }
}
