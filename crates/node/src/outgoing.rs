//! Calls to other systems: the one door through which the node opens an HTTP connection.
//!
//! Where a call goes is configuration, and still guarded: a name is looked up once for each
//! connection, its addresses are checked, and just those are connected to, so that a name which
//! changes its mind in between leads nowhere. Redirects are not followed and no proxy is asked.
//! Time and bytes are bounded. Of an address only scheme, host and port are ever told; a secret
//! never is, not even when the other side repeats it.

mod address;
mod endpoint;
mod error;
mod guard;
mod inert;
mod scrub;
mod secret;
#[cfg(test)]
mod tests;

pub use endpoint::{Endpoint, EndpointError};
pub use error::OutgoingError;
pub use guard::{Resolver, SystemResolver};
pub use secret::Secret;

pub(crate) use inert::{inert, inert_within};
pub(crate) use scrub::Scrub;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use reqwest::{Method, RequestBuilder, Url};

use crate::limit::{CONNECT_TIME_MAX, IDLE_TIME_MAX};

/// Calls one endpoint. Cheap to clone; clones share connections.
#[derive(Clone)]
pub(crate) struct Outgoing {
    http: reqwest::Client,
    endpoint: Arc<Endpoint>,
    scrub: Arc<Scrub>,
    answer_bytes_max: usize,
}

/// What the other side answered, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The whole body.
    pub(crate) body: Bytes,
}

impl Outgoing {
    /// Prepares calls; opens no connection. `secrets` are masked in everything that is told.
    pub(crate) fn new(
        endpoint: Endpoint,
        secrets: &[&Secret],
        answer_bytes_max: usize,
        resolver: &Arc<dyn Resolver>,
    ) -> Result<Self, EndpointError> {
        if !secrets.is_empty() {
            endpoint.check_carries_secrets()?;
        }
        // It fails only when one is installed already, as the binary does; that one serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let guard = guard::Guard::new(Arc::clone(resolver), endpoint.allows_private());
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("leverframe/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIME_MAX)
            .timeout(endpoint.timeout())
            .pool_idle_timeout(IDLE_TIME_MAX)
            .redirect(reqwest::redirect::Policy::none())
            // A proxy would look names up in our place.
            .no_proxy()
            .dns_resolver(Arc::new(guard));
        if let Some(authorities) = endpoint.authorities()? {
            builder = builder.tls_certs_merge(authorities);
        }
        let http = builder
            .build()
            .map_err(|error| EndpointError::NoClient(error.without_url().to_string()))?;
        Ok(Self {
            http,
            endpoint: Arc::new(endpoint),
            scrub: Arc::new(Scrub::of(secrets)),
            answer_bytes_max,
        })
    }

    /// Starts a call of the endpoint's own address with this path behind it.
    pub(crate) fn call(&self, method: Method, path: &[&str]) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.endpoint.url().clone();
        if let (false, Ok(mut segments)) = (path.is_empty(), url.path_segments_mut()) {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    /// Makes the call and reads the whole answer.
    pub(crate) async fn send(&self, call: RequestBuilder) -> Result<Answer, OutgoingError> {
        self.endpoint.check_literal_address()?;
        // The client has the same limit; this one holds for what it does not count, such as a name
        // that is looked up slowly.
        let limit = self.endpoint.timeout();
        match tokio::time::timeout(limit, self.exchange(call)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.timed_out()),
        }
    }

    async fn exchange(&self, call: RequestBuilder) -> Result<Answer, OutgoingError> {
        let failed = |error: reqwest::Error| self.failed(&error.without_url());
        let mut response = call.send().await.map_err(failed)?;
        let status = response.status();
        if status.is_redirection() {
            return Err(OutgoingError::Redirects {
                place: self.endpoint.place(),
            });
        }
        let announced = response.content_length().unwrap_or(0);
        if usize::try_from(announced).is_ok_and(|announced| announced > self.answer_bytes_max) {
            return Err(self.too_long());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len().saturating_add(chunk.len()) > self.answer_bytes_max {
                return Err(self.too_long());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: status.as_u16(),
            body: body.freeze(),
        })
    }

    /// Text of the other side, fit to be told: without secrets, without what a terminal or a page
    /// would act on, and not long.
    pub(crate) fn told(&self, text: &str) -> String {
        inert(&self.scrub.clean(text))
    }

    /// Scheme, host and port of where calls go.
    pub(crate) fn place(&self) -> String {
        self.endpoint.place()
    }

    fn failed(&self, error: &reqwest::Error) -> OutgoingError {
        if let Some(refused) = error::cause::<OutgoingError>(error) {
            return refused.clone();
        }
        if error.is_timeout() {
            return self.timed_out();
        }
        OutgoingError::Unreachable {
            place: self.endpoint.place(),
            why: self.told(&error::deepest(error)),
        }
    }

    fn timed_out(&self) -> OutgoingError {
        OutgoingError::TimedOut {
            place: self.endpoint.place(),
            limit: self.endpoint.timeout(),
        }
    }

    fn too_long(&self) -> OutgoingError {
        OutgoingError::TooLong {
            place: self.endpoint.place(),
            bytes_max: self.answer_bytes_max,
        }
    }
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Outgoing").field(&self.place()).finish()
    }
}
