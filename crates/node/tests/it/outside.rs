//! What stands for other systems: servers on loopback, and the real ones as Debian packages them.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use leverframe_core::Timestamp;
use leverframe_core::effect::{Effect, Message, Urgency};
use leverframe_node::{Endpoint, Resolver, Secret, SystemResolver};

/// How long anything may take to come about.
const PATIENCE: Duration = Duration::from_secs(30);

/// One call that a server of ours got.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: String,
}

impl Call {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

/// A server of ours, with all calls it got.
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Fake {
    pub(crate) async fn serve(router: Router) -> Self {
        Self::serve_at("127.0.0.1:0".parse().unwrap(), router).await
    }

    pub(crate) async fn serve_at(address: SocketAddr, router: Router) -> Self {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&calls);
        let router = router.layer(from_fn(move |request: Request, next: Next| {
            let kept = Arc::clone(&kept);
            async move {
                let (parts, body) = request.into_parts();
                let bytes = axum::body::to_bytes(body, 1024 * 1024).await.unwrap();
                kept.lock().unwrap().push(Call {
                    headers: parts.headers.clone(),
                    body: String::from_utf8_lossy(&bytes).into_owned(),
                });
                next.run(Request::from_parts(parts, bytes.into())).await
            }
        }));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            calls,
            serving,
        }
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

pub(crate) fn endpoint(url: &str) -> Endpoint {
    Endpoint::new(&Secret::new(url))
        .unwrap()
        .allow_private(true)
}

pub(crate) fn resolver() -> Arc<dyn Resolver> {
    Arc::new(SystemResolver)
}

/// A loopback address that nobody listens on.
pub(crate) fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Asks again and again until there is an answer.
pub(crate) async fn until<T, F>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "never came about: {what}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

/// A real program of another project, ended with the test.
pub(crate) struct Program {
    child: Child,
}

impl Program {
    /// Starts it; `package` is the Debian package that brings it.
    pub(crate) fn start(path: &str, package: &str, arguments: &[String], place: &Path) -> Self {
        assert!(
            Path::new(path).exists(),
            "{path} is missing; on Debian: apt-get install {package}"
        );
        let log = std::fs::File::create(place.join("log")).unwrap();
        let child = Command::new(path)
            .args(arguments)
            .current_dir(place)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child }
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A page or notice with these channels.
pub(crate) fn effect(id: &str, urgency: Urgency, channels: &[&str]) -> Effect {
    Effect {
        id: id.into(),
        urgency,
        channels: channels.iter().map(|name| Box::from(*name)).collect(),
        message: Message {
            title: "new-checkout was rolled back in prod".into(),
            sentence:
                "4.1 % of users on new-checkout fail against 0.3 % (limit 1.2×); 137 users hit"
                    .into(),
            flag: "new-checkout".parse().unwrap(),
            environment: "prod".parse().unwrap(),
            rollout: "ro_01jd7k".into(),
            revision: 57,
            started_by: "ana via ci".into(),
            owner: "team-shop".into(),
            done: "closed at the 5 % stage".into(),
            undo: "lever open new-checkout -e prod -r \"…\"".into(),
            runbook: Some("https://wiki.example/runbook?a=1&b=2".into()),
            kill_first: false,
        },
        wanted_at: now(),
    }
}

/// The wall clock.
pub(crate) fn now() -> Timestamp {
    leverframe_node::Clock::start().wall()
}
