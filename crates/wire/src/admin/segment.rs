//! Segments. `GET|POST /segments`, `GET|PUT|DELETE /segments/{segment}`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::receipt::Why;

/// A named set of contexts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentDefinition {
    /// `[A-Za-z0-9._~-]{1,128}`.
    pub key: String,
    /// Contexts that meet this belong to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Units that belong to it by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Units that never belong to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
}

/// A segment. The ETag is `revision`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Segment {
    /// Its definition.
    pub definition: SegmentDefinition,
    /// The revision that last changed it.
    pub revision: u64,
    /// Flags and segments that use it.
    pub used_by: Vec<String>,
}

/// Some segments. `GET /segments?q=&after=&limit=`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SegmentList {
    /// By key.
    pub segments: Vec<Segment>,
    /// Pass as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Creates or replaces a segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutSegment {
    /// The definition.
    pub definition: SegmentDefinition,
    /// Why.
    #[serde(default)]
    pub why: Why,
}
