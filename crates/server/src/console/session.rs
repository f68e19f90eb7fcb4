//! Who is signed in.

use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::app::App;
use crate::auth::{Authenticated, DemandsToken};
use crate::problem::Failure;

/// Somebody who is signed in, or a program with a token.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    who: Authenticated,
}

impl Signed {
    /// Whether the token still works, for what goes on after the request.
    pub(super) fn is_still_in(&self, app: &App) -> bool {
        let now = app.node().wall_now();
        app.node()
            .state()
            .token(&self.token().id)
            .is_some_and(|entry| entry.works_at(now))
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
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let who = Authenticated::from_request_parts(parts, app).await?;
        Ok(Self { who })
    }
}
