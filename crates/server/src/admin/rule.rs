//! Rules of a flag in one environment.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use leverframe_core::Command;
use leverframe_core::access::Permission;
use leverframe_node::Accepted;
use leverframe_wire::admin::{AddRule, MoveRule, Receipt, Removal, Why};

use super::{done, made};
use crate::app::App;
use crate::auth::{self, Authenticated, May};
use crate::convert::{checked, rule};
use crate::problem::Failure;
use crate::request::{Change, Path, Remove};
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    let surface = guarded!(Surface::new(), add_rule);
    let surface = guarded!(surface, remove_rule);
    guarded!(surface, move_rule)
}

/// Add a rule
#[utoipa::path(
    post, path = "/api/v1/flags/{flag}/environments/{environment}/rules", tag = "rules",
    params(("flag" = String, Path), ("environment" = String, Path), ("dry_run" = Option<bool>, Query), ("If-Match" = Option<String>, Header, description = "The lever's ETag"), ("Idempotency-Key" = Option<String>, Header)),
    request_body = AddRule,
    responses((status = 201, body = Receipt), (status = 200, body = Receipt, description = "A dry run"))
)]
async fn add_rule(
    who: May<auth::Command>,
    State(app): State<App>,
    Path((flag, environment)): Path<(String, String)>,
    change: Change<AddRule>,
) -> Result<(StatusCode, Json<Receipt>), Failure> {
    let (wanted, change) = change.split();
    let place = (flag.as_str(), environment.as_str());
    Ok(made(add(&app, &who, place, wanted, change).await?))
}

/// Adds a rule to a flag in an environment.
pub(crate) async fn add(
    app: &App,
    who: &Authenticated,
    (flag, environment): (&str, &str),
    wanted: AddRule,
    change: Change<()>,
) -> Result<Accepted, Failure> {
    who.permit(&Permission::Change)?;
    let command = Command::AddRule {
        flag: checked("flag", flag)?,
        environment: checked("environment", environment)?,
        rule: rule("rule", wanted.rule)?,
        at: wanted.at,
    };
    change.submit(app, who, command, wanted.why).await
}

/// Remove a rule
#[utoipa::path(
    delete, path = "/api/v1/flags/{flag}/environments/{environment}/rules/{rule}", tag = "rules",
    params(("flag" = String, Path), ("environment" = String, Path), ("rule" = String, Path), ("dry_run" = Option<bool>, Query), ("If-Match" = Option<String>, Header, description = "The lever's ETag")),
    request_body(content = Option<Removal>),
    responses((status = 200, body = Receipt))
)]
async fn remove_rule(
    who: May<auth::Command>,
    State(app): State<App>,
    Path((flag, environment, rule)): Path<(String, String, String)>,
    removal: Remove,
) -> Result<Json<Receipt>, Failure> {
    let command = removed((&flag, &environment), &rule)?;
    Ok(done(removal.submit(&app, &who, command).await?))
}

fn removed((flag, environment): (&str, &str), rule: &str) -> Result<Command, Failure> {
    Ok(Command::RemoveRule {
        flag: checked("flag", flag)?,
        environment: checked("environment", environment)?,
        rule: rule.into(),
    })
}

/// Removes a rule of a flag in an environment.
pub(crate) async fn remove(
    app: &App,
    who: &Authenticated,
    place: (&str, &str),
    rule: &str,
    (why, change): (Why, Change<()>),
) -> Result<Accepted, Failure> {
    who.permit(&Permission::Change)?;
    change.submit(app, who, removed(place, rule)?, why).await
}

/// Move a rule to another place in the order
#[utoipa::path(
    post, path = "/api/v1/flags/{flag}/environments/{environment}/rules/{rule}/move", tag = "rules",
    params(("flag" = String, Path), ("environment" = String, Path), ("rule" = String, Path), ("dry_run" = Option<bool>, Query), ("If-Match" = Option<String>, Header, description = "The lever's ETag")),
    request_body = MoveRule,
    responses((status = 200, body = Receipt))
)]
async fn move_rule(
    who: May<auth::Command>,
    State(app): State<App>,
    Path((flag, environment, rule)): Path<(String, String, String)>,
    change: Change<MoveRule>,
) -> Result<Json<Receipt>, Failure> {
    let (wanted, change) = change.split();
    let place = (flag.as_str(), environment.as_str());
    Ok(done(shift(&app, &who, place, &rule, wanted, change).await?))
}

/// Moves a rule of a flag in an environment to another place in the order.
pub(crate) async fn shift(
    app: &App,
    who: &Authenticated,
    (flag, environment): (&str, &str),
    rule: &str,
    wanted: MoveRule,
    change: Change<()>,
) -> Result<Accepted, Failure> {
    who.permit(&Permission::Change)?;
    let command = Command::MoveRule {
        flag: checked("flag", flag)?,
        environment: checked("environment", environment)?,
        rule: rule.into(),
        to: wanted.to,
    };
    change.submit(app, who, command, wanted.why).await
}
