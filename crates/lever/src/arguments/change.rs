//! Options of every command that changes something.

use clap::Args;
use leverframe_wire::admin::Why;

/// Options of every command that changes something.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ChangeArgs {
    /// Why, in words; needed for an opening in a guarded environment
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,

    /// The incident it belongs to
    #[arg(long, value_name = "ID")]
    pub(crate) incident: Option<String>,

    /// Let the server decide, show what would change, and store nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl ChangeArgs {
    pub(crate) fn why(&self) -> Why {
        let given = |text: &Option<String>| {
            text.as_deref()
                .map(str::trim)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        Why {
            reason: given(&self.reason),
            incident: given(&self.incident),
        }
    }
}
