//! A source file is one noun, and fits in a head.

use super::Finding;
use crate::tree::Tree;

const LINES_MAX: usize = 500;

/// A file that may be longer, and why.
struct Exception {
    path: &'static str,
    because: &'static str,
}

const EXCEPTIONS: [Exception; 0] = [];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.ending(".rs") {
        let ours = file.path.starts_with("crates/") || file.path.starts_with("xtask/");
        let lines = file.text.lines().count();
        let excepted = EXCEPTIONS
            .iter()
            .any(|exception| exception.path == file.path);
        if ours && file.path.contains("/src/") && lines > LINES_MAX && !excepted {
            let what = format!("{lines} lines, over {LINES_MAX}: split it by noun");
            findings.push(Finding::new(&file.path, what));
        }
    }
    for exception in &EXCEPTIONS {
        let lines = tree
            .get(exception.path)
            .map_or(0, |file| file.text.lines().count());
        if lines <= LINES_MAX {
            let what = format!("is named as long ({}) and is not", exception.because);
            findings.push(Finding::new(exception.path, what));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_long_is_found() {
        let (fits, long) = ("\n".repeat(LINES_MAX), "\n".repeat(LINES_MAX + 1));
        let tree = Tree::of(&[("crates/a/src/b.rs", &fits), ("crates/a/src/c.rs", &long)]);
        let places: Vec<_> = check(&tree)
            .into_iter()
            .map(|finding| finding.place)
            .collect();
        assert_eq!(places, ["crates/a/src/c.rs"]);
    }
}
