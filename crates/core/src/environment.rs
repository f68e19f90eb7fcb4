//! Environments and what an opening needs there.

use leverframe_flags::EnvironmentKey;
use serde::{Deserialize, Serialize};

/// One environment: where flags have positions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Its name.
    pub key: EnvironmentKey,
    /// Whether an opening needs a reason and a current `If-Match` here. A closing never does.
    pub guarded: bool,
}
