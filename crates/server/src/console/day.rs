//! What changed in the last day, for the first page: read once for everybody who may see the same, since
//! every tab asks for it at every notice.

use std::collections::BTreeSet;

use leverframe_core::Timestamp;
use leverframe_core::access::Permission;
use leverframe_flags::EnvironmentKey;
use leverframe_wire::admin::RecordView;
use tokio::sync::Mutex;

use super::visit::Visit;
use crate::admin::journal;
use crate::app::App;
use crate::limit::{DAYS_KEPT_MAX, JOURNAL_PATIENCE, NOW_CHANGES_MAX};
use crate::problem::Failure;

/// Days that were read, as of the newest revision.
#[derive(Debug, Default)]
pub(crate) struct Days(Mutex<Vec<(Sight, Vec<RecordView>)>>);

/// What decides how a day looks.
#[derive(Debug, PartialEq, Eq)]
struct Sight {
    revision: u64,
    environment: EnvironmentKey,
    /// Those that the token may see.
    environments: BTreeSet<EnvironmentKey>,
}

/// What changed here since then, definitions included; or why that cannot be said.
pub(super) async fn changed(
    app: &App,
    visit: &Visit,
    since: Timestamp,
) -> Result<Vec<RecordView>, String> {
    match tokio::time::timeout(JOURNAL_PATIENCE, read(app, visit, since.to_string())).await {
        Ok(Ok(records)) => Ok(records),
        Ok(Err(failure)) => Err(format!(
            "The journal cannot be read now: {}",
            failure.detail()
        )),
        Err(_) => Err(
            "The journal does not answer now; everything else here is true all the same."
                .to_owned(),
        ),
    }
}

async fn read(app: &App, visit: &Visit, since: String) -> Result<Vec<RecordView>, Failure> {
    visit.permit(&Permission::ReadJournal)?;
    let sight = Sight {
        revision: app.node().state().revision(),
        environment: visit.environment.clone(),
        environments: visit.token().environments.clone(),
    };
    // Held while it is read: those who come meanwhile want the same.
    let mut days = app.days.0.lock().await;
    if let Some((_, records)) = days.iter().find(|(known, _)| *known == sight) {
        let mut records = records.clone();
        // It goes on without a change as well; times are of one form.
        records.retain(|record| record.at >= since);
        return Ok(records);
    }
    let wanted = journal::Wanted {
        since: Some(since),
        environment: Some(visit.environment.to_string()),
        global: true,
        limit: Some(NOW_CHANGES_MAX),
        ..journal::Wanted::default()
    };
    let records = journal::list(app, visit, &wanted).await?.records;
    days.retain(|(known, _)| known.revision == sight.revision);
    if days.len() >= DAYS_KEPT_MAX {
        days.clear();
    }
    days.push((sight, records.clone()));
    Ok(records)
}
