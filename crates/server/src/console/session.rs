//! Who is signed in: a browser by its cookie, a program by its token.
//!
//! The cookie names a session, the session names a token, and the token is looked up at every
//! request: whoever's token was revoked is out with the next one. Only pages look at the cookie;
//! the admin API never does.

use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cookie::{Cookie, SameSite, time};
use leverframe_console::{Link, page};
use leverframe_core::Rejection;
use leverframe_core::access::{Permission, Role};
use leverframe_node::Session;

use super::answer;
use super::own_path::OwnPath;
use crate::app::App;
use crate::auth::{Authenticated, DemandsToken};
use crate::log::Asker;
use crate::problem::Failure;
use crate::surface::is_ours;

/// `__Host-`: of this host alone, over https alone, whatever another host of the domain sets.
const COOKIE: &str = "__Host-lever";

/// Somebody who is signed in, or a program with a token, that may see pages.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    who: Authenticated,
    session: Option<Session>,
}

impl Signed {
    /// Whether they still are, for what goes on after the request.
    pub(super) fn is_still_in(&self, app: &App) -> bool {
        let has_session = |session: &Session| app.node().sessions().is_on(session);
        Authenticated::by_token(app, &self.token().id).is_some()
            && self.session.as_ref().is_none_or(has_session)
    }

    /// The session of a browser; a program has none.
    pub(super) fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }
}

impl Deref for Signed {
    type Target = Authenticated;

    fn deref(&self) -> &Authenticated {
        &self.who
    }
}

impl DemandsToken for Signed {}

impl FromRequestParts<App> for Signed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let signed = if shows_token(&parts.headers) {
            let who = Authenticated::from_request_parts(parts, app).await;
            who.map(|who| Self { who, session: None })
        } else {
            by_cookie(parts, app)
        };
        let signed = signed.map_err(|failure| turned_away(parts, failure))?;
        may_sign_in(&signed).map_err(IntoResponse::into_response)?;
        if let Some(asker) = parts.extensions.get::<Asker>() {
            asker.is(&signed.token().id);
        }
        Ok(signed)
    }
}

/// Goes on only for those whom pages are for.
pub(super) fn may_sign_in(who: &Authenticated) -> Result<(), Failure> {
    match who.token().role {
        role @ (Role::Evaluator | Role::ClientEvaluator) => Err(Failure::new(
            "denied",
            format!(
                "a token of the role {role} is for programs and opens no pages; \
                 use one of the role viewer, brake, operator or admin"
            ),
        )),
        _ => who.permit(&Permission::ReadControl),
    }
}

/// The session that a cookie names, if it is on and its token works.
pub(super) fn session_of(headers: &HeaderMap, app: &App) -> Option<(Authenticated, Session)> {
    let sessions = app.node().sessions();
    let session = sessions.find(cookie_of(headers)?.value())?;
    let Some(who) = Authenticated::by_token(app, &session.token) else {
        sessions.end(&session);
        return None;
    };
    Some((who, session))
}

/// Begins a session, and says so in a cookie.
pub(super) fn begin(who: &Authenticated, secret: &str, app: &App) -> (Session, HeaderValue) {
    let session = app.node().sessions().begin(secret, &who.token().id);
    let lasts_ms = session.expires_at.ms_since(session.created_at);
    let cookie = kept_for(secret, time::Duration::milliseconds(lasts_ms));
    (session, cookie)
}

/// What makes a browser forget its session.
pub(super) fn forgotten() -> HeaderValue {
    kept_for("", time::Duration::ZERO)
}

fn kept_for(secret: &str, lasts: time::Duration) -> HeaderValue {
    let cookie = Cookie::build((COOKIE, secret))
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Strict)
        .max_age(lasts)
        .build();
    let value = HeaderValue::try_from(cookie.to_string());
    // Hexadecimal digits and words of ours are a header.
    value.unwrap_or(HeaderValue::from_static(""))
}

fn by_cookie(parts: &Parts, app: &App) -> Result<Signed, Failure> {
    let (who, session) = session_of(&parts.headers, app).ok_or(Rejection::Unauthenticated)?;
    if !parts.method.is_safe() {
        demand_own_page(parts)?;
    }
    Ok(Signed {
        who,
        session: Some(session),
    })
}

/// Goes on only with what a page of ours sent: a browser sends its cookie along whoever made it ask.
pub(super) fn demand_own_page(parts: &Parts) -> Result<(), Failure> {
    if is_ours(&parts.uri, &parts.headers) {
        return Ok(());
    }
    Err(Failure::new(
        "denied",
        "this does not come from one of our own pages, as far as the browser says; nothing was \
         changed. Load the page anew, and send it again",
    ))
}

/// What somebody who is not signed in gets: a browser that wants to see a page the door, everybody
/// else the failure.
fn turned_away(parts: &Parts, failure: Failure) -> Response {
    let is_nobody = failure.status() == StatusCode::UNAUTHORIZED;
    let is_looking = parts.method.is_safe() && answer::wants_page(parts.uri.path(), &parts.headers);
    if !is_nobody || !is_looking || shows_token(&parts.headers) {
        return failure.into_response();
    }
    let wanted = OwnPath::of(&parts.uri);
    // A link on another site, such as in a web mail: the browser holds the cookie back, and sends it
    // where a page of ours leads.
    let is_from_elsewhere = parts
        .headers
        .get("sec-fetch-site")
        .is_some_and(|site| site == "cross-site");
    if is_from_elsewhere && cookie_of(&parts.headers).is_none() {
        return answer::page(&page::Again {
            to: wanted.to_string(),
        });
    }
    answer::go(&Link::to(["sign-in"]).with("next", wanted))
}

/// Whether a browser sends this from a page of ours, signed in or not.
pub(super) fn is_own_browser(parts: &Parts) -> bool {
    !shows_token(&parts.headers)
        && answer::wants_page(parts.uri.path(), &parts.headers)
        && is_ours(&parts.uri, &parts.headers)
}

fn shows_token(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || headers.contains_key("x-api-key")
}

fn cookie_of(headers: &HeaderMap) -> Option<Cookie<'_>> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == COOKIE)
}
