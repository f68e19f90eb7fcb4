//! Links that sign a browser in.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use leverframe_wire::admin::SignInLink;

use crate::app::App;
use crate::auth::{self, May};
use crate::problem::Failure;
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    guarded!(Surface::new(), create_sign_in_link)
}

/// Make a link that signs a browser in, once, with the rights of this token
///
/// It works for ten minutes, at this server alone, and is forgotten when the server ends.
#[utoipa::path(
    post, path = "/api/v1/sign-in-links", tag = "tokens",
    responses((status = 201, body = SignInLink))
)]
async fn create_sign_in_link(
    who: May<auth::ReadControl>,
    State(app): State<App>,
) -> Result<(StatusCode, Json<SignInLink>), Failure> {
    let made = app.sign_in_links.make(&who)?;
    let life_ms = i64::try_from(made.left.as_millis()).unwrap_or(0);
    Ok((
        StatusCode::CREATED,
        Json(SignInLink {
            path: made.path,
            expires_at: app.node().wall_now().plus_ms(life_ms).to_string(),
        }),
    ))
}
