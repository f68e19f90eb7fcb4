//! Segments.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use leverframe_core::Command;
use leverframe_core::state::{SegmentEntry, State as Fold};
use leverframe_flags::{Position, SegmentKey};
use leverframe_wire::admin::{PutSegment, Receipt, Removal, Segment, SegmentList};
use serde::Deserialize;

use super::{done, made, page, tagged};
use crate::app::App;
use crate::auth::{self, May};
use crate::convert::{checked, segment, segment_definition_view};
use crate::problem::Failure;
use crate::request::{Change, Path, Query, Remove};
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    let surface = guarded!(Surface::new(), list_segments, create_segment);
    guarded!(surface, read_segment, edit_segment, delete_segment)
}

/// Which segments to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Part of the key, in any case.
    q: Option<String>,
    /// The last key of the page before.
    after: Option<String>,
    /// How many.
    limit: Option<usize>,
}

/// List segments
#[utoipa::path(get, path = "/api/v1/segments", tag = "segments", params(Wanted), responses((status = 200, body = SegmentList)))]
async fn list_segments(
    _: May<auth::ReadControl>,
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<SegmentList>, Failure> {
    let state = app.node().state();
    let q = wanted.q.as_deref().map(str::to_lowercase);
    let matching = state.segments().filter(|entry| {
        q.as_ref()
            .is_none_or(|q| entry.segment.key.as_str().to_lowercase().contains(q))
    });
    let (entries, next) = page::cut(
        matching,
        wanted.after.as_deref(),
        page::size(wanted.limit)?,
        |entry| entry.segment.key.as_str(),
    );
    let users = users(&state);
    let segments = entries
        .into_iter()
        .map(|entry| view(entry, &users))
        .collect();
    Ok(Json(SegmentList { segments, next }))
}

/// Create a segment
#[utoipa::path(
    post, path = "/api/v1/segments", tag = "segments",
    params(("dry_run" = Option<bool>, Query), ("Idempotency-Key" = Option<String>, Header)),
    request_body = PutSegment,
    responses((status = 201, body = Receipt), (status = 200, body = Receipt, description = "It was so already, or a dry run"))
)]
async fn create_segment(
    who: May<auth::Command>,
    State(app): State<App>,
    change: Change<PutSegment>,
) -> Result<(StatusCode, Json<Receipt>), Failure> {
    let (wanted, change) = change.split();
    let command = Command::CreateSegment {
        segment: Box::new(segment(wanted.definition)?),
    };
    Ok(made(change.submit(&app, &who, command, wanted.why).await?))
}

/// One segment
#[utoipa::path(get, path = "/api/v1/segments/{segment}", tag = "segments", params(("segment" = String, Path)), responses((status = 200, body = Segment)))]
async fn read_segment(
    _: May<auth::ReadControl>,
    State(app): State<App>,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    let state = app.node().state();
    let entry = state
        .segment(&key)
        .ok_or_else(|| Failure::not_found("segment", &key))?;
    Ok(tagged(entry.revision, view(entry, &users(&state))))
}

/// Replace a segment's definition
#[utoipa::path(
    put, path = "/api/v1/segments/{segment}", tag = "segments",
    params(("segment" = String, Path), ("dry_run" = Option<bool>, Query), ("If-Match" = Option<String>, Header, description = "The segment's ETag"), ("Idempotency-Key" = Option<String>, Header)),
    request_body = PutSegment,
    responses((status = 200, body = Receipt))
)]
async fn edit_segment(
    who: May<auth::Command>,
    State(app): State<App>,
    Path(key): Path<String>,
    change: Change<PutSegment>,
) -> Result<Json<Receipt>, Failure> {
    let (wanted, change) = change.split();
    if wanted.definition.key != key {
        return Err(Failure::invalid(
            "definition.key",
            format!("the path says {key:?}; a segment is never renamed"),
        ));
    }
    let command = Command::EditSegment {
        segment: Box::new(segment(wanted.definition)?),
    };
    Ok(done(change.submit(&app, &who, command, wanted.why).await?))
}

/// Remove a segment that nobody uses
#[utoipa::path(
    delete, path = "/api/v1/segments/{segment}", tag = "segments",
    params(("segment" = String, Path), ("dry_run" = Option<bool>, Query), ("If-Match" = Option<String>, Header, description = "The segment's ETag")),
    request_body(content = Option<Removal>),
    responses((status = 200, body = Receipt))
)]
async fn delete_segment(
    who: May<auth::Command>,
    State(app): State<App>,
    Path(key): Path<String>,
    removal: Remove,
) -> Result<Json<Receipt>, Failure> {
    let command = Command::DeleteSegment {
        segment: checked("segment", &key)?,
    };
    Ok(done(removal.submit(&app, &who, command).await?))
}

/// Who uses which segment, for all of them in one pass.
fn users(state: &Fold) -> BTreeMap<SegmentKey, BTreeSet<String>> {
    let mut users: BTreeMap<SegmentKey, BTreeSet<String>> = BTreeMap::new();
    let mut add = |segment: &SegmentKey, user: String| {
        users.entry(segment.clone()).or_default().insert(user);
    };
    for flag in state.flags().filter(|flag| !flag.is_archived) {
        let user = || format!("flag {}", flag.key());
        let rules = flag
            .definition
            .environments
            .values()
            .flat_map(|rules| &rules.rules);
        for segment in rules.flat_map(|rule| rule.when.segments()) {
            add(segment, user());
        }
        for lever in flag.levers.values() {
            if let Position::Open { exposure } = &lever.position {
                for segment in &exposure.cohorts {
                    add(segment, user());
                }
            }
        }
    }
    for entry in state.segments() {
        for used in entry.segment.when.iter().flat_map(|when| when.segments()) {
            add(used, format!("segment {}", entry.segment.key));
        }
    }
    users
}

fn view(entry: &SegmentEntry, users: &BTreeMap<SegmentKey, BTreeSet<String>>) -> Segment {
    Segment {
        definition: segment_definition_view(&entry.segment),
        revision: entry.revision,
        used_by: users
            .get(&entry.segment.key)
            .map(|users| users.iter().cloned().collect())
            .unwrap_or_default(),
    }
}
