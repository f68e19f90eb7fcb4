//! The journal, for people and for proof.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leverframe_core::access::Token;
use leverframe_core::state::State as Fold;
use leverframe_core::{Entry, Timestamp};
use leverframe_node::StoreError;
use leverframe_wire::admin::{Change, JournalPage, RecordView, Verification};
use serde::Deserialize;

use super::page;
use crate::app::App;
use crate::auth::{self, May};
use crate::convert::record_view;
use crate::limit::JOURNAL_SCAN_MAX;
use crate::problem::Failure;
use crate::request::{Path, Query};
use crate::surface::{Surface, guarded};

/// How many entries are read at once.
const CHUNK: u64 = 500;

pub(super) fn routes() -> Surface {
    let surface = guarded!(Surface::new(), list_records);
    let surface = guarded!(surface, read_record);
    guarded!(surface, verify)
}

/// Which records to list.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// None before this, in RFC 3339.
    since: Option<String>,
    /// None after this, in RFC 3339.
    until: Option<String>,
    /// Only what changed this flag.
    flag: Option<String>,
    /// Only what moved a lever in this environment.
    environment: Option<String>,
    /// Only what this actor did, by id or name.
    actor: Option<String>,
    /// Only revisions before this one.
    before: Option<u64>,
    /// How many.
    limit: Option<usize>,
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
    let size = page::size(wanted.limit)?;
    let state = app.node().state();
    let filter = Filter::new(&wanted, who.token(), Arc::clone(&state))?;
    let end = state.revision().saturating_add(1);
    let before = wanted.before.unwrap_or(end).min(end);
    let reader = app.node().reader();
    let page = blocking(move || {
        let read =
            |after, count: u64| reader.read(after, usize::try_from(count).unwrap_or(usize::MAX));
        filter.page(before, size, read)
    })
    .await?;
    Ok(Json(page))
}

/// One record
#[utoipa::path(get, path = "/api/v1/journal/{revision}", tag = "journal", params(("revision" = u64, Path)), responses((status = 200, body = RecordView)))]
async fn read_record(
    who: May<auth::ReadJournal>,
    State(app): State<App>,
    Path(revision): Path<u64>,
) -> Result<Json<RecordView>, Failure> {
    let missing = || Failure::not_found("revision", &revision.to_string());
    let after = revision.checked_sub(1).ok_or_else(missing)?;
    let reader = app.node().reader();
    let entries = blocking(move || reader.read(after, 1)).await?;
    let entry = entries.first().ok_or_else(missing)?;
    shown(entry, who.token(), &app.node().state())
        .map(Json)
        .ok_or_else(missing)
}

/// Read the whole journal and check its chain
#[utoipa::path(post, path = "/api/v1/journal/verify", tag = "journal", responses((status = 200, body = Verification)))]
async fn verify(
    _: May<auth::ReadJournal>,
    State(app): State<App>,
) -> Result<Json<Verification>, Failure> {
    let state = app.node().state();
    match app.node().verify().await {
        Ok(head) => Ok(Json(Verification {
            intact: true,
            records: head.revision,
            revision: head.revision,
            head: head.link.to_hex(),
            first_bad: None,
            detail: None,
        })),
        Err(error @ (StoreError::Corrupt { .. } | StoreError::UnknownRecord { .. })) => {
            let first_bad = match &error {
                StoreError::Corrupt { revision, .. } => *revision,
                StoreError::UnknownRecord { revision, .. } => Some(*revision),
                _ => None,
            };
            Ok(Json(Verification {
                intact: false,
                records: first_bad.unwrap_or_default().saturating_sub(1),
                revision: state.revision(),
                head: state.head().to_hex(),
                first_bad,
                detail: Some(error.to_string()),
            }))
        }
        Err(error) => Err(error.into()),
    }
}

async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(read).await {
        Ok(read) => Ok(read?),
        Err(error) => Err(Failure::new("internal", error.to_string())),
    }
}

/// A record as this token may see it: without what belongs to other environments; `None` when
/// nothing is left.
fn shown(entry: &Entry, token: &Token, state: &Fold) -> Option<RecordView> {
    let mut view = record_view(entry);
    let before = view.changes.len();
    for change in &mut view.changes {
        if change.environment.is_none() {
            change.environment = place(change, state);
        }
    }
    // What is kept no more, nobody knows the environment of.
    let is_of_nowhere = |change: &Change| {
        change.environment.is_none()
            && matches!(change.noun.as_str(), "rollout" | "effect" | "drill")
    };
    view.changes
        .retain(|change| token.environments.is_empty() || !is_of_nowhere(change));
    view.changes.retain(|change| {
        change
            .environment
            .as_deref()
            .is_none_or(|environment| token.allows_environment(environment))
    });
    (before == 0 || !view.changes.is_empty()).then_some(view)
}

/// Where something happened that is named by itself and not by its lever.
fn place(change: &Change, state: &Fold) -> Option<String> {
    let key = change.key.as_str();
    match change.noun.as_str() {
        "rollout" => Some(state.rollout(key)?.environment.to_string()),
        "effect" => {
            let effect = &state.effect(key)?.effect;
            Some(effect.message.environment.to_string())
        }
        "drill" => {
            let revision = key.strip_prefix('r')?.parse().ok()?;
            Some(state.drill(revision)?.environment.to_string())
        }
        _ => None,
    }
}

/// Whether a change is one of this flag, of its levers or of their rollouts.
fn is_of_flag(change: &Change, flag: &str, state: &Fold) -> bool {
    match change.noun.as_str() {
        "flag" | "lever" => change.key == flag,
        "rollout" => state
            .rollout(&change.key)
            .is_some_and(|rollout| rollout.flag.as_str() == flag),
        "drill" => {
            let revision = change
                .key
                .strip_prefix('r')
                .and_then(|text| text.parse().ok());
            let drill = revision.and_then(|revision| state.drill(revision));
            change.key == flag || drill.is_some_and(|drill| drill.flag.as_str() == flag)
        }
        _ => false,
    }
}

struct Filter {
    state: Arc<Fold>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    wanted: Wanted,
    token: Token,
}

impl Filter {
    fn new(wanted: &Wanted, token: &Token, state: Arc<Fold>) -> Result<Self, Failure> {
        let time = |field: &str, text: &Option<String>| {
            text.as_deref()
                .map(|text| {
                    text.parse::<jiff::Timestamp>()
                        .map(|time| Timestamp::from_ms(time.as_millisecond()))
                        .map_err(|error| {
                            Failure::invalid(
                                field,
                                format!("a time is written 2026-12-31T23:59:59Z: {error}"),
                            )
                        })
                })
                .transpose()
        };
        Ok(Self {
            state,
            since: time("since", &wanted.since)?,
            until: time("until", &wanted.until)?,
            wanted: wanted.clone(),
            token: token.clone(),
        })
    }

    /// Goes back from `before` until the page is full, `since` is passed, or enough was looked at.
    fn page(
        &self,
        before: u64,
        size: usize,
        read: impl Fn(u64, u64) -> Result<Vec<Entry>, StoreError>,
    ) -> Result<JournalPage, StoreError> {
        let mut records = Vec::new();
        let mut end = before;
        let stop = before.saturating_sub(JOURNAL_SCAN_MAX).max(1);
        while end > stop {
            let begin = end.saturating_sub(CHUNK).max(stop);
            let entries = read(begin - 1, end - begin)?;
            for entry in entries.iter().rev() {
                if self.since.is_some_and(|since| entry.record.at < since) {
                    return Ok(JournalPage {
                        records,
                        next: None,
                    });
                }
                end = entry.record.revision;
                if let Some(view) = self.view(entry) {
                    records.push(view);
                    if records.len() == size {
                        return Ok(JournalPage {
                            records,
                            next: (end > 1).then_some(end),
                        });
                    }
                }
            }
            end = begin;
        }
        Ok(JournalPage {
            records,
            next: (end > 1).then_some(end),
        })
    }

    fn view(&self, entry: &Entry) -> Option<RecordView> {
        let record = &entry.record;
        if self.until.is_some_and(|until| record.at > until) {
            return None;
        }
        let is_actor = |actor: &String| **actor == *record.actor || **actor == *record.actor_name;
        if !self.wanted.actor.as_ref().is_none_or(is_actor) {
            return None;
        }
        let view = shown(entry, &self.token, &self.state)?;
        let concerns = |change: &Change| {
            let is_flag = |flag: &String| is_of_flag(change, flag, &self.state);
            self.wanted.flag.as_ref().is_none_or(is_flag)
                && self
                    .wanted
                    .environment
                    .as_ref()
                    .is_none_or(|environment| change.environment.as_ref() == Some(environment))
        };
        let is_any = self.wanted.flag.is_none() && self.wanted.environment.is_none();
        (is_any || view.changes.iter().any(concerns)).then_some(view)
    }
}
