//! The real Alertmanager of Debian, which sends on to a receiver of ours.

use std::time::Duration;

use axum::Router;
use axum::routing::post;
use leverframe_core::effect::{Settlement, Urgency};
use leverframe_node::{ChannelSettings, Channels, Links, Teller};
use serde_json::Value;

use crate::outside::{Fake, Program, effect, endpoint, free_address, resolver, until};

pub(crate) struct World {
    pub(crate) receiver: Fake,
    url: String,
    alertmanager: Program,
    _place: tempfile::TempDir,
}

impl World {
    pub(crate) async fn start() -> Self {
        let receiver = Fake::serve(Router::new().route("/", post(|| async {}))).await;
        let place = tempfile::tempdir().unwrap();
        let config = format!(
            "route: {{receiver: us, group_by: ['...'], group_wait: 50ms, group_interval: 100ms, \
             repeat_interval: 1h}}\n\
             receivers: [{{name: us, webhook_configs: [{{url: '{}/'}}]}}]\n",
            receiver.url()
        );
        std::fs::write(place.path().join("alertmanager.yml"), config).unwrap();
        let address = free_address();
        let arguments = [
            "--config.file=alertmanager.yml".to_owned(),
            "--storage.path=data".to_owned(),
            format!("--web.listen-address={address}"),
            "--cluster.listen-address=".to_owned(),
            "--log.level=warn".to_owned(),
        ];
        let program = Program::start(
            "/usr/bin/prometheus-alertmanager",
            "prometheus-alertmanager",
            &arguments,
            place.path(),
        );
        let world = Self {
            receiver,
            url: format!("http://{address}"),
            alertmanager: program,
            _place: place,
        };
        until("Alertmanager is ready", || async {
            tokio::net::TcpStream::connect(address).await.ok()
        })
        .await;
        world
    }

    fn teller(&self) -> Teller {
        let base = "https://lever.example/release/".parse().unwrap();
        Teller::new(self.channels(), Links::to(Some(base)))
    }

    /// Alertmanager itself as `oncall`, and its receiver as `chat`.
    pub(crate) fn channels(&self) -> Channels {
        let mut channels = Channels::default();
        let settings = ChannelSettings::Alertmanager {
            endpoint: endpoint(&self.url),
            credentials: None,
        };
        channels.open("oncall", settings, &resolver()).unwrap();
        let second = ChannelSettings::Slack {
            endpoint: endpoint(&self.receiver.url()),
            webhook: leverframe_node::Secret::new(self.receiver.url()),
        };
        channels.open("chat", second, &resolver()).unwrap();
        channels
    }
}

/// The alerts that came with a notification.
fn alerts(body: &Value) -> Vec<&Value> {
    body["alerts"].as_array().unwrap().iter().collect()
}

#[tokio::test]
async fn a_page_is_read_back_and_told_twice_it_is_one_alert_and_one_notification() {
    let world = World::start().await;
    let page = effect("ro_01jd7k-r57-page", Urgency::Page, &["oncall"]);
    let delivered = Settlement::Delivered {
        channels: vec!["oncall".into()],
        read_back: true,
        failed: Vec::new(),
    };
    assert_eq!(world.teller().tell(&page).await, delivered);
    // As after a crash between telling and recording: another process, the same effect.
    assert_eq!(world.teller().tell(&page).await, delivered);
    let first = until("the receiver is notified", || async {
        world.receiver.calls().first().cloned()
    })
    .await;
    let body = first.json();
    let [alert] = alerts(&body)[..] else {
        panic!("one alert, not {body}");
    };
    assert_eq!(alert["labels"]["effect"], "ro_01jd7k-r57-page");
    assert_eq!(alert["labels"]["severity"], "critical");
    assert_eq!(alert["labels"]["owner"], "team-shop");
    let notes = &alert["annotations"];
    assert!(
        notes["description"]
            .as_str()
            .unwrap()
            .contains("137 users hit")
    );
    assert_eq!(notes["started_by"], "ana via ci");
    assert_eq!(notes["done"], "closed at the 5 % stage");
    assert_eq!(notes["undo"], "lever open new-checkout -e prod -r \"…\"");
    let kill = "https://lever.example/release/kill/new-checkout?env=prod";
    assert_eq!(notes["kill_url"], kill);
    let rollout = "https://lever.example/release/rollouts/ro_01jd7k";
    assert_eq!(alert["generatorURL"], rollout);
    // Another page goes round the same way; when it is there, nothing else is on its way.
    let other = effect("ro_01jd7k-r58-page", Urgency::Page, &["oncall"]);
    world.teller().tell(&other).await;
    until("the other page is there", || async {
        let calls = world.receiver.calls();
        let is_other = |alert: &Value| alert["labels"]["effect"] == "ro_01jd7k-r58-page";
        calls
            .iter()
            .any(|call| alerts(&call.json()).into_iter().any(is_other))
            .then_some(())
    })
    .await;
    assert_eq!(world.receiver.calls().len(), 2);
}

#[tokio::test]
async fn hostile_text_arrives_as_text() {
    let world = World::start().await;
    let mut page = effect("ro_1-r1-page", Urgency::Page, &["oncall"]);
    page.message.title = "a\u{1b}[31mred\u{202e}{{ .Labels }}\"}\nb".into();
    page.message.owner = "own\"er\\,{}=~".into();
    page.message.sentence = "x".repeat(10_000).into();
    let settlement = world.teller().tell(&page).await;
    assert!(matches!(
        settlement,
        Settlement::Delivered {
            read_back: true,
            ..
        }
    ));
    let call = until("the receiver is notified", || async {
        world.receiver.calls().first().cloned()
    })
    .await;
    let body = call.json();
    let alert = alerts(&body)[0];
    assert_eq!(alert["labels"]["owner"], "own\"er\\,{}=~");
    let title = alert["annotations"]["summary"].as_str().unwrap();
    assert_eq!(title, "a [31mred {{ .Labels }}\"} b");
    let sentence = alert["annotations"]["description"].as_str().unwrap();
    assert_eq!(sentence.chars().count(), 1_001);
}

#[tokio::test]
async fn when_it_is_down_the_second_channel_gets_the_page() {
    let mut world = World::start().await;
    world.alertmanager.kill();
    let page = effect("ro_1-r1-page", Urgency::Page, &["oncall", "chat"]);
    let started = std::time::Instant::now();
    let settlement = world.teller().tell(&page).await;
    assert!(started.elapsed() < Duration::from_secs(10));
    let Settlement::Delivered {
        channels, failed, ..
    } = settlement
    else {
        panic!("{settlement:?}");
    };
    assert_eq!(channels, ["chat".into()]);
    assert!(failed[0].contains("cannot be reached"), "{failed:?}");
    assert_eq!(world.receiver.calls().len(), 1);
}
