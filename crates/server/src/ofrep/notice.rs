//! Notices that something changed, as server-sent events. They carry no value: a client fetches
//! again. Spread over a little time, or all clients would fetch at once; a close goes at once.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use leverframe_node::{Feed, Head};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

use super::failure::NoAnswer;
use super::ticket::Ticket;
use crate::app::{App, random};
use crate::limit::{NOTICE_ALIVE_EVERY, NOTICE_SPREAD};
use crate::problem::Failure;
use crate::server::Busy;
use crate::surface::{Surface, open};

pub(crate) const NOTICES_PATH: &str = "/ofrep/v1/notices";

pub(super) fn routes() -> Surface {
    open!(
        Surface::new(),
        follow_notices,
        "an EventSource cannot send a header: the ticket in the URL is its token, and allows nothing else"
    )
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Shown {
    /// What a bulk answer's `eventStreams` gave.
    #[serde(default)]
    ticket: String,
}

/// Hear that something changed
#[utoipa::path(
    get, path = "/ofrep/v1/notices", tag = "open",
    params(Shown, ("Last-Event-ID" = Option<String>, Header)),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 404, description = "The ticket does not work; fetch all flags again for a new one"))
)]
async fn follow_notices(
    State(app): State<App>,
    Query(shown): Query<Shown>,
    seat: Option<Extension<Arc<Busy>>>,
    headers: HeaderMap,
) -> Result<Response, NoAnswer> {
    let ticket = app.tickets.redeem(&shown.ticket).ok_or_else(|| {
        Failure::new(
            "not-found",
            "this ticket does not work; fetch all flags again for a new one",
        )
    })?;
    let feed = app.feed(ticket.environment.as_str())?;
    let place = Place::take(&app)
        .ok_or_else(|| Failure::unavailable("there are too many notice streams", 5))?;
    let stream_place = app.stream_place()?;
    let seen = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .and_then(|id| id.parse().ok())
        .unwrap_or(0);
    let notices = Notices {
        head: feed.subscribe(),
        feed,
        ticket,
        // Whatever changed between the client's fetch and this moment must be heard of too, so a
        // new stream begins with a notice.
        seen,
        due: None,
        alive_at: Instant::now() + NOTICE_ALIVE_EVERY,
        _place: place,
        _counted: (seat, stream_place),
        app,
    };
    let body = Body::from_stream(stream::unfold(notices, Notices::next));
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/event-stream"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // nginx would hold notices back.
        (
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        ),
    ];
    Ok((headers, body).into_response())
}

/// One of a bounded number of notice streams.
struct Place(App);

impl Place {
    fn take(app: &App) -> Option<Self> {
        app.counters
            .open_notices(app.settings.notices_max)
            .then(|| Self(app.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.counters.close_notices();
    }
}

struct Notices {
    app: App,
    feed: Arc<Feed>,
    head: watch::Receiver<Head>,
    ticket: Ticket,
    /// The last revision the client was told of.
    seen: u64,
    /// When it is to be told of a newer one.
    due: Option<Instant>,
    alive_at: Instant,
    _place: Place,
    /// Its connection's seat, and its place among the streams.
    _counted: (Option<Extension<Arc<Busy>>>, OwnedSemaphorePermit),
}

impl Notices {
    /// The next bytes; `None` when the stream ends.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        loop {
            let revision = self.head.borrow_and_update().revision;
            if !self.is_allowed() {
                return None;
            }
            if revision == self.seen {
                self.due = None;
            } else if self.due.is_none() {
                self.due = Some(Instant::now() + self.delay());
            }
            if self.due.is_some_and(|due| due <= Instant::now()) {
                self.due = None;
                self.seen = revision;
                self.alive_at = Instant::now() + NOTICE_ALIVE_EVERY;
                return Some((Ok(notice(revision)), self));
            }
            if self.alive_at <= Instant::now() {
                self.alive_at = Instant::now() + NOTICE_ALIVE_EVERY;
                return Some((Ok(Bytes::from_static(b": alive\n\n")), self));
            }
            let wake = self.due.unwrap_or(self.alive_at).min(self.alive_at);
            let app = self.app.clone();
            tokio::select! {
                changed = self.head.changed() => {
                    changed.ok()?;
                    // A close that comes while another notice waits does not wait with it.
                    if self.is_urgent() {
                        self.due = Some(Instant::now());
                    }
                }
                () = tokio::time::sleep_until(wake) => {}
                () = app.draining.cancelled() => return None,
            }
        }
    }

    /// Whether a lever was closed since the client was told anything.
    fn is_urgent(&self) -> bool {
        self.app
            .closings
            .last(&self.app.node().state(), self.feed.environment())
            > self.seen
    }

    fn delay(&self) -> Duration {
        if self.is_urgent() {
            return Duration::ZERO;
        }
        let spread = u32::try_from(NOTICE_SPREAD.as_millis()).unwrap_or(u32::MAX);
        random::<4>().map_or(Duration::ZERO, |bytes| {
            Duration::from_millis((u32::from_le_bytes(bytes) % spread.max(1)).into())
        })
    }

    /// The ticket's token is looked at on every heartbeat, so that a revocation ends the stream.
    fn is_allowed(&self) -> bool {
        let now = self.app.node().wall_now();
        self.app
            .node()
            .state()
            .token(&self.ticket.token)
            .is_some_and(|entry| entry.works_at(now))
    }
}

fn notice(revision: u64) -> Bytes {
    format!("event: message\nid: {revision}\ndata: {{\"type\":\"refetchEvaluation\",\"etag\":\"r{revision}\"}}\n\n").into()
}
