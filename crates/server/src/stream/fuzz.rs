//! The socket's decoder, as `fuzz/` sees it.

use super::socket::{Decoder, Heard};

/// What a client said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spoken {
    /// A text.
    Text(String),
    /// A ping with its payload.
    Ping(Vec<u8>),
    /// A pong.
    Pong,
    /// The end.
    Close,
}

/// What is heard of bytes that come in pieces, and what is wrong with them, if anything is.
pub fn hear<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
    bytes_max: usize,
) -> (Vec<Spoken>, Option<String>) {
    let mut decoder = Decoder::new(bytes_max);
    let mut spoken = Vec::new();
    for piece in pieces {
        decoder.feed(piece);
        loop {
            match decoder.next() {
                Ok(None) => break,
                Ok(Some(heard)) => spoken.push(match heard {
                    Heard::Text(text) => Spoken::Text(text),
                    Heard::Ping(payload) => Spoken::Ping(payload),
                    Heard::Pong => Spoken::Pong,
                    Heard::Close => Spoken::Close,
                }),
                Err(violation) => return (spoken, Some(format!("{violation:?}"))),
            }
        }
    }
    (spoken, None)
}
