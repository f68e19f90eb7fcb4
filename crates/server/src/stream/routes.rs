//! The stream's two routes.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use leverframe_core::access::{Permission, Role};
use leverframe_flags::EnvironmentKey;
use leverframe_wire::frame::{MESSAGE_BYTES_MAX, POLL_PATH, Poll, PollAnswer, STREAM_PATH};

use super::{connection, handshake, poll};
use crate::app::App;
use crate::auth::Authenticated;
use crate::problem::Failure;
use crate::request::{parse_json, read_body};
use crate::server::{Busy, Transport};
use crate::surface::{Surface, guarded};

pub(crate) fn routes() -> Surface {
    let surface = guarded!(Surface::new(), follow);
    guarded!(surface, follow_by_polling)
}

/// Follow one environment
///
/// A WebSocket with the subprotocol `leverframe.v1`: frames down; hello, acknowledgements, counts
/// and goodbye up. The token's role is `evaluator`; its environment is the one that is followed.
#[utoipa::path(get, path = STREAM_PATH, tag = "stream", responses((status = 101, description = "The WebSocket is open")))]
async fn follow(
    who: Authenticated,
    State(app): State<App>,
    mut request: Request,
) -> Result<Response, Failure> {
    let feed = app.feed(environment_of(&who)?.as_str())?;
    let response = handshake::switch(request.version(), request.headers())?;
    let place = app.stream_place()?;
    let seat = request.extensions_mut().remove::<Arc<Busy>>();
    let upgrade = hyper::upgrade::on(&mut request);
    let token = who.into_entry();
    let task_app = app.clone();
    app.tasks.spawn(async move {
        // The connection counts against the server's bounds for as long as the stream lasts.
        let _counted = (seat, place);
        let upgraded = match upgrade.await {
            Ok(upgraded) => upgraded,
            Err(error) => {
                tracing::debug!(%error, "a WebSocket was not taken up");
                return;
            }
        };
        // Getting the socket itself back frees hyper's buffers.
        match downcast::<TokioIo<Transport>>(upgraded) {
            Ok(parts) => {
                let socket = parts.io.into_inner();
                connection::run(task_app, token, feed, socket, parts.read_buf).await;
            }
            Err(_) => tracing::error!("a WebSocket came over a transport that is not ours"),
        }
    });
    Ok(response)
}

/// Follow one environment where a WebSocket cannot pass
///
/// A long poll: the body says what the last answer did and how long to wait for the next one.
#[utoipa::path(post, path = POLL_PATH, tag = "stream", request_body = Poll, responses((status = 200, body = PollAnswer, description = "Frames in order; none when nothing happened in time")))]
async fn follow_by_polling(
    who: Authenticated,
    State(app): State<App>,
    request: Request,
) -> Result<Response, Failure> {
    let feed = app.feed(environment_of(&who)?.as_str())?;
    let (parts, body) = request.into_parts();
    let bytes = read_body(&parts.headers, body, MESSAGE_BYTES_MAX).await?;
    let _place = app.stream_place()?;
    let answer = poll::answer(&app, feed, parse_json::<Poll>(&bytes)?).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], answer).into_response())
}

/// The one environment an evaluator's token is for.
fn environment_of(who: &Authenticated) -> Result<EnvironmentKey, Failure> {
    let token = who.token();
    let environment = token
        .environments
        .first()
        .filter(|_| token.environments.len() == 1);
    match environment {
        Some(environment) => {
            who.permit(&Permission::Follow(environment.clone()))?;
            Ok(environment.clone())
        }
        None => Err(Failure::new(
            "denied",
            format!(
                "following takes a token of role {} for exactly one environment",
                Role::Evaluator
            ),
        )),
    }
}
