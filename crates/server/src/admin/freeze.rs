//! Freezes: no opening in an environment for a while.

use axum::Json;
use axum::extract::State;
use leverframe_core::Command;
use leverframe_wire::admin::{PutFreeze, Receipt, Why};

use super::done;
use crate::app::App;
use crate::auth::{self, Authenticated, May};
use crate::convert::{checked, ms, receipt_view};
use crate::problem::Failure;
use crate::request::{Change, Path, Remove};
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    guarded!(Surface::new(), freeze, thaw)
}

/// Stop every opening in an environment for a while; never needs If-Match
#[utoipa::path(
    put, path = "/api/v1/environments/{environment}/freeze", tag = "freezes",
    params(("environment" = String, Path), ("dry_run" = Option<bool>, Query), ("Idempotency-Key" = Option<String>, Header)),
    request_body = PutFreeze,
    responses((status = 200, body = Receipt))
)]
async fn freeze(
    who: May<auth::Command>,
    State(app): State<App>,
    Path(environment): Path<String>,
    change: Change<PutFreeze>,
) -> Result<Json<Receipt>, Failure> {
    let (wanted, change) = change.split();
    put(&app, &who, &environment, wanted, change)
        .await
        .map(Json)
}

/// Stops every opening in an environment.
pub(crate) async fn put(
    app: &App,
    who: &Authenticated,
    environment: &str,
    wanted: PutFreeze,
    change: Change<()>,
) -> Result<Receipt, Failure> {
    let command = Command::Freeze {
        environment: checked("environment", environment)?,
        until: app.node().wall_now().plus_ms(ms(wanted.lasts)),
    };
    let accepted = change.submit(app, who, command, wanted.why).await?;
    Ok(receipt_view(accepted))
}

/// Ends a freeze that a page's form wants to end.
pub(crate) async fn lift(
    app: &App,
    who: &Authenticated,
    environment: &str,
    why: Why,
    change: Change<()>,
) -> Result<Receipt, Failure> {
    let command = Command::Thaw {
        environment: checked("environment", environment)?,
    };
    let accepted = change.submit(app, who, command, why).await?;
    Ok(receipt_view(accepted))
}

/// End a freeze
#[utoipa::path(
    delete, path = "/api/v1/environments/{environment}/freeze", tag = "freezes",
    params(("environment" = String, Path), ("dry_run" = Option<bool>, Query)),
    request_body(content = Option<leverframe_wire::admin::Removal>),
    responses((status = 200, body = Receipt))
)]
async fn thaw(
    who: May<auth::Command>,
    State(app): State<App>,
    Path(environment): Path<String>,
    removal: Remove,
) -> Result<Json<Receipt>, Failure> {
    let command = Command::Thaw {
        environment: checked("environment", &environment)?,
    };
    Ok(done(removal.submit(&app, &who, command).await?))
}
