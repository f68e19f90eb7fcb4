//! Pages everybody looks for are there and keep their form.

use super::Finding;
use crate::tree::Tree;

const README_LINES_MAX: usize = 200;

const PAGES: [&str; 5] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<_> = PAGES
        .iter()
        .filter(|page| tree.get(page).is_none())
        .map(|page| Finding::new(*page, "is missing"))
        .collect();
    let readme_lines = tree
        .get("README.md")
        .map_or(0, |page| page.text.lines().count());
    if readme_lines >= README_LINES_MAX {
        let what = format!("{readme_lines} lines; under {README_LINES_MAX} is what people read");
        findings.push(Finding::new("README.md", what));
    }
    let changes = tree.get("CHANGELOG.md");
    if changes.is_some_and(|page| page.text.lines().all(|line| line != "## Unreleased")) {
        findings.push(Finding::new(
            "CHANGELOG.md",
            "has no section `## Unreleased`",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_pages_and_a_change_log_without_an_open_section_are_found() {
        let long = "\n".repeat(README_LINES_MAX);
        let tree = Tree::of(&[("README.md", &long), ("CHANGELOG.md", "# Changes\n")]);
        let places: Vec<_> = check(&tree)
            .into_iter()
            .map(|finding| finding.place)
            .collect();
        let expected = [
            "ARCHITECTURE.md",
            "CONTRIBUTING.md",
            "LICENSE",
            "README.md",
            "CHANGELOG.md",
        ];
        assert_eq!(places, expected);
    }
}
