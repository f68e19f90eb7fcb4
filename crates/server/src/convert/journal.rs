//! Records for people.

use leverframe_core::Entry;
use leverframe_core::receipt::receipt;
use leverframe_wire::admin;

use super::receipt::change_view;

/// One record: who, when, why, what.
pub(crate) fn record_view(entry: &Entry) -> admin::RecordView {
    let record = &entry.record;
    admin::RecordView {
        revision: record.revision,
        at: record.at.to_string(),
        actor: record.actor.to_string(),
        actor_name: record.actor_name.to_string(),
        via: record.via.to_string(),
        reason: record
            .why
            .reason
            .as_deref()
            .unwrap_or("none given")
            .to_owned(),
        incident: record.why.incident.as_deref().map(str::to_owned),
        changes: receipt(record)
            .changes
            .into_iter()
            .map(change_view)
            .collect(),
        hash: entry.link.to_hex(),
    }
}
