//! Accepting connections, within a bound, and letting them end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use leverframe_wire::frame::STREAM_PATH;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::patience::Patience;
use super::seats::{Seat, Seats};
use super::transport::Transport;
use crate::app::App;
use crate::auth::Peer;
use crate::limit::{
    HANDSHAKE_TIME_MAX, HEADERS_MAX, HTTP2_REQUESTS_MAX, REFUSALS_MAX, SEAT_WAITERS_MAX,
};
use crate::ofrep::NOTICES_PATH;

/// What a full server says. Retry-After differs from one to the next, so that they do not all
/// come back at once.
fn full_answer(retry_after_s: u8) -> String {
    format!(
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: {retry_after_s}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
}

/// The connections of one server; clones are handles to the same.
#[derive(Clone)]
pub(super) struct Connections {
    app: App,
    router: Router,
    tls: Option<Arc<TlsAcceptor>>,
    builder: Arc<Builder<TokioExecutor>>,
    seats: Arc<Seats>,
    waiters: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    /// Cancelled when waiting is over: whatever is left is dropped.
    abandoned: CancellationToken,
}

/// Accepts until shutdown.
pub(super) async fn accept(
    listener: &TcpListener,
    connections: &Connections,
    shutdown: &CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => return,
        };
        match accepted {
            Ok((socket, peer)) => connections.admit(socket, Peer(peer.ip())),
            Err(error) => {
                // Out of descriptors, or a client that went again: others can still be served.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

impl Connections {
    pub(super) fn new(app: &App, router: Router, tls: Option<Arc<TlsAcceptor>>) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .header_read_timeout(app.settings.header_time_max)
            .max_headers(HEADERS_MAX);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(HTTP2_REQUESTS_MAX)
            .max_header_list_size(16 * 1024)
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(20));
        Self {
            app: app.clone(),
            router,
            tls,
            builder: Arc::new(builder),
            seats: Seats::new(app.settings.connections_max),
            waiters: Arc::new(Semaphore::new(SEAT_WAITERS_MAX)),
            refusals: Arc::new(Semaphore::new(REFUSALS_MAX)),
            abandoned: CancellationToken::new(),
        }
    }

    fn admit(&self, socket: TcpStream, peer: Peer) {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "a connection went before it was served");
            return;
        }
        if let Some(seat) = self.seats.take() {
            self.serve(socket, seat, peer);
            return;
        }
        let Ok(waiter) = Arc::clone(&self.waiters).try_acquire_owned() else {
            self.refuse(socket);
            return;
        };
        if !self.seats.make_room() {
            self.refuse(socket);
            return;
        }
        let connections = self.clone();
        self.app.tasks.spawn(async move {
            let seat = connections.seats.wait().await;
            drop(waiter);
            match seat {
                Some(seat) => connections.serve(socket, seat, peer),
                None => connections.refuse(socket),
            }
        });
    }

    fn serve(&self, socket: TcpStream, seat: Seat, peer: Peer) {
        let connection = Connection {
            router: self.router.clone(),
            builder: Arc::clone(&self.builder),
            draining: self.app.draining.clone(),
            seat: seat.clone(),
            peer,
        };
        let (tls, abandoned) = (self.tls.clone(), self.abandoned.clone());
        self.app.tasks.spawn(async move {
            tokio::select! {
                () = connection.serve(tls, socket) => {}
                () = seat.lost() => {}
                () = abandoned.cancelled() => {}
            }
        });
    }

    /// Tells a connection that there is no room, if that can be said without a handshake.
    fn refuse(&self, mut socket: TcpStream) {
        self.app.counters.refused_connections();
        let Ok(permit) = Arc::clone(&self.refusals).try_acquire_owned() else {
            return;
        };
        let is_tls = self.tls.is_some();
        let jitter = socket
            .peer_addr()
            .map_or(1, |peer| (peer.port() % 5) as u8 + 1);
        self.app.tasks.spawn(async move {
            let _permit = permit;
            if !is_tls {
                let answer = full_answer(jitter);
                let say = async {
                    socket.write_all(answer.as_bytes()).await?;
                    socket.shutdown().await
                };
                // Whether it was heard makes no difference.
                let _ = tokio::time::timeout(Duration::from_secs(1), say).await;
            }
        });
    }

    /// Waits for what is under way, then drops the rest.
    pub(super) async fn drain(&self, app: &App) {
        app.tasks.close();
        let drained = tokio::time::timeout(app.settings.drain_time_max, app.tasks.wait()).await;
        if drained.is_err() {
            tracing::warn!(
                left = app.tasks.len(),
                "some connections did not end in time and are dropped"
            );
            self.abandoned.cancel();
            // Dropping takes a moment; a stream that hangs in a write has a bound of its own.
            let _ = tokio::time::timeout(Duration::from_secs(2), app.tasks.wait()).await;
        }
    }
}

/// One connection, before it is known what it speaks.
struct Connection {
    router: Router,
    builder: Arc<Builder<TokioExecutor>>,
    draining: CancellationToken,
    seat: Seat,
    peer: Peer,
}

impl Connection {
    async fn serve(self, tls: Option<Arc<TlsAcceptor>>, socket: TcpStream) {
        let transport = match tls {
            None => Transport::Plain(socket),
            Some(tls) => match tokio::time::timeout(HANDSHAKE_TIME_MAX, tls.accept(socket)).await {
                Ok(Ok(stream)) => Transport::Tls(Box::new(stream)),
                Ok(Err(error)) => {
                    tracing::debug!(%error, "a TLS handshake failed");
                    return;
                }
                Err(_) => return,
            },
        };
        let Self {
            router,
            builder,
            draining,
            seat,
            peer,
        } = self;
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            // Only what outlives its answer takes its seat with it.
            if matches!(request.uri().path(), STREAM_PATH | NOTICES_PATH) {
                request.extensions_mut().insert(Arc::new(seat.busy()));
            }
            let busy = seat.busy();
            let router = router.clone();
            async move {
                let answer: Result<_, Infallible> = router.oneshot(request.map(Body::new)).await;
                drop(busy);
                answer
            }
        });
        let mut builder = Builder::clone(&builder);
        builder.http1().timer(Patience::default());
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(transport), service);
        let mut connection = std::pin::pin!(connection);
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = draining.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            tracing::debug!(error, "a connection ended badly");
        }
    }
}
