//! A node on an imaginary disk, with words for what tests do to it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use leverframe_core::access::{Actor, Role, Token};
use leverframe_core::flag::FlagDefinition;
use leverframe_core::roll::{Acknowledged, Hello};
use leverframe_core::{Command, Link, Selection, Why};
use leverframe_flags::{EnvironmentKey, Exposure, FlagKey, Percentage, Update};
use leverframe_node::{Accepted, Encoder, Feed, Next, Node, Options, Place, Request, SubmitError};
use leverframe_store::memory::Disk;
use leverframe_store::{MemoryStore, Store as _};

/// Keeps every update it was given, in order, and encodes it as its debug text.
#[derive(Default)]
pub(crate) struct Tape(pub(crate) Mutex<Vec<Update>>);

impl Encoder for Tape {
    fn encode(&self, update: &Update) -> Result<Bytes, String> {
        self.0.lock().unwrap().push(update.clone());
        Ok(Bytes::from(format!("{update:?}")))
    }
}

pub(crate) struct Bench {
    pub(crate) node: Node,
    pub(crate) disk: Disk,
    pub(crate) tape: Arc<Tape>,
    pub(crate) admin: Actor,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::on(Disk::new()).await
    }

    /// A node started on a disk that may hold a journal already.
    pub(crate) async fn on(disk: Disk) -> Self {
        Self::with(disk, Options::default()).await
    }

    pub(crate) async fn with(disk: Disk, options: Options) -> Self {
        let tape = Arc::new(Tape::default());
        let options = Options {
            store_name: "memory",
            ..options
        };
        let encoder: Arc<dyn Encoder> = tape.clone();
        let started = Node::start(Box::new(MemoryStore::open(&disk)), options, encoder)
            .await
            .unwrap();
        let node = started.node;
        let admin = node
            .state()
            .tokens()
            .next()
            .expect("the first start made a token")
            .token
            .id
            .clone();
        Self {
            node,
            disk,
            tape,
            admin: Actor::Token { id: admin },
        }
    }

    /// The process dies and a new one starts on the same disk.
    pub(crate) async fn restarted(self) -> Self {
        let disk = self.disk.clone();
        drop(self);
        Self::on(disk).await
    }

    pub(crate) fn request(&self, command: Command) -> Request {
        Request {
            actor: self.admin.clone(),
            ..request("", command)
        }
    }

    pub(crate) async fn submit(&self, command: Command) -> Result<Accepted, SubmitError> {
        self.node.submit(self.request(command)).await
    }

    /// A boolean flag that is on when open.
    pub(crate) async fn create_flag(&self, key: &str) -> Accepted {
        self.submit(Command::CreateFlag {
            definition: Box::new(boolean(key)),
        })
        .await
        .unwrap()
    }

    pub(crate) async fn open(&self, flag: &str, environment: &str, percent: u32) -> Accepted {
        let state = self.node.state();
        let seen = state.lever_revision(state.flag(flag).unwrap(), environment);
        let command = Command::Open {
            flag: flag_key(flag),
            environment: environment_key(environment),
            exposure: Exposure::of(Percentage::from_thousandths(percent * 1_000).unwrap()),
        };
        let request = Request {
            if_match: Some(seen),
            ..self.request(command)
        };
        self.node.submit(request).await.unwrap()
    }

    pub(crate) async fn kill(
        &self,
        flag: &str,
        environment: &str,
    ) -> Result<Accepted, SubmitError> {
        self.submit(close(flag, environment)).await
    }

    pub(crate) fn feed(&self, environment: &str) -> Arc<Feed> {
        self.node.feed(environment).unwrap()
    }

    /// An evaluator joins and acknowledges what the environment is at.
    pub(crate) fn join(&self, environment: &str, instance: &str) {
        let feed = self.feed(environment);
        feed.presence().join(hello(instance)).unwrap();
        self.acknowledge(environment, instance, feed.revision());
    }

    /// An evaluator acknowledges a kill that is out ahead of the journal.
    pub(crate) fn acknowledge_brake(&self, environment: &str, instance: &str, brake: u64) {
        let revision = self.feed(environment).revision();
        self.told(environment, instance, revision, brake);
    }

    pub(crate) fn acknowledge(&self, environment: &str, instance: &str, revision: u64) {
        self.told(environment, instance, revision, 0);
    }

    /// An evaluator joins, and acknowledges whatever comes until the bench is gone.
    pub(crate) fn follow(&self, environment: &str, instance: &str) {
        self.join(environment, instance);
        let feed = self.feed(environment);
        let epoch = self.node.state().epoch();
        let at = self.node.steady_now();
        let stopping = self.node.stopping();
        let instance = instance.to_owned();
        tokio::spawn(async move {
            let mut heads = feed.subscribe();
            while let Some(Ok(())) = stopping.run_until_cancelled(heads.changed()).await {
                let revision = feed.revision();
                let acknowledged = Acknowledged {
                    epoch,
                    revision,
                    brake: 0,
                    head: feed.head_at(revision).unwrap_or(Link::START),
                    at,
                };
                feed.presence()
                    .acknowledge(&instance, acknowledged, Vec::new());
            }
        });
    }

    /// Where a lever stands, in words.
    pub(crate) fn position(&self, flag: &str, environment: &str) -> String {
        let state = self.node.state();
        state.flag(flag).unwrap().position(environment).to_string()
    }

    fn told(&self, environment: &str, instance: &str, revision: u64, brake: u64) {
        let state = self.node.state();
        let acknowledged = Acknowledged {
            epoch: state.epoch(),
            revision,
            brake,
            head: state.head(),
            at: self.node.steady_now(),
        };
        self.feed(environment)
            .presence()
            .acknowledge(instance, acknowledged, Vec::new());
    }

    /// Waits for something that has no event of its own to wait on.
    pub(crate) async fn until<T>(&self, look: impl Fn(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + SOON;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(Instant::now() < deadline, "it did not come about");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until what is out and not stored is kept beside the journal.
    pub(crate) async fn until_kept(&self) {
        self.until(|bench| MemoryStore::open(&bench.disk).beside().load_brakes())
            .await;
    }

    pub(crate) async fn create_token(&self, name: &str, role: Role) -> Box<str> {
        let id: Box<str> = format!("tok_{name}").into();
        let token = Token {
            id: id.clone(),
            name: name.into(),
            role,
            environments: BTreeSet::new(),
            keys: BTreeSet::new(),
            secret_sha256: "0".repeat(64).into(),
            expires_at: None,
        };
        let command = Command::CreateToken {
            token: Box::new(token),
        };
        self.submit(command).await.unwrap();
        id
    }
}

/// What the holder of a token asks.
pub(crate) fn request(token: &str, command: Command) -> Request {
    Request {
        command,
        actor: Actor::Token { id: token.into() },
        via: "test".into(),
        why: Why {
            reason: Some("a test".into()),
            incident: None,
        },
        if_match: None,
        idempotency: None,
        dry_run: false,
        received: Instant::now(),
    }
}

pub(crate) fn hello(instance: &str) -> Hello {
    Hello {
        instance: instance.into(),
        application: "shop".into(),
        build: "b1".into(),
        version: "test/1".into(),
        resumes: None,
        flags: None,
    }
}

pub(crate) fn close(flag: &str, environment: &str) -> Command {
    Command::Close {
        flags: Selection::Flags(BTreeSet::from([flag_key(flag)])),
        environment: environment_key(environment),
    }
}

pub(crate) fn boolean(key: &str) -> FlagDefinition {
    serde_json::from_value(serde_json::json!({
        "key": key, "kind": "ops", "type": "boolean", "owner": "team",
        "variants": {"on": true, "off": false}, "closed": "off", "open": "on",
    }))
    .unwrap()
}

pub(crate) fn flag_key(text: &str) -> FlagKey {
    FlagKey::new(text).unwrap()
}

pub(crate) fn environment_key(text: &str) -> EnvironmentKey {
    EnvironmentKey::new(text).unwrap()
}

/// The frames a stream at `at` is sent, and where it is then.
pub(crate) fn frames(feed: &Arc<Feed>, at: Option<&Place>) -> (Vec<Bytes>, Place) {
    match next(feed, at) {
        Next::Frames { frames, place } => (frames, place),
        other => panic!("frames were expected, not {other:?}"),
    }
}

/// What a stream has to send that waits until there is something, as for a snapshot to be encoded.
pub(crate) fn next(feed: &Arc<Feed>, at: Option<&Place>) -> Next {
    let deadline = Instant::now() + SOON;
    loop {
        match feed.next(at) {
            Next::UpToDate | Next::Preparing if Instant::now() < deadline => {
                std::thread::yield_now();
            }
            next => return next,
        }
    }
}

/// A wait that is long enough for any machine and short enough for a failing test.
pub(crate) const SOON: Duration = Duration::from_secs(10);
