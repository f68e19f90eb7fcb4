//! The rolls beside the journal: saved as they change, so that whoever was silent through a restart is
//! still missed.

use crate::shared::Shared;

/// Saves the rolls that changed; one that cannot be saved is tried again.
pub(crate) fn save_rolls(shared: &Shared, beside: &dyn leverframe_store::Beside) {
    for feed in shared.feeds() {
        let Some(roll) = feed.presence().unsaved() else {
            continue;
        };
        let environment = feed.environment();
        if let Err(error) = beside.save_roll(environment.as_str(), &roll) {
            feed.presence().not_saved();
            tracing::warn!(%environment, %error, "the roll could not be saved; it is tried again");
        }
    }
}
