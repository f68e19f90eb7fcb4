//! One slot: a checksum line, a line about the file, and the snapshot's frame.
//!
//! ```text
//! leverframe-snapshot 1 <SHA-256 of everything below, in hexadecimal>
//! {"sequence":7,"origin":"5f3a…"}
//! {"kind":"snapshot","cursor":{…},"flags":[…],…}
//! ```

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use leverframe_wire::frame::{Cursor, FRAME_BYTES_MAX, Frame};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::hex;

const MAGIC: &str = "leverframe-snapshot 1 ";
/// A frame, and room for the lines above it.
const FILE_BYTES_MAX: u64 = FRAME_BYTES_MAX as u64 + 4096;

/// A slot that passed its checksum.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Counts up with every write; the highest is the newest.
    pub(crate) sequence: u64,
    pub(crate) cursor: Cursor,
    pub(crate) frame: String,
}

#[derive(Serialize, Deserialize)]
struct About {
    sequence: u64,
    origin: String,
}

#[derive(Deserialize)]
struct HasCursor {
    cursor: Cursor,
}

/// Why a file is not a slot of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SlotError {
    #[error("there is none")]
    Missing,
    #[error("it cannot be read: {0}")]
    Io(io::Error),
    #[error("it is larger than a frame may be")]
    TooLarge,
    #[error("it is empty")]
    Empty,
    #[error("it is not a leverframe snapshot")]
    Foreign,
    #[error("its checksum is wrong: it was cut short or altered")]
    Checksum,
    #[error("it belongs to another token")]
    OtherOrigin,
    #[error("it does not hold a frame: {0}")]
    Frame(serde_json::Error),
}

impl Slot {
    pub(crate) fn read(path: &Path, origin: &str) -> Result<Self, SlotError> {
        let text = read_text(path)?;
        let (about, frame) = open(&text)?;
        if about.origin != origin {
            return Err(SlotError::OtherOrigin);
        }
        let has: HasCursor = serde_json::from_str(frame).map_err(SlotError::Frame)?;
        Ok(Self {
            sequence: about.sequence,
            cursor: has.cursor,
            frame: frame.to_owned(),
        })
    }
}

/// The frame of a slot, whoever wrote it, or of a file that is a frame and nothing else.
///
/// # Errors
/// The file cannot be read, or its checksum is wrong.
pub(crate) fn read_frame(path: &Path) -> Result<String, SlotError> {
    let text = read_text(path)?;
    match open(&text) {
        Ok((_, frame)) => Ok(frame.to_owned()),
        Err(SlotError::Foreign) if text.trim_start().starts_with('{') => Ok(text),
        Err(error) => Err(error),
    }
}

fn read_text(path: &Path) -> Result<String, SlotError> {
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => SlotError::Missing,
        _ => SlotError::Io(error),
    })?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(SlotError::Io)?;
    if bytes.is_empty() {
        return Err(SlotError::Empty);
    }
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(SlotError::TooLarge);
    }
    let is_ours = bytes.starts_with(MAGIC.as_bytes());
    String::from_utf8(bytes).map_err(|_| {
        if is_ours {
            SlotError::Checksum
        } else {
            SlotError::Foreign
        }
    })
}

fn open(text: &str) -> Result<(About, &str), SlotError> {
    let rest = text.strip_prefix(MAGIC).ok_or(SlotError::Foreign)?;
    let (checksum, body) = rest.split_once('\n').ok_or(SlotError::Checksum)?;
    if checksum != hex(&Sha256::digest(body.as_bytes())) {
        return Err(SlotError::Checksum);
    }
    let (about, frame) = body.split_once('\n').ok_or(SlotError::Foreign)?;
    let about = serde_json::from_str(about).map_err(SlotError::Frame)?;
    Ok((about, frame))
}

pub(crate) fn encode(frame: &Frame, sequence: u64, origin: &str) -> io::Result<Vec<u8>> {
    let about = About {
        sequence,
        origin: origin.to_owned(),
    };
    let mut body = serde_json::to_string(&about)?;
    body.push('\n');
    body.push_str(&serde_json::to_string(frame)?);
    let checksum = hex(&Sha256::digest(body.as_bytes()));
    Ok(format!("{MAGIC}{checksum}\n{body}").into_bytes())
}
