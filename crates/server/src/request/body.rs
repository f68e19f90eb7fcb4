//! JSON bodies: bounded in size, depth and time.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use super::duplicates;
use crate::app::App;
use crate::limit::{BODY_BYTES_MAX, BODY_TIME_MAX};
use crate::problem::Failure;

/// A JSON body.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &App) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        demand_json(&parts.headers)?;
        let bytes = read_body(&parts.headers, body, BODY_BYTES_MAX).await?;
        parse_json(&bytes).map(Self)
    }
}

/// Reads a body that is at most `bytes_max` long and comes in time.
pub(crate) async fn read_body(
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
) -> Result<Bytes, Failure> {
    let too_large = || {
        Failure::new(
            "too-large",
            format!("a body has at most {bytes_max} bytes here"),
        )
    };
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > bytes_max as u64) {
        return Err(too_large());
    }
    let read = async {
        let mut stream = body.into_data_stream();
        let mut first = Bytes::new();
        let mut rest = Vec::new();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk
                .map_err(|error| Failure::bad_request(format!("the body broke off: {error}")))?;
            if first.len() + rest.len() + chunk.len() > bytes_max {
                return Err(too_large());
            }
            // Almost every body is one chunk, which needs no copy.
            if first.is_empty() {
                first = chunk;
            } else {
                rest.extend_from_slice(&chunk);
            }
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok([first.as_ref(), rest.as_slice()].concat().into())
    };
    tokio::time::timeout(BODY_TIME_MAX, read)
        .await
        .unwrap_or_else(|_| {
            let seconds = BODY_TIME_MAX.as_secs();
            Err(Failure::new(
                "timeout",
                format!("the body did not arrive within {seconds} s"),
            ))
        })
}

/// A browser's form can send `text/plain` to another site, JSON it cannot.
pub(super) fn demand_json(headers: &HeaderMap) -> Result<(), Failure> {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/json"));
    if is_json {
        Ok(())
    } else {
        Err(Failure::new(
            "unsupported-media-type",
            "send the body with Content-Type: application/json",
        ))
    }
}

/// Reads a JSON text, naming the field that is wrong. A name that comes twice in an object is
/// refused, because readers disagree on which one counts.
pub(crate) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    duplicates::refuse(bytes)?;
    // serde would take an array as the fields in their order, which nobody means.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Failure::new("invalid", "the body is a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.inner();
        let failure = if inner.is_data() {
            Failure::new("invalid", inner.to_string())
        } else {
            Failure::bad_request(format!("the body is not JSON: {inner}"))
        };
        // serde says "." when the whole body is meant.
        if path == "." {
            failure
        } else {
            failure.at_field(path)
        }
    })
}
