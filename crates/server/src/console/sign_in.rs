//! Signing in and out.

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use leverframe_console::{Failing, Link, Shell, page};

use super::form::Form;
use super::own_path::OwnPath;
use super::session::{self, session_of};
use super::{answer, unlisted, visit};
use crate::app::{App, random};
use crate::auth::{self, Authenticated, Peer};
use crate::convert::hex;
use crate::log::Asker;
use crate::problem::Failure;

pub(super) fn routes() -> Router<App> {
    unlisted! {
        "where one signs in nobody is, and whoever signs out may be out already";
        get "/sign-in" => show;
        post "/sign-in" => enter;
        get "/sign-in/kept" => go_on;
        post "/sign-out" => leave;
    }
}

/// A way to sign in: it makes somebody of what the form sent. Another one is a line here, and its
/// part of the page.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// With a token.
    Token,
    /// With a link that was made for a token, and works once.
    Link,
}

impl Way {
    fn of(form: &Form) -> Self {
        match form.get("once") {
            "" => Self::Token,
            _ => Self::Link,
        }
    }

    fn admit(self, app: &App, form: &Form, asked: &Asked) -> Result<Authenticated, Failure> {
        let Asked { peer, parts } = asked;
        let who = match self {
            Self::Token => Authenticated::by_secret(app, form.get("token"), *peer, &parts.headers)
                .map_err(|failure| match failure.status() {
                    StatusCode::UNAUTHORIZED => Failure::new(
                        "unauthenticated",
                        "this is no token that works here: it was mistyped, has expired or was \
                         revoked. Whoever has an admin's token makes one with: lever token create",
                    ),
                    _ => failure,
                })?,
            Self::Link => {
                let spent = app.sign_in_links.spend(form.get("once"));
                spent
                    .and_then(|token| Authenticated::by_token(app, &token))
                    .ok_or_else(|| {
                        auth::refused(app, *peer, &parts.headers).unwrap_or_else(link_is_over)
                    })?
            }
        };
        session::may_sign_in(&who)?;
        Ok(who)
    }
}

/// Where a request to sign in comes from.
struct Asked {
    peer: Option<Peer>,
    parts: Parts,
}

/// The page to sign in on. Whoever is signed in goes on.
async fn show(State(app): State<App>, parts: Parts) -> Response {
    let next = next_of(&parts);
    let once = visit::parameter(&parts.uri, "once");
    if let Some(once) = once {
        // Only shown: what looks at links before people do asks by GET.
        return match app.sign_in_links.is_good(&once) {
            true => answer::page(&sign_in(&app, &next, Some(once))),
            false => refuse(&app, &next, &link_is_over()),
        };
    }
    if session_of(&parts.headers, &app).is_some() {
        return next.go();
    }
    let mut page = sign_in(&app, &next, None);
    page.has_left = visit::parameter(&parts.uri, "left").is_some();
    page.has_pulled = visit::parameter(&parts.uri, "pull").is_some();
    answer::page(&page)
}

/// Signs in. Whatever session the browser had is over, and the new one has a secret of its own.
async fn enter(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    asker: Option<Extension<Asker>>,
    parts: Parts,
    form: Form,
) -> Response {
    let next = OwnPath::or_home(form.get("next"));
    if let Err(failure) = session::demand_own_page(&parts) {
        return refuse(&app, &next, &failure);
    }
    let asked = Asked {
        peer: peer.map(|Extension(peer)| peer),
        parts,
    };
    let who = match Way::of(&form).admit(&app, &form, &asked) {
        Ok(who) => who,
        Err(failure) => return refuse(&app, &next, &failure),
    };
    let secret = match random::<32>() {
        Ok(bytes) => hex(&bytes),
        Err(failure) => return refuse(&app, &next, &failure),
    };
    if let Some(Extension(asker)) = asker {
        asker.is(&who.token().id);
    }
    if let Some((_, before)) = session_of(&asked.parts.headers, &app) {
        app.node().sessions().end(&before);
    }
    let (_, cookie) = session::begin(&who, &secret, &app);
    let to = Link::to(["sign-in", "kept"]).with("next", next);
    ([(header::SET_COOKIE, cookie)], answer::go(&to)).into_response()
}

/// Goes on where the browser has kept the cookie, and says why not where it has not.
async fn go_on(State(app): State<App>, parts: Parts) -> Response {
    let next = next_of(&parts);
    if session_of(&parts.headers, &app).is_some() {
        return next.go();
    }
    let shell = Shell::bare("Not signed in", visit::now(&app));
    let page = page::NotKept {
        shell,
        again: Link::to(["sign-in"]).with("next", next),
    };
    answer::page_with(StatusCode::UNAUTHORIZED, &page)
}

/// Signs out.
async fn leave(State(app): State<App>, parts: Parts) -> Response {
    if let Some((_, session)) = session_of(&parts.headers, &app) {
        if let Err(failure) = session::demand_own_page(&parts) {
            return failure.into_response();
        }
        app.node().sessions().end(&session);
    }
    let headers = [
        (header::SET_COOKIE, session::forgotten()),
        // Not the cookies of the whole domain, which other servers may have set.
        (
            HeaderName::from_static("clear-site-data"),
            HeaderValue::from_static("\"cache\", \"storage\""),
        ),
    ];
    (headers, answer::go(&Link::to(["sign-in"]).with("left", 1))).into_response()
}

fn refuse(app: &App, next: &OwnPath, failure: &Failure) -> Response {
    let mut page = sign_in(app, next, None);
    page.shell.failing = Some(Failing::from(failure.problem()));
    let mut response = answer::page_with(failure.status(), &page);
    if let Some(seconds) = failure.retry_after_s() {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn sign_in(app: &App, next: &OwnPath, once: Option<String>) -> page::SignIn {
    page::SignIn {
        shell: Shell::bare("Sign in", visit::now(app)),
        next: next.to_string(),
        once,
        has_left: false,
        has_pulled: false,
    }
}

fn next_of(parts: &Parts) -> OwnPath {
    OwnPath::or_home(&visit::parameter(&parts.uri, "next").unwrap_or_default())
}

fn link_is_over() -> Failure {
    Failure::new(
        "unauthenticated",
        "this link was used, or is older than ten minutes, or the server was started anew since. \
         Another one is made with: lever console",
    )
}
