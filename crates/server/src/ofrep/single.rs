//! One flag: the fast path.

use axum::extract::{Path, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use leverframe_wire::ofrep::ErrorCode;

use super::answer::Answer;
use super::caller::Caller;
use super::context;
use super::failure::NoAnswer;
use crate::app::App;
use crate::metrics::Ofrep;
use crate::problem::Failure;
use crate::surface::{Surface, guarded};

/// What most answers fit in.
const ANSWER_BYTES: usize = 256;

pub(super) fn routes() -> Surface {
    guarded!(Surface::new(), evaluate_flag)
}

/// Evaluate one flag
#[utoipa::path(
    post, path = "/ofrep/v1/evaluate/flags/{key}", tag = "ofrep",
    params(("key" = String, Path), ("environment" = Option<String>, Query, description = "For tokens of several environments")),
    request_body(content_type = "application/json", content = serde_json::Value, description = "`{\"context\":{\"targetingKey\":…}}`"),
    responses(
        (status = 200, content_type = "application/json", body = serde_json::Value, description = "`{key, value, variant, reason, metadata}`"),
        (status = 400, description = "`{key, errorCode, errorDetails}`"),
        (status = 404, description = "`{key, errorCode: FLAG_NOT_FOUND, errorDetails}`"),
    )
)]
async fn evaluate_flag(
    caller: Caller,
    State(app): State<App>,
    Path(key): Path<String>,
    request: Request,
) -> Result<Response, NoAnswer> {
    let (parts, body) = request.into_parts();
    let context = context::read(&app, &parts.headers, body)
        .await
        .map_err(|failure| failure.about(&key))?;
    let rules = caller.feed.rules_guard();
    let outcome = rules
        .find(&key)
        .filter(|index| {
            caller.sees_everything() || rules.flag_at(*index).is_some_and(|flag| caller.sees(&flag))
        })
        .and_then(|index| rules.evaluate_index(index, &context));
    let Some(outcome) = outcome else {
        app.counters.ofrep(Ofrep::NotFound);
        let details = format!("there is no flag {key:?} here");
        return Err(NoAnswer::Flag {
            key,
            code: ErrorCode::FlagNotFound,
            details,
        });
    };
    app.counters.ofrep(Ofrep::Answered);
    let mut body = Vec::with_capacity(ANSWER_BYTES);
    serde_json::to_writer(&mut body, &Answer::new(&key, &outcome))
        .map_err(|error| Failure::new("internal", error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}
