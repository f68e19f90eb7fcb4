//! The context of an OFREP request.

use axum::body::Body;
use axum::http::HeaderMap;
use leverframe_flags::Context;
use leverframe_wire::ofrep::{ErrorCode, EvaluationRequest};
use serde_json::Value as Json;

use super::failure::NoAnswer;
use crate::app::App;
use crate::limit::CONTEXT_BYTES_MAX;
use crate::metrics::Ofrep;
use crate::request::read_body;

/// The context as it came, and as the engine reads it, at the present time.
pub(super) struct Asked {
    pub(super) json: Json,
    pub(super) context: Context,
}

/// Reads the body of a question. `{}`, `{"context":{}}` and `{"context":null}` are all the empty
/// context.
pub(super) async fn read(app: &App, headers: &HeaderMap, body: Body) -> Result<Asked, NoAnswer> {
    let bytes = read_body(headers, body, CONTEXT_BYTES_MAX).await?;
    parse(&bytes, app.node().wall_now().as_ms()).inspect_err(|_| app.counters.ofrep(Ofrep::Bad))
}

fn parse(bytes: &[u8], now_ms: i64) -> Result<Asked, NoAnswer> {
    let failed = |code, details: String| NoAnswer::Request { code, details };
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(failed(
            ErrorCode::ParseError,
            "the body is a JSON object".to_owned(),
        ));
    }
    let request: EvaluationRequest = serde_json::from_slice(bytes).map_err(|error| {
        failed(
            ErrorCode::ParseError,
            format!("the body cannot be read: {error}"),
        )
    })?;
    let json = match request.context {
        None | Some(Json::Null) => Json::Object(serde_json::Map::new()),
        Some(json) => json,
    };
    let context = Context::from_json(&json)
        .map_err(|error| failed(ErrorCode::InvalidContext, error.to_string()))?
        .at(now_ms);
    Ok(Asked { json, context })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Option<ErrorCode> {
        match parse(text.as_bytes(), 0) {
            Ok(_) => None,
            Err(NoAnswer::Request { code, .. }) => Some(code),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_way_of_sending_no_context_is_the_empty_context() {
        for text in ["{}", r#"{"context":{}}"#, r#"{"context":null}"#, " {} "] {
            assert_eq!(code(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_context_is_told_apart_from_what_is_not_json() {
        for text in [
            "",
            "[]",
            "[{}]",
            "{",
            "nonsense",
            "\u{feff}{}",
            r#"{"context":{"a":1e999}}"#,
        ] {
            assert_eq!(code(text), Some(ErrorCode::ParseError), "{text}");
        }
        for text in [
            r#"{"context":[]}"#,
            r#"{"context":"u"}"#,
            r#"{"context":{"targetingKey":1}}"#,
        ] {
            assert_eq!(code(text), Some(ErrorCode::InvalidContext), "{text}");
        }
        let deep = format!(
            r#"{{"context":{{"a":{}1{}}}}}"#,
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert_eq!(code(&deep), Some(ErrorCode::ParseError));
    }
}
