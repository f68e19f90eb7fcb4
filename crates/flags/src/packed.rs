//! The packed form: definitions, positions and values as a few bytes each. A rule set keeps
//! definitions in it, and a saved rule set is made of it.
//!
//! Numbers are little-endian base 128, texts are their length and their bytes. Reading is total:
//! whatever the bytes are, it gives what they say or that they are malformed, and takes no more
//! memory than they do by a constant factor.

mod definition;
mod position;
mod value;

pub(crate) use definition::{PackedSalt, pack_definition, unpack_definition};
pub(crate) use position::{pack_position, unpack_position};
pub(crate) use value::{pack_value, unpack_value};

/// The bytes are not what they should be: altered, cut short, or written by a version that says
/// more than this one knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Writes a number.
pub(crate) fn pack_number(into: &mut Vec<u8>, number: u64) {
    let mut rest = number;
    while rest >= 0x80 {
        into.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    into.push(rest.to_le_bytes()[0]);
}

/// Writes how many of something follow.
pub(crate) fn pack_count(into: &mut Vec<u8>, count: usize) {
    pack_number(into, u64::try_from(count).unwrap_or(u64::MAX));
}

/// Writes bytes after their length.
pub(crate) fn pack_bytes(into: &mut Vec<u8>, bytes: &[u8]) {
    pack_count(into, bytes.len());
    into.extend_from_slice(bytes);
}

/// Writes a text.
pub(crate) fn pack_text(into: &mut Vec<u8>, text: &str) {
    pack_bytes(into, text.as_bytes());
}

/// What is left to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unpacking<'b> {
    rest: &'b [u8],
}

impl<'b> Unpacking<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    /// That nothing is left.
    pub(crate) fn end(&self) -> Result<(), Malformed> {
        if self.is_at_end() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Malformed> {
        let (byte, rest) = self.rest.split_first().ok_or(Malformed)?;
        self.rest = rest;
        Ok(*byte)
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'b [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Eight bytes as they are.
    pub(crate) fn word(&mut self) -> Result<[u8; 8], Malformed> {
        let (word, rest) = self.rest.split_first_chunk().ok_or(Malformed)?;
        self.rest = rest;
        Ok(*word)
    }

    pub(crate) fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            let shifted = bits.wrapping_shl(shift);
            if shifted.wrapping_shr(shift) != bits {
                return Err(Malformed);
            }
            number |= shifted;
            if byte & 0x80 == 0 {
                // One way to write each number, so that equal things have equal bytes.
                return if byte == 0 && shift > 0 {
                    Err(Malformed)
                } else {
                    Ok(number)
                };
            }
        }
        Err(Malformed)
    }

    pub(crate) fn number_u32(&mut self) -> Result<u32, Malformed> {
        u32::try_from(self.number()?).map_err(|_| Malformed)
    }

    /// How many of something follow, each of which takes a byte at least: so a false count
    /// reserves no memory.
    pub(crate) fn count(&mut self) -> Result<usize, Malformed> {
        let count = usize::try_from(self.number()?).map_err(|_| Malformed)?;
        if count <= self.left() {
            Ok(count)
        } else {
            Err(Malformed)
        }
    }

    pub(crate) fn bytes(&mut self) -> Result<&'b [u8], Malformed> {
        let count = self.count()?;
        self.take(count)
    }

    pub(crate) fn text(&mut self) -> Result<&'b str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed)
    }
}
