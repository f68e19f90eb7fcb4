//! Outcomes end to end: the client in an application, a server that is restarted, and the measurements
//! that are left in its store.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use leverframe::{Client, Context};
use leverframe_core::Timestamp;
use leverframe_core::rollout::{Seen, source_row};
use leverframe_node::{Grid, Node, Options, Started};
use leverframe_server::{FrameEncoder, Server, Settings};
use leverframe_store::memory::Disk;
use leverframe_store::{MemoryStore, Series, Store};
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(40);
const GRID: Grid = Grid {
    length: Duration::from_millis(500),
    watermark: Duration::from_secs(4),
};

/// A server that can be restarted over the same disk, at the same address.
struct Shop {
    disk: Disk,
    address: SocketAddr,
    admin: String,
    running: Option<(Node, CancellationToken, tokio::task::JoinHandle<()>)>,
}

impl Shop {
    async fn open() -> Self {
        static TLS: Once = Once::new();
        TLS.call_once(|| {
            // Another test of this binary may have been first.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let mut shop = Self {
            disk: Disk::new(),
            address: "127.0.0.1:0".parse().unwrap(),
            admin: String::new(),
            running: None,
        };
        shop.start().await;
        shop.post(
            "/flags",
            json!({"definition": {
                "key": "new-checkout", "kind": "ops", "type": "boolean", "owner": "pay",
                "variants": {"on": true, "off": false}, "closed": "off", "open": "on",
            }}),
        )
        .await;
        shop.post(
            "/flags/new-checkout/environments/dev/open",
            json!({"exposure": {"percentage": 50}, "why": {"reason": "half"}}),
        )
        .await;
        shop
    }

    async fn start(&mut self) {
        let options = Options {
            outcomes: GRID,
            tick: Duration::from_millis(50),
            beat: Duration::from_millis(200),
            ..Options::default()
        };
        let store = Box::new(MemoryStore::open(&self.disk));
        let Started { node, first_start } = Node::start(store, options, Arc::new(FrameEncoder))
            .await
            .unwrap();
        if let Some(first) = first_start {
            self.admin = first.admin_secret;
        }
        let bound = Server::bind(Settings::at(self.address), node.clone())
            .await
            .unwrap();
        self.address = bound.local_addr();
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(bound.serve(shutdown.clone()));
        self.running = Some((node, shutdown, serving));
    }

    /// Ends the server; what it held in memory of open intervals is gone.
    async fn stop(&mut self) {
        let (node, shutdown, serving) = self.running.take().unwrap();
        shutdown.cancel();
        serving.await.unwrap();
        node.stop().await;
    }

    async fn post(&self, path: &str, body: Json) -> Json {
        let http = reqwest::Client::new();
        let lever = format!("http://{}/api/v1{path}", self.address);
        let mut ask = http.post(&lever).bearer_auth(&self.admin).json(&body);
        if let Some(lever) = lever.strip_suffix("/open") {
            let found = http.get(lever).bearer_auth(&self.admin).send().await;
            let etag = found.unwrap().headers()["etag"].clone();
            ask = ask.header("if-match", etag);
        }
        let answer = ask.send().await.unwrap();
        let is_fine = answer.status().is_success();
        let text = answer.text().await.unwrap();
        assert!(is_fine, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn client(&self, build: &str) -> Client {
        let body =
            json!({"name": "shop", "role": "evaluator", "environments": ["dev"], "keys": []});
        let token = self.post("/tokens", body).await;
        let settings = leverframe::Settings::from_lookup(|_| None)
            .url(&format!("http://{}", self.address))
            .token(token["token"].as_str().unwrap())
            .build_id(build)
            .declare(["new-checkout"]);
        Client::connect(settings).await.unwrap()
    }

    /// What the store has of a row.
    fn rows(&self, flag: &str, metric: &str) -> Vec<Seen> {
        let beside = MemoryStore::open(&self.disk).beside();
        let (from, until) = (Timestamp::default(), Timestamp::from_ms(i64::MAX));
        let series = Series::new("dev", flag, metric);
        let rows = beside.measurements(&series, from, until, usize::MAX);
        rows.unwrap()
            .into_iter()
            .map(|row| row.measurement.seen)
            .collect()
    }

    /// Exposed and held back units, and bad ones, of all intervals.
    fn total(&self, metric: &str) -> [u64; 4] {
        let mut total = [0; 4];
        for seen in self.rows("new-checkout", metric) {
            let Seen::Units {
                exposed, held_back, ..
            } = seen
            else {
                panic!("{seen:?}");
            };
            for (sum, more) in
                total
                    .iter_mut()
                    .zip([exposed.units, held_back.units, exposed.bad, held_back.bad])
            {
                *sum += more;
            }
        }
        total
    }

    async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(
                began.elapsed() < PATIENCE,
                "{what}: {:?}",
                self.total("errors")
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Each of these people comes once; every tenth fails. What is to be counted.
fn visit(client: &Client, people: std::ops::Range<u32>, total: &mut [u64; 4]) {
    for number in people {
        let context = Context::new(&format!("user-{number}"));
        let (is_on, guard) = client.observe("new-checkout", &context);
        let side = usize::from(!is_on);
        total[side] += 1;
        if number % 10 == 0 {
            total[2 + side] += 1;
            guard.fail_as("payment");
        } else {
            guard.ok();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_restarted_every_outcome_is_counted_once() {
    let mut shop = Shop::open().await;
    let first = shop.client("b1").await;
    let second = shop.client("b2").await;
    let mut expected = [0; 4];
    visit(&first, 0..300, &mut expected);
    // In the middle of open intervals, one of them sent already or not.
    tokio::time::sleep(Duration::from_millis(1_700)).await;
    visit(&second, 300..400, &mut expected);
    first.gauge("queue_depth", 12.0);
    shop.stop().await;
    // People come while the server is away, too.
    visit(&first, 400..500, &mut expected);
    shop.start().await;
    visit(&second, 500..600, &mut expected);
    // One application ends of its own will, with everything said.
    shop.until("both are back", || {
        let (node, ..) = shop.running.as_ref().unwrap();
        let members = node.feed("dev").unwrap().presence().members();
        let connected = members.iter().filter(|member| member.is_connected);
        connected.count() == 2
    })
    .await;
    visit(&second, 600..700, &mut expected);
    second.shutdown().await;
    assert_eq!(expected.iter().take(2).sum::<u64>(), 700);
    shop.until("everything is counted", || shop.total("errors") == expected)
        .await;
    // And nothing again, once more intervals are closed.
    let intervals = shop.rows("new-checkout", "errors").len();
    shop.until("more intervals", || {
        shop.rows("new-checkout", "errors").len() > intervals + 4
    })
    .await;
    assert_eq!(shop.total("errors"), expected);
    assert_eq!(shop.total("payment")[2..], expected[2..]);
    for seen in shop.rows("new-checkout", "errors") {
        let Seen::Units { late, .. } = seen else {
            panic!("{seen:?}");
        };
        assert_eq!(late, (0, 0));
    }
    let gauge = shop.rows("*", &source_row("outcomes", &["queue_depth"]));
    assert!(gauge.contains(&Seen::Gauge { value: 12.0 }), "{gauge:?}");
    let declared: BTreeMap<_, _> = {
        let (node, ..) = shop.running.as_ref().unwrap();
        let members = node.feed("dev").unwrap().presence().members();
        members
            .into_iter()
            .map(|member| (member.build, member.flags.map(|flags| flags.len())))
            .collect()
    };
    assert_eq!(declared.get("b1"), Some(&Some(1)));
    first.shutdown().await;
    shop.stop().await;
}
