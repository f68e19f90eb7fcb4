//! The evaluators' stream: frames down, messages up, both JSON texts over one WebSocket, or over a
//! long poll where a WebSocket cannot pass.
//!
//! A frame is built so that nothing in it can hold up a kill: positions stand apart from
//! definitions, and every position, value and definition is a JSON text of its own that is decoded
//! by itself.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::outcome::{Grid, Outcomes};

/// The path of the WebSocket.
pub const STREAM_PATH: &str = "/api/v1/stream";
/// The path of the long poll.
pub const POLL_PATH: &str = "/api/v1/stream/poll";
/// The WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "leverframe.v1";
/// The server sends a WebSocket ping this often, in milliseconds.
pub const HEARTBEAT_MS: u64 = 5_000;
/// Either side takes the other for gone after this much silence, in milliseconds.
pub const SILENCE_MS_MAX: u64 = 15_000;
/// Largest message an evaluator may send, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Largest frame a server may send, in bytes.
pub const FRAME_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Most flags that an evaluator may say it knows; further ones are left out.
pub const DECLARED_FLAGS_MAX: usize = 500;
/// Longest a long poll may ask to wait, in milliseconds.
pub const POLL_MS_MAX: u64 = 25_000;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrameKind {
    /// Everything.
    Snapshot,
    /// What one revision changed.
    Change,
    /// Kills that are out ahead of the journal.
    Brake,
}

/// One frame from a server to an evaluator.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Frame {
    /// What it is.
    pub kind: FrameKind,
    /// Where it stands.
    pub cursor: Cursor,
    /// Positions that moved (`change`) or are closed for now (`brake`); they come first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub positions: Vec<PositionFrame>,
    /// Flags, new or anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<FlagFrame>,
    /// Segments, new or anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<SegmentFrame>,
    /// Flags that are gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed_flags: Vec<String>,
    /// Segments that are gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed_segments: Vec<String>,
}

/// A place in the history of one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "admin", derive(utoipa::ToSchema))]
pub struct Cursor {
    /// Which journal.
    pub journal: String,
    /// Raised by a restore.
    pub epoch: u64,
    /// Whose history.
    pub environment: String,
    /// The revision this builds on; 0 for a snapshot.
    pub previous: u64,
    /// The revision this leads to.
    pub revision: u64,
    /// How many kills are out and not yet stored.
    #[serde(default)]
    pub brake: u64,
    /// The journal's head hash at `revision`, in hexadecimal.
    pub head: String,
}

/// A flag's position.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PositionFrame {
    /// The flag.
    pub flag: String,
    /// Its position; one that cannot be read means closed.
    pub position: Box<RawValue>,
}

/// A flag whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FlagFrame {
    /// The flag.
    pub key: String,
    /// Its position.
    pub position: Box<RawValue>,
    /// The closed variant's name, apart from the definition.
    pub closed_variant: String,
    /// The closed variant's value.
    pub closed_value: Box<RawValue>,
    /// Its definition.
    pub definition: Box<RawValue>,
}

/// A segment whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SegmentFrame {
    /// The segment.
    pub key: String,
    /// Its definition.
    pub definition: Box<RawValue>,
}

/// A [`Frame`] that borrows from its text, for readers that need nothing of it for long.
#[derive(Debug, Deserialize)]
pub struct FrameText<'t> {
    /// What it is.
    pub kind: FrameKind,
    /// Where it stands.
    pub cursor: Cursor,
    /// [`Frame::positions`].
    #[serde(borrow, default)]
    pub positions: Vec<PositionText<'t>>,
    /// [`Frame::flags`].
    #[serde(borrow, default)]
    pub flags: Vec<FlagText<'t>>,
    /// [`Frame::segments`].
    #[serde(borrow, default)]
    pub segments: Vec<SegmentText<'t>>,
    /// [`Frame::removed_flags`].
    #[serde(default)]
    pub removed_flags: Vec<String>,
    /// [`Frame::removed_segments`].
    #[serde(default)]
    pub removed_segments: Vec<String>,
}

/// A [`PositionFrame`] that borrows from its text.
#[derive(Debug, Deserialize)]
pub struct PositionText<'t> {
    /// The flag.
    #[serde(borrow)]
    pub flag: Cow<'t, str>,
    /// Its position; one that cannot be read means closed.
    #[serde(borrow)]
    pub position: &'t RawValue,
}

/// A [`FlagFrame`] that borrows from its text.
#[derive(Debug, Deserialize)]
pub struct FlagText<'t> {
    /// The flag.
    #[serde(borrow)]
    pub key: Cow<'t, str>,
    /// Its position.
    #[serde(borrow)]
    pub position: &'t RawValue,
    /// The closed variant's name, apart from the definition.
    #[serde(borrow)]
    pub closed_variant: Cow<'t, str>,
    /// The closed variant's value.
    #[serde(borrow)]
    pub closed_value: &'t RawValue,
    /// Its definition.
    #[serde(borrow)]
    pub definition: &'t RawValue,
}

/// A [`SegmentFrame`] that borrows from its text.
#[derive(Debug, Deserialize)]
pub struct SegmentText<'t> {
    /// The segment.
    #[serde(borrow)]
    pub key: Cow<'t, str>,
    /// Its definition.
    #[serde(borrow)]
    pub definition: &'t RawValue,
}

/// One message from an evaluator to its server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Message {
    /// The first message: who is here, and what it has already.
    Hello(Hello),
    /// A frame was applied.
    Acknowledge(Acknowledge),
    /// The frame did not fit what the evaluator has: send a snapshot.
    Resync {
        /// Why, for the server's log.
        why: String,
    },
    /// How often what was answered since the last one.
    Counts(Counts),
    /// What went well and what did not. Only to a server that has said how it cuts time.
    Outcomes(Outcomes),
    /// The process ends of its own will and leaves the roll.
    Goodbye,
}

/// Who an evaluator is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "admin", derive(utoipa::ToSchema))]
pub struct Hello {
    /// An id of the running process, made at its start.
    pub instance: String,
    /// The application's name.
    pub application: String,
    /// The application's build, such as a commit.
    pub build: String,
    /// The client and its version, such as `leverframe-rust/0.1.0`.
    pub client: String,
    /// What it has from an earlier connection or its disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
    /// Whether it reports outcomes, and so wants to know how time is cut.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outcomes: bool,
    /// The flags that its code knows; absent when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<Vec<String>>,
}

/// What an evaluator has applied, and what of it it could not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "admin", derive(utoipa::ToSchema))]
pub struct Acknowledge {
    /// The journal it follows.
    pub journal: String,
    /// The epoch it is in.
    pub epoch: u64,
    /// The revision it is at.
    pub revision: u64,
    /// The brake number it has seen.
    #[serde(default)]
    pub brake: u64,
    /// The head hash it was given.
    pub head: String,
    /// Flags it cannot decide, which it keeps closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refusal>,
}

/// A flag an evaluator cannot decide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "admin", derive(utoipa::ToSchema))]
pub struct Refusal {
    /// The flag.
    pub flag: String,
    /// Why.
    pub why: String,
}

/// Evaluations in aggregate. A repeat with the same `sequence` is counted once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "admin", derive(utoipa::ToSchema))]
pub struct Counts {
    /// Counts up by one with every flush of one instance.
    pub sequence: u64,
    /// How often each variant was answered.
    pub evaluations: Vec<Count>,
}

/// How often one variant of one flag was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "admin", derive(utoipa::ToSchema))]
pub struct Count {
    /// The flag.
    pub flag: String,
    /// The variant.
    pub variant: String,
    /// How often.
    pub count: u64,
}

/// The body of a long poll: the acknowledgement of the last answer and the question for the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "admin", derive(utoipa::ToSchema))]
pub struct Poll {
    /// Who asks; its cursor is what it has.
    pub hello: Hello,
    /// What it has applied since the last poll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledge: Option<Acknowledge>,
    /// Evaluations since the last poll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// Outcomes of one interval, or a part of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcomes: Option<Outcomes>,
    /// The process ends; the answer is empty and comes at once.
    #[serde(default)]
    pub goodbye: bool,
    /// How long the server may wait for news, in milliseconds, up to [`POLL_MS_MAX`].
    pub wait_ms: u64,
}

/// The answer to a long poll.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "admin", derive(utoipa::ToSchema))]
pub struct PollAnswer {
    /// Frames in order; none when nothing happened in time.
    #[cfg_attr(feature = "admin", schema(value_type = Vec<serde_json::Value>))]
    pub frames: Vec<Box<RawValue>>,
    /// How time is cut, for those who report outcomes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grid: Option<Grid>,
}
