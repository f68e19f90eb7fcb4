//! Segments.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use leverframe_core::Command;
use leverframe_core::access::Permission;
use leverframe_core::state::{SegmentEntry, State as Fold};
use leverframe_flags::{Position, SegmentKey};
use leverframe_node::Accepted;
use leverframe_wire::admin::{PutSegment, Receipt, Removal, Segment, SegmentList, Why};
use serde::Deserialize;

use super::{done, made, page, tagged};
use crate::app::App;
use crate::auth::{self, Authenticated, May};
use crate::convert::{checked, segment, segment_definition_view};
use crate::problem::Failure;
use crate::request::{Change, Path, Query, Remove};
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    let surface = guarded!(Surface::new(), list_segments, create_segment);
    guarded!(surface, read_segment, edit_segment, delete_segment)
}

/// Which segments to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Part of the key, in any case.
    pub(crate) q: Option<String>,
    /// The last key of the page before.
    pub(crate) after: Option<String>,
    /// How many.
    pub(crate) limit: Option<usize>,
}

/// List segments
#[utoipa::path(get, path = "/api/v1/segments", tag = "segments", params(Wanted), responses((status = 200, body = SegmentList)))]
async fn list_segments(
    who: May<auth::ReadControl>,
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<SegmentList>, Failure> {
    list(&app, &who, &wanted).map(Json)
}

/// Segments, a page of them.
pub(crate) fn list(
    app: &App,
    who: &Authenticated,
    wanted: &Wanted,
) -> Result<SegmentList, Failure> {
    who.permit(&Permission::ReadControl)?;
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
    Ok(SegmentList { segments, next })
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
    Ok(made(create(&app, &who, wanted, change).await?))
}

/// Creates a segment.
pub(crate) async fn create(
    app: &App,
    who: &Authenticated,
    wanted: PutSegment,
    change: Change<()>,
) -> Result<Accepted, Failure> {
    who.permit(&Permission::Change)?;
    let command = Command::CreateSegment {
        segment: Box::new(segment(wanted.definition)?),
    };
    change.submit(app, who, command, wanted.why).await
}

/// One segment
#[utoipa::path(get, path = "/api/v1/segments/{segment}", tag = "segments", params(("segment" = String, Path)), responses((status = 200, body = Segment)))]
async fn read_segment(
    who: May<auth::ReadControl>,
    State(app): State<App>,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    let segment = read(&app, &who, &key)?;
    Ok(tagged(segment.revision, segment))
}

/// One segment.
pub(crate) fn read(app: &App, who: &Authenticated, key: &str) -> Result<Segment, Failure> {
    who.permit(&Permission::ReadControl)?;
    let state = app.node().state();
    let entry = state
        .segment(key)
        .ok_or_else(|| Failure::not_found("segment", key))?;
    Ok(view(entry, &users(&state)))
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
    Ok(done(edit(&app, &who, &key, wanted, change).await?))
}

/// Replaces a segment's definition.
pub(crate) async fn edit(
    app: &App,
    who: &Authenticated,
    key: &str,
    wanted: PutSegment,
    change: Change<()>,
) -> Result<Accepted, Failure> {
    who.permit(&Permission::Change)?;
    if wanted.definition.key != key {
        return Err(Failure::invalid(
            "definition.key",
            format!("the path says {key:?}; a segment is never renamed"),
        ));
    }
    let command = Command::EditSegment {
        segment: Box::new(segment(wanted.definition)?),
    };
    change.submit(app, who, command, wanted.why).await
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
    let command = deleted(&key)?;
    Ok(done(removal.submit(&app, &who, command).await?))
}

fn deleted(key: &str) -> Result<Command, Failure> {
    Ok(Command::DeleteSegment {
        segment: checked("segment", key)?,
    })
}

/// Removes a segment that nobody uses.
pub(crate) async fn delete(
    app: &App,
    who: &Authenticated,
    key: &str,
    (why, change): (Why, Change<()>),
) -> Result<Accepted, Failure> {
    who.permit(&Permission::Change)?;
    change.submit(app, who, deleted(key)?, why).await
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
