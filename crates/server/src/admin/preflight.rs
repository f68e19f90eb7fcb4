//! What a plan could prove before it starts.

use axum::Json;
use axum::extract::State;
use leverframe_core::access::Permission;
use leverframe_flags::FlagKey;
use leverframe_wire::admin::{AskPreflight, Preflight};

use super::rollout::{choice, chosen};
use crate::app::App;
use crate::auth::{self, Authenticated, May};
use crate::convert::preflight_view;
use crate::problem::Failure;
use crate::request::{Json as Body, Path};
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    guarded!(Surface::new(), preflight)
}

/// What each stage of a plan could prove here, from the traffic of the last hours
#[utoipa::path(
    post, path = "/api/v1/environments/{environment}/flags/{flag}/preflight", tag = "rollouts",
    params(("environment" = String, Path), ("flag" = String, Path)),
    request_body = AskPreflight,
    responses((status = 200, body = Preflight))
)]
async fn preflight(
    who: May<auth::ReadControl>,
    State(app): State<App>,
    Path((environment, flag)): Path<(String, String)>,
    Body(ask): Body<AskPreflight>,
) -> Result<Json<Preflight>, Failure> {
    found(&app, &who, (&environment, &flag), ask)
        .await
        .map(Json)
}

/// What each stage of a plan could prove.
pub(crate) async fn found(
    app: &App,
    who: &Authenticated,
    (environment, flag): (&str, &str),
    ask: AskPreflight,
) -> Result<Preflight, Failure> {
    who.permit(&Permission::ReadControl)?;
    let environment = who.permit_environment(app, environment, Permission::ReadEnvironment)?;
    let missing = || Failure::not_found("flag", flag);
    let key: FlagKey = flag.parse().map_err(|_| missing())?;
    app.node().state().flag(flag).ok_or_else(missing)?;
    let choice = choice(ask.plan.as_deref(), ask.definition.as_ref())?;
    let named = ask.plan.unwrap_or_default();
    let plan = chosen(app, &choice).ok_or_else(|| Failure::not_found("plan", &named))?;
    plan.check()
        .map_err(|error| Failure::invalid(error.field, error.why))?;
    let found = app.node().preflight(&key, &environment, &plan).await?;
    Ok(preflight_view(flag, environment.as_str(), found))
}
