//! What the binary decides about the surfaces.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use leverframe_wire::frame::{HEARTBEAT_MS, SILENCE_MS_MAX};

/// How the surfaces are to be served. Everything has a sane default but the address.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; port 0 takes any free one.
    pub address: SocketAddr,
    /// Certificate and key; plain HTTP (behind a proxy, or on loopback) when absent.
    pub tls: Option<TlsFiles>,
    /// Whether `/metrics` answers without a token.
    pub is_metrics_open: bool,
    /// Most connections at once, as far as the process may open as many files. One more takes the
    /// place of the one that was idle longest; if all are busy it gets 503 with Retry-After.
    pub connections_max: usize,
    /// How many of them may be streams: evaluators, by WebSocket or polling, and change notices.
    /// Further ones get 503 with Retry-After. What is left is for requests: a server full of
    /// streams still takes a kill. Open pages of the console take at most half of that.
    pub streams_max: usize,
    /// Most change-notice streams at once.
    pub notices_max: usize,
    /// An evaluator that was not heard for this long is taken for gone at the next heartbeat; with
    /// the usual five seconds between heartbeats, after 15 s at most.
    pub silence_max: Duration,
    /// Tokens that do not work an address may show in a minute; for further ones it gets 429 with
    /// Retry-After instead of 401. A token that works is never held up.
    pub bad_tokens_max: u32,
    /// How long a request's headers may take to arrive.
    pub header_time_max: Duration,
    /// How long a shutdown waits for requests that are under way.
    pub drain_time_max: Duration,
}

/// Where the certificate is.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

impl Settings {
    /// Plain HTTP on `address`; `/metrics` needs a token.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address,
            tls: None,
            is_metrics_open: false,
            connections_max: 16_000,
            streams_max: 15_000,
            notices_max: 8_000,
            silence_max: Duration::from_millis(SILENCE_MS_MAX - HEARTBEAT_MS),
            bad_tokens_max: 100,
            header_time_max: Duration::from_secs(30),
            drain_time_max: Duration::from_secs(10),
        }
    }
}
