//! Channels: what exactly goes out, how often, and what comes of it when the other side fails.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use leverframe_core::effect::{Effect, Settlement, Urgency};
use leverframe_node::{ChannelError, ChannelSettings, Channels, Links, Secret, Teller};
use sha2::Sha256;

use crate::outside::{Fake, effect, endpoint, now, resolver};

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn teller(channels: Vec<(&str, ChannelSettings)>) -> Teller {
    let mut all = Channels::default();
    for (name, settings) in channels {
        all.open(name, settings, &resolver()).unwrap();
    }
    Teller::new(
        all,
        Links::to(Some("https://lever.example".parse().unwrap())),
    )
}

fn slack(fake: &Fake) -> ChannelSettings {
    let url = format!("{}/services/T0/B0/hunter2", fake.url());
    ChannelSettings::Slack {
        endpoint: endpoint(&url),
        webhook: Secret::new(url),
    }
}

fn pagerduty(fake: &Fake) -> ChannelSettings {
    ChannelSettings::PagerDuty {
        endpoint: endpoint(&fake.url()),
        routing_key: Secret::new("hunter2hunter2"),
    }
}

fn webhook(fake: &Fake) -> ChannelSettings {
    ChannelSettings::Webhook {
        endpoint: endpoint(&format!("{}/hook", fake.url())),
        key: Secret::new(KEY),
    }
}

fn command(argv: &[&str], timeout: Duration) -> ChannelSettings {
    ChannelSettings::Command {
        argv: argv.iter().map(|&word| word.to_owned()).collect(),
        timeout,
    }
}

fn page(channels: &[&str]) -> Effect {
    effect("ro_01jd7k-r57-page", Urgency::Page, channels)
}

fn delivered(channels: &[&str]) -> Settlement {
    Settlement::Delivered {
        channels: channels.iter().map(|name| Box::from(*name)).collect(),
        read_back: false,
        failed: Vec::new(),
    }
}

fn failure(settlement: Settlement) -> String {
    match settlement {
        Settlement::Failed { why } => why.join("; "),
        other => panic!("a failure was expected, not {other:?}"),
    }
}

/// Hostile in one way or another, in every text.
fn hostile() -> Effect {
    let mut hostile = page(&["c"]);
    let text = "<!channel> & *b* <https://evil.example|ok> \u{202e}x\u{1b}[31m\0 `rm` {{7*7}}";
    let message = &mut hostile.message;
    for field in [
        &mut message.title,
        &mut message.sentence,
        &mut message.started_by,
        &mut message.owner,
        &mut message.done,
        &mut message.undo,
    ] {
        *field = text.into();
    }
    message.runbook = Some("javascript:alert(1)".into());
    hostile
}

#[tokio::test]
async fn pagerduty_gets_the_event_with_the_effects_id_as_its_key() {
    let take = || async { (StatusCode::ACCEPTED, r#"{"status":"success"}"#) };
    let fake = Fake::serve(Router::new().route("/v2/enqueue", post(take))).await;
    let teller = teller(vec![("pd", pagerduty(&fake))]);
    let page = page(&["pd"]);
    assert_eq!(teller.tell(&page).await, delivered(&["pd"]));
    assert_eq!(teller.tell(&page).await, delivered(&["pd"]));
    let calls = fake.calls();
    let event = calls[0].json();
    // Twice the same to the last letter: one incident there.
    assert_eq!(calls[0].body, calls[1].body);
    assert_eq!(event["dedup_key"], "ro_01jd7k-r57-page");
    assert_eq!(event["routing_key"], "hunter2hunter2");
    assert_eq!(event["event_action"], "trigger");
    assert_eq!(event["payload"]["severity"], "critical");
    assert_eq!(event["payload"]["source"], "new-checkout@prod");
    let summary = event["payload"]["summary"].as_str().unwrap();
    assert!(summary.contains("137 users hit"), "{summary}");
    let details = &event["payload"]["custom_details"];
    assert_eq!(details["Started by"], "ana via ci");
    assert_eq!(details["Done"], "closed at the 5 % stage");
    assert!(details["Undo"].as_str().unwrap().starts_with("lever open"));
    let rollout = "https://lever.example/rollouts/ro_01jd7k";
    assert_eq!(event["links"][0]["href"], rollout);
    assert_eq!(event["client_url"], rollout);
}

#[tokio::test]
async fn a_webhook_can_be_verified_by_its_receiver() {
    let fake = Fake::serve(Router::new().route("/hook", post(|| async {}))).await;
    let teller = teller(vec![("hook", webhook(&fake))]);
    let page = page(&["hook"]);
    assert_eq!(teller.tell(&page).await, delivered(&["hook"]));
    let call = &fake.calls()[0];
    assert_eq!(call.header("webhook-id"), "ro_01jd7k-r57-page");
    let timestamp = call.header("webhook-timestamp");
    let age = now().as_ms() / 1_000 - timestamp.parse::<i64>().unwrap();
    assert!((0..60).contains(&age), "{age} s");
    let key = STANDARD
        .decode(KEY.strip_prefix("whsec_").unwrap())
        .unwrap();
    let mut code = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let signed = ["ro_01jd7k-r57-page", timestamp, &call.body].join(".");
    code.update(signed.as_bytes());
    let expected = format!("v1,{}", STANDARD.encode(code.finalize().into_bytes()));
    assert_eq!(call.header("webhook-signature"), expected);
    let body = call.json();
    assert_eq!(body["type"], "leverframe.page");
    assert_eq!(body["timestamp"], page.wanted_at.to_string());
    assert_eq!(body["data"]["started_by"], "ana via ci");
    let kill = "https://lever.example/kill/new-checkout?env=prod";
    assert_eq!(body["data"]["links"]["kill"], kill);
    assert_eq!(
        body["data"]["links"]["runbook"],
        "https://wiki.example/runbook?a=1&b=2"
    );
}

#[tokio::test]
async fn slack_shows_hostile_text_as_text() {
    let take = post(|| async { "ok" });
    let fake = Fake::serve(Router::new().route("/services/T0/B0/hunter2", take)).await;
    let teller = teller(vec![("c", slack(&fake))]);
    assert_eq!(teller.tell(&hostile()).await, delivered(&["c"]));
    let message = fake.calls()[0].json();
    let fallback = message["text"].as_str().unwrap();
    assert!(!fallback.contains('<'), "{fallback}");
    assert!(
        fallback.contains("&lt;!channel&gt; &amp; *b*"),
        "{fallback}"
    );
    for block in message["blocks"].as_array().unwrap() {
        let text = &block["text"];
        if text["type"] == "mrkdwn" {
            // Only our own links are marked text.
            let shown = text["text"].as_str().unwrap();
            let ours = "<https://lever.example/rollouts/ro_01jd7k|rollout>  ·  \
                        <https://lever.example/kill/new-checkout?env=prod|kill>";
            assert_eq!(shown, ours);
        }
    }
    let whole = fake.calls()[0].body.clone();
    for active in ['\u{202e}', '\u{1b}', '\0'] {
        assert!(!whole.contains(active));
    }
    assert!(!whole.contains("\\u001b"), "{whole}");
}

#[tokio::test]
async fn the_way_to_the_kill_page_comes_first_when_that_is_urgent() {
    let fake = Fake::serve(Router::new().route("/hook", post(|| async {}))).await;
    let slack_hook = post(|| async { "ok" });
    let room = Fake::serve(Router::new().route("/services/T0/B0/hunter2", slack_hook)).await;
    let teller = teller(vec![("hook", webhook(&fake)), ("room", slack(&room))]);
    let mut urgent = page(&["room"]);
    urgent.message.kill_first = true;
    teller.tell(&urgent).await;
    let links = room.calls()[0].json()["blocks"][2]["text"]["text"].clone();
    let first = "<https://lever.example/kill/new-checkout?env=prod|kill>";
    assert!(links.as_str().unwrap().starts_with(first), "{links}");
}

#[tokio::test]
async fn one_that_is_busy_is_tried_again_and_one_that_refuses_is_not() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    let busy = post(move || {
        let nth = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            match nth {
                0 => StatusCode::TOO_MANY_REQUESTS,
                1 => StatusCode::BAD_GATEWAY,
                _ => StatusCode::ACCEPTED,
            }
        }
    });
    let fake = Fake::serve(Router::new().route("/v2/enqueue", busy)).await;
    let settled = teller(vec![("pd", pagerduty(&fake))])
        .tell(&page(&["pd"]))
        .await;
    assert_eq!(settled, delivered(&["pd"]));
    assert_eq!(tries.load(Ordering::SeqCst), 3);
    let refuse = post(|| async { (StatusCode::BAD_REQUEST, "invalid hunter2hunter2") });
    let fake = Fake::serve(Router::new().route("/v2/enqueue", refuse)).await;
    let why = failure(
        teller(vec![("pd", pagerduty(&fake))])
            .tell(&page(&["pd"]))
            .await,
    );
    assert!(why.contains("400"), "{why}");
    assert!(!why.contains("hunter2"), "{why}");
    assert_eq!(fake.calls().len(), 1);
}

#[tokio::test]
async fn the_secret_address_of_a_room_is_never_told() {
    let gone = post(|| async { (StatusCode::NOT_FOUND, "no /services/T0/B0/hunter2 here") });
    let fake = Fake::serve(Router::new().route("/services/T0/B0/hunter2", gone)).await;
    let settings = slack(&fake);
    let shown = format!("{settings:?}");
    let teller = teller(vec![("room", settings)]);
    let why = failure(teller.tell(&page(&["room"])).await);
    drop(fake);
    let away = failure(teller.tell(&page(&["room"])).await);
    for told in [shown, why, away, format!("{teller:?}")] {
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[tokio::test]
async fn the_most_talkative_log_tells_no_secret() {
    let log = Log::default();
    let kept = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || kept.clone())
        .init();
    let refuse = || post(|| async { (StatusCode::BAD_REQUEST, "not l0gg3d-s3cr3t") });
    let router = Router::new()
        .route("/services/l0gg3d-s3cr3t", refuse())
        .route("/v2/enqueue", refuse());
    let fake = Fake::serve(router).await;
    let url = format!("{}/services/l0gg3d-s3cr3t", fake.url());
    let room = ChannelSettings::Slack {
        endpoint: endpoint(&url),
        webhook: Secret::new(url),
    };
    let pager = ChannelSettings::PagerDuty {
        endpoint: endpoint(&fake.url()),
        routing_key: Secret::new("l0gg3d-s3cr3t"),
    };
    let teller = teller(vec![("room", room), ("pager", pager)]);
    failure(teller.tell(&page(&["room", "pager"])).await);
    let told = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    // The log is there, with what our side and the HTTP client say at their most talkative.
    assert!(told.contains("could not tell"));
    assert!(told.contains("hyper"), "{told}");
    for line in told.lines() {
        // The server that stands for the other side is of this process, too, and says what it gets.
        assert!(!line.contains("l0gg3d-s3cr3t"), "{line}");
    }
}

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_notice_reaches_every_channel_and_says_who_missed_it() {
    let take = post(|| async { "ok" });
    let room = Fake::serve(Router::new().route("/services/T0/B0/hunter2", take)).await;
    let hook = Fake::serve(Router::new().route("/hook", post(|| async {}))).await;
    let teller = teller(vec![("room", slack(&room)), ("hook", webhook(&hook))]);
    let notice = effect("n1", Urgency::Notify, &["room", "gone", "hook"]);
    let expected = Settlement::Delivered {
        channels: vec!["room".into(), "hook".into()],
        read_back: false,
        failed: vec!["gone: no channel of that name is in the server's file".into()],
    };
    assert_eq!(teller.tell(&notice).await, expected);
    assert_eq!(hook.calls()[0].json()["type"], "leverframe.notify");
    assert_eq!(teller.check(["room", "hook"]), Ok(()));
    let unknown = teller.check(["room", "gone"]).unwrap_err().to_string();
    let expected = "there is no channel gone; the server's file names hook, room";
    assert_eq!(unknown, expected);
}

fn script(place: &Path, text: &str) -> String {
    let path = place.join("page");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path.display().to_string()
}

#[tokio::test]
async fn a_command_gets_json_on_its_input_and_none_of_the_servers_environment() {
    let place = tempfile::tempdir().unwrap();
    let (body, surroundings) = (place.path().join("body"), place.path().join("env"));
    let text = format!(
        "cat > {}; env > {}; test \"$1\" = '$(touch /tmp/x); `id`'",
        body.display(),
        surroundings.display()
    );
    let argv = [&*script(place.path(), &text), "$(touch /tmp/x); `id`"];
    let teller = teller(vec![("c", command(&argv, Duration::from_secs(10)))]);
    assert_eq!(teller.tell(&hostile()).await, delivered(&["c"]));
    let body: serde_json::Value = serde_json::from_slice(&std::fs::read(body).unwrap()).unwrap();
    assert_eq!(body["data"]["id"], "ro_01jd7k-r57-page");
    let surroundings = std::fs::read_to_string(surroundings).unwrap();
    assert!(surroundings.contains("LEVER_EFFECT=ro_01jd7k-r57-page"));
    // The tests' own environment is full of Cargo's variables.
    assert!(!surroundings.contains("CARGO"), "{surroundings}");
}

#[tokio::test]
async fn a_command_that_fails_hangs_or_floods_is_bounded() {
    let place = tempfile::tempdir().unwrap();
    let fails = script(place.path(), "echo 'no \u{1b}[31mcarrier' >&2; exit 3");
    let soon = Duration::from_secs(10);
    let why = failure(
        teller(vec![("c", command(&[&fails], soon))])
            .tell(&page(&["c"]))
            .await,
    );
    assert!(why.contains("exit status: 3: no  [31mcarrier"), "{why}");

    let hangs = script(place.path(), "sleep 100");
    let started = Instant::now();
    let moment = Duration::from_millis(200);
    let why = failure(
        teller(vec![("c", command(&[&hangs], moment))])
            .tell(&page(&["c"]))
            .await,
    );
    assert!(why.contains("did not end within 200 ms"), "{why}");
    assert!(started.elapsed() < Duration::from_secs(10));

    let floods = script(place.path(), "yes >&2");
    let why = failure(
        teller(vec![("c", command(&[&floods], moment))])
            .tell(&page(&["c"]))
            .await,
    );
    assert!(why.len() < 500, "{why}");

    let deaf = script(place.path(), "exec <&-; exit 0");
    let settled = teller(vec![("c", command(&[&deaf], soon))])
        .tell(&page(&["c"]))
        .await;
    assert_eq!(settled, delivered(&["c"]));

    let missing = "/nowhere/page";
    let why = failure(
        teller(vec![("c", command(&[missing], soon))])
            .tell(&page(&["c"]))
            .await,
    );
    assert!(why.contains("does not start"), "{why}");
}

#[test]
fn an_entry_that_cannot_work_is_refused() {
    let open = |settings| {
        Channels::default()
            .open("c", settings, &resolver())
            .unwrap_err()
    };
    let second = Duration::from_secs(1);
    assert_eq!(open(command(&["page"], second)), ChannelError::Command);
    assert_eq!(open(command(&[], second)), ChannelError::Command);
    assert_eq!(
        open(command(&["/bin/true"], Duration::ZERO)),
        ChannelError::Timeout
    );
    let key = ChannelSettings::Webhook {
        endpoint: endpoint("https://example.com/"),
        key: Secret::new("hunter2"),
    };
    assert_eq!(open(key), ChannelError::Key);
}
