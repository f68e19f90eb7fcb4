//! Tokens. A secret is shown once and stored nowhere.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use leverframe_core::Command;
use leverframe_core::access::{Token, TokenSecret};
use leverframe_core::state::TokenEntry;
use leverframe_wire::admin::{CreateToken, CreatedToken, Receipt, Removal, TokenList};

use super::done;
use crate::app::{App, random};
use crate::auth::{self, Authenticated, May};
use crate::convert::{checked, receipt_view, role, token_view};
use crate::problem::Failure;
use crate::request::{Change, Path, Remove};
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    let surface = guarded!(Surface::new(), list_tokens, create_token);
    guarded!(surface, revoke_token)
}

/// List tokens, without their secrets
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens", responses((status = 200, body = TokenList)))]
async fn list_tokens(_: May<auth::ManageTokens>, State(app): State<App>) -> Json<TokenList> {
    Json(all(&app))
}

/// Every token, without its secret.
pub(crate) fn all(app: &App) -> TokenList {
    let state = app.node().state();
    let mut entries: Vec<_> = state.tokens().collect();
    entries.sort_by_key(|entry| entry.created_at);
    let tokens = entries.into_iter().map(|entry| token_view(entry)).collect();
    TokenList { tokens }
}

/// Make a token; its secret is in this answer and nowhere else
#[utoipa::path(
    post, path = "/api/v1/tokens", tag = "tokens",
    params(("dry_run" = Option<bool>, Query), ("Idempotency-Key" = Option<String>, Header)),
    request_body = CreateToken,
    responses((status = 201, body = CreatedToken), (status = 200, body = CreatedToken, description = "A dry run"))
)]
async fn create_token(
    who: May<auth::ManageTokens>,
    State(app): State<App>,
    change: Change<CreateToken>,
) -> Result<(StatusCode, Json<CreatedToken>), Failure> {
    let (wanted, change) = change.split();
    let made = create(&app, &who, wanted, change).await?;
    let status = if made.receipt.dry_run {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((status, Json(made)))
}

/// Makes a token, and is the only one to see its secret.
pub(crate) async fn create(
    app: &App,
    who: &Authenticated,
    wanted: CreateToken,
    change: Change<()>,
) -> Result<CreatedToken, Failure> {
    let now = app.node().wall_now();
    let secret = TokenSecret::generate(random()?, u64::from_le_bytes(random()?));
    let token = Token {
        id: secret.id.clone(),
        name: wanted.name.into(),
        role: role(wanted.role),
        environments: wanted
            .environments
            .iter()
            .map(|environment| checked("environments", environment))
            .collect::<Result<_, _>>()?,
        keys: wanted
            .keys
            .into_iter()
            .map(String::into_boxed_str)
            .collect(),
        secret_sha256: secret.sha256.clone(),
        expires_at: wanted
            .ttl_s
            .map(|seconds| expiry(now.as_ms(), seconds))
            .transpose()?
            .map(leverframe_core::Timestamp::from_ms),
    };
    let about = TokenEntry {
        token: token.clone().into(),
        created_at: now,
        revoked_at: None,
        revision: 0,
    };
    let is_dry_run = change.is_dry_run();
    let accepted = change
        .submit(
            app,
            who,
            Command::CreateToken {
                token: Box::new(token),
            },
            wanted.why,
        )
        .await?;
    if is_dry_run {
        return Ok(CreatedToken {
            token: String::new(),
            about: token_view(&about),
            receipt: receipt_view(accepted),
        });
    }
    // A repeat is answered with the first one's receipt, but the first one's secret is gone.
    let state = app.node().state();
    let Some(entry) = state.token(&secret.id) else {
        return Err(Failure::new(
            "conflict",
            format!(
                "a token was made by r{} under this idempotency key; its secret was shown then and is stored nowhere. \
                 Revoke it and make another if it was not kept",
                accepted.receipt.revision
            ),
        ));
    };
    let about = token_view(entry);
    Ok(CreatedToken {
        token: secret.text,
        about,
        receipt: receipt_view(accepted),
    })
}

/// Make a token stop working, at once and for ever
#[utoipa::path(
    delete, path = "/api/v1/tokens/{id}", tag = "tokens",
    params(("id" = String, Path), ("dry_run" = Option<bool>, Query)),
    request_body(content = Option<Removal>),
    responses((status = 200, body = Receipt))
)]
async fn revoke_token(
    who: May<auth::ManageTokens>,
    State(app): State<App>,
    Path(id): Path<String>,
    removal: Remove,
) -> Result<Json<Receipt>, Failure> {
    Ok(done(removal.submit(&app, &who, revocation(&id)).await?))
}

/// What makes a token stop working.
pub(crate) fn revocation(id: &str) -> Command {
    Command::RevokeToken { id: id.into() }
}

fn expiry(now_ms: i64, ttl_s: u64) -> Result<i64, Failure> {
    /// A hundred years: longer is a slip of the keyboard.
    const TTL_S_MAX: u64 = 100 * 366 * 24 * 60 * 60;
    match i64::try_from(ttl_s) {
        Ok(seconds @ 1..) if ttl_s <= TTL_S_MAX => {
            Ok(now_ms.saturating_add(seconds.saturating_mul(1_000)))
        }
        _ => Err(Failure::invalid(
            "ttl_s",
            format!("a token works for 1 to {TTL_S_MAX} seconds"),
        )),
    }
}
