//! The journal, for people and for proof.

mod definition;
mod filter;
mod sight;
mod turns;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leverframe_core::access::Permission;
use leverframe_core::demand_undoable;
use leverframe_node::StoreError;
use leverframe_wire::admin::{JournalPage, Verification, WholeRecord};
use tokio_util::sync::CancellationToken;

use super::page;
use crate::app::App;
use crate::auth::{self, Authenticated, May};
use crate::problem::Failure;
use crate::request::{Path, Query};
use crate::surface::{Surface, guarded};
use definition::differences;
use filter::Filter;
use sight::shown;

pub(crate) use filter::Wanted;
pub(crate) use turns::Turns;

pub(super) fn routes() -> Surface {
    let surface = guarded!(Surface::new(), list_records);
    let surface = guarded!(surface, read_record);
    guarded!(surface, verify)
}

/// List records, the newest first
///
/// A page may be short or empty and still have a `next`: the server looks at a bounded number of
/// records for each.
#[utoipa::path(get, path = "/api/v1/journal", tag = "journal", params(Wanted), responses((status = 200, body = JournalPage)))]
async fn list_records(
    who: May<auth::ReadJournal>,
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<JournalPage>, Failure> {
    list(&app, &who, &wanted).await.map(Json)
}

/// Records as far as this token may see them, the newest first.
pub(crate) async fn list(
    app: &App,
    who: &Authenticated,
    wanted: &Wanted,
) -> Result<JournalPage, Failure> {
    who.permit(&Permission::ReadJournal)?;
    let size = page::size(wanted.limit)?;
    let state = app.node().state();
    let filter = Filter::new(wanted, who.token(), Arc::clone(&state))?;
    let end = state.revision().saturating_add(1);
    let before = wanted.before.unwrap_or(end).min(end);
    let reader = app.node().reader();
    let left = CancellationToken::new();
    let is_left = left.clone();
    let _until_left = left.drop_guard();
    let reading = app.journal_turns.read(move || {
        let read = |after, count: u64| match is_left.is_cancelled() {
            // Nobody waits for it any more, so the rest is not worth the work.
            true => Ok(Vec::new()),
            false => reader.read(after, usize::try_from(count).unwrap_or(usize::MAX)),
        };
        filter.page(before, size, read)
    });
    reading.await
}

/// One record, with what changed in definitions
#[utoipa::path(get, path = "/api/v1/journal/{revision}", tag = "journal", params(("revision" = u64, Path)), responses((status = 200, body = WholeRecord)))]
async fn read_record(
    who: May<auth::ReadJournal>,
    State(app): State<App>,
    Path(revision): Path<u64>,
) -> Result<Json<WholeRecord>, Failure> {
    whole(&app, &who, revision).await.map(Json)
}

/// One record as far as this token may see it.
pub(crate) async fn whole(
    app: &App,
    who: &Authenticated,
    revision: u64,
) -> Result<WholeRecord, Failure> {
    who.permit(&Permission::ReadJournal)?;
    let missing = || Failure::not_found("revision", &revision.to_string());
    let after = revision.checked_sub(1).ok_or_else(missing)?;
    let reader = app.node().reader();
    let (state, token) = (app.node().state(), who.token().clone());
    let reading = app.journal_turns.read(move || {
        let read =
            |after, count: u64| reader.read(after, usize::try_from(count).unwrap_or(usize::MAX));
        let entries = read(after, 1)?;
        let Some(entry) = entries.first() else {
            return Ok(None);
        };
        let Some(record) = shown(entry, &token, &state) else {
            return Ok(None);
        };
        Ok(Some(WholeRecord {
            record,
            previous: entry.previous.to_hex(),
            differences: differences(entry, &state, &read)?,
            why_not_undoable: demand_undoable(&state, revision)
                .err()
                .map(|why| why.to_string()),
        }))
    });
    reading.await?.ok_or_else(missing)
}

/// Read the whole journal and check its chain
///
/// One at a time: while one goes on, another is refused with 503.
#[utoipa::path(post, path = "/api/v1/journal/verify", tag = "journal", responses((status = 200, body = Verification)))]
async fn verify(
    who: May<auth::ReadJournal>,
    State(app): State<App>,
) -> Result<Json<Verification>, Failure> {
    verified(&app, &who).await.map(Json)
}

/// Whether the whole journal is as it was written.
pub(crate) async fn verified(app: &App, who: &Authenticated) -> Result<Verification, Failure> {
    who.permit(&Permission::ReadJournal)?;
    let turn = app.journal_turns.verify()?;
    let state = app.node().state();
    let node = app.node().clone();
    // The turn is over when the reading is, and not when whoever asked goes away.
    let reading = tokio::spawn(async move {
        let _turn = turn;
        node.verify().await
    });
    let read = reading
        .await
        .map_err(|error| Failure::new("internal", error.to_string()))?;
    match read {
        Ok(head) => Ok(Verification {
            intact: true,
            records: head.revision,
            revision: head.revision,
            head: head.link.to_hex(),
            first_bad: None,
            detail: None,
        }),
        Err(error @ (StoreError::Corrupt { .. } | StoreError::UnknownRecord { .. })) => {
            let first_bad = match &error {
                StoreError::Corrupt { revision, .. } => *revision,
                StoreError::UnknownRecord { revision, .. } => Some(*revision),
                _ => None,
            };
            Ok(Verification {
                intact: false,
                records: first_bad.unwrap_or_default().saturating_sub(1),
                revision: state.revision(),
                head: state.head().to_hex(),
                first_bad,
                detail: Some(error.to_string()),
            })
        }
        Err(error) => Err(error.into()),
    }
}
