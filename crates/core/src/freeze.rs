//! Freezes: for a while nothing is opened in an environment.

use leverframe_flags::EnvironmentKey;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Nothing is opened in this environment until then. Closing works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// Where.
    pub environment: EnvironmentKey,
    /// Until when.
    pub until: Timestamp,
    /// Since when.
    pub at: Timestamp,
    /// Who, as people call the actor.
    pub by: Box<str>,
    /// Why, if a reason was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Box<str>>,
    /// The revision that set it.
    pub revision: u64,
}
