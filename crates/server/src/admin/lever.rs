//! Levers: kill, open, ramp, pin, undo.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use leverframe_core::Command;
use leverframe_core::access::Permission;
use leverframe_wire::admin::{Kill, Lever, Open, Pin, Ramp, Receipt, Undo};

use super::tagged;
use crate::app::App;
use crate::auth::{self, Authenticated, May};
use crate::convert::{checked, exposure, lever_view, percentage, receipt_view, selection};
use crate::problem::Failure;
use crate::request::{Change, Path};
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    let surface = guarded!(Surface::new(), read_lever);
    let surface = guarded!(surface, open_lever);
    let surface = guarded!(surface, ramp_lever);
    let surface = guarded!(surface, pin_lever);
    let surface = guarded!(surface, kill_levers);
    guarded!(surface, undo)
}

/// One lever; its ETag is what an opening has to name
#[utoipa::path(
    get, path = "/api/v1/flags/{flag}/environments/{environment}", tag = "levers",
    params(("flag" = String, Path), ("environment" = String, Path)),
    responses((status = 200, body = Lever))
)]
async fn read_lever(
    who: Authenticated,
    State(app): State<App>,
    Path((key, environment)): Path<(String, String)>,
) -> Result<Response, Failure> {
    who.permit_environment(&app, &environment, Permission::ReadEnvironment)?;
    let state = app.node().state();
    let flag = state
        .flag(&key)
        .ok_or_else(|| Failure::not_found("flag", &key))?;
    let revision = state.lever_revision(flag, &environment);
    Ok(tagged(revision, lever_view(&state, flag, &environment)))
}

/// Open a lever to some or all
#[utoipa::path(
    post, path = "/api/v1/flags/{flag}/environments/{environment}/open", tag = "levers",
    params(("flag" = String, Path), ("environment" = String, Path), ("dry_run" = Option<bool>, Query), ("If-Match" = Option<String>, Header, description = "The lever's ETag; needed in a guarded environment"), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Open,
    responses((status = 200, body = Receipt))
)]
async fn open_lever(
    who: May<auth::Command>,
    State(app): State<App>,
    Path((flag, environment)): Path<(String, String)>,
    change: Change<Open>,
) -> Result<Json<Receipt>, Failure> {
    let (wanted, change) = change.split();
    open(&app, &who, (&flag, &environment), wanted, change)
        .await
        .map(Json)
}

/// Opens a lever: a flag in an environment.
pub(crate) async fn open(
    app: &App,
    who: &Authenticated,
    (flag, environment): (&str, &str),
    wanted: Open,
    change: Change<()>,
) -> Result<Receipt, Failure> {
    let command = Command::Open {
        flag: checked("flag", flag)?,
        environment: checked("environment", environment)?,
        exposure: exposure(&wanted.exposure)?,
    };
    let command = watched(command, wanted.unwatched);
    let accepted = change.submit(app, who, command, wanted.why).await?;
    Ok(receipt_view(accepted))
}

/// Change the percentage of an open lever
#[utoipa::path(
    post, path = "/api/v1/flags/{flag}/environments/{environment}/ramp", tag = "levers",
    params(("flag" = String, Path), ("environment" = String, Path), ("dry_run" = Option<bool>, Query), ("If-Match" = Option<String>, Header, description = "The lever's ETag; needed for more than now in a guarded environment"), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Ramp,
    responses((status = 200, body = Receipt))
)]
async fn ramp_lever(
    who: May<auth::Command>,
    State(app): State<App>,
    Path((flag, environment)): Path<(String, String)>,
    change: Change<Ramp>,
) -> Result<Json<Receipt>, Failure> {
    let (wanted, change) = change.split();
    ramp(&app, &who, (&flag, &environment), wanted, change)
        .await
        .map(Json)
}

/// Changes the percentage of a lever.
pub(crate) async fn ramp(
    app: &App,
    who: &Authenticated,
    (flag, environment): (&str, &str),
    wanted: Ramp,
    change: Change<()>,
) -> Result<Receipt, Failure> {
    let command = Command::Ramp {
        flag: checked("flag", flag)?,
        environment: checked("environment", environment)?,
        percentage: percentage("percentage", wanted.percentage)?,
    };
    let command = watched(command, wanted.unwatched);
    let accepted = change.submit(app, who, command, wanted.why).await?;
    Ok(receipt_view(accepted))
}

/// An opening that a watch follows, or none where that was declined.
fn watched(opening: Command, unwatched: bool) -> Command {
    match unwatched {
        true => Command::Unwatched {
            opening: Box::new(opening),
        },
        false => opening,
    }
}

/// Give everybody one variant
#[utoipa::path(
    post, path = "/api/v1/flags/{flag}/environments/{environment}/pin", tag = "levers",
    params(("flag" = String, Path), ("environment" = String, Path), ("dry_run" = Option<bool>, Query), ("If-Match" = Option<String>, Header, description = "The lever's ETag; needed in a guarded environment"), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Pin,
    responses((status = 200, body = Receipt))
)]
async fn pin_lever(
    who: May<auth::Command>,
    State(app): State<App>,
    Path((flag, environment)): Path<(String, String)>,
    change: Change<Pin>,
) -> Result<Json<Receipt>, Failure> {
    let (wanted, change) = change.split();
    pin(&app, &who, (&flag, &environment), wanted, change)
        .await
        .map(Json)
}

/// Pins a lever.
pub(crate) async fn pin(
    app: &App,
    who: &Authenticated,
    (flag, environment): (&str, &str),
    wanted: Pin,
    change: Change<()>,
) -> Result<Receipt, Failure> {
    let command = Command::Pin {
        flag: checked("flag", flag)?,
        environment: checked("environment", environment)?,
        variant: checked("variant", &wanted.variant)?,
    };
    let accepted = change.submit(app, who, command, wanted.why).await?;
    Ok(receipt_view(accepted))
}

/// Close levers, latched; never needs If-Match
#[utoipa::path(
    post, path = "/api/v1/environments/{environment}/kill", tag = "levers",
    params(("environment" = String, Path), ("dry_run" = Option<bool>, Query), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Kill,
    responses((status = 200, body = Receipt))
)]
async fn kill_levers(
    who: May<auth::Command>,
    State(app): State<App>,
    Path(environment): Path<String>,
    change: Change<Kill>,
) -> Result<Json<Receipt>, Failure> {
    let (wanted, change) = change.split();
    kill(&app, &who, &environment, wanted, change)
        .await
        .map(Json)
}

/// Closes levers of an environment.
pub(crate) async fn kill(
    app: &App,
    who: &Authenticated,
    environment: &str,
    mut wanted: Kill,
    change: Change<()>,
) -> Result<Receipt, Failure> {
    let why = std::mem::take(&mut wanted.why);
    let command = Command::Close {
        flags: selection(wanted)?,
        environment: checked("environment", environment)?,
    };
    let accepted = change.submit(app, who, command, why).await?;
    Ok(receipt_view(accepted))
}

/// Take back one revision
#[utoipa::path(
    post, path = "/api/v1/undo", tag = "levers",
    params(("dry_run" = Option<bool>, Query), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Undo,
    responses((status = 200, body = Receipt))
)]
async fn undo(
    who: May<auth::Command>,
    State(app): State<App>,
    change: Change<Undo>,
) -> Result<Json<Receipt>, Failure> {
    let (wanted, change) = change.split();
    take_back(&app, &who, wanted, change).await.map(Json)
}

/// Takes back one revision.
pub(crate) async fn take_back(
    app: &App,
    who: &Authenticated,
    wanted: Undo,
    change: Change<()>,
) -> Result<Receipt, Failure> {
    let command = Command::Undo {
        revision: wanted.revision,
    };
    let accepted = change.submit(app, who, command, wanted.why).await?;
    Ok(receipt_view(accepted))
}
