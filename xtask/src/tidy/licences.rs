//! Every dependency's licence is one that an Apache-2.0 project can ship.

use cargo_metadata::Metadata;

use super::Finding;

const ALLOWED: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// A crate under another licence.
struct Exception {
    package: &'static str,
    licence: &'static str,
}

/// The persistent maps of the state are file-level copyleft: we link them unchanged, and say where
/// their source is. `docs/adr/0001-persistent-maps.md` says why they are worth it.
///
/// What ammonia reads styles with is of the same kind.
const EXCEPTIONS: [Exception; 4] = [
    Exception::new("cssparser", "MPL-2.0"),
    Exception::new("dtoa-short", "MPL-2.0"),
    Exception::new("imbl", "MPL-2.0+"),
    Exception::new("imbl-sized-chunks", "MPL-2.0+"),
];

impl Exception {
    const fn new(package: &'static str, licence: &'static str) -> Self {
        Self { package, licence }
    }
}

pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &metadata.packages {
        let name = package.name.as_str();
        let licence = package.license.as_deref().unwrap_or("no licence");
        let excepted = |found: &&Exception| found.package == name && found.licence == licence;
        if !accepted(licence) && EXCEPTIONS.iter().find(excepted).is_none() {
            findings.push(Finding::new(
                name,
                format!("{licence} is not an allowed licence"),
            ));
        }
    }
    for exception in &EXCEPTIONS {
        if metadata
            .packages
            .iter()
            .all(|package| package.name != exception.package)
        {
            let what = "has a licence exception and is no longer used";
            findings.push(Finding::new(exception.package, what));
        }
    }
    findings
}

/// Whether an SPDX expression can be met with allowed licences alone. `A WITH x` permits more than
/// `A`, so it is accepted when `A` is.
fn accepted(expression: &str) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any(&mut rest) && rest.is_empty()
}

fn any(rest: &mut &[&str]) -> bool {
    let mut met = all(rest);
    while next_is(rest, "OR") {
        met |= all(rest);
    }
    met
}

fn all(rest: &mut &[&str]) -> bool {
    let mut met = one(rest);
    while next_is(rest, "AND") {
        met &= one(rest);
    }
    met
}

fn one(rest: &mut &[&str]) -> bool {
    if next_is(rest, "(") {
        return any(rest) & next_is(rest, ")");
    }
    let Some((name, tail)) = rest.split_first() else {
        return false;
    };
    *rest = tail;
    if next_is(rest, "WITH") {
        *rest = rest.get(1..).unwrap_or_default();
    }
    ALLOWED.contains(name)
}

fn next_is(rest: &mut &[&str], word: &str) -> bool {
    let found = rest.first() == Some(&word);
    if found {
        *rest = rest.get(1..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::accepted;

    #[test]
    fn an_expression_is_accepted_when_allowed_licences_meet_it() {
        for expression in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(accepted(expression), "{expression}");
        }
    }

    #[test]
    fn an_expression_is_refused_when_one_part_cannot_be_met() {
        for expression in [
            "GPL-3.0-only",
            "MPL-2.0+",
            "MIT AND GPL-3.0-only",
            "(MIT OR GPL-3.0) AND AGPL-3.0",
            "no licence",
            "",
            "(MIT",
        ] {
            assert!(!accepted(expression), "{expression}");
        }
    }
}
