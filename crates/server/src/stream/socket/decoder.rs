//! Frames a client sends, byte by byte if need be.

use super::CloseCode;
use super::header::CONTROL_BYTES_MAX;

/// Takes in what was read from a socket and gives out what was said. Holds nothing between two
/// messages, so that an idle connection costs no buffer.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// Bytes that were read and not understood yet.
    unread: Vec<u8>,
    /// The parts of a fragmented message so far.
    fragments: Option<Vec<u8>>,
    /// Longest message, in bytes.
    bytes_max: usize,
    /// After a close or a violation nothing is read any more.
    is_over: bool,
}

/// What a client said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A whole text message.
    Text(String),
    /// A ping that wants its payload back.
    Ping(Vec<u8>),
    /// An answer to a ping.
    Pong,
    /// The client ends the connection.
    Close,
}

/// What a client did that it may not do; the connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Violation {
    /// A client must mask every frame.
    #[error("a frame was not masked")]
    Unmasked,
    /// No extension was agreed on.
    #[error("a reserved bit was set")]
    Reserved,
    /// An opcode that does not exist.
    #[error("unknown opcode {0}")]
    Opcode(u8),
    /// Binary messages are not part of this protocol.
    #[error("only text messages are understood")]
    Binary,
    /// A control frame that is too long or fragmented.
    #[error("a control frame was too long or in parts")]
    Control,
    /// A continuation of nothing, or a new message inside another.
    #[error("message fragments are out of order")]
    Fragments,
    /// A length that is not written in the shortest way.
    #[error("a length was not in its shortest form")]
    Length,
    /// A message that is longer than allowed.
    #[error("a message was longer than allowed")]
    TooLarge,
    /// A text that is not UTF-8.
    #[error("a text was not UTF-8")]
    NotText,
    /// A close with one byte or a code that may not be sent.
    #[error("a close was malformed")]
    Close,
}

impl Violation {
    /// The code to close with.
    pub(crate) fn close_code(self) -> CloseCode {
        match self {
            Self::Binary => CloseCode::Unsupported,
            Self::TooLarge => CloseCode::TooLarge,
            Self::NotText => CloseCode::NotText,
            Self::Unmasked
            | Self::Reserved
            | Self::Opcode(_)
            | Self::Control
            | Self::Fragments
            | Self::Length
            | Self::Close => CloseCode::Protocol,
        }
    }
}

/// One frame's header, once it has been read whole.
struct Header {
    is_final: bool,
    opcode: u8,
    mask: [u8; 4],
    /// Bytes the header itself took.
    header_bytes: usize,
    payload_bytes: usize,
}

impl Decoder {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            unread: Vec::new(),
            fragments: None,
            bytes_max,
            is_over: false,
        }
    }

    /// Takes in what was read.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if !self.is_over {
            self.unread.extend_from_slice(bytes);
        }
    }

    /// The next thing that was said whole, if there is one.
    pub(crate) fn next(&mut self) -> Result<Option<Heard>, Violation> {
        if self.is_over {
            return Ok(None);
        }
        let heard = self.advance();
        if matches!(heard, Err(_) | Ok(Some(Heard::Close))) {
            self.is_over = true;
            self.unread = Vec::new();
            self.fragments = None;
        }
        heard
    }

    fn advance(&mut self) -> Result<Option<Heard>, Violation> {
        loop {
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            let end = header.header_bytes + header.payload_bytes;
            let Some(masked) = self.unread.get(header.header_bytes..end) else {
                return Ok(None);
            };
            let payload: Vec<u8> = masked
                .iter()
                .zip(header.mask.iter().cycle())
                .map(|(byte, mask)| byte ^ mask)
                .collect();
            self.consume(end);
            if let Some(heard) = self.frame(&header, payload)? {
                return Ok(Some(heard));
            }
        }
    }

    /// Reads and checks the header as soon as it is there, so that a frame that will be refused is
    /// never waited for.
    fn header(&self) -> Result<Option<Header>, Violation> {
        let [first, second, rest @ ..] = self.unread.as_slice() else {
            return Ok(None);
        };
        if first & 0x70 != 0 {
            return Err(Violation::Reserved);
        }
        if second & 0x80 == 0 {
            return Err(Violation::Unmasked);
        }
        let (is_final, opcode) = (first & 0x80 != 0, first & 0x0F);
        let (length, length_bytes) = match (second & 0x7F, rest) {
            (126, [a, b, ..]) => (u64::from(u16::from_be_bytes([*a, *b])), 2),
            (127, [a, b, c, d, e, f, g, h, ..]) => {
                (u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), 8)
            }
            (126 | 127, _) => return Ok(None),
            (short, _) => (u64::from(short), 0),
        };
        let is_shortest = match length_bytes {
            2 => length > 125,
            8 => length > u64::from(u16::MAX),
            _ => true,
        };
        if !is_shortest {
            return Err(Violation::Length);
        }
        let payload_bytes = usize::try_from(length).map_err(|_| Violation::TooLarge)?;
        self.check(is_final, opcode, payload_bytes)?;
        let Some(mask) = rest
            .get(length_bytes..length_bytes + 4)
            .and_then(|mask| <[u8; 4]>::try_from(mask).ok())
        else {
            return Ok(None);
        };
        Ok(Some(Header {
            is_final,
            opcode,
            mask,
            header_bytes: 2 + length_bytes + 4,
            payload_bytes,
        }))
    }

    fn check(&self, is_final: bool, opcode: u8, payload_bytes: usize) -> Result<(), Violation> {
        match opcode {
            0x0 => {
                let so_far = self.fragments.as_ref().ok_or(Violation::Fragments)?.len();
                if so_far.saturating_add(payload_bytes) > self.bytes_max {
                    return Err(Violation::TooLarge);
                }
            }
            0x1 => {
                if self.fragments.is_some() {
                    return Err(Violation::Fragments);
                }
                if payload_bytes > self.bytes_max {
                    return Err(Violation::TooLarge);
                }
            }
            0x2 => return Err(Violation::Binary),
            0x8..=0xA => {
                if !is_final || payload_bytes > CONTROL_BYTES_MAX {
                    return Err(Violation::Control);
                }
            }
            other => return Err(Violation::Opcode(other)),
        }
        Ok(())
    }

    fn frame(&mut self, header: &Header, payload: Vec<u8>) -> Result<Option<Heard>, Violation> {
        match header.opcode {
            0x8 => close(&payload).map(Some),
            0x9 => Ok(Some(Heard::Ping(payload))),
            0xA => Ok(Some(Heard::Pong)),
            _ => {
                let message = match self.fragments.take() {
                    None => payload,
                    Some(mut so_far) => {
                        so_far.extend_from_slice(&payload);
                        so_far
                    }
                };
                if header.is_final {
                    String::from_utf8(message)
                        .map(|text| Some(Heard::Text(text)))
                        .map_err(|_| Violation::NotText)
                } else {
                    self.fragments = Some(message);
                    Ok(None)
                }
            }
        }
    }

    fn consume(&mut self, bytes: usize) {
        if bytes >= self.unread.len() {
            // Gives the memory back: most connections say something once in five seconds.
            self.unread = Vec::new();
        } else {
            self.unread.drain(..bytes);
        }
    }
}

fn close(payload: &[u8]) -> Result<Heard, Violation> {
    match payload {
        [] => Ok(Heard::Close),
        [high, low, why @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            let may_be_sent = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            if may_be_sent && std::str::from_utf8(why).is_ok() {
                Ok(Heard::Close)
            } else {
                Err(Violation::Close)
            }
        }
        [_] => Err(Violation::Close),
    }
}
