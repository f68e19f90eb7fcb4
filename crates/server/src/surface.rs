//! The router: every route with its handler, its place in the OpenAPI document, and the token it
//! demands.

mod document;
mod layer;
mod origin;
mod parameter;

use axum::Router;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::{admin, console, health, metrics, ofrep, outcomes, stream};

pub(crate) use origin::is_ours;

/// Routes with their description.
pub(crate) type Surface = OpenApiRouter<App>;

/// Adds handlers of one path that demand a token before anything else: a handler that does not
/// begin with one does not compile here.
macro_rules! guarded {
    ($surface:expr, $($handler:path),+ $(,)?) => {{
        $(crate::auth::demands_token(&$handler);)+
        $surface.routes(utoipa_axum::routes!($($handler),+))
    }};
}
pub(crate) use guarded;

/// Adds a handler that answers without a token; `why` is for whoever reads the code.
macro_rules! open {
    ($surface:expr, $handler:path, $why:literal) => {{
        let _: &str = $why;
        $surface.routes(utoipa_axum::routes!($handler))
    }};
}
pub(crate) use open;

/// Everything the server answers.
pub(crate) fn router(app: App) -> Router {
    // What pages of other sites may talk to, with a client-side token.
    let (foreign, _) = ofrep::routes().merge(outcomes::routes()).split_for_parts();
    let (others, _) = others().split_for_parts();
    let document = openapi_json();
    let others = others
        // The description of the API is the same for everybody and says nothing of what is in it.
        .route(
            "/openapi.json",
            get(move || async move { document::answer(document) }),
        )
        .merge(console::routes());
    layer::around(others, foreign, &app).with_state(app)
}

fn others() -> Surface {
    Surface::new()
        .merge(admin::routes())
        .merge(stream::routes())
        .merge(health::routes())
        .merge(metrics::routes())
}

/// The OpenAPI 3.1 document, as `/openapi.json` answers it.
#[must_use]
pub fn openapi_json() -> String {
    let described = others()
        .merge(ofrep::routes())
        .merge(outcomes::routes())
        .into_openapi();
    document::complete(described)
}

/// Every page and form of the console that demands somebody, as method and path; for tests of access.
#[must_use]
pub fn console_pages() -> Vec<(&'static str, &'static str)> {
    console::pages().listed
}

#[cfg(test)]
mod tests;
