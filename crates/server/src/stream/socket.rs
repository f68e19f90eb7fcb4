//! The server's side of a WebSocket (RFC 6455), as far as our stream needs it: text messages up to
//! a bound, pings, pongs and a close. Pure: bytes in, messages out. Why it is our own is told in
//! `docs/adr/0003-server-side-of-the-socket.md`.

mod decoder;
mod header;
#[cfg(test)]
mod tests;

#[cfg(test)]
use decoder::Violation;
pub(crate) use decoder::{Decoder, Heard};
pub(crate) use header::{close_frame, json_frame, pong_frame, text_of};

/// A ping without payload, ready to be written.
pub(crate) const PING: &[u8] = &[0x89, 0x00];

/// Why a connection is closed, as the code of a close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CloseCode {
    /// The server drains.
    GoingAway,
    /// What the client sent is not WebSocket.
    Protocol,
    /// Only text is understood.
    Unsupported,
    /// A text is not UTF-8.
    NotText,
    /// A message could not be understood, or another connection took this one's place.
    Policy,
    /// A message is longer than [`leverframe_wire::frame::MESSAGE_BYTES_MAX`].
    TooLarge,
    /// There is no room; try again later.
    TryLater,
    /// The token does not work any more.
    Unauthenticated,
    /// The client answers its close.
    Normal,
}

impl CloseCode {
    /// The number on the wire; 4401 is ours, after HTTP's 401.
    pub(crate) fn number(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::GoingAway => 1001,
            Self::Protocol => 1002,
            Self::Unsupported => 1003,
            Self::NotText => 1007,
            Self::Policy => 1008,
            Self::TooLarge => 1009,
            Self::TryLater => 1013,
            Self::Unauthenticated => 4401,
        }
    }
}
