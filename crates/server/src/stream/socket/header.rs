//! Frames a server sends: never masked, never fragmented.

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;

use super::CloseCode;

const FIN: u8 = 0x80;
const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PONG: u8 = 0xA;
/// Longest payload of a control frame, in bytes.
pub(super) const CONTROL_BYTES_MAX: usize = 125;

/// Longest header, in bytes.
const HEADER_BYTES_MAX: usize = 10;

/// One text message in one frame: a header and the JSON text of `value` in one buffer, so that
/// every socket writes the same bytes with one call.
///
/// # Errors
/// When `value` cannot be written as JSON.
pub(crate) fn json_frame(value: &impl Serialize) -> Result<Bytes, serde_json::Error> {
    // The length is known only afterwards, so the header is put right before the text.
    let mut buffer = BytesMut::zeroed(HEADER_BYTES_MAX).writer();
    serde_json::to_writer(&mut buffer, value)?;
    let mut frame = buffer.into_inner();
    let mut header = BytesMut::with_capacity(HEADER_BYTES_MAX);
    put_header(&mut header, TEXT, frame.len() - HEADER_BYTES_MAX);
    let start = HEADER_BYTES_MAX - header.len();
    if let Some(place) = frame.get_mut(start..HEADER_BYTES_MAX) {
        place.copy_from_slice(&header);
    }
    Ok(frame.freeze().slice(start..))
}

/// The payload of a frame that [`json_frame`] made.
pub(crate) fn text_of(frame: &Bytes) -> Bytes {
    let header = match frame.get(1) {
        Some(126) => 4,
        Some(127) => 10,
        _ => 2,
    };
    frame.slice(header.min(frame.len())..)
}

/// A close with its code and a word on why.
pub(crate) fn close_frame(code: CloseCode, why: &str) -> Bytes {
    let why = cut(why, CONTROL_BYTES_MAX - 2);
    let mut frame = BytesMut::with_capacity(4 + why.len());
    put_header(&mut frame, CLOSE, 2 + why.len());
    frame.put_u16(code.number());
    frame.put_slice(why.as_bytes());
    frame.freeze()
}

/// The answer to a ping.
pub(crate) fn pong_frame(payload: &[u8]) -> Bytes {
    let payload = payload.get(..CONTROL_BYTES_MAX).unwrap_or(payload);
    let mut frame = BytesMut::with_capacity(2 + payload.len());
    put_header(&mut frame, PONG, payload.len());
    frame.put_slice(payload);
    frame.freeze()
}

fn put_header(frame: &mut BytesMut, opcode: u8, length: usize) {
    frame.put_u8(FIN | opcode);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if length <= CONTROL_BYTES_MAX => frame.put_u8(short),
        (_, Ok(medium)) => {
            frame.put_u8(126);
            frame.put_u16(medium);
        }
        _ => {
            frame.put_u8(127);
            frame.put_u64(length as u64);
        }
    }
}

/// At most `bytes_max` bytes of `text`, whole characters only.
fn cut(text: &str, bytes_max: usize) -> &str {
    let end = text.floor_char_boundary(bytes_max);
    text.get(..end).unwrap_or_default()
}
