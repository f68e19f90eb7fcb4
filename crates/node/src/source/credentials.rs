//! How a call shows who it is.

use base64::Engine as _;
use reqwest::RequestBuilder;
use reqwest::header::{HeaderName, HeaderValue};

use crate::outgoing::Secret;

/// How a call shows who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// `Authorization: Basic …`.
    Basic {
        /// Who.
        user: String,
        /// The password.
        password: Secret,
    },
}

impl Credentials {
    pub(crate) fn sign(&self, call: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Bearer(token) => call.bearer_auth(token.expose()),
            Self::Basic { user, password } => call.basic_auth(user, Some(password.expose())),
        }
    }

    /// Everything of it that must not be told, as it travels, too.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::Bearer(token) => vec![token.clone()],
            Self::Basic { user, password } => {
                let pair = [user, ":", password.expose()].concat();
                let travelling = base64::engine::general_purpose::STANDARD.encode(pair);
                vec![password.clone(), Secret::new(travelling)]
            }
        }
    }
}

/// A header whose value is never printed; nothing when it cannot be sent as one.
pub(crate) fn secret_header(
    call: RequestBuilder,
    name: &'static str,
    secret: &Secret,
) -> RequestBuilder {
    let mut value = match HeaderValue::from_str(secret.expose()) {
        Ok(value) => value,
        // The other side answers that the key is wrong, which it is.
        Err(_) => HeaderValue::from_static(""),
    };
    value.set_sensitive(true);
    call.header(HeaderName::from_static(name), value)
}
