//! Offline: a rule set from a file that the program names.

use std::path::Path;
use std::sync::Arc;

use leverframe_flags::{Cursor, RuleSet, Update};

use crate::cache::{self, Kept};
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
    let (rules, cursor) = match cache::read(file).map_err(|error| unusable(error.to_string()))? {
        Kept::Slot(slot) => {
            let rules = slot.rules().map_err(|error| unusable(error.to_string()))?;
            (rules, slot.cursor)
        }
        Kept::Frame(text) => frame(&text).map_err(unusable)?,
    };
    for (flag, why) in rules.refused() {
        tracing::warn!(
            flag = flag.as_str(),
            why,
            "cannot be read, and so is closed"
        );
    }
    Ok((Arc::new(rules), cursor))
}

/// The rule set of a snapshot frame.
fn frame(text: &str) -> Result<(RuleSet, Cursor), String> {
    let decoded = decode::frame(text).map_err(|error| error.to_string())?;
    let Update::Snapshot {
        cursor,
        flags,
        segments,
    } = decoded.update
    else {
        return Err("it is a change, not a snapshot".to_owned());
    };
    Ok((RuleSet::compile(cursor.revision, flags, segments), cursor))
}
