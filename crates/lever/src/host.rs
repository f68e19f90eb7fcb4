//! A real server in this process: what `serve` and `dev` start.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use leverframe_node::{Node, Options};
use leverframe_server::{FrameEncoder, Server, Settings, TlsFiles};
use leverframe_store::SqliteStore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// The file the first admin token is left in, inside the data directory.
const ADMIN_FILE: &str = "admin-token";

/// How to host.
pub(crate) struct HostOptions {
    pub(crate) data: PathBuf,
    pub(crate) settings: Settings,
    /// How the node is to run.
    pub(crate) node: Options,
    /// Whether to make a link that signs the first admin in to the console.
    is_inviting: bool,
}

/// A server that runs.
pub(crate) struct Host {
    node: Node,
    url: String,
    admin_secret: Option<String>,
    admin_file: PathBuf,
    invitation: Option<String>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl HostOptions {
    /// For a store that goes with the process.
    pub(crate) fn temporary(data: &Path, listen: SocketAddr, node: Options) -> Self {
        Self {
            data: data.to_owned(),
            settings: Settings::at(listen),
            node,
            is_inviting: true,
        }
    }

    /// For a store that stays.
    pub(crate) fn lasting(
        data: PathBuf,
        listen: SocketAddr,
        tls: Option<TlsFiles>,
        is_metrics_open: bool,
        node: Options,
    ) -> Self {
        let settings = Settings {
            tls,
            is_metrics_open,
            ..Settings::at(listen)
        };
        Self {
            data,
            settings,
            node,
            is_inviting: false,
        }
    }
}

impl Host {
    /// Opens the store, folds the journal and listens. The first start leaves the admin token in a
    /// file that only its owner can read.
    pub(crate) async fn start(options: &HostOptions) -> Result<Self, Failure> {
        let data = options.data.clone();
        let store = tokio::task::spawn_blocking(move || SqliteStore::open(&data))
            .await
            .map_err(|error| Failure::failed(error.to_string()))?
            .map_err(|error| Failure::failed(error.to_string()))?;
        let started = Node::start(
            Box::new(store),
            options.node.clone(),
            Arc::new(FrameEncoder),
        )
        .await
        .map_err(|error| Failure::failed(error.to_string()))?;
        let admin_file = options.data.join(ADMIN_FILE);
        if let Some(first) = &started.first_start {
            write_private(&admin_file, &first.admin_secret)
                .map_err(|error| Failure::file(&admin_file, error))?;
        }
        let is_encrypted = options.settings.tls.is_some();
        let bound = Server::bind(options.settings.clone(), started.node.clone())
            .await
            .map_err(|error| Failure::failed(error.to_string()))?;
        let url = reachable(bound.local_addr(), is_encrypted);
        let invited = started.first_start.as_ref().filter(|_| options.is_inviting);
        let invitation = invited
            .and_then(|first| bound.sign_in_link(&first.admin_id))
            .map(|path| format!("{url}{path}"));
        let stop = CancellationToken::new();
        let serving = tokio::spawn(bound.serve(stop.clone()));
        Ok(Self {
            node: started.node,
            url,
            admin_secret: started.first_start.map(|first| first.admin_secret),
            admin_file,
            invitation,
            stop,
            serving,
        })
    }

    /// Where it answers, as somebody on this machine would write it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The first admin token, on the first start.
    pub(crate) fn admin_secret(&self) -> Option<&str> {
        self.admin_secret.as_deref()
    }

    /// Where a browser is signed in as the first admin, once; for a store that goes with the process.
    pub(crate) fn invitation(&self) -> Option<&str> {
        self.invitation.as_deref()
    }

    /// Where the first admin token is or was left.
    pub(crate) fn admin_file(&self) -> &Path {
        &self.admin_file
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// Lets requests end, says goodbye to streams, stores what waits.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the server did not end well");
        }
        self.node.stop().await;
    }
}

/// Ends with the first of Ctrl-C and SIGTERM that comes after this call: whoever is told that it
/// serves may stop it in the same moment.
#[cfg(unix)]
pub(crate) fn stop_signal() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = signal(SignalKind::interrupt());
    let terminate = signal(SignalKind::terminate());
    async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) else {
            let _ = tokio::signal::ctrl_c().await;
            return;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

/// Ends with Ctrl-C.
#[cfg(not(unix))]
pub(crate) async fn stop_signal() {
    let _ = tokio::signal::ctrl_c().await;
}

/// `0.0.0.0` is where to listen, not where to go.
fn reachable(address: SocketAddr, is_encrypted: bool) -> String {
    let scheme = if is_encrypted { "https" } else { "http" };
    let host = match address {
        _ if !address.ip().is_unspecified() => address.to_string(),
        SocketAddr::V4(address) => format!("127.0.0.1:{}", address.port()),
        SocketAddr::V6(address) => format!("[::1]:{}", address.port()),
    };
    format!("{scheme}://{host}")
}

/// Writes a secret so that nobody but its owner can read it at any moment.
fn write_private(path: &Path, secret: &str) -> std::io::Result<()> {
    let directory = path
        .parent()
        .ok_or_else(|| std::io::Error::other("a file needs a directory"))?;
    // Temporary files are made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    writeln!(file, "{secret}")?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_to_listen_on_becomes_one_to_go_to() {
        let url = |text: &str, tls| reachable(text.parse().unwrap(), tls);
        assert_eq!(url("0.0.0.0:5387", false), "http://127.0.0.1:5387");
        assert_eq!(url("[::]:5387", true), "https://[::1]:5387");
        assert_eq!(url("10.1.2.3:80", false), "http://10.1.2.3:80");
    }

    #[cfg(unix)]
    #[test]
    fn the_first_token_is_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(ADMIN_FILE);
        write_private(&path, "lever_x").unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "lever_x\n");
    }
}
