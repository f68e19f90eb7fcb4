//! Every relative link of every page leads somewhere, to a heading too where it names one.

use super::Finding;
use crate::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in tree.ending(".md") {
        for (number, target) in targets(&page.text) {
            if let Err(what) = follow(tree, &page.path, target) {
                findings.push(Finding::new(format!("{}:{number}", page.path), what));
            }
        }
    }
    findings
}

/// Link targets with their line numbers; code is skipped.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut targets = Vec::new();
    let mut fenced = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced || line.starts_with("    ") {
            continue;
        }
        // Even parts are prose, odd ones stand between backticks. A link text may hold code, but
        // its target never does, and stands in the prose after it.
        for prose in line.split('`').step_by(2) {
            for (at, _) in prose.match_indices("](") {
                let rest = &prose[at + 2..];
                if let Some((target, _)) = rest.split_once(')') {
                    targets.push((number, target));
                }
            }
        }
    }
    targets
}

fn follow(tree: &Tree, page: &str, target: &str) -> Result<(), String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return Ok(());
    }
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let path = match path {
        "" => page.to_owned(),
        path => resolve(page, path).ok_or_else(|| format!("{target} leads out of the project"))?,
    };
    if !tree.has(&path) {
        return Err(format!("{target} leads nowhere"));
    }
    match tree.get(&path) {
        Some(file) if !heading.is_empty() && !has_heading(&file.text, heading) => {
            Err(format!("{target}: there is no such heading"))
        }
        _ => Ok(()),
    }
}

/// `path` as seen from the folder of `page`.
fn resolve(page: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn has_heading(text: &str, wanted: &str) -> bool {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| anchor(line.trim_start_matches('#')))
        .any(|found| found == wanted)
}

/// A heading's anchor, as forges make it.
fn anchor(heading: &str) -> String {
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(text: &str) -> usize {
        let tree = Tree::of(&[
            ("docs/a.md", text),
            ("docs/b.md", "# What it is, exactly\n"),
            ("README.md", ""),
        ]);
        check(&tree).len()
    }

    #[test]
    fn links_that_lead_somewhere_are_accepted() {
        let text = "[b](b.md) [root](../README.md) [folder](../docs/) [web](https://x.y)\n\
                    [`code`](b.md#what-it-is-exactly)\n";
        assert_eq!(broken(text), 0);
    }

    #[test]
    fn a_missing_file_a_missing_heading_and_a_way_out_are_found() {
        assert_eq!(
            broken("[x](c.md)\n[x](b.md#no)\n[x](../../other/x.md)\n"),
            3
        );
    }

    #[test]
    fn what_looks_like_a_link_in_code_is_none() {
        assert_eq!(
            broken("`a[0](x)`\n```\n[x](nowhere)\n```\n    [x](nowhere)\n"),
            0
        );
    }
}
