//! Encoding: where an evaluator stands, for its disk and for its hello; and snapshots as a server
//! sends them, for `fuzz/`.

use leverframe_flags::Cursor;
use leverframe_wire::frame;

pub(crate) fn cursor(cursor: &Cursor) -> frame::Cursor {
    frame::Cursor {
        journal: cursor.journal.to_string(),
        epoch: cursor.epoch,
        environment: cursor.environment.as_str().to_owned(),
        previous: cursor.previous,
        revision: cursor.revision,
        brake: cursor.brake,
        head: cursor.head.to_string(),
    }
}

#[cfg(feature = "fuzz")]
pub(crate) use snapshot::snapshot;

#[cfg(feature = "fuzz")]
mod snapshot {
    use leverframe_flags::{Cursor, FlagUpdate, SegmentUpdate};
    use leverframe_wire::frame::{FlagFrame, Frame, FrameKind, SegmentFrame};
    use serde::Serialize;
    use serde_json::value::RawValue;

    use super::cursor;

    /// A snapshot as the server would have sent it. A definition that could not be read stands as the
    /// text of why, and so cannot be read again either.
    ///
    /// # Errors
    /// Only if a value cannot be JSON, which no value that came as JSON can be.
    pub(crate) fn snapshot(
        at: &Cursor,
        flags: &[FlagUpdate],
        segments: &[SegmentUpdate],
    ) -> Result<Frame, serde_json::Error> {
        Ok(Frame {
            kind: FrameKind::Snapshot,
            cursor: cursor(at),
            positions: Vec::new(),
            flags: flags.iter().map(flag).collect::<Result<_, _>>()?,
            segments: segments.iter().map(segment).collect::<Result<_, _>>()?,
            removed_flags: Vec::new(),
            removed_segments: Vec::new(),
        })
    }

    fn flag(update: &FlagUpdate) -> Result<FlagFrame, serde_json::Error> {
        Ok(FlagFrame {
            key: update.key.as_str().to_owned(),
            position: raw(&update.position)?,
            closed_variant: update.closed.0.as_str().to_owned(),
            closed_value: raw(&update.closed.1)?,
            definition: definition(&update.definition)?,
        })
    }

    fn segment(update: &SegmentUpdate) -> Result<SegmentFrame, serde_json::Error> {
        Ok(SegmentFrame {
            key: update.key.as_str().to_owned(),
            definition: definition(&update.definition)?,
        })
    }

    fn definition<T: Serialize>(
        definition: &Result<Box<T>, String>,
    ) -> Result<Box<RawValue>, serde_json::Error> {
        match definition {
            Ok(definition) => raw(definition),
            Err(why) => raw(why),
        }
    }

    fn raw(value: &impl Serialize) -> Result<Box<RawValue>, serde_json::Error> {
        serde_json::value::to_raw_value(value)
    }
}
