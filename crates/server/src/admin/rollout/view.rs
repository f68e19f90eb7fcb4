//! Rollouts, listed and one by one.

use axum::Json;
use axum::extract::State;
use leverframe_core::access::Permission;
use leverframe_core::rollout::Rollout as CoreRollout;
use leverframe_wire::admin::{Rollout, RolloutList};
use serde::Deserialize;

use super::super::page;
use crate::app::App;
use crate::auth::{self, Authenticated, May};
use crate::convert::{rollout_view, whole_rollout_view};
use crate::problem::Failure;
use crate::request::{Path, Query};
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    let surface = guarded!(Surface::new(), list_rollouts);
    guarded!(surface, read_rollout)
}

/// Which rollouts to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only in this environment.
    pub(crate) environment: Option<String>,
    /// Only of this flag.
    pub(crate) flag: Option<String>,
    /// Only those that run, or only those that are over.
    pub(crate) state: Option<Which>,
    /// The last rollout of the page before.
    pub(crate) after: Option<String>,
    /// How many.
    pub(crate) limit: Option<usize>,
}

/// Whether a rollout runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Which {
    Running,
    Over,
}

impl Wanted {
    fn is(&self, rollout: &CoreRollout) -> bool {
        let is = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|one| one == is);
        is(&self.environment, rollout.environment.as_str())
            && is(&self.flag, rollout.flag.as_str())
            && self
                .state
                .is_none_or(|state| (state == Which::Over) == rollout.is_over())
    }
}

/// List rollouts, the last started first
#[utoipa::path(get, path = "/api/v1/rollouts", tag = "rollouts", params(Wanted), responses((status = 200, body = RolloutList)))]
async fn list_rollouts(
    who: May<auth::ReadControl>,
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<RolloutList>, Failure> {
    let size = page::size(wanted.limit)?;
    list(&app, &who, &wanted, size).map(Json)
}

/// Some rollouts, the last started first.
pub(crate) fn list(
    app: &App,
    who: &Authenticated,
    wanted: &Wanted,
    size: usize,
) -> Result<RolloutList, Failure> {
    who.permit(&Permission::ReadControl)?;
    let state = app.node().state();
    let mut rollouts: Vec<_> = state
        .rollouts()
        .filter(|one| who.token().allows_environment(one.environment.as_str()))
        .filter(|one| wanted.is(one))
        .collect();
    rollouts.sort_by_key(|one| (std::cmp::Reverse(one.started_at), one.id.clone()));
    if let Some(after) = &wanted.after {
        let last = rollouts.iter().position(|one| *one.id == **after);
        let last = last.ok_or_else(|| Failure::invalid("after", "there is no such rollout"))?;
        rollouts.drain(..=last);
    }
    let next = rollouts
        .get(size.saturating_sub(1))
        .filter(|_| rollouts.len() > size)
        .map(|last| last.id.to_string());
    rollouts.truncate(size);
    let now = app.node().steady_now();
    Ok(RolloutList {
        rollouts: rollouts
            .into_iter()
            .map(|rollout| rollout_view(rollout, now))
            .collect(),
        next,
    })
}

/// One rollout
#[utoipa::path(get, path = "/api/v1/rollouts/{rollout}", tag = "rollouts", params(("rollout" = String, Path)), responses((status = 200, body = Rollout)))]
async fn read_rollout(
    who: Authenticated,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Rollout>, Failure> {
    let rollout = permitted(&who, &app, &id)?;
    let state = app.node().state();
    let now = app.node().steady_now();
    Ok(Json(whole_rollout_view(&state, &rollout, now)))
}

/// The rollout, if there is one and the token is for its environment.
pub(crate) fn permitted(
    who: &Authenticated,
    app: &App,
    id: &str,
) -> Result<std::sync::Arc<CoreRollout>, Failure> {
    who.permit(&Permission::ReadControl)?;
    app.node()
        .state()
        .rollout(id)
        .filter(|one| who.token().allows_environment(one.environment.as_str()))
        .cloned()
        .ok_or_else(|| Failure::not_found("rollout", id))
}
