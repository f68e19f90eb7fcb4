//! Flags and their definitions.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use leverframe_core::Command;
use leverframe_core::access::Permission;
use leverframe_core::flag::FlagDefinition;
use leverframe_core::state::{Flag as Entry, State as Fold};
use leverframe_flags::Position;
use leverframe_node::Accepted;
use leverframe_wire::admin::{Flag, FlagList, Kind, LeverState, PutFlag, Receipt, Removal};
use serde::Deserialize;

use super::{done, made, page, tagged};
use crate::app::App;
use crate::auth::{self, Authenticated, May};
use crate::convert::{checked, definition, flag_view, kind_view};
use crate::problem::Failure;
use crate::request::{Change, Path, Query, Remove};
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    let surface = guarded!(Surface::new(), list_flags, create_flag);
    guarded!(surface, read_flag, edit_flag, archive_flag)
}

/// Which flags to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Part of the key, the description, the owner or a tag, in any case.
    pub(crate) q: Option<String>,
    /// Who answers for it.
    pub(crate) owner: Option<String>,
    /// One of its tags.
    pub(crate) tag: Option<String>,
    /// What it is for.
    pub(crate) kind: Option<Kind>,
    /// Where its lever stands in `environment`.
    pub(crate) state: Option<LeverState>,
    /// The environment that `state` is about.
    pub(crate) environment: Option<String>,
    /// Only those out of use (`true`) or in use (`false`, as when absent).
    #[serde(default)]
    pub(crate) archived: bool,
    /// The server's own, such as the canary, as well.
    #[serde(default)]
    pub(crate) internal: bool,
    /// The last key of the page before.
    pub(crate) after: Option<String>,
    /// How many.
    pub(crate) limit: Option<usize>,
}

impl Wanted {
    fn matches(&self, flag: &Entry) -> bool {
        let definition = &flag.definition;
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
            && self.is_there(flag)
    }

    /// Whether its lever stands where it is wanted.
    fn is_there(&self, flag: &Entry) -> bool {
        let (Some(state), Some(environment)) = (self.state, &self.environment) else {
            return true;
        };
        match flag.position(environment) {
            Position::Open { .. } => state == LeverState::Open,
            Position::Pinned { .. } => state == LeverState::Pinned,
            Position::Closed { latch: None } => state == LeverState::Closed,
            Position::Closed { latch: Some(_) } => {
                matches!(state, LeverState::Closed | LeverState::Killed)
            }
        }
    }
}

/// Whether a part, in lower case, is in one of the texts that a flag is looked for by.
pub(crate) fn says(definition: &FlagDefinition, part: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(part);
    has(definition.key.as_str())
        || has(&definition.description)
        || has(&definition.owner)
        || definition.tags.iter().any(|tag| has(tag))
}

/// List flags with their levers
#[utoipa::path(get, path = "/api/v1/flags", tag = "flags", params(Wanted), responses((status = 200, body = FlagList)))]
async fn list_flags(
    who: May<auth::ReadControl>,
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<FlagList>, Failure> {
    list(&app, &who, &wanted).map(|found| Json(found.page))
}

/// One page of the flags that were asked for.
pub(crate) struct Found {
    pub(crate) page: FlagList,
    /// How many there are on all pages.
    pub(crate) matching: usize,
}

/// Looks flags up. Only those of the page are made into views.
pub(crate) fn list(app: &App, who: &Authenticated, wanted: &Wanted) -> Result<Found, Failure> {
    who.permit(&Permission::ReadControl)?;
    match (&wanted.environment, wanted.state) {
        (Some(environment), _) => {
            who.permit_environment(app, environment, Permission::ReadEnvironment)?;
        }
        (None, Some(_)) => {
            return Err(Failure::invalid(
                "environment",
                "a lever stands somewhere in an environment: say in which",
            ));
        }
        (None, None) => {}
    }
    let size = page::size(wanted.limit)?;
    let state = app.node().state();
    let part = wanted.q.as_deref().map(str::to_lowercase);
    let matching: Vec<_> = state
        .flags()
        .filter(|flag| wanted.matches(flag))
        .filter(|flag| {
            part.as_ref()
                .is_none_or(|part| says(&flag.definition, part))
        })
        .collect();
    let count = matching.len();
    let (flags, next) = page::cut(
        matching.into_iter(),
        wanted.after.as_deref(),
        size,
        |flag| flag.key().as_str(),
    );
    let flags = flags
        .into_iter()
        .map(|flag| seen(&state, flag, who))
        .collect();
    Ok(Found {
        page: FlagList { flags, next },
        matching: count,
    })
}

/// A flag as this token may see it.
fn seen(state: &Fold, flag: &Entry, who: &Authenticated) -> Flag {
    flag_view(state, flag, |environment| {
        who.token().allows_environment(environment)
    })
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
    Ok(made(create(&app, &who, wanted, change).await?))
}

/// Creates a flag.
pub(crate) async fn create(
    app: &App,
    who: &Authenticated,
    wanted: PutFlag,
    change: Change<()>,
) -> Result<Accepted, Failure> {
    who.permit(&Permission::Change)?;
    let command = Command::CreateFlag {
        definition: Box::new(definition(wanted.definition)?),
    };
    change.submit(app, who, command, wanted.why).await
}

/// One flag with its levers; the ETag is that of its definition
#[utoipa::path(get, path = "/api/v1/flags/{flag}", tag = "flags", params(("flag" = String, Path)), responses((status = 200, body = Flag)))]
async fn read_flag(
    who: May<auth::ReadControl>,
    State(app): State<App>,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    let view = read(&app, &who, &key)?;
    Ok(tagged(view.defined_revision, view))
}

/// One flag, archived or not.
pub(crate) fn read(app: &App, who: &Authenticated, key: &str) -> Result<Flag, Failure> {
    who.permit(&Permission::ReadControl)?;
    let state = app.node().state();
    let flag = state
        .flag(key)
        .ok_or_else(|| Failure::not_found("flag", key))?;
    Ok(seen(&state, flag, who))
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
    Ok(done(edit(&app, &who, &key, wanted, change).await?))
}

/// Replaces a flag's definition.
pub(crate) async fn edit(
    app: &App,
    who: &Authenticated,
    key: &str,
    wanted: PutFlag,
    change: Change<()>,
) -> Result<Accepted, Failure> {
    who.permit(&Permission::Change)?;
    if wanted.definition.key != key {
        return Err(Failure::invalid(
            "definition.key",
            format!("the path says {key:?}; a flag is never renamed"),
        ));
    }
    let command = Command::EditFlag {
        definition: Box::new(definition(wanted.definition)?),
    };
    change.submit(app, who, command, wanted.why).await
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
