//! Reads definitions, and refuses what it does not understand: file, field, and what is wrong.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use leverframe_flags::{Expression, FlagKey, SegmentKey};
use leverframe_wire::admin::{FlagDefinition, SegmentDefinition};
use serde::de::DeserializeOwned;
use serde_saphyr::options::DuplicateKeyPolicy;

use super::Definitions;
use super::layout::Layout;
use crate::failure::Failure;

/// No definition comes near this.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// How many errors are told at once.
const ERRORS_MAX: usize = 20;

/// Reads every definition in `directory`.
///
/// # Errors
/// Exit 2 with every file that is wrong and why; exit 1 where the directory cannot be read.
pub(crate) fn read(directory: &Path) -> Result<Definitions, Failure> {
    if !directory.is_dir() {
        return Err(Failure::usage(format!(
            "{} is not a directory with definitions; `lever export -o {}` writes one",
            directory.display(),
            directory.display()
        )));
    }
    let layout = Layout::to_read(directory);
    let mut errors = Vec::new();
    let mut definitions = Definitions::default();
    for path in yaml_files(&layout.flags, &mut errors)? {
        take(&path, flag, &mut definitions.flags, &mut errors);
    }
    if layout.segments.is_dir() {
        for path in yaml_files(&layout.segments, &mut errors)? {
            take(&path, segment, &mut definitions.segments, &mut errors);
        }
    }
    if errors.is_empty() && definitions == Definitions::default() {
        errors.push(format!(
            "{}: there is no definition in it (files are called flags/<key>.yaml and \
             segments/<key>.yaml)",
            directory.display()
        ));
    }
    if errors.is_empty() {
        return Ok(definitions);
    }
    let more = errors.len().saturating_sub(ERRORS_MAX);
    errors.truncate(ERRORS_MAX);
    if more > 0 {
        errors.push(format!("and {more} more"));
    }
    errors.push("nothing changed".to_owned());
    Err(Failure::usage(errors.join("\n")))
}

/// The `*.yaml` files right in `directory`, by name. Links are not followed: what they lead to may
/// be outside.
fn yaml_files(directory: &Path, errors: &mut Vec<String>) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error: std::io::Error| Failure::file(directory, error);
    let metadata = std::fs::symlink_metadata(directory).map_err(unreadable)?;
    if metadata.is_symlink() {
        errors.push(format!(
            "{}: is a link, and links are not followed",
            directory.display()
        ));
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        let extension = path.extension().unwrap_or_default();
        if extension == "yml" {
            errors.push(format!(
                "{}: call it .yaml; other names are not read",
                path.display()
            ));
        }
        if extension != "yaml" {
            continue;
        }
        if entry.file_type().map_err(unreadable)?.is_file() {
            files.push(path);
        } else {
            errors.push(format!(
                "{}: is not a regular file; links are not followed",
                path.display()
            ));
        }
    }
    files.sort();
    Ok(files)
}

fn take<T: DeserializeOwned>(
    path: &Path,
    check: impl Fn(&mut T) -> Result<String, String>,
    into: &mut BTreeMap<String, T>,
    errors: &mut Vec<String>,
) {
    let outcome = parse(path).and_then(|mut definition: T| {
        let key = check(&mut definition)?;
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        if stem != Some(key.as_str()) {
            // Also what makes two files of one key impossible.
            return Err(format!("key: {key:?} belongs into {key}.yaml"));
        }
        Ok((key, definition))
    });
    match outcome {
        Ok((key, definition)) => {
            into.insert(key, definition);
        }
        Err(why) => errors.push(format!("{}: {why}", path.display())),
    }
}

fn parse<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let length = std::fs::metadata(path)
        .map_err(|error| error.to_string())?
        .len();
    if length > FILE_BYTES_MAX {
        return Err(format!("is larger than {FILE_BYTES_MAX} bytes"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(&text, options).map_err(|error| error.to_string())
}

fn flag(definition: &mut FlagDefinition) -> Result<String, String> {
    let key = FlagKey::new(&definition.key).map_err(|error| format!("key: {error}"))?;
    for (environment, rules) in &mut definition.environments {
        for (index, rule) in rules.rules.iter_mut().enumerate() {
            rule.when = printed(&rule.when)
                .map_err(|why| format!("environments.{environment}.rules[{index}].when: {why}"))?;
        }
    }
    Ok(key.to_string())
}

fn segment(definition: &mut SegmentDefinition) -> Result<String, String> {
    let key = SegmentKey::new(&definition.key).map_err(|error| format!("key: {error}"))?;
    if let Some(when) = &mut definition.when {
        *when = printed(when).map_err(|why| format!("when: {why}"))?;
    }
    Ok(key.to_string())
}

/// A condition as the server prints it, so that spaces and quotes are no difference.
fn printed(when: &str) -> Result<String, String> {
    when.parse::<Expression>()
        .map(|expression| expression.to_string())
        .map_err(|error| error.to_string())
}
