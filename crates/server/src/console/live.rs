//! The stream of notices that keeps a tab live, and the same to ask for where streams break.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::Instant;

use super::pulse::{Pulse, Seen};
use super::session::Signed;
use super::tabs::Place;
use super::visit::Visit;
use super::{Pages, listed};
use crate::app::{App, random};
use crate::limit::{BEAT_EVERY, CHANGE_HEAD_START, CHANGE_SPREAD};
use crate::problem::Failure;
use crate::server::Busy;

pub(super) fn pages() -> Pages {
    listed! {
        get "/live" => follow;
        get "/live/poll" => poll;
    }
}

/// What is there now, for a tab to compare.
#[derive(Serialize)]
struct Now {
    revision: u64,
    mark: String,
}

async fn poll(visit: Visit, State(app): State<App>) -> Response {
    let seen = Pulse::seen(&app, &visit.environment);
    axum::Json(Now {
        revision: seen.revision,
        mark: format!("{:x}-{:x}", seen.fleet, seen.tick),
    })
    .into_response()
}

async fn follow(
    visit: Visit,
    State(app): State<App>,
    seat: Option<Extension<Arc<Busy>>>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let place = app.tabs.place(&visit.token().id)?;
    let since = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .and_then(|id| id.parse().ok())
        .or_else(|| visit.parameter("since")?.parse().ok())
        .unwrap_or(0);
    let mut seen = Pulse::listen(&app, &visit.environment);
    let now = *seen.borrow_and_update();
    let tab = Tab {
        // Whatever changed between the page and this moment is news.
        told: Seen {
            revision: since,
            ..now
        },
        seen,
        due: None,
        beat_at: Instant::now(),
        who: (*visit).clone(),
        app,
        _counted: (seat, place),
    };
    let body = Body::from_stream(stream::unfold(tab, Tab::next));
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/event-stream"),
        ),
        // nginx would hold notices back.
        (
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        ),
    ];
    Ok((headers, body).into_response())
}

/// One tab.
struct Tab {
    app: App,
    who: Signed,
    seen: watch::Receiver<Seen>,
    /// What the tab was told of last.
    told: Seen,
    /// When it is to be told of what is newer.
    due: Option<Instant>,
    beat_at: Instant,
    /// Its connection's seat, and its place among the tabs.
    _counted: (Option<Extension<Arc<Busy>>>, Place),
}

impl Tab {
    /// The next bytes; `None` when the stream ends.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        loop {
            let seen = *self.seen.borrow_and_update();
            if seen != self.told && self.due.is_none() {
                self.due = Some(Instant::now() + CHANGE_HEAD_START + spread());
            }
            if self.due.is_some_and(|due| due <= Instant::now()) {
                self.due = None;
                let kind = match self.told {
                    told if told.revision != seen.revision => "change",
                    told if told.fleet != seen.fleet => "fleet",
                    _ => "tick",
                };
                self.told = seen;
                return Some((Ok(notice(kind, seen.revision)), self));
            }
            if self.beat_at <= Instant::now() {
                // Signed out, or the token revoked: the page has to be asked for again.
                if !self.who.is_still_in(&self.app) {
                    return None;
                }
                self.beat_at = Instant::now() + BEAT_EVERY;
                return Some((Ok(notice("beat", self.told.revision)), self));
            }
            let wake = self.due.unwrap_or(self.beat_at).min(self.beat_at);
            tokio::select! {
                changed = self.seen.changed() => changed.ok()?,
                () = tokio::time::sleep_until(wake) => {}
                () = self.app.draining.cancelled() => return None,
            }
        }
    }
}

/// Not all tabs at once: each of them fetches its page.
fn spread() -> std::time::Duration {
    let most = u32::try_from(CHANGE_SPREAD.as_millis()).unwrap_or(u32::MAX);
    random::<4>().map_or(CHANGE_SPREAD, |bytes| {
        std::time::Duration::from_millis((u32::from_le_bytes(bytes) % most.max(1)).into())
    })
}

fn notice(kind: &str, revision: u64) -> Bytes {
    format!("event: {kind}\nid: {revision}\ndata: {revision}\n\n").into()
}
