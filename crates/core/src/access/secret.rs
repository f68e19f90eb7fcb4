//! Token secrets: shown once, stored as their hash, compared in constant time.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::record::Link;
use crate::rejection::Rejection;
use crate::state::{State, TokenEntry};
use crate::time::Timestamp;

const SECRET_PREFIX: &str = "lever_";
const ID_PREFIX: &str = "tok_";

/// A fresh secret: the text is shown once, the rest goes into a [`super::Token`].
pub struct TokenSecret {
    /// `lever_<id>_<secret>`, to be handed to whoever will use it, once.
    pub text: String,
    /// The token's id, `tok_<id>`.
    pub id: Box<str>,
    /// SHA-256 of the text, in hexadecimal, as it is stored.
    pub sha256: Box<str>,
}

impl TokenSecret {
    /// Makes a secret out of injected random bytes.
    #[must_use]
    pub fn generate(secret: [u8; 32], id: u64) -> Self {
        let id = format!("{id:016x}");
        let text = format!("{SECRET_PREFIX}{id}_{}", Link::from_bytes(secret).to_hex());
        Self {
            sha256: Self::sha256_of(&text),
            id: format!("{ID_PREFIX}{id}").into(),
            text,
        }
    }

    /// The id of the token whose secret this text claims to be.
    #[must_use]
    pub fn id_of(text: &str) -> Option<String> {
        let (id, _) = text.strip_prefix(SECRET_PREFIX)?.rsplit_once('_')?;
        Some(format!("{ID_PREFIX}{id}"))
    }

    /// SHA-256 of a secret text, in hexadecimal.
    #[must_use]
    pub fn sha256_of(text: &str) -> Box<str> {
        Link::from_bytes(Sha256::digest(text.as_bytes()).into())
            .to_hex()
            .into()
    }
}

impl std::fmt::Debug for TokenSecret {
    /// Without the secret, so that it never gets into a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenSecret")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The token whose secret this is.
///
/// # Errors
/// [`Rejection::Unauthenticated`] when it is unknown, expired or revoked, without saying which.
pub fn authenticate(
    state: &State,
    secret: &str,
    now: Timestamp,
) -> Result<Arc<TokenEntry>, Rejection> {
    let given = TokenSecret::sha256_of(secret);
    TokenSecret::id_of(secret)
        .and_then(|id| state.token(&id))
        .filter(|entry| bool::from(entry.token.secret_sha256.as_bytes().ct_eq(given.as_bytes())))
        .filter(|entry| entry.works_at(now))
        .cloned()
        .ok_or(Rejection::Unauthenticated)
}

impl TokenEntry {
    /// Whether it is neither revoked nor expired.
    #[must_use]
    pub fn works_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.token.is_valid_at(now)
    }
}
