//! All flags a token may see, with an ETag and a place to hear of changes.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use leverframe_flags::{Context, FlagView, RuleSet};
use leverframe_wire::ofrep::{EventStream, EventStreamEndpoint};

use super::caller::Caller;
use super::context;
use super::etag::{ETag, Fingerprint, Ground, client};
use super::failure::NoAnswer;
use super::notice::NOTICES_PATH;
use super::phrasebook::Phrasebook;
use crate::app::App;
use crate::metrics::Ofrep;
use crate::problem::Failure;
use crate::surface::{Surface, guarded};

/// After this much silence a hidden page closes its notice stream, in seconds.
const INACTIVITY_S: u32 = 120;

pub(super) fn routes() -> Surface {
    guarded!(Surface::new(), evaluate_all)
}

/// Evaluate every flag the token may see
#[utoipa::path(
    post, path = "/ofrep/v1/evaluate/flags", tag = "ofrep",
    params(("environment" = Option<String>, Query, description = "For tokens of several environments"), ("flagConfigEtag" = Option<String>, Query, description = "What the notice said that this refetch follows"), ("If-None-Match" = Option<String>, Header)),
    request_body(content_type = "application/json", content = serde_json::Value, description = "`{\"context\":{\"targetingKey\":…}}`"),
    responses(
        (status = 200, content_type = "application/json", body = serde_json::Value, description = "`{flags: [{key, value, variant, reason, metadata}], eventStreams}`"),
        (status = 304, description = "The client has this answer"),
        (status = 400, description = "`{errorCode, errorDetails}`"),
    )
)]
async fn evaluate_all(
    caller: Caller,
    State(app): State<App>,
    request: Request,
) -> Result<Response, NoAnswer> {
    let (parts, body) = request.into_parts();
    let context = context::read(&app, &parts.headers, body).await?;
    let state = app.node().state();
    let environment = caller.feed.environment();
    let rules = caller.feed.rules();
    // The revision of these very rules, so that ETag and answer cannot be of two minds.
    let revision = rules.revision();
    let ground = Ground {
        journal: state.journal(),
        epoch: state.epoch(),
        environment: environment.as_str(),
        token: &caller.token().id,
        context: Fingerprint::of(&context),
    };
    let ticket = app.tickets.issue(&caller.token().id, environment)?;
    let book = app.phrasebooks.of(environment, &rules);
    let answer = || answer(&caller, &book, &rules, &context, ticket.as_deref());
    // Where an answer may change although the rule set does not, only the answer itself tells
    // whether it did.
    let written = book.asks_the_time().then(answer).transpose()?;
    let etag = ETag::new(revision, &ground, ticket.as_deref(), written.as_deref());
    let shown = note_evidence(&caller, &parts.headers, &ground, revision);
    if shown.contains(&etag) {
        app.counters.ofrep(Ofrep::NotModified);
        return Ok(not_modified(&etag));
    }
    caller.feed.caches().fetched(client(&ground), revision);
    app.counters.ofrep(Ofrep::Bulk);
    let body = written.map_or_else(answer, Ok)?;
    let mut response = ([(header::CONTENT_TYPE, "application/json")], body).into_response();
    tag(&mut response, &etag);
    Ok(response)
}

/// The body: every flag the caller may see, and where to hear of changes.
fn answer(
    caller: &Caller,
    book: &Phrasebook,
    rules: &RuleSet,
    context: &Context,
    ticket: Option<&str>,
) -> Result<Vec<u8>, Failure> {
    let mut body = br#"{"flags":["#.to_vec();
    let sees = |flag: &FlagView<'_>| caller.sees(flag);
    let sees: Option<&dyn Fn(&FlagView<'_>) -> bool> = match caller.sees_everything() {
        true => None,
        false => Some(&sees),
    };
    book.write_all(&mut body, rules, context, sees);
    body.push(b']');
    if let Some(ticket) = ticket {
        body.extend_from_slice(br#","eventStreams":["#);
        serde_json::to_writer(&mut body, &stream(ticket))
            .map_err(|error| Failure::new("internal", error.to_string()))?;
        body.push(b']');
    }
    body.push(b'}');
    Ok(body)
}

/// What the ETags that came say of what their sender has. Returns them.
fn note_evidence(
    caller: &Caller,
    headers: &HeaderMap,
    ground: &Ground<'_>,
    revision: u64,
) -> Vec<ETag> {
    let shown: Vec<ETag> = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .flat_map(ETag::parse_all)
        .collect();
    // Only what was really answered to this client counts.
    let applied = shown
        .iter()
        .filter(|tag| tag.revision <= revision && tag.is_of(ground))
        .map(|tag| tag.revision)
        .max();
    if let Some(applied) = applied {
        caller.feed.caches().applied(client(ground), applied);
    }
    shown
}

fn not_modified(etag: &ETag) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    tag(&mut response, etag);
    response
}

fn tag(response: &mut Response, etag: &ETag) {
    if let Some(etag) = etag.to_header() {
        response.headers_mut().insert(header::ETAG, etag);
    }
    // Kept by the client, looked at again every time, and by nobody in between.
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
}

fn stream(ticket: &str) -> EventStream {
    EventStream {
        kind: "sse".to_owned(),
        endpoint: EventStreamEndpoint {
            request_uri: format!("{NOTICES_PATH}?ticket={ticket}"),
        },
        inactivity_delay_sec: INACTIVITY_S,
    }
}
