//! Environments.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use leverframe_core::Command;
use leverframe_node::Accepted;
use leverframe_wire::admin::{
    CreateEnvironment, Environment, EnvironmentList, GuardEnvironment, Receipt,
};

use super::{done, made};
use crate::app::App;
use crate::auth::{self, Authenticated, May};
use crate::convert::checked;
use crate::problem::Failure;
use crate::request::{Change, Path};
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    let surface = guarded!(Surface::new(), list_environments, create_environment);
    guarded!(surface, guard_environment)
}

/// List environments
#[utoipa::path(get, path = "/api/v1/environments", tag = "environments", responses((status = 200, body = EnvironmentList)))]
async fn list_environments(
    who: May<auth::ReadControl>,
    State(app): State<App>,
) -> Json<EnvironmentList> {
    Json(all(&app, &who))
}

/// The environments that a token is for.
pub(crate) fn all(app: &App, who: &Authenticated) -> EnvironmentList {
    let state = app.node().state();
    let environments = state
        .environments()
        .filter(|entry| {
            who.token()
                .allows_environment(entry.environment.key.as_str())
        })
        .map(|entry| {
            let key = entry.environment.key.as_str();
            let not_closed = state
                .flags()
                .filter(|flag| !flag.is_archived && !flag.is_internal())
                .filter(|flag| !flag.position(key).is_closed())
                .count();
            let evaluators = app.node().feed(key).map_or(0, |feed| {
                feed.presence()
                    .members()
                    .iter()
                    .filter(|member| member.counts)
                    .count()
            });
            Environment {
                key: key.to_owned(),
                guarded: entry.environment.guarded,
                revision: entry.revision,
                not_closed,
                evaluators,
            }
        })
        .collect();
    EnvironmentList { environments }
}

/// Add an environment
#[utoipa::path(
    post, path = "/api/v1/environments", tag = "environments",
    params(("dry_run" = Option<bool>, Query)),
    request_body = CreateEnvironment,
    responses((status = 201, body = Receipt), (status = 200, body = Receipt, description = "It was so already, or a dry run"))
)]
async fn create_environment(
    who: May<auth::ManageEnvironments>,
    State(app): State<App>,
    change: Change<CreateEnvironment>,
) -> Result<(StatusCode, Json<Receipt>), Failure> {
    let (wanted, change) = change.split();
    Ok(made(create(&app, &who, wanted, change).await?))
}

/// Adds an environment.
pub(crate) async fn create(
    app: &App,
    who: &Authenticated,
    wanted: CreateEnvironment,
    change: Change<()>,
) -> Result<Accepted, Failure> {
    let command = Command::CreateEnvironment {
        key: checked("key", &wanted.key)?,
        guarded: wanted.guarded,
    };
    change.submit(app, who, command, wanted.why).await
}

/// Turn an environment's guard on or off
#[utoipa::path(
    post, path = "/api/v1/environments/{environment}/guard", tag = "environments",
    params(("environment" = String, Path), ("dry_run" = Option<bool>, Query), ("If-Match" = Option<String>, Header)),
    request_body = GuardEnvironment,
    responses((status = 200, body = Receipt))
)]
async fn guard_environment(
    who: May<auth::ManageEnvironments>,
    State(app): State<App>,
    Path(environment): Path<String>,
    change: Change<GuardEnvironment>,
) -> Result<Json<Receipt>, Failure> {
    let (wanted, change) = change.split();
    Ok(done(guard(&app, &who, &environment, wanted, change).await?))
}

/// Turns an environment's guard on or off.
pub(crate) async fn guard(
    app: &App,
    who: &Authenticated,
    environment: &str,
    wanted: GuardEnvironment,
    change: Change<()>,
) -> Result<Accepted, Failure> {
    let command = Command::GuardEnvironment {
        key: checked("environment", environment)?,
        guarded: wanted.guarded,
    };
    change.submit(app, who, command, wanted.why).await
}
