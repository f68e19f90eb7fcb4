//! Who follows an environment, and who has a revision.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use leverframe_core::access::Permission;
use leverframe_node::Wanted;
use leverframe_wire::admin::{Confirmation, Fleet};
use serde::Deserialize;

use crate::app::App;
use crate::auth::Authenticated;
use crate::convert::{Clocks, caches_view, confirmation_view, evaluator_view, propagation_view};
use crate::limit::CONFIRMATION_WAIT_MS_MAX;
use crate::problem::Failure;
use crate::request::{Path, Query};
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    let surface = guarded!(Surface::new(), read_fleet);
    guarded!(surface, read_confirmation)
}

/// The clocks of the node, now.
pub(super) fn clocks(app: &App) -> Clocks {
    Clocks {
        steady: app.node().steady_now(),
        wall: app.node().wall_now(),
    }
}

/// Who follows an environment, stragglers first
#[utoipa::path(get, path = "/api/v1/environments/{environment}/fleet", tag = "fleet", params(("environment" = String, Path)), responses((status = 200, body = Fleet)))]
async fn read_fleet(
    who: Authenticated,
    State(app): State<App>,
    Path(environment): Path<String>,
) -> Result<Json<Fleet>, Failure> {
    everybody(&app, &who, &environment).map(Json)
}

/// Who follows an environment, stragglers first.
pub(crate) fn everybody(
    app: &App,
    who: &Authenticated,
    environment: &str,
) -> Result<Fleet, Failure> {
    let key = who.permit_environment(app, environment, Permission::ReadEnvironment)?;
    let feed = app.feed(key.as_str())?;
    let (epoch, revision) = (app.node().state().epoch(), feed.revision());
    let clocks = clocks(app);
    let mut evaluators: Vec<_> = feed
        .presence()
        .members()
        .iter()
        .map(|member| evaluator_view(member, epoch, revision, clocks))
        .collect();
    // Stable, so that within the two groups they stay sorted by instance.
    evaluators.sort_by_key(|evaluator| evaluator.current && evaluator.connected);
    Ok(Fleet {
        environment: environment.to_owned(),
        revision,
        evaluators,
        caches: caches_view(feed.caches().evidence(revision)),
        propagation: propagation_view(&feed.presence().propagation()),
    })
}

/// Who has the environment's newest change.
pub(crate) fn newest(
    app: &App,
    who: &Authenticated,
    environment: &str,
) -> Result<Confirmation, Failure> {
    let key = who.permit_environment(app, environment, Permission::ReadEnvironment)?;
    let feed = app.feed(key.as_str())?;
    let revision = feed.revision();
    Ok(confirmation_view(
        environment,
        feed.presence().confirmation(revision),
        feed.caches().evidence(revision),
        clocks(app),
    ))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wait {
    /// How long to wait for everybody, in milliseconds, up to 30 000.
    #[serde(default)]
    wait_ms: u64,
    /// The number of a kill that is out and not in the journal yet, from its receipt.
    brake: Option<u64>,
}

/// Who has a revision; waits for everybody if asked to
#[utoipa::path(
    get, path = "/api/v1/environments/{environment}/confirmations/{revision}", tag = "fleet",
    params(("environment" = String, Path), ("revision" = u64, Path), Wait),
    responses((status = 200, body = Confirmation))
)]
async fn read_confirmation(
    who: Authenticated,
    State(app): State<App>,
    Path((environment, revision)): Path<(String, u64)>,
    Query(wait): Query<Wait>,
) -> Result<Json<Confirmation>, Failure> {
    let at_most = Duration::from_millis(wait.wait_ms.min(CONFIRMATION_WAIT_MS_MAX));
    let pull = Pull {
        revision,
        brake: wait.brake,
    };
    confirmation(&app, &who, &environment, pull, at_most)
        .await
        .map(Json)
}

/// What it is asked of who has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pull {
    /// The revision.
    pub(crate) revision: u64,
    /// The number of the kill, while it is not in the journal.
    pub(crate) brake: Option<u64>,
}

/// Who has a revision, once everybody has or the wait is over.
pub(crate) async fn confirmation(
    app: &App,
    who: &Authenticated,
    environment: &str,
    Pull { revision, brake }: Pull,
    at_most: Duration,
) -> Result<Confirmation, Failure> {
    let key = who.permit_environment(app, environment, Permission::ReadEnvironment)?;
    let head = app.node().state().revision();
    if revision > head {
        return Err(Failure::not_found("revision", &revision.to_string()));
    }
    let feed = app.feed(key.as_str())?;
    let presence = feed.presence();
    let wanted = brake.map_or(Wanted::Revision(revision), Wanted::Brake);
    let confirmed = tokio::select! {
        confirmed = presence.wait(wanted, at_most), if !at_most.is_zero() => confirmed,
        () = app.draining.cancelled(), if !at_most.is_zero() => presence.confirmation(wanted),
        else => presence.confirmation(wanted),
    };
    let caches = feed.caches().evidence(revision);
    Ok(confirmation_view(
        environment,
        confirmed,
        caches,
        clocks(app),
    ))
}
