//! Drills: levers pulled for practice.

use axum::Json;
use axum::extract::State;
use leverframe_core::Command;
use leverframe_core::access::Permission;
use leverframe_wire::admin::{Drill, DrillList, PutDrillSchedule, Receipt, RunDrill};
use serde::Deserialize;

use super::{done, page};
use crate::app::App;
use crate::auth::{self, Authenticated, May};
use crate::convert::{checked, drill_view, ms, schedule_view};
use crate::problem::Failure;
use crate::request::{Change, Path, Query, Remove};
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    let surface = guarded!(Surface::new(), run_drill, schedule_drill, unschedule_drill);
    let surface = guarded!(surface, list_drills);
    guarded!(surface, read_drill)
}

/// Close a lever for practice; the server counts who has it and puts it back
///
/// The answer says that it is closed. Ask for the drill of its revision until it is over.
#[utoipa::path(
    post, path = "/api/v1/environments/{environment}/flags/{flag}/drill", tag = "drills",
    params(("environment" = String, Path), ("flag" = String, Path), ("dry_run" = Option<bool>, Query), ("If-Match" = Option<String>, Header, description = "The lever's ETag"), ("Idempotency-Key" = Option<String>, Header)),
    request_body = RunDrill,
    responses((status = 200, body = Receipt))
)]
async fn run_drill(
    who: May<auth::Command>,
    State(app): State<App>,
    Path((environment, flag)): Path<(String, String)>,
    change: Change<RunDrill>,
) -> Result<Json<Receipt>, Failure> {
    let (wanted, change) = change.split();
    let command = Command::StartDrill {
        flag: checked("flag", &flag)?,
        environment: checked("environment", &environment)?,
    };
    let accepted = change.submit(&app, &who, command, wanted.why).await?;
    if !accepted.dry_run {
        app.node().attend_drill(accepted.receipt.revision);
    }
    Ok(done(accepted))
}

/// Have a lever drilled at regular times
#[utoipa::path(
    put, path = "/api/v1/environments/{environment}/flags/{flag}/drill", tag = "drills",
    params(("environment" = String, Path), ("flag" = String, Path), ("dry_run" = Option<bool>, Query), ("Idempotency-Key" = Option<String>, Header)),
    request_body = PutDrillSchedule,
    responses((status = 200, body = Receipt))
)]
async fn schedule_drill(
    who: May<auth::Command>,
    State(app): State<App>,
    Path((environment, flag)): Path<(String, String)>,
    change: Change<PutDrillSchedule>,
) -> Result<Json<Receipt>, Failure> {
    let (wanted, change) = change.split();
    let command = Command::ScheduleDrill {
        flag: checked("flag", &flag)?,
        environment: checked("environment", &environment)?,
        every_ms: Some(ms(wanted.every)),
    };
    Ok(done(change.submit(&app, &who, command, wanted.why).await?))
}

/// Have a lever drilled by itself no more
#[utoipa::path(
    delete, path = "/api/v1/environments/{environment}/flags/{flag}/drill", tag = "drills",
    params(("environment" = String, Path), ("flag" = String, Path), ("dry_run" = Option<bool>, Query)),
    request_body(content = Option<leverframe_wire::admin::Removal>),
    responses((status = 200, body = Receipt))
)]
async fn unschedule_drill(
    who: May<auth::Command>,
    State(app): State<App>,
    Path((environment, flag)): Path<(String, String)>,
    removal: Remove,
) -> Result<Json<Receipt>, Failure> {
    let command = Command::ScheduleDrill {
        flag: checked("flag", &flag)?,
        environment: checked("environment", &environment)?,
        every_ms: None,
    };
    Ok(done(removal.submit(&app, &who, command).await?))
}

/// Which drills to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Only in this environment.
    environment: Option<String>,
    /// Only of this flag.
    flag: Option<String>,
    /// How many.
    limit: Option<usize>,
}

impl Wanted {
    fn is_of(&self, flag: &str, environment: &str) -> bool {
        let is = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|one| one == is);
        is(&self.flag, flag) && is(&self.environment, environment)
    }
}

/// List drills, the last first, and the levers that are drilled by themselves
#[utoipa::path(get, path = "/api/v1/drills", tag = "drills", params(Wanted), responses((status = 200, body = DrillList)))]
async fn list_drills(
    who: May<auth::ReadControl>,
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<DrillList>, Failure> {
    let state = app.node().state();
    let size = page::size(wanted.limit)?;
    let is_shown = |flag: &str, environment: &str| {
        who.token().allows_environment(environment) && wanted.is_of(flag, environment)
    };
    Ok(Json(DrillList {
        drills: state
            .drills()
            .rev()
            .filter(|drill| is_shown(drill.flag.as_str(), drill.environment.as_str()))
            .take(size)
            .map(|drill| drill_view(drill))
            .collect(),
        schedules: state
            .drill_schedules()
            .filter(|one| is_shown(one.flag.as_str(), one.environment.as_str()))
            .map(schedule_view)
            .collect(),
    }))
}

/// One drill, by the revision that closed the lever
#[utoipa::path(get, path = "/api/v1/drills/{revision}", tag = "drills", params(("revision" = u64, Path)), responses((status = 200, body = Drill)))]
async fn read_drill(
    who: Authenticated,
    State(app): State<App>,
    Path(revision): Path<u64>,
) -> Result<Json<Drill>, Failure> {
    who.permit(&Permission::ReadControl)?;
    let state = app.node().state();
    let drill = state
        .drill(revision)
        .filter(|drill| who.token().allows_environment(drill.environment.as_str()))
        .ok_or_else(|| Failure::not_found("drill", &format!("r{revision}")))?;
    Ok(Json(drill_view(drill)))
}
