//! Where to go on after signing in: only ever to a page of this server.

use std::fmt;

use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::limit::NEXT_BYTES_MAX;

/// A path with a query, here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnPath(String);

impl OwnPath {
    /// What somebody says they want to see; the first page where it is not here.
    pub(super) fn or_home(text: &str) -> Self {
        Self(if is_own(text) { text } else { "/" }.to_owned())
    }

    /// What was asked for.
    pub(super) fn of(uri: &Uri) -> Self {
        Self::or_home(uri.path_and_query().map_or("/", |path| path.as_str()))
    }

    /// On to it, by GET.
    pub(super) fn go(&self) -> Response {
        let location = HeaderValue::try_from(&self.0).unwrap_or(HeaderValue::from_static("/"));
        (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
    }
}

impl fmt::Display for OwnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Browsers take `//host`, `/\host` and either with tabs in between for another server.
fn is_own(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next() == Some(b'/')
        && bytes.next() != Some(b'/')
        && text.len() <= NEXT_BYTES_MAX
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_of_this_server_is_gone_on_to() {
        for own in [
            "/",
            "/now?env=prod",
            "/kill/a?r=57#x",
            "/a//b",
            "/?q=//evil.test",
        ] {
            assert_eq!(OwnPath::or_home(own).to_string(), own);
        }
        let long = format!("/{}", "a".repeat(NEXT_BYTES_MAX));
        for other in [
            "",
            "now",
            "//evil.test",
            "///evil.test",
            "/\\evil.test",
            "/a\\b",
            "\\/evil.test",
            "https://evil.test",
            "javascript:alert(1)",
            "/\t/evil.test",
            "/\n/evil.test",
            "/a b",
            "/\u{e9}",
            "/\u{202e}",
            " /now",
            "/now\r\nset-cookie: a=b",
            &long,
        ] {
            assert_eq!(OwnPath::or_home(other).to_string(), "/", "{other:?}");
        }
    }

    #[test]
    fn what_was_asked_for_is_checked_as_well() {
        let of = |text: &'static str| OwnPath::of(&Uri::from_static(text)).to_string();
        assert_eq!(of("http://lever.test/now?env=prod"), "/now?env=prod");
        assert_eq!(of("/now"), "/now");
        assert_eq!(of("//evil.test/now"), "/");
    }
}
