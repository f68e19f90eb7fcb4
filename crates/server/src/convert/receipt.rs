//! What a change did.

use leverframe_core::receipt;
use leverframe_node::Accepted;
use leverframe_wire::admin;

/// What a change did, with the command that takes it back.
pub(crate) fn receipt_view(accepted: Accepted) -> admin::Receipt {
    let Accepted {
        receipt,
        unchanged,
        dry_run,
        stored,
        brake,
        environments,
    } = accepted;
    let is_undoable = receipt.undoable && stored && !dry_run;
    admin::Receipt {
        revision: receipt.revision,
        at: receipt.at.to_string(),
        dry_run,
        unchanged,
        stored,
        brake,
        environments: environments.iter().map(ToString::to_string).collect(),
        undo: is_undoable.then(|| format!("lever undo r{} -r \"…\"", receipt.revision)),
        changes: receipt.changes.into_iter().map(change_view).collect(),
    }
}

pub(super) fn change_view(change: receipt::Change) -> admin::Change {
    admin::Change {
        noun: change.noun.to_owned(),
        key: change.key,
        environment: change.environment,
        from: change.from,
        to: change.to,
        sentence: change.sentence,
    }
}
