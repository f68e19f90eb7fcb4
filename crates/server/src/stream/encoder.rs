//! Updates into the bytes that every evaluator of an environment is sent.

use bytes::Bytes;
use leverframe_flags::{Cursor, FlagKey, FlagUpdate, Position, SegmentKey, SegmentUpdate, Update};
use leverframe_node::Encoder;
use leverframe_wire::frame;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::socket::json_frame;

/// Puts an update into one WebSocket text frame, header and all: the same bytes go to every socket
/// with one write each. The long poll cuts the header off again.
#[derive(Debug, Clone, Copy, Default)]
pub struct FrameEncoder;

impl Encoder for FrameEncoder {
    fn encode(&self, update: &Update) -> Result<Bytes, String> {
        frame_of(update)
            .and_then(|frame| json_frame(&frame))
            .map_err(|error| error.to_string())
    }
}

fn frame_of(update: &Update) -> Result<frame::Frame, serde_json::Error> {
    Ok(match update {
        Update::Snapshot {
            cursor,
            flags,
            segments,
        } => frame::Frame {
            flags: all(flags, flag)?,
            segments: all(segments, segment)?,
            ..empty(frame::FrameKind::Snapshot, cursor)
        },
        Update::Change {
            cursor,
            positions,
            flags,
            segments,
            removed_flags,
            removed_segments,
        } => frame::Frame {
            positions: all(positions, |(key, position)| position_of(key, position))?,
            flags: all(flags, flag)?,
            segments: all(segments, segment)?,
            removed_flags: removed_flags.iter().map(FlagKey::to_string).collect(),
            removed_segments: removed_segments.iter().map(SegmentKey::to_string).collect(),
            ..empty(frame::FrameKind::Change, cursor)
        },
        Update::Brake { cursor, closed } => frame::Frame {
            positions: all(closed, |key| position_of(key, &Position::start()))?,
            ..empty(frame::FrameKind::Brake, cursor)
        },
    })
}

fn all<T, W>(
    items: &[T],
    each: impl Fn(&T) -> Result<W, serde_json::Error>,
) -> Result<Vec<W>, serde_json::Error> {
    items.iter().map(each).collect()
}

fn empty(kind: frame::FrameKind, cursor: &Cursor) -> frame::Frame {
    frame::Frame {
        kind,
        cursor: frame::Cursor {
            journal: cursor.journal.to_string(),
            epoch: cursor.epoch,
            environment: cursor.environment.to_string(),
            previous: cursor.previous,
            revision: cursor.revision,
            brake: cursor.brake,
            head: cursor.head.to_string(),
        },
        positions: Vec::new(),
        flags: Vec::new(),
        segments: Vec::new(),
        removed_flags: Vec::new(),
        removed_segments: Vec::new(),
    }
}

fn position_of(
    key: &FlagKey,
    position: &Position,
) -> Result<frame::PositionFrame, serde_json::Error> {
    Ok(frame::PositionFrame {
        flag: key.to_string(),
        position: to_raw_value(position)?,
    })
}

fn flag(update: &FlagUpdate) -> Result<frame::FlagFrame, serde_json::Error> {
    let (closed_variant, closed_value) = &update.closed;
    Ok(frame::FlagFrame {
        key: update.key.to_string(),
        position: to_raw_value(&update.position)?,
        closed_variant: closed_variant.to_string(),
        closed_value: to_raw_value(closed_value)?,
        definition: readable(&update.definition)?,
    })
}

fn segment(update: &SegmentUpdate) -> Result<frame::SegmentFrame, serde_json::Error> {
    Ok(frame::SegmentFrame {
        key: update.key.to_string(),
        definition: readable(&update.definition)?,
    })
}

/// A definition this node cannot read itself goes out as `null`, which no evaluator can read
/// either: the flag stays closed and is refused by name.
fn readable<T: Serialize>(
    definition: &Result<Box<T>, String>,
) -> Result<Box<RawValue>, serde_json::Error> {
    match definition {
        Ok(definition) => to_raw_value(definition),
        Err(_) => to_raw_value(&()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::socket::text_of;

    #[test]
    fn a_brake_closes_its_flags_and_carries_its_cursor() {
        let update = Update::Brake {
            cursor: Cursor {
                journal: "j".into(),
                epoch: 2,
                environment: "prod".parse().unwrap(),
                previous: 0,
                revision: 7,
                brake: 3,
                head: "ab".into(),
            },
            closed: vec!["checkout".parse().unwrap()],
        };
        let bytes = FrameEncoder.encode(&update).unwrap();
        let frame: frame::Frame = serde_json::from_slice(&text_of(&bytes)).unwrap();
        assert_eq!(frame.kind, frame::FrameKind::Brake);
        assert_eq!(
            (
                frame.cursor.epoch,
                frame.cursor.revision,
                frame.cursor.brake
            ),
            (2, 7, 3)
        );
        assert_eq!(frame.positions[0].flag, "checkout");
        assert_eq!(frame.positions[0].position.get(), r#"{"state":"closed"}"#);
    }
}
