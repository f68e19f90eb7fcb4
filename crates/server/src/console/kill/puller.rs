//! Somebody who pulls. A browser whose session is over is shown the door, and finds there what it sent.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use leverframe_console::Link;

use super::{Asked, card};
use crate::app::App;
use crate::auth::DemandsToken;
use crate::console::answer;
use crate::console::form::Form;
use crate::console::session::is_own_browser;
use crate::console::visit::{Visit, parameter};

/// Somebody who may ask for a kill, and what they ask for.
pub(super) struct Puller {
    pub(super) visit: Visit,
    pub(super) app: App,
    pub(super) form: Form,
}

impl DemandsToken for Puller {}

impl FromRequest<App> for Puller {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, app).await;
        let is_over = |turned: &Response| turned.status() == StatusCode::UNAUTHORIZED;
        let is_sent_back = visit.as_ref().is_err_and(is_over) && is_own_browser(&parts);
        if !is_sent_back && let Err(turned) = visit {
            return Err(turned);
        }
        let environment = parameter(&parts.uri, "env");
        let form = Form::from_request(Request::from_parts(parts, body), app).await;
        let form = form.map_err(IntoResponse::into_response)?;
        match visit {
            Ok(visit) => Ok(Self {
                visit,
                app: app.clone(),
                form,
            }),
            // By GET, which fills the form in and pulls nothing.
            Err(_) => {
                let next = Asked::of_form(&form).address(environment.as_deref(), card(&form));
                let door = Link::to(["sign-in"]).with("pull", 1);
                Err(answer::go(&door.with("next", next.location())))
            }
        }
    }
}
