//! Reads definitions, and refuses what it does not understand: file, field, and what is wrong.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use leverframe_flags::{Expression, FlagKey, SegmentKey};
use leverframe_wire::admin::{FlagDefinition, Measure, PlanDefinition, SegmentDefinition};
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
    if layout.plans.is_dir() {
        for path in yaml_files(&layout.plans, &mut errors)? {
            take(&path, plan, &mut definitions.plans, &mut errors);
        }
    }
    if errors.is_empty() && definitions == Definitions::default() {
        errors.push(format!(
            "{}: there is no definition in it (files are called flags/<key>.yaml, \
             segments/<key>.yaml and plans/<key>.yaml)",
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

/// Reads one plan from a file of any name.
///
/// # Errors
/// Exit 2 with what is wrong in it.
pub(crate) fn one(path: &Path) -> Result<PlanDefinition, Failure> {
    parse(path)
        .and_then(|mut definition| plan(&mut definition).map(|_| definition))
        .map_err(|why| Failure::usage(format!("{}: {why}; nothing changed", path.display())))
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

/// What can be said of a plan without the server, which has the last word.
fn plan(definition: &mut PlanDefinition) -> Result<String, String> {
    let key = FlagKey::new(&definition.key).map_err(|error| format!("key: {error}"))?;
    for (index, stage) in definition.stages.iter().enumerate() {
        let targets = [
            !stage.cohorts.is_empty(),
            stage.percentage.is_some(),
            stage.synthetic,
            stage.look.is_some(),
        ];
        if targets.into_iter().filter(|is_named| *is_named).count() != 1 {
            return Err(format!(
                "stages[{index}]: say exactly one of cohorts, percentage, synthetic and look"
            ));
        }
        for cohort in &stage.cohorts {
            SegmentKey::new(cohort).map_err(|error| format!("stages[{index}].cohorts: {error}"))?;
        }
    }
    for (index, metric) in definition.metrics.iter().enumerate() {
        if metric.measure.is_none() && Measure::of_name(&metric.key).is_none() {
            return Err(format!(
                "metrics[{index}]: there is no metric {:?} that is known by its name (errors and \
                 latency_p95 are); say with `measure` where it is seen",
                metric.key
            ));
        }
    }
    *definition = definition.clone().settled();
    Ok(key.to_string())
}

/// A condition as the server prints it, so that spaces and quotes are no difference.
fn printed(when: &str) -> Result<String, String> {
    when.parse::<Expression>()
        .map(|expression| expression.to_string())
        .map_err(|error| error.to_string())
}
