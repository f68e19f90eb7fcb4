//! Outcomes over HTTP: counted once, bounded, and what browsers say never among the others'.

use leverframe_core::rollout::Seen;
use leverframe_store::StoredMeasurement;
use serde_json::{Value as Json, json};

use crate::world::{Answer, World};

const PATH: &str = "/api/v1/environments/prod/outcomes";

/// A shop whose new checkout is open to half of the people; two tokens.
async fn shop() -> (World, String, String) {
    let world = World::new().await;
    world
        .flag("new-checkout", &json!({"client_visible": true}))
        .await;
    world.flag("hidden", &json!({})).await;
    let etag = world.etag("new-checkout", "prod").await;
    let body = json!({"exposure": {"percentage": 50}, "why": {"reason": "half"}});
    world
        .post("/api/v1/flags/new-checkout/environments/prod/open", &body)
        .header("if-match", &etag)
        .send()
        .await
        .is(200);
    let evaluator = world.token("evaluator", &["prod"], &[]).await;
    let browser = world.token("client-evaluator", &["prod"], &[]).await;
    (world, evaluator, browser)
}

fn outcome(unit: usize, went: &str) -> Json {
    json!({
        "flag": "new-checkout",
        "context": {"targetingKey": format!("user-{unit}")},
        "outcome": went,
        "duration_ms": 12.5,
    })
}

async fn say(world: &World, token: &str, sequence: u64, outcomes: &[Json]) -> Answer {
    let body = json!({"instance": "shop-1", "sequence": sequence, "outcomes": outcomes});
    world.post(PATH, &body).token(token).send().await
}

/// What is stored of it, once its intervals are closed.
async fn closed(world: &World) -> Vec<StoredMeasurement> {
    let outcomes = world.node.outcomes().clone();
    let later = world.node.steady_now().plus_ms(60_000);
    let close = move || outcomes.close_until(later, |_, _| 7);
    tokio::task::spawn_blocking(close).await.unwrap()
}

/// Units and bad ones of a row, of both arms together, and how many arms have any.
fn total(rows: &[StoredMeasurement], metric: &str) -> (u64, u64, usize) {
    let of_metric = rows.iter().filter(|row| *row.series.metric == *metric);
    of_metric.fold((0, 0, 0), |(units, bad, arms), row| {
        match &row.measurement.seen {
            Seen::Units {
                exposed, held_back, ..
            } => {
                let has = |units: u64| usize::from(units > 0);
                (
                    units + exposed.units + held_back.units,
                    bad + exposed.bad + held_back.bad,
                    arms.max(has(exposed.units) + has(held_back.units)),
                )
            }
            other => panic!("{other:?}"),
        }
    })
}

#[tokio::test]
async fn outcomes_count_once_by_unit_on_the_side_that_the_server_knows() {
    let (world, token, _) = shop().await;
    let mut outcomes: Vec<_> = (0..100).map(|unit| outcome(unit, "ok")).collect();
    outcomes.extend((0..10).map(|unit| outcome(unit, "bad")));
    let mut named = outcome(10, "bad");
    named["name"] = json!("payment");
    outcomes.push(named);
    let taken = say(&world, &token, 1, &outcomes).await.is(200).json();
    assert_eq!(taken["counted"], 111, "{taken}");
    let again = say(&world, &token, 1, &outcomes).await.is(200).json();
    assert_eq!(again["repeated"], true);
    assert_eq!(again["counted"], 0);
    let rows = closed(&world).await;
    // An interval may have ended in between: then some count in two, and bad ones in one.
    let (units, bad, arms) = total(&rows, "errors");
    assert!((100..=111).contains(&units), "{units}");
    assert_eq!((bad, arms), (11, 2));
    assert_eq!(total(&rows, "payment").1, 1);
    let latencies = rows.iter().any(|row| *row.series.metric == *"latency");
    assert!(latencies);
}

#[tokio::test]
async fn what_is_late_or_no_evidence_is_said_and_not_counted() {
    let (world, token, _) = shop().await;
    let mut old = outcome(1, "bad");
    old["age_ms"] = json!(3_600_000);
    let mut nobody = outcome(2, "bad");
    nobody["context"] = json!({});
    let mut unknown = outcome(3, "bad");
    unknown["flag"] = json!("no-such-flag");
    let taken = say(&world, &token, 1, &[old, nobody, unknown]).await;
    let taken = taken.is(200).json();
    assert_eq!(
        taken,
        json!({"counted": 0, "late": 1, "ignored": 2, "repeated": false})
    );
}

#[tokio::test]
async fn forged_outcomes_of_browsers_never_reach_the_errors() {
    let (world, evaluator, browser) = shop().await;
    let real: Vec<_> = (0..50).map(|unit| outcome(unit, "ok")).collect();
    say(&world, &evaluator, 1, &real).await.is(200);
    let mut forged: Vec<_> = (0..500).map(|unit| outcome(unit, "bad")).collect();
    let mut disguised = outcome(1, "bad");
    disguised["name"] = json!("errors");
    forged.push(disguised);
    let mut hidden = outcome(1, "bad");
    hidden["flag"] = json!("hidden");
    forged.push(hidden);
    let taken = say(&world, &browser, 1, &forged).await.is(200).json();
    assert_eq!(taken["ignored"], 1, "what it may not see: {taken}");
    let rows = closed(&world).await;
    let (units, bad, _) = total(&rows, "errors");
    assert_eq!((units, bad), (50, 0));
    assert_eq!(total(&rows, "browser:errors").1, 500);
    for row in &rows {
        let is_theirs = row.series.metric.starts_with("browser:");
        assert!(is_theirs || ["errors", "latency"].contains(&&*row.series.metric));
    }
    for name in ["browser:errors", "latency x", "", "UPPER"] {
        let mut named = outcome(1, "bad");
        named["name"] = json!(name);
        say(&world, &browser, 2, &[named])
            .await
            .fails(422, "invalid");
    }
}

#[tokio::test]
async fn a_browser_of_any_site_may_say_so_much_and_is_then_told_when_to_come_back() {
    let (world, _, browser) = shop().await;
    let some: Vec<_> = (0..1_000).map(|unit| outcome(unit, "ok")).collect();
    for sequence in 1..=10 {
        say(&world, &browser, sequence, &some).await.is(200);
    }
    let refused = say(&world, &browser, 11, &some).await;
    assert!(refused.header("retry-after").parse::<u32>().unwrap() <= 11);
    refused.fails(429, "too-many-outcomes");
    let asked = world
        .ask("OPTIONS", PATH)
        .nobody()
        .header("origin", "https://shop.test")
        .header("access-control-request-method", "POST")
        .send()
        .await
        .is(200);
    assert_eq!(asked.header("access-control-allow-origin"), "*");
    // And on no other path of the API.
    let other = world
        .ask("OPTIONS", "/api/v1/environments/prod/kill")
        .nobody()
        .header("origin", "https://shop.test")
        .header("access-control-request-method", "POST")
        .send()
        .await;
    assert!(!other.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn what_is_out_of_bounds_is_refused_by_name() {
    let (world, token, _) = shop().await;
    let too_many: Vec<_> = (0..1_001).map(|unit| outcome(unit, "ok")).collect();
    let mut endless = outcome(1, "ok");
    endless["duration_ms"] = json!(-1);
    for (outcomes, field) in [
        (too_many, "outcomes"),
        (vec![outcome(1, "ok"), endless], "outcomes[1].duration_ms"),
    ] {
        let problem = say(&world, &token, 1, &outcomes)
            .await
            .fails(422, "invalid");
        assert_eq!(problem["field"], field);
    }
    let body = json!({"instance": "a b", "sequence": 1, "outcomes": []});
    let problem = world.post(PATH, &body).token(&token).send().await;
    assert_eq!(problem.fails(422, "invalid")["field"], "instance");
    let large = format!("{{\"instance\": \"{}\"}}", "x".repeat(600_000));
    world
        .ask("POST", PATH)
        .token(&token)
        .body(large)
        .send()
        .await
        .fails(413, "too-large");
}
