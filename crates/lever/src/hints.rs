//! Every line that a message tells people to type can be typed: all of them are collected from the
//! sources and given to the parser.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};

use crate::arguments::Cli;

/// Where messages for people are written.
const SOURCES: [&str; 6] = ["core", "server", "store", "node", "client", "lever"];
/// A quotation mark within a string literal.
const MARK: char = '\u{1}';

#[test]
fn every_line_that_people_are_told_to_type_can_be_typed() {
    let hints = all();
    assert!(hints.len() > 25, "only {hints:#?}");
    let bad: Vec<String> = hints.iter().filter_map(|hint| why_not(hint)).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}

#[test]
fn a_line_that_cannot_be_typed_is_found() {
    for (bad, why) in [
        ("lever open checkout -e prod", "--to is missing"),
        ("lever undo 57 -r", "the reason is missing"),
        ("lever kil checkout", "there is no such command"),
    ] {
        assert!(why_not(bad).is_some(), "{bad}: {why}");
    }
    assert_eq!(why_not("lever token create"), None, "the name of a command");
    let text = "\"look: lever status -e {}; then\\n `lever undo r{0} -r \\\"…\\\"`\"";
    let found = ["lever undo r57 -r \u{1}…\u{1}", "lever status -e prod"];
    assert_eq!(hints_in(text), found);
}

/// Why a line cannot be typed. The bare name of a command is no line.
fn why_not(hint: &str) -> Option<String> {
    let words = words(hint);
    let error = Cli::try_parse_from(&words).err()?;
    let is_name = words
        .iter()
        .all(|word| word.chars().all(char::is_alphabetic));
    let is_incomplete = matches!(
        error.kind(),
        ErrorKind::MissingRequiredArgument
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::MissingSubcommand
    );
    let is_help = error.kind() == ErrorKind::DisplayHelp;
    if is_help || (is_name && is_incomplete) {
        return None;
    }
    Some(format!("{hint}: {error}"))
}

fn words(hint: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for letter in hint.chars() {
        match letter {
            MARK => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            letter => words.last_mut().unwrap().push(letter),
        }
    }
    words
}

fn all() -> Vec<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut hints = Vec::new();
    for source in SOURCES {
        for file in rust_files(&crates.join(source).join("src")) {
            let is_test = file.ends_with("tests.rs") || file.ends_with("hints.rs");
            if !is_test {
                let text = fs::read_to_string(&file).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                hints.extend(hints_in(code));
            }
        }
    }
    hints
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The lines in a source text: `lever` and a command, after a backtick, a colon or an opening quote,
/// up to where they end.
fn hints_in(code: &str) -> Vec<String> {
    let command = Cli::command();
    let is_command = |name: &str| command.get_subcommands().any(|sub| sub.get_name() == name);
    let text = joined(code);
    let mut hints = Vec::new();
    for start in ["`lever ", ": lever ", "\"lever "] {
        for rest in text.split(start).skip(1) {
            let end = rest
                .find(['`', '"', ';', '\n', '\\', '(', '→'])
                .unwrap_or(rest.len());
            let line = rest.get(..end).unwrap_or_default();
            let line = line.split(", ").next().unwrap_or_default().trim();
            if line.split(' ').next().is_some_and(is_command) {
                hints.push(filled(&format!("lever {line}")));
            }
        }
    }
    hints
}

/// Without comments and without the breaks in string literals.
fn joined(code: &str) -> String {
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let mut text = String::new();
    let mut is_continued = false;
    for line in lines {
        let line = if is_continued {
            line.trim_start()
        } else {
            line
        };
        is_continued = line.ends_with('\\');
        text.push_str(line.strip_suffix('\\').unwrap_or(line));
        if !is_continued {
            text.push('\n');
        }
    }
    text.replace("\\\"", &MARK.to_string())
}

/// With something for everything that is only known when it is said.
fn filled(hint: &str) -> String {
    let mut filled = String::new();
    let mut rest = hint;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let word = match name {
            "verb" => "advance",
            _ if before.ends_with('r') => "57",
            _ if before.ends_with("-e ") => "prod",
            _ if after.starts_with('%') => "10",
            // The rest of a line that is there or not.
            _ if !before.ends_with(' ') => "",
            _ => "checkout",
        };
        filled.push_str(before);
        filled.push_str(word);
        rest = after;
    }
    filled.push_str(rest);
    filled
        .replace("<backup>", "backup.db")
        .replace("--role ROLE", "--role brake")
}
