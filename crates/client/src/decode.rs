//! Decoding: frames become updates, piece by piece, so that what cannot be read harms only itself.
//! A position that cannot be read is closed; a definition that cannot be read is refused by name.

use leverframe_flags::{
    Cursor, Definition, EnvironmentKey, FlagKey, FlagUpdate, KeyError, Position, Segment,
    SegmentKey, SegmentUpdate, Update, Value, VariantKey,
};
use leverframe_wire::frame::{
    self, FlagText, FrameKind, FrameText, PositionText, Refusal, SegmentText,
};
use serde_json::value::RawValue;

/// Why a frame cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    /// The text is not a frame.
    #[error("not a frame: {0}")]
    Json(#[from] serde_json::Error),
    /// The environment has no proper name.
    #[error("{0}")]
    Environment(KeyError),
}

/// An update, and the flags of it that not even the follower can be told about.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) update: Update,
    pub(crate) refused: Vec<Refusal>,
}

/// Reads the text of one frame.
///
/// # Errors
/// The frame as a whole cannot be read; nothing of it may be applied.
pub(crate) fn frame(text: &str) -> Result<Decoded, DecodeError> {
    let frame: FrameText<'_> = serde_json::from_str(text)?;
    let cursor = cursor(&frame.cursor).map_err(DecodeError::Environment)?;
    let mut refused = Vec::new();
    let update = match frame.kind {
        FrameKind::Snapshot => Update::Snapshot {
            cursor,
            flags: flags(frame.flags, &mut refused),
            segments: segments(frame.segments),
        },
        FrameKind::Change => Update::Change {
            cursor,
            positions: positions(frame.positions, &mut refused),
            flags: flags(frame.flags, &mut refused),
            segments: segments(frame.segments),
            removed_flags: flag_keys(&frame.removed_flags),
            removed_segments: frame
                .removed_segments
                .iter()
                .filter_map(|key| SegmentKey::new(key).ok())
                .collect(),
        },
        FrameKind::Brake => Update::Brake {
            cursor,
            closed: positions(frame.positions, &mut refused)
                .into_iter()
                .map(|(key, _)| key)
                .collect(),
        },
    };
    Ok(Decoded { update, refused })
}

pub(crate) fn cursor(cursor: &frame::Cursor) -> Result<Cursor, KeyError> {
    Ok(Cursor {
        journal: cursor.journal.as_str().into(),
        epoch: cursor.epoch,
        environment: EnvironmentKey::new(&cursor.environment)?,
        previous: cursor.previous,
        revision: cursor.revision,
        brake: cursor.brake,
        head: cursor.head.as_str().into(),
    })
}

/// A flag whose name cannot be a key is unknown here, and so closed to whoever asks for it.
fn flag_key(key: &str, refused: &mut Vec<Refusal>) -> Option<FlagKey> {
    FlagKey::new(key)
        .map_err(|error| {
            refused.push(Refusal {
                flag: key.chars().take(128).collect(),
                why: error.to_string(),
            });
        })
        .ok()
}

fn flag_keys(keys: &[String]) -> Vec<FlagKey> {
    keys.iter()
        .filter_map(|key| FlagKey::new(key).ok())
        .collect()
}

fn position(raw: &RawValue) -> Position {
    serde_json::from_str(raw.get()).unwrap_or_else(|_| Position::start())
}

fn positions(
    frames: Vec<PositionText<'_>>,
    refused: &mut Vec<Refusal>,
) -> Vec<(FlagKey, Position)> {
    frames
        .into_iter()
        .filter_map(|frame| Some((flag_key(&frame.flag, refused)?, position(frame.position))))
        .collect()
}

fn flags(frames: Vec<FlagText<'_>>, refused: &mut Vec<Refusal>) -> Vec<FlagUpdate> {
    frames
        .into_iter()
        .filter_map(|frame| Some(flag(flag_key(&frame.key, refused)?, &frame)))
        .collect()
}

fn flag(key: FlagKey, frame: &FlagText<'_>) -> FlagUpdate {
    let definition = definition(&key, frame);
    let closed = closed(frame);
    let (closed, definition) = match (closed, definition) {
        (Ok((variant, value)), Ok(definition)) => {
            // A float's closed value may stand as a whole number.
            let value = value
                .clone()
                .coerced_to(definition.value_type)
                .unwrap_or(value);
            ((variant, value), Ok(definition))
        }
        (Ok(closed), Err(why)) => (closed, Err(why)),
        (Err(why), _) => (nothing(), Err(why)),
    };
    FlagUpdate {
        position: position(frame.position),
        key,
        closed,
        definition,
    }
}

fn definition(key: &FlagKey, frame: &FlagText<'_>) -> Result<Box<Definition>, String> {
    let definition: Box<Definition> =
        serde_json::from_str(frame.definition.get()).map_err(|error| error.to_string())?;
    if definition.key != *key {
        return Err(format!("its definition is that of {}", definition.key));
    }
    Ok(definition)
}

fn closed(frame: &FlagText<'_>) -> Result<(VariantKey, Value), String> {
    let variant = VariantKey::new(&frame.closed_variant).map_err(|error| error.to_string())?;
    let value = serde_json::from_str(frame.closed_value.get())
        .map_err(|error| format!("its closed value: {error}"))?;
    Ok((variant, value))
}

/// What is served when not even the closed value can be read: no getter but the boolean takes it,
/// so every other caller gets its own default.
fn nothing() -> (VariantKey, Value) {
    #[expect(clippy::expect_used, reason = "a constant that the test below reads")]
    let variant = VariantKey::new("closed").expect("a proper key");
    (variant, Value::Boolean(false))
}

fn segments(frames: Vec<SegmentText<'_>>) -> Vec<SegmentUpdate> {
    frames
        .into_iter()
        .filter_map(|frame| {
            let key = SegmentKey::new(&frame.key).ok()?;
            let definition = serde_json::from_str::<Box<Segment>>(frame.definition.get())
                .map_err(|error| error.to_string())
                .and_then(|segment| {
                    if segment.key == key {
                        Ok(segment)
                    } else {
                        Err(format!("its definition is that of {}", segment.key))
                    }
                });
            Some(SegmentUpdate { key, definition })
        })
        .collect()
}

#[cfg(test)]
mod tests;
