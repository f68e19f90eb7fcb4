//! Doors for `fuzz/`, to what reads bytes of a server or a disk. No part of the public face.

use leverframe_flags::Update;

use crate::{decode, encode};

/// Reads the text of one frame.
///
/// # Errors
/// The frame as a whole cannot be read.
pub fn decode(text: &str) -> Result<Update, String> {
    decode::frame(text)
        .map(|decoded| decoded.update)
        .map_err(|error| error.to_string())
}

/// Writes a snapshot as a frame; nothing for any other update.
#[must_use]
pub fn encode(update: &Update) -> Option<String> {
    let Update::Snapshot {
        cursor,
        flags,
        segments,
    } = update
    else {
        return None;
    };
    let frame = encode::snapshot(cursor, flags, segments).ok()?;
    serde_json::to_string(&frame).ok()
}
