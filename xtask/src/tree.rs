//! The checkout as text: every file that Git knows of or would add.

use std::path::Path;

use anyhow::{Context as _, ensure};

use crate::bench::Bench;

/// The files, by path.
pub(crate) struct Tree {
    files: Vec<TextFile>,
    /// What is there and no text, such as a picture.
    others: Vec<String>,
}

/// One file that is text.
pub(crate) struct TextFile {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Tree {
    pub(crate) fn read(bench: &Bench) -> anyhow::Result<Self> {
        let mut command = bench.command("git");
        command.args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]);
        let output = command.output().context("git does not start")?;
        ensure!(
            output.status.success(),
            "git ls-files: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        let listed = String::from_utf8(output.stdout).context("a path is not UTF-8")?;
        let mut tree = Self {
            files: Vec::new(),
            others: Vec::new(),
        };
        for path in listed.split('\0').filter(|path| !path.is_empty()) {
            match read(bench.root(), path) {
                Some(file) => tree.files.push(file),
                None if bench.root().join(path).is_file() => tree.others.push(path.to_owned()),
                None => {}
            }
        }
        Ok(tree)
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| TextFile {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        Self {
            files: files.iter().map(file).collect(),
            others: Vec::new(),
        }
    }

    /// Files whose path ends with `ending`.
    pub(crate) fn ending(&self, ending: &str) -> impl Iterator<Item = &TextFile> {
        self.files
            .iter()
            .filter(move |file| file.path.ends_with(ending))
    }

    pub(crate) fn get(&self, path: &str) -> Option<&TextFile> {
        self.files.iter().find(|file| file.path == path)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &TextFile> {
        self.files.iter()
    }

    /// Whether there is a file, or a folder with a file in it.
    pub(crate) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let inside = |there: &str| {
            let rest = there.strip_prefix(path);
            path.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.files.iter().any(|file| inside(&file.path))
            || self.others.iter().any(|other| inside(other))
    }
}

impl TextFile {
    /// Whether it is product code rather than tests or tools.
    pub(crate) fn is_product(&self) -> bool {
        self.path.starts_with("crates/")
            && !self.path.starts_with("crates/sim/")
            && self.path.contains("/src/")
            && self.path.ends_with(".rs")
            && !self.path.ends_with("/tests.rs")
            && !self.path.contains("/tests/")
    }

    /// The crate's folder name: `flags` for `crates/flags/src/key.rs`.
    pub(crate) fn crate_folder(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    /// Lines of code with their numbers, from 1; comments and an inline test module left out.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let is_test_module = |at: usize| {
            let next = lines.iter().skip(at + 1).map(|line| line.trim());
            lines
                .get(at)
                .is_some_and(|line| line.trim() == "#[cfg(test)]")
                && next
                    .skip_while(|line| line.starts_with("#["))
                    .take(1)
                    .any(|line| line.starts_with("mod ") && line.ends_with('{'))
        };
        let end = (0..lines.len()).find(|at| is_test_module(*at));
        let end = end.unwrap_or(lines.len());
        (1..)
            .zip(lines)
            .take(end)
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// None for what is gone from the folder but not yet from Git's list, and for what is not text.
fn read(root: &Path, path: &str) -> Option<TextFile> {
    let text = std::fs::read_to_string(root.join(path)).ok()?;
    Some(TextFile {
        path: path.to_owned(),
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_stops_at_an_inline_test_module_and_skips_comments() {
        let text = "use a;\n// note\n#[cfg(test)]\nmod tests;\nlet b;\n#[cfg(test)]\nmod tests {\nlet c;\n}\n";
        let tree = Tree::of(&[("crates/flags/src/a.rs", text)]);
        let code: Vec<_> = tree.get("crates/flags/src/a.rs").unwrap().code().collect();
        let expected = vec![
            (1, "use a;"),
            (3, "#[cfg(test)]"),
            (4, "mod tests;"),
            (5, "let b;"),
        ];
        assert_eq!(code, expected);
    }

    #[test]
    fn a_folder_is_there_when_a_file_is_in_it() {
        let tree = Tree::of(&[("docs/adr/0001.md", "")]);
        assert!(tree.has("docs/adr") && tree.has("docs/adr/") && tree.has("docs/adr/0001.md"));
        assert!(!tree.has("docs/ad") && !tree.has("docs/adr/0002.md"));
    }
}
