//! A gate: HTTP middleware that lets requests through while a flag is on.

use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use futures_util::future::{Either, Ready, ready};
use http::header::{CACHE_CONTROL, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use leverframe_flags::Context;
use tower::{Layer, Service};

use crate::handle::Flag;

/// What `Retry-After` says when nothing else is chosen.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(30);

/// Wraps services in a [`Gate`]: while the flag is off for a request's context, the request is
/// answered with `503 Service Unavailable`, a `Retry-After` and an empty body, and the service
/// behind never sees it.
///
/// ```
/// # use leverframe::{Client, Context, GateLayer};
/// # let client = Client::fixed([("new-checkout", true)]);
/// let gate = GateLayer::new(client.flag("new-checkout"), |request: &http::Request<String>| {
///     match request.headers().get("x-account").and_then(|value| value.to_str().ok()) {
///         Some(account) => Context::new(account),
///         None => Context::anonymous(),
///     }
/// });
/// ```
#[derive(Debug, Clone)]
pub struct GateLayer<F> {
    flag: Flag,
    context: F,
    retry_after: HeaderValue,
}

impl<F> GateLayer<F> {
    /// A gate that is open while `flag` is on for what `context` makes of the request.
    pub fn new(flag: Flag, context: F) -> Self {
        Self {
            flag,
            context,
            retry_after: HeaderValue::from(RETRY_AFTER_DEFAULT.as_secs()),
        }
    }

    /// When callers are asked to come again, in whole seconds.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = HeaderValue::from(wait.as_secs());
        self
    }
}

impl<S, F: Clone> Layer<S> for GateLayer<F> {
    type Service = Gate<S, F>;

    fn layer(&self, inner: S) -> Gate<S, F> {
        Gate {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service behind a flag; made by [`GateLayer`].
#[derive(Debug, Clone)]
pub struct Gate<S, F> {
    inner: S,
    layer: GateLayer<F>,
}

impl<S, F, Body, Answer> Service<Request<Body>> for Gate<S, F>
where
    S: Service<Request<Body>, Response = Response<Answer>>,
    F: Fn(&Request<Body>) -> Context,
    Answer: Default,
{
    type Response = Response<Answer>;
    type Error = S::Error;
    type Future = Either<Ready<Result<Response<Answer>, S::Error>>, S::Future>;

    fn poll_ready(&mut self, task: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let context = (self.layer.context)(&request);
        if self.layer.flag.is_on(&context) {
            return Either::Right(self.inner.call(request));
        }
        let mut response = Response::new(Answer::default());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        let headers = response.headers_mut();
        headers.insert(RETRY_AFTER, self.layer.retry_after.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Either::Left(ready(Ok(response)))
    }
}
