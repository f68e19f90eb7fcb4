//! Over TLS, with an authority of our own.

use std::sync::Arc;
use std::time::Duration;

use leverframe::{Client, Context, Settings, Source};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::DEADLINE;
use crate::frames::{boolean, open, snapshot};
use crate::server::{Connection, Door, TOKEN};

/// An authority's certificate as PEM, and a server that it vouches for.
fn authority() -> (String, TlsAcceptor) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).unwrap();
    let issuer = Issuer::from_params(&params, &key);
    let server_key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["127.0.0.1".to_owned()])
        .unwrap()
        .signed_by(&server_key, &issuer)
        .unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![server.der().clone()],
            PrivateKeyDer::try_from(server_key.serialize_der()).unwrap(),
        )
        .unwrap();
    (authority.pem(), TlsAcceptor::from(Arc::new(config)))
}

#[tokio::test]
async fn a_server_with_an_own_authority_is_followed_if_the_ca_file_names_it() {
    let (pem, acceptor) = authority();
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("ca.pem");
    std::fs::write(&file, pem).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = Settings::from_lookup(|_| None)
        .url(&format!("https://{}", listener.local_addr().unwrap()))
        .token(TOKEN)
        .ca_file(&file)
        .connect_timeout(DEADLINE);
    let connecting = tokio::spawn(Client::connect(settings));
    let (stream, _) = listener.accept().await.unwrap();
    let stream = acceptor.accept(stream).await.unwrap();
    let mut connection = Connection::accept(stream, Door::Open).await.unwrap();
    connection.hello().await;
    connection
        .send(&snapshot(7, &[boolean("a", &open())]))
        .await;
    connection.acknowledge().await;
    let client = connecting.await.unwrap().unwrap();
    assert!(client.is_on("a", &Context::new("u-1")));
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_never_hears_the_token() {
    let (_, acceptor) = authority();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = Settings::from_lookup(|_| None)
        .url(&format!("https://{}", listener.local_addr().unwrap()))
        .token(TOKEN)
        .connect_timeout(Duration::from_millis(200));
    let connecting = tokio::spawn(Client::connect(settings));
    let (stream, _) = listener.accept().await.unwrap();
    assert!(acceptor.accept(stream).await.is_err());
    let client = connecting.await.unwrap().unwrap();
    assert_eq!(client.freshness().source, Source::Nothing);
}
