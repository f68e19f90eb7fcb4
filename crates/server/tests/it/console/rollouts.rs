//! Rollouts on pages: what is so and why, and steering by form.

use std::time::{Duration, Instant};

use leverframe_flags::{EnvironmentKey, FlagKey};
use leverframe_node::outcomes::{Arm, Batch, ERRORS, Origin, Report, ReportedUnit};
use leverframe_node::{Grid, Options};
use serde_json::{Value as Json, json};

use crate::world::{Answer, World};

const START: &str = "/api/v1/environments/prod/flags/checkout/rollout";

/// A world whose intervals are short: the plan is compressed, not the clock.
pub(crate) async fn compressed() -> World {
    let options = Options {
        tick: Duration::from_millis(10),
        outcomes: Grid {
            length: Duration::from_millis(40),
            watermark: Duration::from_millis(40),
        },
        ..Options::default()
    };
    let world = World::on(options, |_| {}).await;
    world.flag("checkout", &json!({})).await;
    world
}

/// Starts a rollout of checkout in prod by a plan of the API; its name.
pub(crate) async fn start(world: &World, mut body: Json) -> String {
    let etag = world.etag("checkout", "prod").await;
    body["why"] = json!({"reason": "first launch"});
    let ask = world.post(START, &body).header("if-match", &etag);
    let started = ask.send().await.is(200).json();
    started["rollout"].as_str().unwrap().to_owned()
}

/// A plan of two stages that take as long as some intervals.
pub(crate) fn quick() -> Json {
    json!({"definition": {
        "key": "quick", "stages": [{"percentage": 50}, {"percentage": 100}], "bake": "200ms",
        "max_hold": "1m", "metrics": [{"key": "errors", "tolerable": 5}], "hold_back": 0,
        "warm": "0s", "settle": "0s",
    }})
}

/// Users come, half of them exposed, and so many of a hundred of those fail, until the rollout is as
/// wanted.
pub(crate) async fn crowd(world: &World, id: &str, bad_of_100: u64, wanted: &str) -> Json {
    let (began, mut next) = (Instant::now(), 0_u64);
    loop {
        let outcomes = world.node.outcomes();
        let at = outcomes.grid().begin(world.node.steady_now());
        let units = (0..40).map(|_| {
            next += 1;
            let is_exposed = next.is_multiple_of(2);
            ReportedUnit {
                hash: next.wrapping_mul(0x9e37_79b9_7f4a_7c15),
                arm: if is_exposed {
                    Arm::Exposed
                } else {
                    Arm::HeldBack
                },
                // Spread over the hundred, so that those who come first are no worse than the rest.
                bad: u8::from(is_exposed && (next / 2 * 37) % 100 < bad_of_100),
                latency: None,
            }
        });
        let units = units.collect();
        let batch = Batch {
            instance: "shop-1".into(),
            sequence: next,
            origin: Origin::Evaluator,
            reports: vec![Report {
                at,
                flag: FlagKey::new("checkout").unwrap(),
                threshold: u64::MAX,
                names: vec![ERRORS.into()],
                units,
            }],
            gauges: Vec::new(),
        };
        outcomes.take(&EnvironmentKey::new("prod").unwrap(), &batch);
        let path = format!("/api/v1/rollouts/{id}");
        let rollout = world.get(&path).send().await.is(200).json();
        // Whoever is told is told beside it.
        let told = rollout["told"].as_array();
        let is_told = told.is_none_or(|told| told.iter().all(|one| one["state"] != "pending"));
        if rollout["state"] == wanted && is_told {
            return rollout;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{rollout}");
        tokio::task::yield_now().await;
    }
}

/// The value of a hidden field of the form that sends here.
pub(crate) fn hidden(page: &str, action: &str, name: &str) -> String {
    let form = page
        .split("<form")
        .find(|form| form.contains(&format!("action=\"{action}")))
        .unwrap_or_else(|| panic!("no form for {action}: {page}"));
    let field = form.split(&format!("name=\"{name}\" value=\"")).nth(1);
    let field = field.unwrap_or_else(|| panic!("no {name} in {form}"));
    field.split('"').next().unwrap().to_owned()
}

/// The newest record that came through the console; pages are told of beside it.
pub(crate) async fn newest(world: &World) -> Json {
    let log = world.get("/api/v1/journal?limit=20").send().await.is(200);
    let log = log.json();
    let mut records = log["records"].as_array().unwrap().iter();
    let newest = records.find(|record| record["via"] == "console");
    newest.unwrap_or_else(|| panic!("{log}")).clone()
}

/// Sends the form of a verb as the page has it, with a reason.
async fn steer(world: &World, id: &str, verb: &str, reason: &str, token: &str) -> Answer {
    let page = world.page_as(&format!("/rollouts/{id}"), token).await;
    let page = page.is(200).text;
    let path = format!("/rollouts/{id}/{verb}");
    let key = hidden(&page, &path, "idempotency");
    let mut fields = vec![("idempotency", key.as_str()), ("reason", reason)];
    let if_match;
    if !matches!(verb, "pause" | "rollback") {
        if_match = hidden(&page, &path, "if_match");
        fields.push(("if_match", &if_match));
    }
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let url = format!("http://{}{path}?env=prod", world.address);
    let ask = http.post(url).bearer_auth(token).form(&fields);
    let answer = ask.header("accept", super::BROWSER).send().await.unwrap();
    Answer {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        text: answer.text().await.unwrap(),
    }
}

#[tokio::test]
async fn a_page_says_what_is_so_before_anything_else_and_draws_it() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let id = start(&world, json!({"plan": "safe"})).await;
    let page = world.page(&format!("/rollouts/{id}?env=prod")).await;
    let page = page.is(200).text;
    let verdict = page.find("class=\"verdict\"").unwrap();
    assert!(verdict < page.find("class=\"stages\"").unwrap());
    for wanted in [
        "Why it is not moving",
        "5 % when errors and",
        "first launch",
        "data-live=\"verdict\"",
        "role=\"img\"",
        "0 users",
        "Roll back now",
        "name=\"chip\"",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    for inline in ["<style", "style=", "onclick", "javascript:", "<script>"] {
        assert!(!page.contains(inline), "{inline}");
    }
    assert_eq!(page.matches("<h1").count(), 1);
    assert!(page.len() < 60_000, "{} bytes", page.len());
    // Without a script it looks again by itself, but not under the hands of who may be typing.
    let again = "http-equiv=\"refresh\" content=\"2\"";
    assert!(!page.contains(again), "{page}");
    let viewer = world.token("viewer", &[], &[]).await;
    let seen = world
        .page_as(&format!("/rollouts/{id}?env=prod"), &viewer)
        .await;
    assert!(seen.is(200).text.contains(again));
    // Whatever environment the address says, a rollout is of one.
    let elsewhere = world.page(&format!("/rollouts/{id}?env=dev")).await.is(200);
    assert!(elsewhere.text.contains("class=\"guarded\""));
    world.page("/rollouts/ro_nobody?env=prod").await.is(404);
}

#[tokio::test]
async fn whoever_may_not_steer_is_offered_nothing_and_refused() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let id = start(&world, json!({"plan": "safe"})).await;
    let path = format!("/rollouts/{id}?env=prod");
    let viewer = world.token("viewer", &[], &[]).await;
    let page = world.page_as(&path, &viewer).await.is(200).text;
    assert!(
        !page.contains(&format!("action=\"/rollouts/{id}/")),
        "{page}"
    );
    let pause = format!("/rollouts/{id}/pause");
    world.form_as(&pause, &[], &viewer).await.is(403);

    let brake = world.token("brake", &[], &[]).await;
    let page = world.page_as(&path, &brake).await.is(200).text;
    for (verb, is_offered) in [
        ("pause", true),
        ("rollback", true),
        ("advance", false),
        ("skip", false),
    ] {
        let action = format!("action=\"/rollouts/{id}/{verb}");
        assert_eq!(page.contains(&action), is_offered, "{verb}: {page}");
    }
    let skip = format!("/rollouts/{id}/skip");
    let fields = [("reason", "because")];
    world.form_as(&skip, &fields, &brake).await.is(403);

    let elsewhere = world.token("operator", &["dev"], &[]).await;
    world.page_as(&path, &elsewhere).await.is(403);
    let bare = format!("/rollouts/{id}");
    world.page_as(&bare, &elsewhere).await.is(404);
    world.form_as(&pause, &[], &elsewhere).await.is(404);
    let rollout = world.get(START).send().await.is(200).json();
    assert_eq!(rollout["state"], "baking", "nothing of it was done");
}

#[tokio::test]
async fn a_pause_and_a_resume_are_stored_once_by_whom_and_through_the_console() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let id = start(&world, json!({"plan": "safe"})).await;
    let answer = steer(&world, &id, "pause", "lunch", &world.admin)
        .await
        .is(303);
    let record = newest(&world).await;
    assert_eq!(record["reason"], "lunch");
    let to = answer.header("location").to_owned();
    assert_eq!(
        to,
        format!("/rollouts/{id}?env=prod&r={}", record["revision"])
    );
    let page = world.page(&to).await.is(200).text;
    assert!(page.contains("Stored as"), "{page}");
    assert!(page.contains("Nobody follows prod"), "{page}");
    assert!(page.contains("paused") && page.contains("by a person"));
    assert!(!page.contains(&format!("action=\"/rollouts/{id}/pause")));
    steer(&world, &id, "resume", "back", &world.admin)
        .await
        .is(303);
    let rollout = world.get(START).send().await.is(200).json();
    assert_eq!(rollout["state"], "baking");

    // The same form sent twice changes once.
    let fields = [("idempotency", "twice-1"), ("reason", "again")];
    let pause = format!("/rollouts/{id}/pause?env=prod");
    world.form(&pause, &fields).await.is(200);
    let first = newest(&world).await["revision"].clone();
    world.form(&pause, &fields).await.is(200);
    assert_eq!(newest(&world).await["revision"], first);
}

#[tokio::test]
async fn a_refusal_is_said_on_the_page_with_its_status_and_what_was_typed_is_kept() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let id = start(&world, json!({"plan": "safe"})).await;
    let before = world.get(START).send().await.is(200).json();
    let none = steer(&world, &id, "skip", "", &world.admin).await.is(422);
    assert!(none.text.contains("role=\"alert\""), "{}", none.text);
    let typed = "I looked <at> it";
    let early = steer(&world, &id, "advance", typed, &world.admin).await;
    let early = early.is(409).text;
    assert!(
        early.contains("the evidence does not allow it yet"),
        "{early}"
    );
    assert!(
        early.contains("value=\"I looked &#60;at&#62; it\""),
        "{early}"
    );
    let skip = format!("/rollouts/{id}/skip?env=prod");
    let stale = [("reason", "go on"), ("if_match", "1")];
    world.form(&skip, &stale).await.is(412);
    world.form(&skip, &[("if_match", "x")]).await.is(400);
    let after = world.get(START).send().await.is(200).json();
    assert_eq!(after["moves"], before["moves"], "nothing changed");
    steer(&world, &id, "skip", "go on", &world.admin)
        .await
        .is(303);
    let rollout = world.get(START).send().await.is(200).json();
    assert_eq!(rollout["stage"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conviction_is_told_from_a_person_who_takes_it_back() {
    let world = compressed().await;
    let id = start(&world, quick()).await;
    crowd(&world, &id, 30, "rolled-back").await;
    let page = world.page(&format!("/rollouts/{id}")).await.is(200).text;
    assert!(page.contains("convicted by evidence"), "{page}");
    assert!(page.contains("users on checkout fail against"), "{page}");
    assert!(page.contains("users hit"), "{page}");
    assert!(page.contains("page went to nobody"), "{page}");
    assert!(page.contains("What it came to"));
    assert!(!page.contains("http-equiv=\"refresh\""), "it is over");
    assert!(!page.contains("/rollback\""), "there is nothing to steer");

    let mut again = quick();
    again["again"] = json!(true);
    let id = start(&world, again.clone()).await;
    steer(&world, &id, "rollback", "", &world.admin)
        .await
        .is(303);
    let page = world.page(&format!("/rollouts/{id}")).await.is(200).text;
    assert!(page.contains("rolled back") && page.contains("by a person"));
    assert!(!page.contains("convicted by evidence"), "{page}");
    assert_eq!(newest(&world).await["reason"], "none given");

    let id = start(&world, again).await;
    world.kill("checkout", "prod").await;
    let page = world.page(&format!("/rollouts/{id}")).await.is(200).text;
    assert!(page.contains("the lever was closed by hand"), "{page}");
    assert!(!page.contains("convicted by evidence"), "{page}");
}

#[tokio::test]
async fn whatever_people_wrote_acts_on_nothing() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let etag = world.etag("checkout", "prod").await;
    let bad = "\"><script>alert(1)</script><img src=x onerror=alert(1)>";
    let body = json!({"plan": "safe", "why": {"reason": bad}});
    let ask = world.post(START, &body).header("if-match", &etag);
    let id = ask.send().await.is(200).json()["rollout"].clone();
    let id = id.as_str().unwrap();
    let paths = [format!("/rollouts/{id}")];
    for path in paths {
        let page = world.page(&path).await.is(200).text;
        assert!(
            !page.contains("<script>") && !page.contains("<img"),
            "{page}"
        );
        assert!(page.contains("alert(1)"), "it is shown: {page}");
    }
    let refused = steer(&world, id, "advance", bad, &world.admin).await;
    let page = refused.is(409).text;
    assert!(
        !page.contains("<script>") && !page.contains("<img"),
        "{page}"
    );
}
