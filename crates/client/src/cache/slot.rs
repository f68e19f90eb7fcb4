//! One slot: a checksum line, a line about the file, and the rule set, packed.
//!
//! ```text
//! leverframe-snapshot 2 <SHA-256 of everything below, in hexadecimal>
//! {"sequence":7,"origin":"5f3a…","cursor":{…}}
//! <what `RuleSet::pack` gives>
//! ```
//!
//! A process starts from this without parsing the text of a snapshot.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use leverframe_flags::{Cursor, Keepsake, KeyError, PackedError, RuleSet};
use leverframe_wire::frame::{self, FRAME_BYTES_MAX};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::hex;
use crate::{decode, encode};

/// Of every version, so that an older one is told from a foreign file.
const MAGIC: &[u8] = b"leverframe-snapshot ";
const VERSION: &str = "2";
/// A rule set is smaller than its frame; and room for the lines above it.
const FILE_BYTES_MAX: u64 = FRAME_BYTES_MAX as u64 + 4096;

/// A slot that passed its checksum.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Counts up with every write; the highest is the newest.
    pub(crate) sequence: u64,
    pub(crate) cursor: Cursor,
    origin: String,
    packed: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct About {
    sequence: u64,
    origin: String,
    cursor: frame::Cursor,
}

/// What a file holds that a program was pointed to.
#[derive(Debug)]
pub(crate) enum Kept {
    /// A slot, whoever wrote it.
    Slot(Slot),
    /// Text that may be a frame.
    Frame(String),
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
    #[error("it was written by another version")]
    Version,
    #[error("its checksum is wrong: it was cut short or altered")]
    Checksum,
    #[error("it belongs to another token")]
    OtherOrigin,
    #[error("what it says about itself cannot be read: {0}")]
    About(serde_json::Error),
    #[error("what it says about itself cannot be read: {0}")]
    Environment(KeyError),
    #[error("its rule set cannot be read: {0}")]
    Packed(PackedError),
}

impl Slot {
    pub(crate) fn read(path: &Path, origin: &str) -> Result<Self, SlotError> {
        let slot = Self::open(&read_bytes(path)?)?;
        if slot.origin == origin {
            Ok(slot)
        } else {
            Err(SlotError::OtherOrigin)
        }
    }

    fn open(bytes: &[u8]) -> Result<Self, SlotError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(SlotError::Foreign)?;
        let (head, body) = line(rest).ok_or(SlotError::Checksum)?;
        let head = std::str::from_utf8(head).map_err(|_| SlotError::Checksum)?;
        let (version, checksum) = head.split_once(' ').ok_or(SlotError::Checksum)?;
        if checksum != hex(&Sha256::digest(body)) {
            return Err(SlotError::Checksum);
        }
        if version != VERSION {
            return Err(SlotError::Version);
        }
        let (about, packed) = line(body).ok_or(SlotError::Foreign)?;
        let about: About = serde_json::from_slice(about).map_err(SlotError::About)?;
        Ok(Self {
            sequence: about.sequence,
            cursor: decode::cursor(&about.cursor).map_err(SlotError::Environment)?,
            origin: about.origin,
            packed: packed.to_owned(),
        })
    }

    /// The rule set that was kept.
    pub(crate) fn rules(&self) -> Result<RuleSet, SlotError> {
        RuleSet::unpack(&self.packed).map_err(SlotError::Packed)
    }
}

/// A slot, or a file that is a frame and nothing else.
///
/// # Errors
/// The file cannot be read, or its checksum is wrong.
pub(crate) fn read(path: &Path) -> Result<Kept, SlotError> {
    let bytes = read_bytes(path)?;
    match Slot::open(&bytes) {
        Ok(slot) => Ok(Kept::Slot(slot)),
        Err(SlotError::Foreign) if bytes.trim_ascii_start().starts_with(b"{") => {
            let text = String::from_utf8(bytes).map_err(|_| SlotError::Foreign)?;
            Ok(Kept::Frame(text))
        }
        Err(error) => Err(error),
    }
}

fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at(end);
    Some((line, rest.get(1..)?))
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, SlotError> {
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
    Ok(bytes)
}

pub(crate) fn encode(keepsake: &Keepsake, sequence: u64, origin: &str) -> io::Result<Vec<u8>> {
    let about = About {
        sequence,
        origin: origin.to_owned(),
        cursor: encode::cursor(keepsake.cursor()),
    };
    let mut body = serde_json::to_vec(&about)?;
    body.push(b'\n');
    body.extend_from_slice(&keepsake.pack());
    let checksum = hex(&Sha256::digest(&body));
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(format!("{VERSION} {checksum}\n").as_bytes());
    bytes.append(&mut body);
    Ok(bytes)
}
