//! Who asks. Every handler begins with something that demands a token; [`demands_token`] makes the
//! compiler refuse one that does not.

mod bad_tokens;

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use leverframe_core::Rejection;
use leverframe_core::access::{Actor, Permission, Token, authenticate};
use leverframe_core::state::TokenEntry;
use leverframe_flags::EnvironmentKey;

use crate::app::App;
use crate::limit::SECRET_BYTES_MAX;
use crate::log::Asker;
use crate::problem::Failure;

pub(crate) use bad_tokens::{BadTokens, Peer};

/// A request whose token works. What it may do is asked with [`Authenticated::permit`].
#[derive(Debug, Clone)]
pub(crate) struct Authenticated {
    entry: Arc<TokenEntry>,
}

impl Authenticated {
    /// Whoever shows this secret. One that does not work is counted against the address it came from.
    pub(crate) fn by_secret(
        app: &App,
        secret: &str,
        peer: Option<Peer>,
        headers: &HeaderMap,
    ) -> Result<Self, Failure> {
        let entry = authenticate(&app.node().state(), secret, app.node().wall_now())
            .map_err(|rejection| refused(app, peer, headers).unwrap_or_else(|| rejection.into()))?;
        Ok(Self { entry })
    }

    /// Whoever was let in with this token before, as long as it works.
    pub(crate) fn by_token(app: &App, id: &str) -> Option<Self> {
        let state = app.node().state();
        let entry = state.token(id)?;
        entry.works_at(app.node().wall_now()).then(|| Self {
            entry: Arc::clone(entry),
        })
    }

    pub(crate) fn token(&self) -> &Token {
        &self.entry.token
    }

    pub(crate) fn entry(&self) -> &TokenEntry {
        &self.entry
    }

    pub(crate) fn into_entry(self) -> Arc<TokenEntry> {
        self.entry
    }

    pub(crate) fn actor(&self) -> Actor {
        Actor::Token {
            id: self.entry.token.id.clone(),
        }
    }

    /// Goes on only if the token may do this.
    pub(crate) fn permit(&self, permission: &Permission) -> Result<(), Failure> {
        Ok(self.entry.token.permits(permission)?)
    }

    /// Goes on only if the token may read this environment. One that does not exist and one that
    /// the token is not for are told apart only by a token that may know.
    pub(crate) fn permit_environment(
        &self,
        app: &App,
        environment: &str,
        permission: impl FnOnce(EnvironmentKey) -> Permission,
    ) -> Result<EnvironmentKey, Failure> {
        let key = EnvironmentKey::new(environment)
            .map_err(|_| Failure::not_found("environment", environment))?;
        self.permit(&permission(key.clone()))?;
        match app.node().state().environment(environment) {
            Some(_) => Ok(key),
            None => Err(Failure::not_found("environment", environment)),
        }
    }
}

impl FromRequestParts<App> for Authenticated {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let secret = secret_of(&parts.headers).ok_or(Rejection::Unauthenticated)?;
        let peer = parts.extensions.get::<Peer>().copied();
        let who = Self::by_secret(app, secret, peer, &parts.headers)?;
        if let Some(asker) = parts.extensions.get::<Asker>() {
            asker.is(&who.token().id);
        }
        Ok(who)
    }
}

/// What to say instead, where too many tokens that do not work have come from there.
pub(crate) fn refused(app: &App, peer: Option<Peer>, headers: &HeaderMap) -> Option<Failure> {
    let from = bad_tokens::address(peer, headers);
    let retry_after_s = app.bad_tokens.count(from, app.settings.bad_tokens_max)?;
    Some(Failure::too_many_bad_tokens(retry_after_s))
}

/// A request whose token has a right, checked before anything else of it is read.
#[derive(Debug, Clone)]
pub(crate) struct May<R> {
    who: Authenticated,
    right: PhantomData<R>,
}

/// A right that a whole route takes.
pub(crate) trait Right: Send {
    const PERMISSION: Permission;
}

macro_rules! rights {
    ($($(#[$doc:meta])* $right:ident = $permission:ident;)+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy)]
            pub(crate) struct $right;

            impl Right for $right {
                const PERMISSION: Permission = Permission::$permission;
            }
        )+
    };
}
rights! {
    /// Reads flags, segments and environments.
    ReadControl = ReadControl;
    /// Reads the journal.
    ReadJournal = ReadJournal;
    /// Reads the node's figures.
    ReadMetrics = ReadMetrics;
    /// Gives commands; which ones is decided with each of them.
    Command = Change;
    /// Manages tokens.
    ManageTokens = ManageTokens;
    /// Manages environments.
    ManageEnvironments = ManageEnvironments;
}

impl<R> Deref for May<R> {
    type Target = Authenticated;

    fn deref(&self) -> &Authenticated {
        &self.who
    }
}

impl<R: Right> FromRequestParts<App> for May<R> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let who = Authenticated::from_request_parts(parts, app).await?;
        who.permit(&R::PERMISSION)?;
        // What a path says of an environment is for those whose token is for it.
        let names = RawPathParams::from_request_parts(parts, app).await;
        let environment = names
            .as_ref()
            .ok()
            .and_then(|names| names.iter().find(|(name, _)| *name == "environment"));
        if let Some((_, environment)) = environment
            && !who.token().allows_environment(environment)
        {
            return Err(Failure::new(
                "denied",
                "this token is not for this environment",
            ));
        }
        Ok(Self {
            who,
            right: PhantomData,
        })
    }
}

/// The secret a request shows: `Authorization: Bearer …`, or `X-API-Key` as OFREP clients send it.
fn secret_of(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(header::AUTHORIZATION).map(|value| {
        let (scheme, secret) = value.to_str().ok()?.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(secret.trim())
    });
    let secret = match bearer {
        Some(secret) => secret?,
        None => headers.get("x-api-key")?.to_str().ok()?,
    };
    (secret.len() <= SECRET_BYTES_MAX).then_some(secret)
}

/// An extractor that fails without a token that works.
pub(crate) trait DemandsToken {}

impl DemandsToken for Authenticated {}
impl<R: Right> DemandsToken for May<R> {}

/// The arguments of a handler whose first one demands a token.
pub(crate) trait LeadsWithToken {}

macro_rules! leads_with_token {
    ($($rest:ident),*) => {
        impl<Via, First: DemandsToken, $($rest),*> LeadsWithToken for (Via, First, $($rest,)*) {}
    };
}
leads_with_token!();
leads_with_token!(A);
leads_with_token!(A, B);
leads_with_token!(A, B, C);
leads_with_token!(A, B, C, D);

/// Compiles only for a handler that demands a token before it reads anything else.
pub(crate) fn demands_token<H, Arguments>(_: &H)
where
    H: Handler<Arguments, App>,
    Arguments: LeadsWithToken,
{
}
