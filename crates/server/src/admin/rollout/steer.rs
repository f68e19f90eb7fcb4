//! What a person has a rollout do. Which of it a token may is core's to decide.

use axum::Json;
use axum::extract::State;
use leverframe_core::Command;
use leverframe_core::rollout::{Observation, Steer as What};
use leverframe_wire::admin::{Receipt, Steer, Why};

use super::super::done;
use crate::app::App;
use crate::auth::{self, Authenticated, May};
use crate::convert::{checked, receipt_view};
use crate::problem::Failure;
use crate::request::{Change, Path};
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    let surface = guarded!(Surface::new(), pause);
    let surface = guarded!(surface, resume);
    let surface = guarded!(surface, advance);
    let surface = guarded!(surface, skip);
    let surface = guarded!(surface, approve);
    let surface = guarded!(surface, roll_back);
    guarded!(surface, roll_back_lever)
}

/// Stop a rollout where it stands; never needs If-Match
#[utoipa::path(
    post, path = "/api/v1/rollouts/{rollout}/pause", tag = "rollouts",
    params(("rollout" = String, Path), ("dry_run" = Option<bool>, Query), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Steer,
    responses((status = 200, body = Receipt))
)]
async fn pause(
    who: May<auth::Command>,
    State(app): State<App>,
    Path(rollout): Path<String>,
    change: Change<Steer>,
) -> Result<Json<Receipt>, Failure> {
    steer(&app, &who, rollout, change, What::Pause).await
}

/// Let a paused rollout go on; its stage begins anew
#[utoipa::path(
    post, path = "/api/v1/rollouts/{rollout}/resume", tag = "rollouts",
    params(("rollout" = String, Path), ("dry_run" = Option<bool>, Query), ("If-Match" = Option<String>, Header, description = "The lever's ETag"), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Steer,
    responses((status = 200, body = Receipt))
)]
async fn resume(
    who: May<auth::Command>,
    State(app): State<App>,
    Path(rollout): Path<String>,
    change: Change<Steer>,
) -> Result<Json<Receipt>, Failure> {
    steer(&app, &who, rollout, change, What::Resume).await
}

/// Go to the next stage now, if the evidence allows it
#[utoipa::path(
    post, path = "/api/v1/rollouts/{rollout}/advance", tag = "rollouts",
    params(("rollout" = String, Path), ("dry_run" = Option<bool>, Query), ("If-Match" = Option<String>, Header, description = "The lever's ETag"), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Steer,
    responses((status = 200, body = Receipt))
)]
async fn advance(
    who: May<auth::Command>,
    State(app): State<App>,
    Path(rollout): Path<String>,
    change: Change<Steer>,
) -> Result<Json<Receipt>, Failure> {
    steer(&app, &who, rollout, change, What::Advance).await
}

/// Go to the next stage without evidence
#[utoipa::path(
    post, path = "/api/v1/rollouts/{rollout}/skip", tag = "rollouts",
    params(("rollout" = String, Path), ("dry_run" = Option<bool>, Query), ("If-Match" = Option<String>, Header, description = "The lever's ETag"), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Steer,
    responses((status = 200, body = Receipt))
)]
async fn skip(
    who: May<auth::Command>,
    State(app): State<App>,
    Path(rollout): Path<String>,
    change: Change<Steer>,
) -> Result<Json<Receipt>, Failure> {
    steer(&app, &who, rollout, change, What::Skip).await
}

/// Say that somebody looked and it is fine, where a stage waits for that
#[utoipa::path(
    post, path = "/api/v1/rollouts/{rollout}/approve", tag = "rollouts",
    params(("rollout" = String, Path), ("dry_run" = Option<bool>, Query), ("If-Match" = Option<String>, Header, description = "The lever's ETag"), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Steer,
    responses((status = 200, body = Receipt))
)]
async fn approve(
    who: May<auth::Command>,
    State(app): State<App>,
    Path(rollout): Path<String>,
    change: Change<Steer>,
) -> Result<Json<Receipt>, Failure> {
    steer(&app, &who, rollout, change, What::Approve).await
}

/// Stop a rollout and go back to where the lever was before it; never needs If-Match
#[utoipa::path(
    post, path = "/api/v1/rollouts/{rollout}/rollback", tag = "rollouts",
    params(("rollout" = String, Path), ("dry_run" = Option<bool>, Query), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Steer,
    responses((status = 200, body = Receipt))
)]
async fn roll_back(
    who: May<auth::Command>,
    State(app): State<App>,
    Path(rollout): Path<String>,
    change: Change<Steer>,
) -> Result<Json<Receipt>, Failure> {
    steer(&app, &who, rollout, change, What::RollBack).await
}

/// Stop the running rollout of a lever, or go back to before its last one; never needs If-Match
#[utoipa::path(
    post, path = "/api/v1/environments/{environment}/flags/{flag}/rollback", tag = "rollouts",
    params(("environment" = String, Path), ("flag" = String, Path), ("dry_run" = Option<bool>, Query), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Steer,
    responses((status = 200, body = Receipt))
)]
async fn roll_back_lever(
    who: May<auth::Command>,
    State(app): State<App>,
    Path((environment, flag)): Path<(String, String)>,
    change: Change<Steer>,
) -> Result<Json<Receipt>, Failure> {
    let (wanted, change) = change.split();
    let command = Command::Rollback {
        flag: checked("flag", &flag)?,
        environment: checked("environment", &environment)?,
    };
    Ok(done(change.submit(&app, &who, command, wanted.why).await?))
}

async fn steer(
    app: &App,
    who: &May<auth::Command>,
    rollout: String,
    change: Change<Steer>,
    what: What,
) -> Result<Json<Receipt>, Failure> {
    let (wanted, change) = change.split();
    order(app, who, &rollout, what, (change, wanted.why))
        .await
        .map(Json)
}

/// Has a rollout do something, in the name of who asks.
pub(crate) async fn order(
    app: &App,
    who: &Authenticated,
    rollout: &str,
    what: What,
    (change, why): (Change<()>, Why),
) -> Result<Receipt, Failure> {
    // One that the token is not for is not told from one that does not exist.
    let state = app.node().state();
    let is_hidden = state
        .rollout(rollout)
        .is_some_and(|one| !who.token().allows_environment(one.environment.as_str()));
    if is_hidden {
        return Err(Failure::not_found("rollout", rollout));
    }
    let seen = match what {
        What::Advance => app
            .node()
            .look(rollout)
            .map(|look| Box::new(Observation::clone(&look.observation))),
        _ => None,
    };
    let command = Command::SteerRollout {
        rollout: rollout.into(),
        steer: what,
        seen,
    };
    Ok(receipt_view(change.submit(app, who, command, why).await?))
}
