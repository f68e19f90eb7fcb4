//! The pager of the shop's on-call person: a receiver of Standard Webhooks on loopback. It is
//! there so that a page is really sent and really taken, and nobody is woken.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::failure::Failure;

/// How far a page's time may be from now, in seconds.
const AGE_S_MAX: i64 = 300;
/// How long the signing key is, in bytes.
const KEY_BYTES: usize = 32;
/// What comes before a signing key in Base64.
const KEY_PREFIX: &str = "whsec_";

/// The pager, switched on until it is dropped.
pub(crate) struct Pager {
    url: String,
    secret: String,
    taken: watch::Receiver<Vec<Page>>,
    serving: JoinHandle<()>,
}

/// A page that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// The same for the same page, however often it is sent.
    pub(crate) id: String,
    pub(crate) words: PageWords,
}

/// What a page says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct PageWords {
    pub(crate) title: String,
    pub(crate) sentence: String,
    pub(crate) owner: String,
}

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "type")]
    kind: String,
    data: PageWords,
}

struct Inbox {
    key: [u8; KEY_BYTES],
    taken: watch::Sender<Vec<Page>>,
}

impl Pager {
    /// Switches it on, with a key of its own.
    pub(crate) async fn switch_on() -> Result<Self, Failure> {
        let mut key = [0; KEY_BYTES];
        getrandom::fill(&mut key).map_err(|error| Failure::failed(error.to_string()))?;
        let failed = |error: std::io::Error| Failure::failed(format!("the pager: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(failed)?;
        let url = format!("http://{}/page", listener.local_addr().map_err(failed)?);
        let (taken, pages) = watch::channel(Vec::new());
        let inbox = Arc::new(Inbox { key, taken });
        let router = Router::new().route("/page", post(take)).with_state(inbox);
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the pager ended by itself");
            }
        });
        Ok(Self {
            url,
            secret: [KEY_PREFIX, &STANDARD.encode(key)].concat(),
            taken: pages,
            serving,
        })
    }

    /// Where pages are sent.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The key that pages are signed with.
    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    /// Every page that was taken, repeats among them, in the order in which they came.
    pub(crate) fn pages(&self) -> Vec<Page> {
        self.taken.borrow().clone()
    }

    /// Waits until a page was taken, at most this long.
    pub(crate) async fn paged_within(&self, limit: Duration) -> bool {
        let mut taken = self.taken.clone();
        let paged = taken.wait_for(|pages| !pages.is_empty());
        matches!(tokio::time::timeout(limit, paged).await, Ok(Ok(_)))
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Takes what is signed, in time, and a page.
async fn take(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let now_s = jiff::Timestamp::now().as_second();
    let Some(id) = inbox.signed_id(&headers, &body, now_s) else {
        return StatusCode::UNAUTHORIZED;
    };
    match serde_json::from_slice::<Body>(&body) {
        Ok(Body { kind, data }) if kind == "leverframe.page" => {
            inbox.taken.send_modify(|pages| {
                pages.push(Page { id, words: data });
            });
            StatusCode::NO_CONTENT
        }
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

impl Inbox {
    /// The id of what is signed with the key and new enough.
    fn signed_id(&self, headers: &HeaderMap, body: &[u8], now_s: i64) -> Option<String> {
        let header = |name: &str| headers.get(name)?.to_str().ok();
        let (id, sent, signatures) = (
            header("webhook-id")?,
            header("webhook-timestamp")?,
            header("webhook-signature")?,
        );
        let age_s = now_s.checked_sub(sent.parse().ok()?)?;
        if age_s.abs() > AGE_S_MAX {
            return None;
        }
        let signed = [id.as_bytes(), b".", sent.as_bytes(), b".", body].concat();
        let is_ours = |signature: &str| {
            let given = signature.strip_prefix("v1,");
            let given = given.and_then(|text| STANDARD.decode(text).ok());
            let code = Hmac::<Sha256>::new_from_slice(&self.key).ok();
            given.zip(code).is_some_and(|(given, code)| {
                code.chain_update(&signed).verify_slice(&given).is_ok()
            })
        };
        signatures.split(' ').any(is_ours).then(|| id.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"type": "leverframe.page"}"#;

    fn inbox() -> Inbox {
        Inbox {
            key: [7; KEY_BYTES],
            taken: watch::channel(Vec::new()).0,
        }
    }

    fn signed(key: &[u8], sent: i64) -> HeaderMap {
        let code = Hmac::<Sha256>::new_from_slice(key)
            .unwrap()
            .chain_update(format!("msg_1.{sent}."))
            .chain_update(BODY);
        let signature = STANDARD.encode(code.finalize().into_bytes());
        let headers = [
            ("webhook-id", "msg_1".to_owned()),
            ("webhook-timestamp", sent.to_string()),
            ("webhook-signature", format!("v1,bm9uZQ== v1,{signature}")),
        ];
        headers
            .into_iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn only_what_the_server_signed_just_now_is_taken() {
        let inbox = inbox();
        let ours = signed(&inbox.key, NOW_S);
        assert_eq!(
            inbox.signed_id(&ours, BODY, NOW_S + 10).as_deref(),
            Some("msg_1")
        );
        assert_eq!(inbox.signed_id(&ours, b"{}", NOW_S), None, "another body");
        assert_eq!(inbox.signed_id(&ours, BODY, NOW_S + 301), None, "too old");
        let forged = signed(&[8; KEY_BYTES], NOW_S);
        assert_eq!(inbox.signed_id(&forged, BODY, NOW_S), None, "another key");
        assert_eq!(inbox.signed_id(&HeaderMap::new(), BODY, NOW_S), None);
    }
}
