//! Signing a browser in with a token that it never sees. `POST /sign-in-links`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a browser is signed in, once, with the rights of the token that asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SignInLink {
    /// Path and query, to be put after the server's address. Whoever has it can sign in.
    pub path: String,
    /// Until when it works, in RFC 3339.
    pub expires_at: String,
}
