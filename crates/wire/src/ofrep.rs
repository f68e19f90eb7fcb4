//! OFREP 0.3.0: evaluation over HTTP for any OpenFeature client. Every field that a client in use
//! raises on when it is missing is always written.

use serde::{Deserialize, Serialize};

/// The body of a single or bulk evaluation.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct EvaluationRequest {
    /// The context, a JSON object; absent is the same as empty.
    #[serde(default)]
    pub context: Option<serde_json::Value>,
}

/// A successful evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The flag.
    pub key: String,
    /// The value; a float is always written with a fraction.
    pub value: serde_json::Value,
    /// The variant.
    pub variant: String,
    /// One of OFREP's reasons.
    pub reason: String,
    /// Booleans, texts and numbers; `{}` when there is nothing to say.
    pub metadata: serde_json::Map<String, serde_json::Value>,
}

/// A failed evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvaluationFailure {
    /// The flag.
    pub key: String,
    /// The code.
    pub error_code: ErrorCode,
    /// What is wrong, for people.
    pub error_details: String,
}

/// OFREP's error codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// The body is not what it should be.
    ParseError,
    /// The context lacks a targeting key where one is needed.
    TargetingKeyMissing,
    /// The context is not a context.
    InvalidContext,
    /// There is no such flag.
    FlagNotFound,
    /// Anything else.
    General,
}

/// A failure that is not about one flag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GeneralFailure {
    /// The code, where OFREP has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<ErrorCode>,
    /// What is wrong, for people.
    pub error_details: String,
}

/// The answer to a bulk evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkEvaluation {
    /// One for each flag the token may see.
    pub flags: Vec<Evaluation>,
    /// Where to hear of changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event_streams: Vec<EventStream>,
}

/// Where a client hears of changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventStream {
    /// Always `sse`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The endpoint, relative to where the client reached the server.
    pub endpoint: EventStreamEndpoint,
    /// A client that hears nothing for this long reconnects, in seconds.
    pub inactivity_delay_sec: u32,
}

/// An SSE endpoint on the server the client already talks to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventStreamEndpoint {
    /// Path and query, with a short-lived ticket that allows nothing but these notices.
    pub request_uri: String,
}
