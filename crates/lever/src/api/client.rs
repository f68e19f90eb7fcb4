//! Sends calls: to the servers in order, or to all at once.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use leverframe_wire::admin::Problem;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, IF_MATCH, RETRY_AFTER};
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;

use super::call::Call;
use super::error::ApiError;
use super::pacing::{
    BUSY_ROUNDS_MAX, CONNECT_TIMEOUT, PATIENCE, RETRY_AFTER_MAX, UNREACHABLE_ROUNDS_MAX, pause,
};

/// What is needed to talk to the servers.
#[derive(Clone)]
pub(crate) struct Connection {
    /// Tried in order, never empty.
    pub(crate) servers: Vec<Url>,
    pub(crate) token: Option<String>,
    /// A PEM file of certificate authorities to trust beside the system's.
    pub(crate) ca_file: Option<PathBuf>,
    /// Told of every request, when asked to be talkative.
    pub(crate) trace: Option<fn(&str)>,
}

/// A client of the admin API. Cheap to clone; clones share connections.
#[derive(Clone)]
pub(crate) struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    http: reqwest::Client,
    servers: Vec<Url>,
    /// The server that answered last; later calls go there first, because only the server that
    /// took a change can say when it was out.
    preferred: AtomicUsize,
    trace: Option<fn(&str)>,
}

impl Client {
    pub(crate) fn new(connection: &Connection) -> anyhow::Result<Self> {
        let mut headers = HeaderMap::new();
        if let Some(token) = &connection.token {
            let mut bearer = HeaderValue::from_str(&format!("Bearer {token}"))
                .context("the token holds characters that no token has")?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("lever-cli/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .connect_timeout(CONNECT_TIMEOUT)
            // A redirect would carry the token to wherever it points.
            .redirect(reqwest::redirect::Policy::none());
        if connection.servers.iter().all(is_loopback) {
            builder = builder.no_proxy();
        }
        if let Some(path) = &connection.ca_file {
            let pem = std::fs::read(path)
                .with_context(|| format!("the CA file {} cannot be read", path.display()))?;
            let authorities = reqwest::Certificate::from_pem_bundle(&pem)
                .with_context(|| format!("the CA file {} is not PEM", path.display()))?;
            builder = builder.tls_certs_merge(authorities);
        }
        Ok(Self {
            inner: Arc::new(Inner {
                http: builder.build().context("the HTTP client does not start")?,
                servers: connection.servers.clone(),
                preferred: AtomicUsize::new(0),
                trace: connection.trace,
            }),
        })
    }

    /// Sends `call` to the servers in order until one answers; again, with the same idempotency
    /// key, while none does or all are busy.
    pub(crate) async fn send<T: DeserializeOwned>(&self, call: Call) -> Result<T, ApiError> {
        let first = self.inner.preferred.load(Ordering::Relaxed);
        let count = self.inner.servers.len();
        let order = (0..count).map(|offset| (first + offset) % count).collect();
        self.inner.persist(order, &call).await
    }

    /// The server that answered last, without a slash at its end.
    pub(crate) fn last_server(&self) -> &str {
        let index = self.inner.preferred.load(Ordering::Relaxed);
        let server = self.inner.servers.get(index).map_or("", Url::as_str);
        server.trim_end_matches('/')
    }

    /// Sends `call` to all servers at once and takes the first that accepts. They share one
    /// idempotency key, so it is done once however many of them take it.
    pub(crate) async fn race<T>(&self, call: Call) -> Result<T, ApiError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let mut runners = JoinSet::new();
        for server in 0..self.inner.servers.len() {
            let (inner, call) = (Arc::clone(&self.inner), call.clone());
            runners.spawn(async move { inner.persist(vec![server], &call).await });
        }
        let mut failure: Option<ApiError> = None;
        while let Some(outcome) = runners.join_next().await {
            let error = match outcome {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => error,
                Err(error) => ApiError::Unsendable {
                    why: error.to_string(),
                },
            };
            failure = Some(match failure {
                Some(earlier) => earlier.telling(error),
                None => error,
            });
        }
        Err(failure.unwrap_or_else(no_servers))
    }
}

impl Inner {
    async fn persist<T: DeserializeOwned>(
        &self,
        order: Vec<usize>,
        call: &Call,
    ) -> Result<T, ApiError> {
        let started = Instant::now();
        let mut round = 0;
        loop {
            let error = match self.round(&order, call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let rounds_max = match error {
                ApiError::Unreachable { .. } => UNREACHABLE_ROUNDS_MAX,
                _ => BUSY_ROUNDS_MAX,
            };
            let wait = pause(round, chance())
                .max(error.retry_after().unwrap_or_default().min(RETRY_AFTER_MAX));
            round += 1;
            if !error.is_passing()
                || round >= rounds_max
                || started.elapsed() + wait >= PATIENCE.max(call.timeout)
            {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Every server once, in order, until one answers for good.
    async fn round<T: DeserializeOwned>(
        &self,
        order: &[usize],
        call: &Call,
    ) -> Result<T, ApiError> {
        let mut failure: Option<ApiError> = None;
        for &index in order {
            let Some(server) = self.servers.get(index) else {
                continue;
            };
            match self.once(server, call).await {
                Ok(answer) => {
                    self.preferred.store(index, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(error) if error.is_passing() => {
                    failure = Some(match failure {
                        Some(earlier) => earlier.telling(error),
                        None => error,
                    });
                }
                Err(error) => return Err(error),
            }
        }
        Err(failure.unwrap_or_else(no_servers))
    }

    async fn once<T: DeserializeOwned>(&self, server: &Url, call: &Call) -> Result<T, ApiError> {
        let base = server.as_str().trim_end_matches('/');
        let url = format!("{base}/api/v1{}", call.path);
        let mut request = self
            .http
            .request(call.method.clone(), &url)
            .timeout(call.timeout);
        if !call.query.is_empty() {
            request = request.query(&call.query);
        }
        if let Some(revision) = call.if_match {
            request = request.header(IF_MATCH, format!("\"r{revision}\""));
        }
        if let Some(key) = &call.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = &call.body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone());
        }
        let started = Instant::now();
        let unreachable = |error: reqwest::Error| ApiError::Unreachable {
            url: base.to_owned(),
            why: root_cause(&error),
        };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let body = response.bytes().await.map_err(unreachable)?;
        if let Some(trace) = self.trace {
            let ms = started.elapsed().as_millis();
            trace(&format!("{} {url} → {status} in {ms} ms", call.method));
        }
        let foreign = |why: String| ApiError::Foreign {
            url: base.to_owned(),
            status: status.as_u16(),
            why,
        };
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| foreign(error.to_string()));
        }
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Err(ApiError::Problem {
                problem: Box::new(Problem {
                    status: status.as_u16(),
                    ..problem
                }),
                retry_after,
            }),
            Err(_) => Err(foreign(beginning(&body))),
        }
    }
}

/// Whether a URL never leaves this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// A number from 0 to 1; the middle when the operating system has no randomness to give.
fn chance() -> f64 {
    getrandom::u32().map_or(0.5, |bits| f64::from(bits) / f64::from(u32::MAX))
}

fn no_servers() -> ApiError {
    ApiError::Unsendable {
        why: "there is no server to ask".to_owned(),
    }
}

/// The innermost cause: reqwest's own words say only that it did not work.
fn root_cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line: String = text.trim().chars().take(120).collect();
    if line.is_empty() {
        "an empty body".to_owned()
    } else {
        line
    }
}
