use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::routing::get;
use bytes::Bytes;
use reqwest::Method;

use super::{Endpoint, EndpointError, Outgoing, OutgoingError, Resolver, Secret, SystemResolver};

const BYTES_MAX: usize = 64 * 1024;

/// Answers each question with the next list of its script, and the last one for ever.
struct Script {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Script {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|ip| ip.parse().unwrap()).collect();
        Arc::new(Self {
            answers: Mutex::new(answers.iter().map(parse).collect()),
            asked: AtomicUsize::new(0),
        })
    }
}

#[async_trait]
impl Resolver for Arc<Script> {
    async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = answers.front().cloned().unwrap();
        if answers.len() > 1 {
            answers.pop_front();
        }
        Ok(answer)
    }
}

/// Serves `router` on a loopback address, and counts what comes.
async fn serve(ip: [u8; 4], port: u16, router: Router) -> (SocketAddr, Arc<AtomicUsize>) {
    let address = SocketAddr::from((Ipv4Addr::from(ip), port));
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let router = router.layer(axum::middleware::map_request(
        move |request: axum::extract::Request| {
            counted.fetch_add(1, Ordering::SeqCst);
            async move { request }
        },
    ));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, calls)
}

fn endpoint(url: &str) -> Endpoint {
    Endpoint::new(&Secret::new(url)).unwrap()
}

fn outgoing(endpoint: Endpoint, resolver: impl Resolver + 'static) -> Outgoing {
    let resolver: Arc<dyn Resolver> = Arc::new(resolver);
    Outgoing::new(endpoint, &[], BYTES_MAX, &resolver).unwrap()
}

async fn ask(outgoing: &Outgoing) -> Result<String, OutgoingError> {
    let answer = outgoing.send(outgoing.call(Method::GET, &["x"])).await?;
    Ok(String::from_utf8_lossy(&answer.body).into_owned())
}

fn saying(word: &'static str) -> Router {
    Router::new().route("/x", get(move || async move { word }))
}

#[tokio::test]
async fn an_address_that_leads_inside_is_refused_however_it_is_written() {
    let (address, calls) = serve([127, 0, 0, 1], 0, saying("inside")).await;
    let port = address.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "[::ffff:127.0.0.1]",
        "[::1]",
    ] {
        let outgoing = outgoing(endpoint(&format!("http://{host}:{port}")), SystemResolver);
        let refusal = ask(&outgoing).await.unwrap_err();
        assert!(
            matches!(refusal, OutgoingError::Private { .. }),
            "{host}: {refusal}"
        );
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_the_entry_allows_is_let_through() {
    let (address, _) = serve([127, 0, 0, 1], 0, saying("inside")).await;
    let endpoint = endpoint(&format!("http://{address}")).allow_private(true);
    let outgoing = outgoing(endpoint, SystemResolver);
    assert_eq!(ask(&outgoing).await.unwrap(), "inside");
}

#[tokio::test]
async fn a_name_with_one_private_address_among_public_ones_is_refused() {
    let (address, calls) = serve([127, 0, 0, 1], 0, saying("inside")).await;
    let resolver = Script::new(&[&["1.1.1.1", "127.0.0.1"]]);
    let url = format!("http://rebind.example:{}", address.port());
    let refusal = ask(&outgoing(endpoint(&url), resolver)).await.unwrap_err();
    assert!(matches!(refusal, OutgoingError::Private { .. }));
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_addresses_that_were_checked_are_those_that_are_called() {
    // A resolver that says one thing to whoever checks, and another to whoever connects.
    let (checked, first) = serve([127, 0, 0, 1], 0, saying("checked")).await;
    let (_, second) = serve([127, 0, 0, 2], checked.port(), saying("rebound")).await;
    let resolver = Script::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let url = format!("http://rebind.example:{}", checked.port());
    let outgoing = outgoing(endpoint(&url).allow_private(true), resolver.clone());
    assert_eq!(ask(&outgoing).await.unwrap(), "checked");
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 1);
    assert_eq!(first.load(Ordering::SeqCst), 1);
    assert_eq!(second.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_that_turns_inside_later_is_refused_then() {
    let (address, calls) = serve([127, 0, 0, 1], 0, saying("inside")).await;
    let resolver = Script::new(&[&["::ffff:127.0.0.1"]]);
    let url = format!("http://rebind.example:{}", address.port());
    let outgoing = outgoing(endpoint(&url), resolver);
    for _ in 0..2 {
        let refusal = ask(&outgoing).await.unwrap_err();
        assert!(matches!(refusal, OutgoingError::Private { .. }));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_without_an_address_is_an_error_that_names_it() {
    let outgoing = outgoing(endpoint("https://nobody.example"), Script::new(&[&[]]));
    let refusal = ask(&outgoing).await.unwrap_err();
    assert!(matches!(refusal, OutgoingError::Unknown { .. }));
    assert!(refusal.to_string().contains("nobody.example"), "{refusal}");
}

/// Answers one call after the other over TLS, with a certificate for `inside.example`.
async fn serve_tls() -> (SocketAddr, String) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec!["inside.example".to_owned()];
    let certificate = rcgen::CertificateParams::new(names).unwrap();
    let certificate = certificate.signed_by(&key, &issuer).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.into())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // Whoever does not trust it goes away in the middle of the handshake.
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.read(&mut [0; 4096]).await;
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nencrypted";
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        }
    });
    (address, authority_certificate.pem())
}

#[tokio::test]
async fn an_encrypted_line_leads_only_to_whom_a_trusted_authority_names() {
    let (address, authority) = serve_tls().await;
    let at = |name: &str| {
        let url = format!("https://{name}:{}", address.port());
        endpoint(&url).allow_private(true)
    };
    let resolver = || Script::new(&[&["127.0.0.1"]]);
    let trusting = |name| at(name).trusting(authority.clone().into_bytes());
    let well = outgoing(trusting("inside.example"), resolver());
    assert_eq!(ask(&well).await.unwrap(), "encrypted");
    for stranger in [at("inside.example"), trusting("other.example")] {
        let refusal = ask(&outgoing(stranger, resolver())).await.unwrap_err();
        let told = refusal.to_string();
        assert!(told.contains("certificate"), "{told}");
    }
    let broken = at("inside.example").trusting(b"no PEM".to_vec());
    let resolver: Arc<dyn Resolver> = Arc::new(resolver());
    let refusal = Outgoing::new(broken, &[], BYTES_MAX, &resolver).err();
    assert_eq!(refusal, Some(EndpointError::Authorities));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (inside, calls) = serve([127, 0, 0, 1], 0, saying("inside")).await;
    let there = format!("http://{inside}/x");
    let router = Router::new().route(
        "/x",
        get(move || async move { (StatusCode::FOUND, [(header::LOCATION, there)]) }),
    );
    let (address, _) = serve([127, 0, 0, 1], 0, router).await;
    let endpoint = endpoint(&format!("http://{address}")).allow_private(true);
    let refusal = ask(&outgoing(endpoint, SystemResolver)).await;
    assert!(matches!(refusal, Err(OutgoingError::Redirects { .. })));
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_endless_answer_is_left_after_the_limit() {
    // It would go on for a gigabyte and more, and announces no length.
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let router = Router::new().route(
        "/x",
        get(move || async move {
            let chunk = Bytes::from_static(&[b'x'; 16 * 1024]);
            Body::from_stream(futures_util::stream::iter(std::iter::repeat_with(
                move || {
                    counted.fetch_add(chunk.len(), Ordering::SeqCst);
                    Ok::<_, io::Error>(chunk.clone())
                },
            )))
        }),
    );
    let (address, _) = serve([127, 0, 0, 1], 0, router).await;
    let endpoint = endpoint(&format!("http://{address}")).allow_private(true);
    let refusal = ask(&outgoing(endpoint, SystemResolver)).await;
    assert!(matches!(refusal, Err(OutgoingError::TooLong { .. })));
    // What the kernel's buffers take beyond the limit is some megabytes.
    assert!(sent.load(Ordering::SeqCst) < 32 * 1024 * 1024);
}

#[tokio::test]
async fn a_gigabyte_that_is_announced_is_not_read() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        // And then nothing: whoever waits for the body waits for ever.
        std::future::pending::<()>().await;
    });
    let endpoint = endpoint(&format!("http://{address}")).allow_private(true);
    let refusal = ask(&outgoing(endpoint, SystemResolver)).await;
    assert!(matches!(refusal, Err(OutgoingError::TooLong { .. })));
}

#[tokio::test]
async fn one_that_does_not_answer_is_left_in_time() {
    let router = Router::new().route("/x", get(std::future::pending::<String>));
    let (address, _) = serve([127, 0, 0, 1], 0, router).await;
    let endpoint = endpoint(&format!("http://{address}"))
        .allow_private(true)
        .within(Duration::from_millis(200))
        .unwrap();
    let started = Instant::now();
    let refusal = ask(&outgoing(endpoint, SystemResolver)).await;
    assert!(matches!(refusal, Err(OutgoingError::TimedOut { .. })));
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn an_answer_that_drips_is_left_in_time() {
    let router = Router::new().route(
        "/x",
        get(|| async {
            Body::from_stream(futures_util::stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Some((Ok::<_, io::Error>(Bytes::from_static(b"x")), ()))
            }))
        }),
    );
    let (address, _) = serve([127, 0, 0, 1], 0, router).await;
    let endpoint = endpoint(&format!("http://{address}"))
        .allow_private(true)
        .within(Duration::from_millis(200))
        .unwrap();
    let refusal = ask(&outgoing(endpoint, SystemResolver)).await;
    assert!(matches!(refusal, Err(OutgoingError::TimedOut { .. })));
}

#[tokio::test]
async fn whoever_cannot_be_reached_is_named_without_the_path() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let endpoint = endpoint(&format!("http://{address}/T0/SECRETPATH")).allow_private(true);
    let outgoing = outgoing(endpoint, SystemResolver);
    let refusal = ask(&outgoing).await.unwrap_err();
    let told = format!("{refusal} {refusal:?} {outgoing:?}");
    assert!(told.contains(&address.to_string()), "{told}");
    assert!(told.contains("refused"), "{told}");
    assert!(!told.contains("SECRETPATH"), "{told}");
}

#[test]
fn an_address_that_is_no_web_address_or_carries_a_password_is_refused() {
    for url in [
        "",
        "prometheus:9090",
        "file:///etc/passwd",
        "ftp://host/",
        "unix:///run/x",
        "https://ana:hunter2@host/",
        "https://hunter2@host/",
        "https://host/#hunter2",
    ] {
        let refusal = Endpoint::new(&Secret::new(url)).unwrap_err();
        assert!(matches!(refusal, EndpointError::Url(_)), "{url}");
        assert!(!refusal.to_string().contains("hunter2"));
    }
}

#[test]
fn a_secret_goes_over_an_encrypted_line_unless_the_network_is_ones_own() {
    let resolver: Arc<dyn Resolver> = Arc::new(SystemResolver);
    let secret = Secret::new("hunter2");
    let open = |endpoint| Outgoing::new(endpoint, &[&secret], BYTES_MAX, &resolver).err();
    let clear = endpoint("http://host.example");
    assert_eq!(open(clear.clone()), Some(EndpointError::SecretInTheClear));
    assert_eq!(open(clear.allow_private(true)), None);
    assert_eq!(open(endpoint("https://host.example")), None);
}

#[test]
fn neither_a_secret_nor_an_endpoint_prints_what_it_holds() {
    let secret = Secret::new("https://hooks.example/services/hunter2");
    let shown = format!("{secret:?} {:?}", Endpoint::new(&secret).unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("hooks.example"), "{shown}");
}
