//! Who evaluates, and in which environment.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use leverframe_core::access::{Permission, Role, Token};
use leverframe_flags::{EnvironmentKey, FlagView};
use leverframe_node::Feed;
use leverframe_wire::ofrep::ErrorCode;
use serde::Deserialize;

use super::failure::NoAnswer;
use crate::app::App;
use crate::auth::{Authenticated, DemandsToken};
use crate::metrics::Ofrep;

/// A token that may evaluate, and the feed of the environment it evaluates in.
pub(super) struct Caller {
    who: Authenticated,
    pub(super) feed: Arc<Feed>,
}

/// What may be asked in the query. The rest is ignored, because clients add their own; so is what a
/// refetch after a notice carries, because the answer itself is the better evidence.
#[derive(Debug, Default, Deserialize)]
struct Wanted {
    environment: Option<String>,
}

impl DemandsToken for Caller {}

impl Caller {
    pub(super) fn token(&self) -> &Token {
        self.who.token()
    }

    /// Whether this token sees every flag of the environment.
    pub(super) fn sees_everything(&self) -> bool {
        self.token().role != Role::ClientEvaluator
    }

    /// Whether this token may see a flag. To one that may not, it does not exist.
    pub(super) fn sees(&self, flag: &FlagView<'_>) -> bool {
        self.sees_everything() || {
            self.token()
                .sees(flag.key.as_str(), flag.is_client_visible())
        }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = NoAnswer;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, NoAnswer> {
        let admitted = admit(parts, app).await;
        if let Err(NoAnswer::Other(_)) = &admitted {
            app.counters.ofrep(Ofrep::Refused);
        }
        admitted
    }
}

async fn admit(parts: &mut Parts, app: &App) -> Result<Caller, NoAnswer> {
    let who = Authenticated::from_request_parts(parts, app).await?;
    let wanted = match parts.uri.query() {
        None => Wanted::default(),
        Some(_) => {
            let query = axum::extract::Query::<Wanted>::try_from_uri(&parts.uri);
            query
                .map(|query| query.0)
                .map_err(|error| NoAnswer::Request {
                    code: ErrorCode::General,
                    details: format!("the query cannot be read: {}", error.body_text()),
                })?
        }
    };
    let environment = environment_of(who.token(), wanted.environment.as_deref())?;
    who.permit(&Permission::Evaluate(environment.clone()))?;
    let feed = app.feed(environment.as_str())?;
    Ok(Caller { who, feed })
}

/// The environment a token evaluates in: its own if it has just one, else the one that is asked
/// for.
fn environment_of(token: &Token, asked: Option<&str>) -> Result<EnvironmentKey, NoAnswer> {
    let own = token
        .environments
        .first()
        .filter(|_| token.environments.len() == 1);
    match (asked, own) {
        (Some(asked), _) => EnvironmentKey::new(asked).map_err(|error| NoAnswer::Request {
            code: ErrorCode::General,
            details: format!("environment: {error}"),
        }),
        (None, Some(own)) => Ok(own.clone()),
        (None, None) => Err(NoAnswer::Request {
            code: ErrorCode::General,
            details: "this token is for several environments: say which one with ?environment="
                .to_owned(),
        }),
    }
}
