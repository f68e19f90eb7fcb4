//! A lint is expected with a reason, never allowed: an expectation that no longer holds is a
//! warning.

use super::Finding;
use crate::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.ending(".rs") {
        for (number, line) in (1..).zip(file.text.lines()) {
            let line = line.trim_start();
            if line.starts_with("#[allow(") || line.starts_with("#![allow(") {
                let place = format!("{}:{number}", file.path);
                findings.push(Finding::new(place, "write #[expect(…, reason = \"…\")]"));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowed_lint_is_found_with_its_line() {
        let tree = Tree::of(&[("a.rs", "x\n  #[allow(dead_code)]\n#[expect(dead_code)]\n")]);
        let findings = check(&tree);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].place, "a.rs:2");
    }
}
