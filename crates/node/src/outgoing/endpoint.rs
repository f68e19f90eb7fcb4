//! Where calls go, as the configuration says.

use std::fmt;
use std::time::Duration;

use reqwest::{Certificate, Url};

use super::guard::check;
use super::{OutgoingError, Secret};
use crate::limit::{OUTGOING_TIME, OUTGOING_TIME_MAX};

/// Where calls go, and how far they may.
#[derive(Clone)]
pub struct Endpoint {
    url: Url,
    allows_private: bool,
    timeout: Duration,
    authorities_pem: Option<Vec<u8>>,
}

/// What is wrong with an entry of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// It is no URL of HTTP.
    #[error("url: {0}")]
    Url(&'static str),
    /// The limit of time is none.
    #[error("timeout: it lasts longer than nothing and up to {} s", OUTGOING_TIME_MAX.as_secs())]
    Timeout,
    /// The certificates cannot be read.
    #[error("ca_file: it holds no certificate in PEM")]
    Authorities,
    /// A secret would travel where everybody on the way can read it.
    #[error(
        "url: a secret goes over https:// only; in a network of your own, allow_private = true \
         lets http:// do"
    )]
    SecretInTheClear,
    /// The HTTP client does not start.
    #[error("the HTTP client does not start: {0}")]
    NoClient(String),
}

impl Endpoint {
    /// Checks and takes an address. It may hold a secret in its path, as those of chats do; only
    /// scheme, host and port of it are ever told.
    ///
    /// # Errors
    /// When it is no `http://` or `https://` URL, or holds a user or a password.
    pub fn new(url: &Secret) -> Result<Self, EndpointError> {
        let url = Url::parse(url.expose())
            .map_err(|_| EndpointError::Url("it is no URL, such as https://prometheus.example"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(EndpointError::Url("it begins with https:// or http://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::Url(
                "user and password do not stand in it; give them as secrets of their own",
            ));
        }
        if url.fragment().is_some() {
            return Err(EndpointError::Url("it has no # in it"));
        }
        Ok(Self {
            url,
            allows_private: false,
            timeout: OUTGOING_TIME,
            authorities_pem: None,
        })
    }

    /// Whether addresses that are not public are let through: this machine, a private network.
    #[must_use]
    pub fn allow_private(mut self, is_allowed: bool) -> Self {
        self.allows_private = is_allowed;
        self
    }

    /// How long a call may take.
    ///
    /// # Errors
    /// When that is nothing, or more than a minute.
    pub fn within(mut self, timeout: Duration) -> Result<Self, EndpointError> {
        if timeout.is_zero() || timeout > OUTGOING_TIME_MAX {
            return Err(EndpointError::Timeout);
        }
        self.timeout = timeout;
        Ok(self)
    }

    /// Certificate authorities in PEM to trust beside the system's.
    #[must_use]
    pub fn trusting(mut self, authorities_pem: Vec<u8>) -> Self {
        self.authorities_pem = Some(authorities_pem);
        self
    }

    /// Refuses an address that stands in the URL itself and leads inside; names are checked when
    /// they are looked up.
    pub(super) fn check_literal_address(&self) -> Result<(), OutgoingError> {
        let host = self.url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse() {
            Ok(address) => check(host, address, self.allows_private),
            Err(_) => Ok(()),
        }
    }

    pub(super) fn check_carries_secrets(&self) -> Result<(), EndpointError> {
        if self.url.scheme() == "http" && !self.allows_private {
            return Err(EndpointError::SecretInTheClear);
        }
        Ok(())
    }

    pub(super) fn authorities(&self) -> Result<Option<Vec<Certificate>>, EndpointError> {
        let Some(pem) = &self.authorities_pem else {
            return Ok(None);
        };
        match Certificate::from_pem_bundle(pem) {
            Ok(authorities) if !authorities.is_empty() => Ok(Some(authorities)),
            _ => Err(EndpointError::Authorities),
        }
    }

    /// Scheme, host and port; what is safe to tell.
    pub(crate) fn place(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn allows_private(&self) -> bool {
        self.allows_private
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("place", &self.place())
            .field("allows_private", &self.allows_private)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
