//! Rollouts: started, steered and looked at.

pub(crate) mod evidence;
pub(crate) mod steer;
pub(crate) mod view;

use axum::Json;
use axum::extract::State;
use leverframe_core::Command;
use leverframe_core::command::{PlanChoice, Survey, Terms};
use leverframe_core::rollout::Plan;
use leverframe_flags::{EnvironmentKey, FlagKey};
use leverframe_wire::admin::{PlanDefinition, Rollout, StartRollout, StartedRollout};

use super::plan::demand_reachable;
use crate::app::App;
use crate::auth::{self, Authenticated, May};
use crate::convert::{checked, plan, receipt_view, whole_rollout_view};
use crate::problem::Failure;
use crate::request::{Change, Path};
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    let surface = guarded!(Surface::new(), start_rollout, read_rollout_of);
    surface
        .merge(view::routes())
        .merge(evidence::routes())
        .merge(steer::routes())
}

/// Start a rollout of a lever; 409 when one is running, unless `replace` says otherwise
#[utoipa::path(
    post, path = "/api/v1/environments/{environment}/flags/{flag}/rollout", tag = "rollouts",
    params(("environment" = String, Path), ("flag" = String, Path), ("dry_run" = Option<bool>, Query), ("If-Match" = Option<String>, Header, description = "The lever's ETag; needed in a guarded environment"), ("Idempotency-Key" = Option<String>, Header)),
    request_body = StartRollout,
    responses((status = 200, body = StartedRollout))
)]
async fn start_rollout(
    who: May<auth::Command>,
    State(app): State<App>,
    Path((environment, flag)): Path<(String, String)>,
    change: Change<StartRollout>,
) -> Result<Json<StartedRollout>, Failure> {
    let (wanted, change) = change.split();
    start(&app, &who, (&environment, &flag), wanted, change)
        .await
        .map(Json)
}

/// Starts a rollout, in the name of who asks.
pub(crate) async fn start(
    app: &App,
    who: &Authenticated,
    (environment, flag): (&str, &str),
    wanted: StartRollout,
    change: Change<()>,
) -> Result<StartedRollout, Failure> {
    let flag: FlagKey = checked("flag", flag)?;
    let environment: EnvironmentKey = checked("environment", environment)?;
    let choice = choice(wanted.plan.as_deref(), wanted.definition.as_ref())?;
    if let PlanChoice::Inline(plan) = &choice {
        demand_reachable(app, plan).await?;
    }
    // Of a plan that does not exist nothing is known, and core says that it does not.
    let survey = match chosen(app, &choice) {
        Some(plan) => app.node().survey(&flag, &environment, &plan).await?,
        None => Survey::default(),
    };
    let command = Command::StartRollout {
        flag: flag.clone(),
        environment: environment.clone(),
        plan: choice,
        terms: Terms {
            replace: wanted.replace,
            again: wanted.again,
            undeclared_too: wanted.undeclared_too,
        },
        survey: Box::new(survey),
    };
    let accepted = change.submit(app, who, command, wanted.why).await?;
    let receipt = receipt_view(accepted);
    let state = app.node().state();
    // Also for a repeat, whose rollout may be over by now.
    let started = state.rollouts().find(|one| {
        one.flag == flag
            && one.environment == environment
            && one.moves.first().map(|first| first.revision) == Some(receipt.revision)
    });
    Ok(StartedRollout {
        rollout: started
            .filter(|_| !receipt.dry_run)
            .map(|one| one.id.to_string()),
        receipt,
    })
}

/// The rollout of a lever that runs, or its last one
#[utoipa::path(
    get, path = "/api/v1/environments/{environment}/flags/{flag}/rollout", tag = "rollouts",
    params(("environment" = String, Path), ("flag" = String, Path)),
    responses((status = 200, body = Rollout))
)]
async fn read_rollout_of(
    who: Authenticated,
    State(app): State<App>,
    Path((environment, flag)): Path<(String, String)>,
) -> Result<Json<Rollout>, Failure> {
    of(&app, &who, &environment, &flag).map(Json)
}

/// The rollout of a lever that runs, or its last one.
pub(crate) fn of(
    app: &App,
    who: &Authenticated,
    environment: &str,
    flag: &str,
) -> Result<Rollout, Failure> {
    let environment = who.permit_environment(
        app,
        environment,
        leverframe_core::access::Permission::ReadEnvironment,
    )?;
    let missing = || Failure::not_found("rollout", flag);
    let flag: FlagKey = flag.parse().map_err(|_| missing())?;
    let state = app.node().state();
    let rollout = state
        .running_of(&flag, &environment)
        .or_else(|| state.last_of(&flag, &environment))
        .ok_or_else(missing)?;
    let now = app.node().steady_now();
    Ok(whole_rollout_view(&state, rollout, now))
}

/// The plan that is meant: exactly one way of naming it.
pub(super) fn choice(
    named: Option<&str>,
    definition: Option<&PlanDefinition>,
) -> Result<PlanChoice, Failure> {
    match (named, definition) {
        (Some(named), None) => Ok(PlanChoice::Named(named.into())),
        (None, Some(definition)) => Ok(PlanChoice::Inline(Box::new(plan(definition)?))),
        _ => Err(Failure::invalid(
            "plan",
            "say by which plan: exactly one of plan and definition",
        )),
    }
}

/// The plan itself, if there is one of that name.
pub(super) fn chosen(app: &App, choice: &PlanChoice) -> Option<Plan> {
    match choice {
        PlanChoice::Inline(plan) => Some((**plan).clone()),
        PlanChoice::Named(key) => app
            .node()
            .state()
            .plan(key)
            .map(|entry| (*entry.plan).clone())
            .or_else(|| Plan::built_in(key)),
    }
}
