//! Drills: a lever pulled for practice, and put back as it was.
//! `POST|PUT|DELETE /environments/{environment}/flags/{flag}/drill` (run, schedule, schedule no more),
//! `GET /drills?environment=&flag=`, `GET /drills/{revision}`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::receipt::Why;
use super::span::Span;

/// Pulls a lever for practice. The answer says "stored"; ask for the drill of its revision until it
/// is over.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunDrill {
    /// Why.
    #[serde(default)]
    pub why: Why,
}

/// Has a lever drilled at regular times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutDrillSchedule {
    /// How often; the first time one interval from now.
    pub every: Span,
    /// Why.
    #[serde(default)]
    pub why: Why,
}

/// A drill, running or over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Drill {
    /// The revision that closed the lever; the drill's name.
    pub revision: u64,
    /// Whose lever.
    pub flag: String,
    /// Where.
    pub environment: String,
    /// When, in RFC 3339.
    pub at: String,
    /// Who.
    pub by: String,
    /// How it stands.
    pub state: DrillState,
    /// How many evaluators were on the roll.
    pub expected: u64,
    /// How many of them confirmed.
    pub confirmed: u64,
    /// How long it took until everybody had it, in milliseconds; absent when somebody did not have it
    /// in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_ms: Option<u64>,
    /// Those that did not, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Whether the lever was put back; it is not when somebody moved it meanwhile.
    pub restored: bool,
    /// All of it in a sentence.
    pub sentence: String,
}

/// How a drill stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DrillState {
    /// The lever is closed, and evaluators are being counted.
    Running,
    /// Everybody had it within a minute.
    Passed,
    /// Somebody had not.
    Failed,
}

/// A lever that is drilled by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DrillSchedule {
    /// Whose.
    pub flag: String,
    /// Where.
    pub environment: String,
    /// How often.
    pub every: Span,
    /// Who set it.
    pub by: String,
    /// When, in RFC 3339.
    pub at: String,
}

/// Drills and who is drilled by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DrillList {
    /// The last first.
    pub drills: Vec<Drill>,
    /// By lever.
    pub schedules: Vec<DrillSchedule>,
}
