//! Trying a flag.

use axum::extract::State;
use leverframe_core::access::Permission;
use leverframe_flags::Context;
use leverframe_wire::admin::{Evaluate, Evaluation};

use crate::app::App;
use crate::auth::Authenticated;
use crate::convert::{evaluation_view, explained};
use crate::problem::Failure;
use crate::request::{Json, Path};
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    guarded!(Surface::new(), evaluate)
}

/// Ask a flag about a context, and why it answers so
#[utoipa::path(
    post, path = "/api/v1/environments/{environment}/evaluate", tag = "evaluation",
    params(("environment" = String, Path)),
    request_body = Evaluate,
    responses((status = 200, body = Evaluation))
)]
async fn evaluate(
    who: Authenticated,
    State(app): State<App>,
    Path(environment): Path<String>,
    Json(question): Json<Evaluate>,
) -> Result<axum::Json<Evaluation>, Failure> {
    answer(&app, &who, &environment, question).map(axum::Json)
}

/// What a flag answers about a context, and why where that is asked for.
pub(crate) fn answer(
    app: &App,
    who: &Authenticated,
    environment: &str,
    question: Evaluate,
) -> Result<Evaluation, Failure> {
    let key = who.permit_environment(app, environment, Permission::Evaluate)?;
    if question.explain {
        // How an answer comes about is told only to those who may read the rules.
        who.permit(&Permission::ReadControl)?;
    }
    let rules = app.feed(key.as_str())?.rules();
    let context = Context::from_json(&serde_json::Value::Object(question.context))
        .map_err(|error| Failure::invalid("context", error.to_string()))?
        .at(app.node().wall_now().as_ms());
    let missing = || Failure::not_found("flag", &question.flag);
    let is_seen = rules
        .flag(&question.flag)
        .is_some_and(|flag| who.token().sees(&question.flag, flag.is_client_visible()));
    if !is_seen {
        return Err(missing());
    }
    let answer = if question.explain {
        rules
            .explain(&question.flag, &context)
            .map(|explanation| explained(&explanation))
    } else {
        rules
            .evaluate(&question.flag, &context)
            .map(|outcome| evaluation_view(&question.flag, &outcome))
    };
    answer.ok_or_else(missing)
}
