//! `docs/reference/limits.md` is made from the constants that enforce the limits.

use super::Finding;
use crate::tree::Tree;

pub(crate) const PAGE: &str = "docs/reference/limits.md";

/// A file whose constants are limits.
struct Source {
    path: &'static str,
    title: &'static str,
}

const SOURCES: [Source; 7] = [
    Source {
        path: "crates/flags/src/limit.rs",
        title: "Flags, segments and contexts",
    },
    Source {
        path: "crates/core/src/limit.rs",
        title: "The control plane",
    },
    Source {
        path: "crates/wire/src/frame.rs",
        title: "The evaluators' stream",
    },
    Source {
        path: "crates/store/src/limit.rs",
        title: "The store",
    },
    Source {
        path: "crates/node/src/limit.rs",
        title: "Other systems",
    },
    Source {
        path: "crates/node/src/outcomes/limit.rs",
        title: "Outcomes",
    },
    Source {
        path: "crates/server/src/limit.rs",
        title: "The surfaces",
    },
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    match page(tree) {
        Err(finding) => vec![finding],
        Ok(page) if tree.get(PAGE).is_some_and(|found| found.text == page) => Vec::new(),
        Ok(_) => vec![Finding::new(
            PAGE,
            "is out of date: run cargo xtask codegen",
        )],
    }
}

/// The page as it should be.
pub(crate) fn page(tree: &Tree) -> Result<String, Finding> {
    let mut page = String::from(
        "# Limits\n\n\
         Made from the code by `cargo xtask codegen`; `cargo xtask tidy` fails when they differ.\n\
         What is over a limit is refused with its name, never truncated, unless the line says so.\n",
    );
    for source in SOURCES {
        let missing = || Finding::new(source.path, "is missing");
        let file = tree.get(source.path).ok_or_else(missing)?;
        let Source { path, title } = source;
        page.push_str(&["\n## ", title, "\n\nFrom `", path, "`.\n\n"].concat());
        page.push_str("| limit | value | meaning |\n|---|---:|---|\n");
        for limit in limits(&file.text) {
            let wrong = |what| Finding::new(source.path, format!("{}: {what}", limit.name));
            page.push_str(&limit.row().map_err(wrong)?);
        }
    }
    Ok(page)
}

struct Limit {
    name: String,
    formula: String,
    meaning: String,
}

/// Constants that count something or last some time, with their documentation.
fn limits(text: &str) -> Vec<Limit> {
    let mut limits = Vec::new();
    let mut meaning: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(words) = line.strip_prefix("///") {
            meaning.push(words.trim());
            continue;
        }
        if let Some((name, formula)) = constant(line) {
            limits.push(Limit {
                name: name.to_owned(),
                formula: formula.to_owned(),
                meaning: plain(&meaning.join(" ")),
            });
        }
        meaning.clear();
    }
    limits
}

fn constant(line: &str) -> Option<(&str, &str)> {
    let declared = line
        .strip_prefix("pub const ")
        .or(line.strip_prefix("pub(crate) const "))?;
    let (declared, formula) = declared.strip_suffix(';')?.split_once(" = ")?;
    let (name, kind) = declared.split_once(": ")?;
    let kinds = ["Duration", "usize", "u8", "u16", "u32", "u64", "i64"];
    kinds.contains(&kind).then_some((name, formula))
}

impl Limit {
    fn row(&self) -> Result<String, String> {
        let Self { name, meaning, .. } = self;
        Ok(format!("| `{name}` | {} | {meaning} |\n", self.value()?))
    }

    /// The value for people: `65 536`, `30 s`.
    fn value(&self) -> Result<String, String> {
        let duration = |unit: &str| {
            let inner = self.formula.strip_prefix("Duration::from_")?;
            inner
                .strip_prefix(unit)?
                .strip_prefix('(')?
                .strip_suffix(')')
        };
        if let Some(seconds) = duration("secs") {
            return Ok(format!("{} s", grouped(product(seconds)?)));
        }
        if let Some(milliseconds) = duration("millis") {
            return Ok(format!("{} ms", grouped(product(milliseconds)?)));
        }
        product(&self.formula).map(grouped)
    }
}

fn product(formula: &str) -> Result<u64, String> {
    let mut value = 1_u64;
    for factor in formula.split('*') {
        let factor: Result<u64, _> = factor.trim().replace('_', "").parse();
        let factor = factor.map_err(|_| format!("{formula} is no product of numbers"))?;
        value = value.checked_mul(factor).ok_or("is too large")?;
    }
    Ok(value)
}

/// Documentation without its links: a page elsewhere has other ones.
fn plain(meaning: &str) -> String {
    meaning.replace("[`", "`").replace("`]", "`")
}

/// `1234567` as `1 234 567`.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_read_with_its_value_and_meaning() {
        let text = "/// Largest value, in bytes\n/// of [`JSON`].\npub const VALUE_BYTES_MAX: usize = 64 * 1_024;\n\
                    /// A path.\npub const PATH: &str = \"/x\";\n\
                    pub(crate) const LIFE: Duration = Duration::from_secs(60 * 60);\n";
        let limits = limits(text);
        assert_eq!(limits.len(), 2);
        assert_eq!(limits[0].value().as_deref(), Ok("65 536"));
        assert_eq!(limits[1].value().as_deref(), Ok("3 600 s"));
        assert_eq!(limits[0].meaning, "Largest value, in bytes of `JSON`.");
    }

    #[test]
    fn a_page_that_differs_from_the_code_is_found() {
        let mut files: Vec<_> = SOURCES.iter().map(|source| (source.path, "")).collect();
        let fresh = page(&Tree::of(&files)).unwrap_or_default();
        files.push((PAGE, &fresh));
        assert_eq!(check(&Tree::of(&files)), []);
        files[0].1 = "/// X.\npub const X_MAX: usize = 1;\n";
        assert_eq!(check(&Tree::of(&files)).len(), 1);
    }
}
