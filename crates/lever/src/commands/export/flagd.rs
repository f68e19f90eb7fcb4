//! `lever export --format flagd`: one environment as a flagd file.

use std::io::Write as _;
use std::path::Path;

use leverframe_core::flag::FlagDefinition;
use leverframe_core::flagd::{Export, ExportedFlag, Refusal, Remark, export};
use leverframe_flags::{Latch, Segment, Value, VariantKey};
use leverframe_wire::admin::{Flag, Position};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Tone, inert, inert_json, paint};
use crate::plan::Present;
use crate::session::Session;

/// What was written into a file.
#[derive(Serialize)]
struct Written<'w> {
    file: &'w Path,
    environment: &'w str,
    flags: usize,
    refused: &'w [Refusal],
    remarks: &'w [Remark],
}

/// Prints `environment`, to stdout or into a file.
pub(super) async fn run(
    session: &Session,
    environment: &str,
    skip_refused: bool,
    file: Option<&Path>,
) -> Result<Exit, Failure> {
    let client = session.client()?;
    let environments = client.environments().await?.environments;
    if !environments.iter().any(|known| known.key == environment) {
        return Err(Failure::not_found(format!(
            "there is no environment {environment:?}"
        )));
    }
    let present = Present::read(&client).await?;
    let flags = present
        .flags
        .iter()
        .filter(|flag| !flag.archived)
        .map(|flag| exported(flag, environment))
        .collect::<Result<Vec<_>, _>>()?;
    let segments = present
        .segments
        .iter()
        .map(|segment| same(&segment.definition.key, &segment.definition))
        .collect::<Result<Vec<Segment>, _>>()?;
    let export = export(environment, &flags, &segments);
    if !export.refusals.is_empty() && !skip_refused {
        return Err(refused(&export));
    }
    for refusal in &export.refusals {
        session.screen.note(&format!("left out: {refusal}"));
    }
    for remark in &export.remarks {
        session.screen.note(&remark.to_string());
    }
    let text = serde_json::to_string_pretty(&export.document)
        .map_err(|error| Failure::failed(error.to_string()))?;
    match file {
        Some(path) => {
            replace(path, &text).map_err(|error| Failure::file(path, error))?;
            let flags = flags.len() - export.refusals.len();
            let written = Written {
                file: path,
                environment,
                flags,
                refused: &export.refusals,
                remarks: &export.remarks,
            };
            let human = format!(
                "{} {flags} flags of {} in {}",
                paint(Tone::Good, "✓"),
                inert(environment),
                inert(&path.display().to_string())
            );
            let answer = Answer::new(&written, human)?.named([path.display().to_string()]);
            session.screen.answer(&answer)?;
        }
        None => {
            let answer = Answer::new(&export.document, inert_json(&text))?
                .named(flags.iter().map(|flag| flag.definition.key.as_str()));
            session.screen.answer(&answer)?;
        }
    }
    Ok(Exit::Done)
}

fn refused(export: &Export) -> Failure {
    let mut lines: Vec<String> = export.refusals.iter().map(ToString::to_string).collect();
    lines.push(
        "nothing was written; --skip-refused leaves these flags out, and then flagd's callers get \
         their own defaults for them"
            .to_owned(),
    );
    Failure::new(Exit::Usage, "refused", lines.join("\n"))
}

fn exported(flag: &Flag, environment: &str) -> Result<ExportedFlag, Failure> {
    let key = &flag.definition.key;
    let definition: FlagDefinition = same(key, &flag.definition)?;
    let lever = flag
        .levers
        .iter()
        .find(|lever| lever.environment == environment)
        .ok_or_else(|| {
            Failure::failed(format!("{key}: the server names no lever in {environment}"))
        })?;
    Ok(ExportedFlag {
        position: position(key, &lever.position)?,
        owner: definition.owner.clone(),
        definition: definition.in_environment(environment),
    })
}

fn position(key: &str, position: &Position) -> Result<leverframe_flags::Position, Failure> {
    match position {
        Position::Closed { variant, value, .. } => {
            let broken = |why: String| Failure::failed(format!("{key}: {why}"));
            Ok(leverframe_flags::Position::Closed {
                // What is served now counts, whoever closed it.
                latch: Some(Latch {
                    variant: VariantKey::new(variant).map_err(|error| broken(error.to_string()))?,
                    value: Value::from_json(value.clone())
                        .ok_or_else(|| broken("is closed to no value".to_owned()))?,
                }),
            })
        }
        open_or_pinned => same(key, open_or_pinned),
    }
}

/// The same JSON as another type; the API's and the domain's differ only in names.
fn same<T: DeserializeOwned>(key: &str, document: &impl Serialize) -> Result<T, Failure> {
    serde_json::from_value(json!(document)).map_err(|error| {
        Failure::failed(format!(
            "{key}: this program does not understand its definition ({error}); is the server newer?"
        ))
    })
}

/// Replaces the file in one step: a reader finds the old one or the new one.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let mut file = tempfile::Builder::new()
        .prefix(".lever-")
        .suffix(".tmp")
        .tempfile_in(directory.unwrap_or(Path::new(".")))?;
    writeln!(file, "{text}")?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Flag files are for everybody; temporary files are made for their owner alone.
        file.as_file()
            .set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
