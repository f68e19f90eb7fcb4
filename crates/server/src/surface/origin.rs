//! Refuses what another site makes a browser send: forms, scripts, frames without an origin.
//!
//! The console has one cookie, which a browser sends along on its own. Its forms are refused where
//! nothing says that they are ours ([`is_ours`]); this is for everything else that can change
//! something, and for tokens that a person pasted where they do not belong: a browser that says it
//! comes from elsewhere is refused. `/ofrep` is not looked at: other sites' scripts are meant to use
//! it, and no cookie counts there.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::Failure;

pub(super) async fn refuse_others(request: Request, next: Next) -> Response {
    if is_from_elsewhere(request.method(), request.uri(), request.headers()) {
        return Failure::new(
            "denied",
            "this request comes from another site's page; only /ofrep may be used from there",
        )
        .into_response();
    }
    next.run(request).await
}

/// Whether a browser says that another site made it ask. Programs say nothing, and are let through.
fn is_from_elsewhere(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return false;
    }
    let origin = headers.get(header::ORIGIN).map(HeaderValue::as_bytes);
    if origin == Some(b"null") {
        return true;
    }
    // What the browser itself concludes counts most: a proxy may have changed the host.
    if let Some(site) = headers.get("sec-fetch-site") {
        return !matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    origin.is_some() && !names_us(uri, headers)
}

/// Whether a browser says that a page of ours made it ask. Saying nothing is not enough.
pub(crate) fn is_ours(uri: &Uri, headers: &HeaderMap) -> bool {
    match headers.get("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => names_us(uri, headers),
    }
}

/// Whether the origin is this server's.
fn names_us(uri: &Uri, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN).map(HeaderValue::as_bytes) else {
        return false;
    };
    let own = uri
        .authority()
        .map(|authority| authority.as_str().as_bytes())
        .or_else(|| headers.get(header::HOST).map(HeaderValue::as_bytes));
    // Without the scheme, which a proxy that ends TLS takes away.
    let asked_from = origin
        .strip_prefix(b"https://")
        .or_else(|| origin.strip_prefix(b"http://"));
    match (asked_from, own) {
        (Some(asked_from), Some(own)) => asked_from.eq_ignore_ascii_case(own),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .chain([(header::HOST, HeaderValue::from_static("lever.test:5387"))])
            .collect()
    }

    fn refused(method: &Method, lines: &[(&'static str, &'static str)]) -> bool {
        is_from_elsewhere(method, &Uri::from_static("/api/v1/undo"), &headers(lines))
    }

    fn ours(lines: &[(&'static str, &'static str)]) -> bool {
        is_ours(&Uri::from_static("/sign-in"), &headers(lines))
    }

    #[test]
    fn only_what_says_so_is_ours() {
        const OWN: &str = "https://lever.test:5387";
        for lines in [
            &[("origin", OWN)][..],
            &[("origin", "http://lever.test:5387")],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "same-origin"), ("origin", OWN)],
        ] {
            assert!(ours(lines), "{lines:?}");
        }
        for lines in [
            &[][..],
            &[("origin", "null")],
            &[("origin", "https://evil.test")],
            &[("origin", "https://lever.test")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "same-site"), ("origin", OWN)],
            &[("sec-fetch-site", "cross-site"), ("origin", OWN)],
        ] {
            assert!(!ours(lines), "{lines:?}");
        }
    }

    #[test]
    fn each_way_a_request_may_come() {
        const OWN: &str = "https://lever.test:5387";
        let rows: &[(&[(&str, &str)], bool)] = &[
            (&[], false),
            (&[("origin", OWN)], false),
            (&[("origin", "http://lever.test:5387")], false),
            (&[("origin", "HTTPS://LEVER.TEST:5387")], true),
            (&[("origin", "https://Lever.test:5387")], false),
            (&[("origin", "null")], true),
            (
                &[("origin", "null"), ("sec-fetch-site", "same-origin")],
                true,
            ),
            (&[("origin", "")], true),
            (&[("origin", "https://evil.test")], true),
            (&[("origin", "https://lever.test")], true),
            (&[("origin", "https://lever.test:5387.evil.test")], true),
            (&[("origin", "https://evil.test/lever.test:5387")], true),
            (&[("origin", "file://")], true),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("sec-fetch-site", "nonsense")], true),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", OWN), ("sec-fetch-site", "cross-site")], true),
            (
                &[
                    ("origin", "https://outside.test"),
                    ("sec-fetch-site", "same-origin"),
                ],
                false,
            ),
        ];
        for (lines, is_refused) in rows {
            assert_eq!(refused(&Method::POST, lines), *is_refused, "{lines:?}");
            assert!(
                !refused(&Method::GET, lines),
                "reading changes nothing: {lines:?}"
            );
        }
        for method in [Method::PUT, Method::DELETE, Method::PATCH] {
            assert!(refused(&method, &[("origin", "null")]), "{method}");
        }
    }
}
