//! Plans.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use leverframe_core::Command;
use leverframe_core::access::Permission;
use leverframe_core::rollout::Plan as CorePlan;
use leverframe_core::state::State as Fold;
use leverframe_wire::admin::{Plan, PlanList, PutPlan, Receipt};
use serde::Deserialize;

use super::{done, page, tagged};
use crate::app::App;
use crate::auth::{self, Authenticated, May};
use crate::convert::{plan, plan_view};
use crate::problem::Failure;
use crate::request::{Change, Path, Query, Remove};
use crate::surface::{Surface, guarded};

/// Plans that come with the server.
const BUILT_IN: [&str; 2] = ["internal", "safe"];

pub(super) fn routes() -> Surface {
    let surface = guarded!(Surface::new(), list_plans);
    guarded!(surface, read_plan, put_plan, delete_plan)
}

/// Which plans to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// The last key of the page before.
    after: Option<String>,
    /// How many.
    limit: Option<usize>,
}

/// List plans: those that come with the server, and those that were applied
#[utoipa::path(get, path = "/api/v1/plans", tag = "plans", params(Wanted), responses((status = 200, body = PlanList)))]
async fn list_plans(
    who: May<auth::ReadControl>,
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<PlanList>, Failure> {
    let size = page::size(wanted.limit)?;
    list(&app, &who, wanted.after.as_deref(), size).map(Json)
}

/// Some plans, by key.
pub(crate) fn list(
    app: &App,
    who: &Authenticated,
    after: Option<&str>,
    size: usize,
) -> Result<PlanList, Failure> {
    who.permit(&Permission::ReadControl)?;
    let state = app.node().state();
    let keys: std::collections::BTreeSet<&str> = state
        .plans()
        .map(|entry| &*entry.plan.key)
        .chain(BUILT_IN)
        .collect();
    let (keys, next) = page::cut(keys.into_iter(), after, size, |key| *key);
    let users = users(&state, |environment| {
        who.token().allows_environment(environment)
    });
    let plans = keys
        .into_iter()
        .filter_map(|key| view(&state, key, &users))
        .collect();
    Ok(PlanList { plans, next })
}

/// One plan
#[utoipa::path(get, path = "/api/v1/plans/{plan}", tag = "plans", params(("plan" = String, Path)), responses((status = 200, body = Plan)))]
async fn read_plan(
    who: May<auth::ReadControl>,
    State(app): State<App>,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    let plan = one(&app, &who, &key)?;
    Ok(match plan.revision {
        Some(revision) => tagged(revision, plan),
        None => Json(plan).into_response(),
    })
}

/// One plan, if there is one.
pub(crate) fn one(app: &App, who: &Authenticated, key: &str) -> Result<Plan, Failure> {
    who.permit(&Permission::ReadControl)?;
    let state = app.node().state();
    let users = users(&state, |environment| {
        who.token().allows_environment(environment)
    });
    view(&state, key, &users).ok_or_else(|| Failure::not_found("plan", key))
}

/// Create or replace a plan; rollouts that run keep the one they started with
#[utoipa::path(
    put, path = "/api/v1/plans/{plan}", tag = "plans",
    params(("plan" = String, Path), ("dry_run" = Option<bool>, Query), ("If-Match" = Option<String>, Header, description = "The plan's ETag, if there is one already"), ("Idempotency-Key" = Option<String>, Header)),
    request_body = PutPlan,
    responses((status = 200, body = Receipt))
)]
async fn put_plan(
    who: May<auth::Command>,
    State(app): State<App>,
    Path(key): Path<String>,
    change: Change<PutPlan>,
) -> Result<Json<Receipt>, Failure> {
    let (wanted, change) = change.split();
    if wanted.definition.key != key {
        return Err(Failure::invalid(
            "definition.key",
            format!("the path says {key:?}; a plan is never renamed"),
        ));
    }
    let plan = plan(&wanted.definition)?;
    demand_reachable(&app, &plan).await?;
    let command = Command::ApplyPlan {
        plan: Box::new(plan),
    };
    Ok(done(change.submit(&app, &who, command, wanted.why).await?))
}

/// What a plan names outside is there: its sources answer, and its channels are configured.
pub(super) async fn demand_reachable(app: &App, plan: &CorePlan) -> Result<(), Failure> {
    let checked = app.node().check_plan(plan).await;
    checked.map_err(|trouble| Failure::invalid(trouble.field, trouble.why))
}

/// Remove a plan; rollouts that run keep the one they started with
#[utoipa::path(
    delete, path = "/api/v1/plans/{plan}", tag = "plans",
    params(("plan" = String, Path), ("dry_run" = Option<bool>, Query), ("If-Match" = Option<String>, Header, description = "The plan's ETag")),
    request_body(content = Option<leverframe_wire::admin::Removal>),
    responses((status = 200, body = Receipt))
)]
async fn delete_plan(
    who: May<auth::Command>,
    State(app): State<App>,
    Path(key): Path<String>,
    removal: Remove,
) -> Result<Json<Receipt>, Failure> {
    let command = Command::DeletePlan { plan: key.into() };
    Ok(done(removal.submit(&app, &who, command).await?))
}

/// The running rollouts of each plan, by the plan's key.
fn users(state: &Fold, may_see: impl Fn(&str) -> bool) -> BTreeMap<&str, Vec<String>> {
    let mut users: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for rollout in state.running() {
        if may_see(rollout.environment.as_str()) {
            let ids = users.entry(&rollout.plan.key).or_default();
            ids.push(rollout.id.to_string());
        }
    }
    users
}

fn view(state: &Fold, key: &str, users: &BTreeMap<&str, Vec<String>>) -> Option<Plan> {
    let (definition, revision) = match state.plan(key) {
        Some(entry) => (plan_view(&entry.plan), Some(entry.revision)),
        None => (plan_view(&CorePlan::built_in(key)?), None),
    };
    Some(Plan {
        definition,
        revision,
        used_by: users.get(key).cloned().unwrap_or_default(),
    })
}
