//! The listening socket and the connections on it.

mod accept;
mod descriptors;
mod patience;
mod seats;
mod tls;
mod transport;

use std::net::SocketAddr;
use std::sync::Arc;

use leverframe_node::Node;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::auth::Authenticated;
use crate::settings::Settings;
use crate::surface;

pub(crate) use descriptors::fitted;
pub(crate) use seats::Busy;
pub(crate) use transport::Transport;

/// The surfaces of a node.
#[derive(Debug)]
pub struct Server;

/// A server that listens and does not serve yet.
pub struct BoundServer {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    app: App,
}

/// Why a server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Address {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("the certificate in {certificate} with the key in {key} cannot be used: {why}")]
    Tls {
        /// The certificate file.
        certificate: String,
        /// The key file.
        key: String,
        /// What is wrong.
        why: String,
    },
}

impl Server {
    /// Reads the certificate, if there is one, and begins to listen.
    ///
    /// # Errors
    /// [`BindError`] when the address is taken or the certificate cannot be used.
    pub async fn bind(settings: Settings, node: Node) -> Result<BoundServer, BindError> {
        let tls = settings.tls.as_ref().map(tls::acceptor).transpose()?;
        let address = settings.address;
        let cannot = |source| BindError::Address { address, source };
        let listener = TcpListener::bind(address).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        Ok(BoundServer {
            listener,
            address,
            tls,
            app: App::new(node, settings),
        })
    }
}

impl BoundServer {
    /// Where it listens; the port is real even if 0 was asked for.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Whether it speaks TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// A link that signs one browser in, once and within ten minutes, with the rights of a token: path
    /// and query, to be put after the address. None when the token does not work or may not read.
    #[must_use]
    pub fn sign_in_link(&self, token: &str) -> Option<String> {
        let who = Authenticated::by_token(&self.app, token)?;
        let made = self.app.sign_in_links.make(&who).ok()?;
        Some(made.path)
    }

    /// Serves until `shutdown`, then drains: no new connections, streams are told to go, requests
    /// under way are waited for up to [`Settings::drain_time_max`]. The node goes on; stop it
    /// afterwards.
    pub async fn serve(self, shutdown: CancellationToken) {
        let Self {
            listener, tls, app, ..
        } = self;
        let router = surface::router(app.clone());
        let connections = accept::Connections::new(&app, router, tls.map(Arc::new));
        accept::accept(&listener, &connections, &shutdown).await;
        drop(listener);
        app.draining.cancel();
        connections.drain(&app).await;
    }
}
