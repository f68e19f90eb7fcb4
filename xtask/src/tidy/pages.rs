//! Pages everybody looks for are there, keep their form, and name tests that exist.

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
    findings.extend(unknown_tests(tree));
    findings
}

/// Pages whose tables name tests, and how the rows that do begin.
const PROMISES: [(&str, &str); 3] = [
    ("README.md", "| P"),
    ("docs/explanation/promises.md", "| "),
    ("docs/explanation/safeties.md", "| "),
];

/// Tests that a page names in a table row of promises and that nobody wrote: `a_test`, or with the
/// crate that must have it, `core::a_test`.
fn unknown_tests(tree: &Tree) -> Vec<Finding> {
    let is_written = |name: &str| {
        let (of_crate, test) = name.split_once("::").unwrap_or(("", name));
        let folder = match of_crate {
            // The client's crate is called after the whole.
            "leverframe" => "crates/client/".to_owned(),
            "" => String::new(),
            of_crate => format!("crates/{of_crate}/"),
        };
        // A generic one, and one that a macro writes: its name begins a line of its own.
        let heads = [
            format!("fn {test}("),
            format!("fn {test}<"),
            format!("\n    {test}: "),
        ];
        tree.ending(".rs").any(|file| {
            file.path.starts_with(&folder) && heads.iter().any(|head| file.text.contains(head))
        })
    };
    let named = |page: &'static str, beginning: &'static str| {
        let text = tree.get(page).map_or("", |page| page.text.as_str());
        let rows = text.lines().filter(move |line| line.starts_with(beginning));
        // The last column holds the tests.
        let tests = rows.filter_map(|row| row.trim_end_matches([' ', '|']).rsplit(" | ").next());
        tests.flat_map(|tests| tests.split('`').skip(1).step_by(2))
    };
    PROMISES
        .into_iter()
        .flat_map(|(page, beginning)| named(page, beginning).map(move |name| (page, name)))
        .filter(|(_, name)| match name.contains('/') {
            true => !tree.has(name),
            false => name.contains('_') && !is_written(name),
        })
        .map(|(page, name)| Finding::new(page, format!("there is no test {name}")))
        .collect()
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

    #[test]
    fn a_promise_with_a_test_that_nobody_wrote_is_found() {
        let readme = "| P1 | x | `a_test_there_is`, `a_test_there_is_not` |\n`not_in_a_row`\n";
        let tree = Tree::of(&[("README.md", readme), ("a.rs", "fn a_test_there_is() {}\n")]);
        let unknown: Vec<_> = unknown_tests(&tree)
            .into_iter()
            .map(|found| found.what)
            .collect();
        assert_eq!(unknown, ["there is no test a_test_there_is_not"]);
        let page = "| the lock | `crates/store/src/lock_file.rs` | `a_plant`, `no_plant` |\n";
        let macros = "plants! {\n    a_plant: Plant;\n}\n";
        let tree = Tree::of(&[("docs/explanation/safeties.md", page), ("a.rs", macros)]);
        let unknown: Vec<_> = unknown_tests(&tree)
            .into_iter()
            .map(|found| found.what)
            .collect();
        assert_eq!(unknown, ["there is no test no_plant"]);
    }

    #[test]
    fn a_test_is_looked_for_in_the_crate_that_is_named() {
        let page = "| what | happens | `core::a_b`, `flags::a_b`, `leverframe::c_d`, `e2e/x.py` |\n\
                    | `not_a_test` | happens | `e2e/a_file.py` |\n";
        let tree = Tree::of(&[
            ("docs/explanation/promises.md", page),
            ("crates/core/tests/it/x.rs", "fn a_b() {}\n"),
            ("crates/client/src/y.rs", "fn c_d() {}\n"),
            ("e2e/a_file.py", ""),
        ]);
        let unknown: Vec<_> = unknown_tests(&tree)
            .into_iter()
            .map(|found| found.what)
            .collect();
        assert_eq!(
            unknown,
            ["there is no test flags::a_b", "there is no test e2e/x.py"]
        );
    }
}
