//! A server over a node over an imaginary disk, and a client that asks it things.

use std::net::SocketAddr;
use std::sync::{Arc, Once};
use std::time::Duration;

use leverframe_node::{Node, Options, Started};
use leverframe_server::{FrameEncoder, Server, Settings};
use leverframe_store::memory::{Disk, MemoryStore};
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value as Json, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A test that takes longer hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) admin: String,
    pub(crate) node: Node,
    pub(crate) disk: Disk,
    pub(crate) shutdown: CancellationToken,
    pub(crate) serving: Option<JoinHandle<()>>,
    pub(crate) http: reqwest::Client,
    pub(crate) scheme: &'static str,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The status is this one; what was said otherwise is shown.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// The failure is this one.
    #[track_caller]
    pub(crate) fn fails(self, status: u16, code: &str) -> Json {
        let problem = self.is(status).json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("urn:leverframe:problem:{code}"));
        assert!(!problem["title"].as_str().unwrap().is_empty());
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        problem
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

/// A request under way.
pub(crate) struct Ask {
    request: reqwest::RequestBuilder,
    token: Option<String>,
}

impl Ask {
    pub(crate) fn token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    pub(crate) fn nobody(mut self) -> Self {
        self.token = None;
        self
    }

    pub(crate) fn json(mut self, body: &Json) -> Self {
        self.request = self.request.json(body);
        self
    }

    pub(crate) fn body(mut self, body: impl Into<reqwest::Body>) -> Self {
        self.request = self
            .request
            .header("content-type", "application/json")
            .body(body);
        self
    }

    pub(crate) fn form(mut self, fields: &[(&str, &str)]) -> Self {
        self.request = self.request.form(fields);
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) async fn response(self) -> reqwest::Response {
        let request = match self.token {
            Some(token) => self.request.bearer_auth(token),
            None => self.request,
        };
        request.timeout(PATIENCE).send().await.unwrap()
    }

    pub(crate) async fn send(self) -> Answer {
        let response = self.response().await;
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }
}

/// Installs the TLS provider that reqwest asks for, once.
pub(crate) fn provide_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Another test binary in this process cannot have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(adjust: impl FnOnce(&mut Settings)) -> Self {
        Self::with_beat(Duration::from_secs(5), adjust).await
    }

    pub(crate) async fn with_beat(beat: Duration, adjust: impl FnOnce(&mut Settings)) -> Self {
        let options = Options {
            beat,
            ..Options::default()
        };
        Self::on(options, adjust).await
    }

    pub(crate) async fn on(options: Options, adjust: impl FnOnce(&mut Settings)) -> Self {
        Self::on_disk(Disk::new(), None, options, adjust).await
    }

    /// The server and its node end, and others start on what they left.
    pub(crate) async fn restarted(mut self) -> Self {
        self.stop().await;
        self.node.stop().await;
        let admin = Some(self.admin.clone());
        Self::on_disk(self.disk.clone(), admin, Options::default(), |_| {}).await
    }

    /// `admin` is whose journal is there already.
    async fn on_disk(
        disk: Disk,
        admin: Option<String>,
        options: Options,
        adjust: impl FnOnce(&mut Settings),
    ) -> Self {
        provide_tls();
        let store = Box::new(MemoryStore::open(&disk));
        let options = Options {
            store_name: "memory",
            ..options
        };
        let Started { node, first_start } = Node::start(store, options, Arc::new(FrameEncoder))
            .await
            .unwrap();
        let mut settings = Settings::at("127.0.0.1:0".parse().unwrap());
        settings.drain_time_max = Duration::from_secs(5);
        adjust(&mut settings);
        let bound = Server::bind(settings, node.clone()).await.unwrap();
        let (address, scheme) = (
            bound.local_addr(),
            if bound.is_tls() { "https" } else { "http" },
        );
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(bound.serve(shutdown.clone()));
        Self {
            address,
            admin: admin.unwrap_or_else(|| first_start.unwrap().admin_secret),
            node,
            disk,
            shutdown,
            serving: Some(serving),
            http: reqwest::Client::new(),
            scheme,
        }
    }

    /// A request in the first admin's name.
    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask {
        let url = format!("{}://{}{path}", self.scheme, self.address);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Ask {
            request: self.http.request(method, url),
            token: Some(self.admin.clone()),
        }
    }

    pub(crate) fn get(&self, path: &str) -> Ask {
        self.ask("GET", path)
    }

    pub(crate) fn post(&self, path: &str, body: &Json) -> Ask {
        self.ask("POST", path).json(body)
    }

    /// A token of this role.
    pub(crate) async fn token(&self, role: &str, environments: &[&str], keys: &[&str]) -> String {
        let body = json!({"name": format!("a {role}"), "role": role, "environments": environments, "keys": keys});
        let made = self
            .post("/api/v1/tokens", &body)
            .send()
            .await
            .is(201)
            .json();
        made["token"].as_str().unwrap().to_owned()
    }

    /// A boolean flag; `patch` changes its definition.
    pub(crate) async fn flag(&self, key: &str, patch: &Json) -> Json {
        let mut definition = json!({
            "key": key, "kind": "ops", "type": "boolean", "owner": "team-pay",
            "variants": {"on": true, "off": false}, "closed": "off", "open": "on",
        });
        for (name, value) in patch.as_object().unwrap() {
            definition[name] = value.clone();
        }
        self.post("/api/v1/flags", &json!({"definition": definition}))
            .send()
            .await
            .is(201)
            .json()
    }

    /// The ETag of a lever.
    pub(crate) async fn etag(&self, flag: &str, environment: &str) -> String {
        let path = format!("/api/v1/flags/{flag}/environments/{environment}");
        self.get(&path)
            .send()
            .await
            .is(200)
            .header("etag")
            .to_owned()
    }

    /// Opens a lever to everybody.
    pub(crate) async fn open(&self, flag: &str, environment: &str) -> u64 {
        let etag = self.etag(flag, environment).await;
        let path = format!("/api/v1/flags/{flag}/environments/{environment}/open");
        let body = json!({"exposure": {"percentage": 100}, "why": {"reason": "test"}});
        let receipt = self
            .post(&path, &body)
            .header("if-match", &etag)
            .send()
            .await
            .is(200)
            .json();
        receipt["revision"].as_u64().unwrap()
    }

    /// Closes levers.
    pub(crate) async fn kill(&self, flag: &str, environment: &str) -> Json {
        let path = format!("/api/v1/environments/{environment}/kill");
        let body = json!({"flags": [flag], "why": {"reason": "INC-412", "incident": "INC-412"}});
        self.post(&path, &body).send().await.is(200).json()
    }

    /// Who has a revision, waited for.
    pub(crate) async fn confirmation(
        &self,
        environment: &str,
        revision: u64,
        wait_ms: u64,
    ) -> Json {
        let path = format!(
            "/api/v1/environments/{environment}/confirmations/{revision}?wait_ms={wait_ms}"
        );
        self.get(&path).send().await.is(200).json()
    }

    /// Asks the fleet until it is as wanted.
    pub(crate) async fn fleet_until(
        &self,
        environment: &str,
        wanted: impl Fn(&Json) -> bool,
    ) -> Json {
        let look = async {
            loop {
                let path = format!("/api/v1/environments/{environment}/fleet");
                let fleet = self.get(&path).send().await.is(200).json();
                if wanted(&fleet) {
                    return fleet;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, look)
            .await
            .expect("the fleet never came to be as wanted")
    }

    /// Shuts the server down and waits until it has drained.
    pub(crate) async fn stop(&mut self) {
        self.shutdown.cancel();
        if let Some(serving) = self.serving.take() {
            tokio::time::timeout(PATIENCE, serving)
                .await
                .expect("it drains")
                .unwrap();
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Kills over a connection of its own; the answer's status.
pub(crate) async fn kill_from_elsewhere(world: &World, flag: &str, environment: &str) -> u16 {
    let url = format!(
        "{}://{}/api/v1/environments/{environment}/kill",
        world.scheme, world.address
    );
    let request = reqwest::Client::new()
        .post(url)
        .bearer_auth(&world.admin)
        .json(&json!({"flags": [flag]}));
    let answer = request.timeout(PATIENCE).send().await.unwrap();
    answer.status().as_u16()
}
