//! The opening handshake of a WebSocket (RFC 6455, section 4.2).

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leverframe_wire::frame::SUBPROTOCOL;
use sha1::{Digest, Sha1};

use crate::problem::Failure;

/// What the server adds to a client's key, from the standard.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The answer that turns a request into a WebSocket, if it asks for one of ours.
pub(super) fn switch(version: Version, headers: &HeaderMap) -> Result<Response, Failure> {
    let wants = |name: HeaderName, word: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|item| item.trim().eq_ignore_ascii_case(word))
    };
    if version != Version::HTTP_11
        || !wants(header::CONNECTION, "upgrade")
        || !wants(header::UPGRADE, "websocket")
    {
        return Err(Failure::new(
            "upgrade-required",
            "this is a WebSocket over HTTP/1.1; where one cannot pass, use POST /api/v1/stream/poll",
        ));
    }
    if !wants(header::SEC_WEBSOCKET_VERSION, "13") {
        return Err(Failure::bad_request(
            "only WebSocket version 13 is spoken here",
        ));
    }
    if !wants(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        return Err(Failure::bad_request(format!(
            "offer the subprotocol {SUBPROTOCOL}"
        )));
    }
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|key| {
            STANDARD
                .decode(key.as_bytes())
                .is_ok_and(|nonce| nonce.len() == 16)
        })
        .ok_or_else(|| Failure::bad_request("Sec-WebSocket-Key is 16 bytes in base64"))?;
    let mut hasher = Sha1::new();
    hasher.update(key.as_bytes());
    hasher.update(GUID);
    let accept = HeaderValue::try_from(STANDARD.encode(hasher.finalize()))
        .map_err(|error| Failure::new("internal", error.to_string()))?;
    let headers = [
        (header::CONNECTION, HeaderValue::from_static("upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(SUBPROTOCOL),
        ),
        (header::SEC_WEBSOCKET_ACCEPT, accept),
    ];
    Ok((StatusCode::SWITCHING_PROTOCOLS, headers).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> HeaderMap {
        [
            (header::CONNECTION, "keep-alive, Upgrade"),
            (header::UPGRADE, "WebSocket"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
            (header::SEC_WEBSOCKET_PROTOCOL, "other, leverframe.v1"),
            (header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
        ]
        .into_iter()
        .map(|(name, value)| (name, HeaderValue::from_static(value)))
        .collect()
    }

    #[test]
    fn the_accept_key_is_the_one_of_the_standard() {
        let response = switch(Version::HTTP_11, &asked()).unwrap();
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(
            response.headers()[header::SEC_WEBSOCKET_ACCEPT],
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }

    #[test]
    fn what_is_not_such_a_handshake_is_refused() {
        for (name, value) in [
            (header::CONNECTION, "close"),
            (header::UPGRADE, "h2c"),
            (header::SEC_WEBSOCKET_VERSION, "8"),
            (header::SEC_WEBSOCKET_PROTOCOL, "leverframe.v2"),
            (header::SEC_WEBSOCKET_KEY, "c2hvcnQ="),
        ] {
            let mut headers = asked();
            headers.insert(name.clone(), HeaderValue::from_static(value));
            assert!(switch(Version::HTTP_11, &headers).is_err(), "{name}");
        }
        assert!(switch(Version::HTTP_2, &asked()).is_err());
    }
}
