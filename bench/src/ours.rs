//! The catalogue as Leverframe has it: the snapshot that a server sends, and contexts.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use leverframe_flags::{Context, FlagUpdate, RuleSet, SegmentUpdate};
use leverframe_wire::frame::{Cursor, FlagFrame, Frame, FrameKind, FrameText, SegmentFrame};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::catalogue::{Catalogue, Flag, Person, STAFF, Shape};

/// What a person is to the engine.
pub(crate) fn context(person: &Person) -> Context {
    Context::new(&person.unit)
        .with("plan", person.plan)
        .with("country", person.country)
        .with("app_version", person.app_version)
}

/// The rules of a flag, as definitions have them.
pub(crate) fn rules(catalogue: &Catalogue, flag: &Flag) -> Value {
    match flag.shape {
        Shape::Plain => json!([]),
        Shape::Split => json!([{
            "id": "staff", "when": format!("plan == {STAFF:?}"), "serve": "on",
        }]),
        Shape::Listed { segment } => json!([{
            "id": "listed",
            "when": format!("segment {}", catalogue.segments[segment].key),
            "serve": "on",
        }]),
        Shape::Layered => catalogue
            .wide_segments()
            .iter()
            .map(|segment| {
                json!({
                    "id": segment.key, "when": format!("segment {}", segment.key), "serve": "on",
                })
            })
            .collect(),
    }
}

/// How far a flag is open, in percent.
pub(crate) fn percentage(flag: &Flag) -> u32 {
    match flag.shape {
        Shape::Plain => 100,
        Shape::Split => 50,
        Shape::Listed { .. } => 25,
        Shape::Layered => 0,
    }
}

/// The text of the snapshot frame; without segments, and so without the flags that ask about
/// them, where only flags are wanted.
pub(crate) fn snapshot(catalogue: &Catalogue, with_segments: bool) -> Result<String> {
    let flags = catalogue
        .flags
        .iter()
        .filter(|flag| with_segments || matches!(flag.shape, Shape::Plain | Shape::Split))
        .map(|flag| {
            let mut definition = json!({
                "key": flag.key,
                "type": "boolean",
                "variants": {"off": false, "on": true},
                "closed": "off",
                "open": "on",
                "salt": flag.key,
                "hash": "native",
            });
            let rules = rules(catalogue, flag);
            if rules != json!([]) {
                definition["rules"] = rules;
            }
            let position = json!({
                "state": "open",
                "exposure": {"percentage": percentage(flag)},
            });
            Ok(FlagFrame {
                key: flag.key.clone(),
                position: to_raw_value(&position)?,
                closed_variant: "off".to_owned(),
                closed_value: to_raw_value(&false)?,
                definition: to_raw_value(&definition)?,
            })
        })
        .collect::<Result<_>>()?;
    let segments = if with_segments {
        catalogue.segments.as_slice()
    } else {
        &[]
    };
    let segments = segments
        .iter()
        .map(|segment| {
            Ok(SegmentFrame {
                key: segment.key.clone(),
                definition: to_raw_value(&json!({
                    "key": segment.key,
                    "include": segment.units,
                }))?,
            })
        })
        .collect::<Result<_>>()?;
    let frame = Frame {
        kind: FrameKind::Snapshot,
        cursor: Cursor {
            journal: "bench".to_owned(),
            epoch: 1,
            environment: "prod".to_owned(),
            previous: 0,
            revision: 1,
            brake: 0,
            head: "00".repeat(32),
        },
        positions: Vec::new(),
        flags,
        segments,
        removed_flags: Vec::new(),
        removed_segments: Vec::new(),
    };
    Ok(serde_json::to_string(&frame)?)
}

/// The frame as the engine takes it: what a client does with it, without the client.
pub(crate) fn updates(frame: &str) -> Result<(Vec<FlagUpdate>, Vec<SegmentUpdate>)> {
    let frame: FrameText<'_> = serde_json::from_str(frame)?;
    let flags = frame
        .flags
        .iter()
        .map(|flag| {
            Ok(FlagUpdate {
                key: flag.key.parse()?,
                position: serde_json::from_str(flag.position.get())?,
                closed: (
                    flag.closed_variant.parse()?,
                    serde_json::from_str(flag.closed_value.get())?,
                ),
                definition: serde_json::from_str(flag.definition.get())
                    .map_err(|error| error.to_string()),
            })
        })
        .collect::<Result<_>>()?;
    let segments = frame
        .segments
        .iter()
        .map(|segment| {
            Ok(SegmentUpdate {
                key: segment.key.parse()?,
                definition: serde_json::from_str(segment.definition.get())
                    .map_err(|error| error.to_string()),
            })
        })
        .collect::<Result<_>>()?;
    Ok((flags, segments))
}

/// The rule set of a frame; an error where any flag cannot be read.
pub(crate) fn rule_set(frame: &str) -> Result<RuleSet> {
    let (flags, segments) = updates(frame)?;
    let rules = RuleSet::compile(1, flags, segments);
    if let Some((flag, why)) = rules.refused().next() {
        anyhow::bail!("{flag} is refused: {why}");
    }
    Ok(rules)
}

/// Writes the snapshot as a bare frame and as a slot of the client's disk cache.
pub(crate) fn write_snapshots(directory: &Path, frame: &str) -> Result<(PathBuf, PathBuf)> {
    let bare = directory.join("snapshot.json");
    std::fs::write(&bare, frame)?;
    let Frame { cursor, .. } = serde_json::from_str(frame)?;
    let about = json!({"sequence": 1, "origin": "bench", "cursor": cursor});
    let mut body = serde_json::to_vec(&about)?;
    body.push(b'\n');
    body.extend(rule_set(frame)?.pack());
    let checksum: String = Sha256::digest(&body)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let slot = directory.join("slot.snapshot");
    let mut file = std::fs::File::create(&slot)?;
    writeln!(file, "leverframe-snapshot 2 {checksum}")?;
    file.write_all(&body)?;
    Ok((bare, slot))
}
