//! Who is signed in, and where else.

use axum::extract::State;
use axum::response::Response;
use leverframe_console::Place;
use leverframe_console::page::settings::{Session, SigningIn};

use crate::app::App;
use crate::console::visit::Visit;
use crate::console::{Pages, answer, listed};
use crate::convert::token_view;

pub(super) fn pages() -> Pages {
    listed! {
        get "/settings/signing-in" => show;
        post "/settings/signing-in/others" => end_others;
    }
}

async fn show(visit: Visit, State(app): State<App>) -> Response {
    let sessions = app.node().sessions().of_token(&visit.token().id);
    let others = sessions.iter().filter(|one| Some(*one) != visit.session());
    answer::page(&SigningIn {
        shell: visit.shell(&app, Place::Settings, "Signing in"),
        token: token_view(visit.entry()),
        session: visit.session().map(view),
        others: others.map(view).collect(),
        ended: visit
            .parameter("ended")
            .and_then(|count| count.parse().ok()),
    })
}

/// Signs out every other browser of this token.
async fn end_others(visit: Visit, State(app): State<App>) -> Response {
    let sessions = app.node().sessions();
    let ended = sessions.end_others(&visit.token().id, visit.session());
    let shell = visit.shell(&app, Place::Settings, "Signing in");
    let page = shell.link(["settings", "signing-in"]);
    answer::go(&page.with("ended", ended))
}

fn view(session: &leverframe_node::Session) -> Session {
    Session {
        began: session.created_at.to_string(),
        ends: session.expires_at.to_string(),
    }
}
