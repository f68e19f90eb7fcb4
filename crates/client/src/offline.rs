//! Offline: a rule set from a file that the program names.

use std::path::Path;
use std::sync::Arc;

use leverframe_flags::{Cursor, RuleSet, Update};

use crate::cache;
use crate::decode;

/// Why a file cannot be used offline.
#[derive(Debug, thiserror::Error)]
#[error("{file} cannot be used: {why}")]
pub struct OfflineError {
    file: String,
    why: String,
}

pub(crate) fn read(file: &Path) -> Result<(Arc<RuleSet>, Cursor), OfflineError> {
    let unusable = |why: String| OfflineError {
        file: file.display().to_string(),
        why,
    };
    let text = cache::read_frame(file).map_err(|error| unusable(error.to_string()))?;
    let decoded = decode::frame(&text).map_err(|error| unusable(error.to_string()))?;
    let Update::Snapshot {
        cursor,
        flags,
        segments,
    } = decoded.update
    else {
        return Err(unusable("it is a change, not a snapshot".to_owned()));
    };
    let rules = RuleSet::compile(cursor.revision, flags, segments);
    for (flag, why) in rules.refused() {
        tracing::warn!(
            flag = flag.as_str(),
            why,
            "cannot be read, and so is closed"
        );
    }
    Ok((Arc::new(rules), cursor))
}
