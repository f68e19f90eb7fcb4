//! Flags and their definitions.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use leverframe_core::Command;
use leverframe_wire::admin::{Flag, FlagList, Kind, PutFlag, Receipt, Removal};
use serde::Deserialize;

use super::{done, made, page, tagged};
use crate::app::App;
use crate::auth::{self, May};
use crate::convert::{checked, definition, flag_view, kind_view};
use crate::problem::Failure;
use crate::request::{Change, Path, Query, Remove};
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    let surface = guarded!(Surface::new(), list_flags, create_flag);
    guarded!(surface, read_flag, edit_flag, archive_flag)
}

/// Which flags to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Part of the key or the description, in any case.
    q: Option<String>,
    /// Who answers for it.
    owner: Option<String>,
    /// One of its tags.
    tag: Option<String>,
    /// What it is for.
    kind: Option<Kind>,
    /// Only those out of use (`true`) or in use (`false`, as when absent).
    #[serde(default)]
    archived: bool,
    /// The server's own, such as the canary, as well.
    #[serde(default)]
    internal: bool,
    /// The last key of the page before.
    after: Option<String>,
    /// How many.
    limit: Option<usize>,
}

impl Wanted {
    fn matches(&self, flag: &leverframe_core::state::Flag) -> bool {
        let definition = &flag.definition;
        let has = |text: &str, part: &str| text.to_lowercase().contains(part);
        flag.is_archived == self.archived
            && (self.internal || !flag.is_internal())
            && self
                .owner
                .as_ref()
                .is_none_or(|owner| *owner == definition.owner)
            && self
                .tag
                .as_ref()
                .is_none_or(|tag| definition.tags.contains(tag))
            && self
                .kind
                .is_none_or(|kind| kind == kind_view(definition.kind))
            && self.q.as_ref().is_none_or(|q| {
                let q = q.to_lowercase();
                has(definition.key.as_str(), &q) || has(&definition.description, &q)
            })
    }
}

/// List flags with their levers
#[utoipa::path(get, path = "/api/v1/flags", tag = "flags", params(Wanted), responses((status = 200, body = FlagList)))]
async fn list_flags(
    who: May<auth::ReadControl>,
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<FlagList>, Failure> {
    let state = app.node().state();
    let matching = state.flags().filter(|flag| wanted.matches(flag));
    let (flags, next) = page::cut(
        matching,
        wanted.after.as_deref(),
        page::size(wanted.limit)?,
        |flag| flag.key().as_str(),
    );
    let flags = flags
        .into_iter()
        .map(|flag| {
            flag_view(&state, flag, |environment| {
                who.token().allows_environment(environment)
            })
        })
        .collect();
    Ok(Json(FlagList { flags, next }))
}

/// Create a flag, closed everywhere
#[utoipa::path(
    post, path = "/api/v1/flags", tag = "flags",
    params(("dry_run" = Option<bool>, Query), ("Idempotency-Key" = Option<String>, Header)),
    request_body = PutFlag,
    responses((status = 201, body = Receipt), (status = 200, body = Receipt, description = "It was so already, or a dry run"))
)]
async fn create_flag(
    who: May<auth::Command>,
    State(app): State<App>,
    change: Change<PutFlag>,
) -> Result<(StatusCode, Json<Receipt>), Failure> {
    let (wanted, change) = change.split();
    let command = Command::CreateFlag {
        definition: Box::new(definition(wanted.definition)?),
    };
    Ok(made(change.submit(&app, &who, command, wanted.why).await?))
}

/// One flag with its levers; the ETag is that of its definition
#[utoipa::path(get, path = "/api/v1/flags/{flag}", tag = "flags", params(("flag" = String, Path)), responses((status = 200, body = Flag)))]
async fn read_flag(
    who: May<auth::ReadControl>,
    State(app): State<App>,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    let state = app.node().state();
    let flag = state
        .flag(&key)
        .ok_or_else(|| Failure::not_found("flag", &key))?;
    let view = flag_view(&state, flag, |environment| {
        who.token().allows_environment(environment)
    });
    Ok(tagged(flag.defined_revision, view))
}

/// Replace a flag's definition
#[utoipa::path(
    put, path = "/api/v1/flags/{flag}", tag = "flags",
    params(("flag" = String, Path), ("dry_run" = Option<bool>, Query), ("If-Match" = Option<String>, Header, description = "The flag's ETag"), ("Idempotency-Key" = Option<String>, Header)),
    request_body = PutFlag,
    responses((status = 200, body = Receipt))
)]
async fn edit_flag(
    who: May<auth::Command>,
    State(app): State<App>,
    Path(key): Path<String>,
    change: Change<PutFlag>,
) -> Result<Json<Receipt>, Failure> {
    let (wanted, change) = change.split();
    if wanted.definition.key != key {
        return Err(Failure::invalid(
            "definition.key",
            format!("the path says {key:?}; a flag is never renamed"),
        ));
    }
    let command = Command::EditFlag {
        definition: Box::new(definition(wanted.definition)?),
    };
    Ok(done(change.submit(&app, &who, command, wanted.why).await?))
}

/// Take a flag out of use
#[utoipa::path(
    delete, path = "/api/v1/flags/{flag}", tag = "flags",
    params(("flag" = String, Path), ("dry_run" = Option<bool>, Query), ("If-Match" = Option<String>, Header, description = "The flag's ETag")),
    request_body(content = Option<Removal>),
    responses((status = 200, body = Receipt))
)]
async fn archive_flag(
    who: May<auth::Command>,
    State(app): State<App>,
    Path(key): Path<String>,
    removal: Remove,
) -> Result<Json<Receipt>, Failure> {
    let command = Command::ArchiveFlag {
        flag: checked("flag", &key)?,
    };
    Ok(done(removal.submit(&app, &who, command).await?))
}
