//! Tokens, and links that sign a browser in with one.

use leverframe_wire::admin::{CreateToken, CreatedToken, Receipt, Removal, SignInLink, TokenList};
use reqwest::Method;

use super::Attempt;
use super::call::Call;
use super::client::Client;
use super::error::ApiError;

impl Client {
    pub(crate) async fn tokens(&self) -> Result<TokenList, ApiError> {
        self.send(Call::get(&["tokens"])).await
    }

    pub(crate) async fn create_token(
        &self,
        token: &CreateToken,
        attempt: Attempt,
    ) -> Result<CreatedToken, ApiError> {
        self.send(Call::send(Method::POST, &["tokens"], token, attempt)?)
            .await
    }

    pub(crate) async fn revoke_token(
        &self,
        id: &str,
        removal: &Removal,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        self.send(Call::send(
            Method::DELETE,
            &["tokens", id],
            removal,
            attempt,
        )?)
        .await
    }

    pub(crate) async fn create_sign_in_link(&self) -> Result<SignInLink, ApiError> {
        let nothing = serde_json::Map::new();
        let path = ["sign-in-links"];
        self.send(Call::send(
            Method::POST,
            &path,
            &nothing,
            Attempt::default(),
        )?)
        .await
    }
}
