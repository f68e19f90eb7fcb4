//! What is set up: environments, tokens, systems outside, and who is signed in.

mod environments;
mod outside;
mod signing_in;
mod tokens;

use axum::extract::State;
use axum::response::Response;
use leverframe_console::{Place, page};
use leverframe_core::access::Permission;

use super::visit::Visit;
use super::{Pages, answer, listed};
use crate::admin::environment;
use crate::app::App;

pub(super) fn pages() -> Pages {
    let index = listed! {
        get "/settings" => show;
    };
    index
        .merge(environments::pages())
        .merge(tokens::pages())
        .merge(outside::pages())
        .merge(signing_in::pages())
}

async fn show(visit: Visit, State(app): State<App>) -> Response {
    let now = app.node().wall_now();
    let state = app.node().state();
    let may_see_tokens = visit.permit(&Permission::ManageTokens).is_ok();
    let working = || state.tokens().filter(|entry| entry.works_at(now)).count();
    let outside = app.node().outside();
    answer::page(&page::settings::Settings {
        shell: visit.shell(&app, Place::Settings, "Settings"),
        environments: environment::all(&app, &visit).environments.len(),
        tokens: may_see_tokens.then(working),
        outside: outside.sources.names().count() + outside.channels.names().count(),
    })
}
