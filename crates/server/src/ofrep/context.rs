//! The context of an OFREP request.

mod read;

use axum::body::Body;
use axum::http::HeaderMap;
use leverframe_flags::{Context, ContextError};
use leverframe_wire::ofrep::ErrorCode;
use serde::de::DeserializeSeed;

use super::failure::NoAnswer;
use crate::app::App;
use crate::limit::CONTEXT_BYTES_MAX;
use crate::metrics::Ofrep;
use crate::request::read_body;
use read::{Question, Wrong};

/// Reads the body of a question, asked at the present time. `{}`, `{"context":{}}` and
/// `{"context":null}` are all the empty context.
pub(super) async fn read(app: &App, headers: &HeaderMap, body: Body) -> Result<Context, NoAnswer> {
    let bytes = read_body(headers, body, CONTEXT_BYTES_MAX).await?;
    parse(&bytes)
        .map(|context| context.at(app.node().wall_now().as_ms()))
        .inspect_err(|_| app.counters.ofrep(Ofrep::Bad))
}

/// Reads the context straight from the text, in one pass.
fn parse(bytes: &[u8]) -> Result<Context, NoAnswer> {
    let failed = |code, details: String| NoAnswer::Request { code, details };
    let unreadable = |details: String| failed(ErrorCode::ParseError, details);
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(unreadable("the body is a JSON object".to_owned()));
    }
    // As a whole: what is skipped below would not be looked at.
    let text = std::str::from_utf8(bytes)
        .map_err(|error| unreadable(format!("the body is not UTF-8: {error}")))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let question = Question
        .deserialize(&mut deserializer)
        .and_then(|context| deserializer.end().map(|()| context))
        .map_err(|error| unreadable(format!("the body cannot be read: {error}")))?;
    question.map_err(|wrong| match wrong {
        Wrong::Twice(name) => unreadable(format!("the name {name:?} comes twice in one object")),
        Wrong::NotAnObject => failed(
            ErrorCode::InvalidContext,
            ContextError::NotAnObject.to_string(),
        ),
        Wrong::UnitNotText => failed(
            ErrorCode::InvalidContext,
            ContextError::UnitNotText.to_string(),
        ),
        Wrong::TooMany(count) => failed(
            ErrorCode::InvalidContext,
            ContextError::TooManyAttributes { count }.to_string(),
        ),
        Wrong::TooDeep(name) => failed(
            ErrorCode::InvalidContext,
            ContextError::TooDeep { name }.to_string(),
        ),
    })
}

/// The context of a body, for `fuzz/`.
#[cfg(feature = "fuzz")]
pub(crate) fn context_of(bytes: &[u8]) -> Result<Context, String> {
    parse(bytes).map_err(|failure| format!("{failure:?}"))
}

#[cfg(test)]
mod tests;
