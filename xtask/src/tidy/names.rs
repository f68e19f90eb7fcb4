//! A file is called by what it is about, never by being a drawer.

use super::Finding;
use crate::tree::Tree;

const DRAWERS: [&str; 6] = ["common", "helper", "helpers", "manager", "types", "utils"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.ending(".rs") {
        let mut parts = file.path.split('/');
        let drawer = |part: &str| DRAWERS.contains(&part.trim_end_matches(".rs"));
        if parts.any(drawer) {
            findings.push(Finding::new(
                &file.path,
                "is named after a drawer, not after a noun",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawers_are_found_as_files_and_as_folders() {
        let tree = Tree::of(&[
            ("crates/a/src/utils.rs", ""),
            ("crates/a/src/common/x.rs", ""),
            ("crates/a/src/value_types.rs", ""),
        ]);
        assert_eq!(check(&tree).len(), 2);
    }
}
