//! Sources that answer what they like: servers of ours that speak the documented interfaces, well
//! and badly.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::routing::{get, post};
use leverframe_core::rollout::{Measure, Seen};
use leverframe_node::{
    Clock, Credentials, Interval, Sampler, Secret, SourceSettings, Sources, WantedSample,
};
use serde_json::json;

use crate::outside::{Fake, endpoint, free_address, resolver};

const SECRET: &str = "hunter2/with+odd=signs";

fn sampler(name: &str, settings: SourceSettings) -> Sampler {
    let mut sources = Sources::default();
    sources.open(name, settings, &resolver()).unwrap();
    Sampler::new(sources, Clock::start())
}

fn gauge(source: &str, query: &str) -> Measure {
    Measure::Gauge {
        source: source.into(),
        query: query.into(),
        limit: 1.0,
        above: false,
        in_a_row: 3,
    }
}

fn wanted(measure: Measure) -> WantedSample {
    WantedSample {
        environment: "prod".parse().unwrap(),
        flag: "new-checkout".parse().unwrap(),
        lever_revision: 7,
        measure,
    }
}

/// The minute before now.
fn minute() -> Interval {
    Interval {
        at: Clock::start().steady().plus_ms(-60_000),
        length_ms: 60_000,
    }
}

async fn seen(sampler: &Sampler, measure: Measure) -> Seen {
    let mut sampled = sampler.sample(minute(), &[wanted(measure)]).await;
    sampled.pop().unwrap().measurement.seen
}

fn why(seen: Seen) -> String {
    match seen {
        Seen::Error { why } => why.into(),
        other => panic!("an error was expected, not {other:?}"),
    }
}

fn json_source(fake: &Fake, path: &str) -> Sampler {
    let settings = SourceSettings::Json {
        endpoint: endpoint(&[&fake.url(), path].concat()),
        credentials: None,
    };
    sampler("health", settings)
}

fn datadog(fake: &Fake) -> Sampler {
    let settings = SourceSettings::Datadog {
        endpoint: endpoint(&fake.url()),
        api_key: Secret::new(SECRET),
        application_key: Secret::new("application-key"),
    };
    sampler("dd", settings)
}

#[tokio::test]
async fn a_health_page_is_one_number_of_several_signals_even_when_it_says_503() {
    let page = json!({"status": "DOWN", "parts": {"db": "UP", "cache": "DOWN"}, "queue": 12});
    let ill = move || async move { (StatusCode::SERVICE_UNAVAILABLE, page.to_string()) };
    let fake = Fake::serve(Router::new().route("/health", get(ill))).await;
    let sampler = json_source(&fake, "/health");
    let both = "all(/parts/db = \"UP\", /parts/cache = \"UP\")";
    assert_eq!(
        seen(&sampler, gauge("health", both)).await,
        Seen::Gauge { value: 0.0 }
    );
    assert_eq!(
        seen(&sampler, gauge("health", "/queue")).await,
        Seen::Gauge { value: 12.0 }
    );
    assert_eq!(seen(&sampler, gauge("health", "/gone")).await, Seen::NoData);
    assert!(why(seen(&sampler, gauge("health", "/status")).await).contains("= \"UP\""));
}

#[tokio::test]
async fn a_health_page_that_is_none_is_an_error() {
    let router = Router::new()
        .route("/html", get(|| async { "<h1>\u{1b}[2Jhello</h1>" }))
        .route("/deep", get(|| async { "[".repeat(100_000) }))
        .route("/huge", get(|| async { "{\"a\":1e999}" }))
        .route(
            "/teapot",
            get(|| async { (StatusCode::IM_A_TEAPOT, "{\"a\":1}") }),
        )
        .route("/bytes", get(|| async { b"{\"a\":\"\xff\"}".to_vec() }));
    let fake = Fake::serve(router).await;
    for path in ["/html", "/deep", "/huge", "/teapot", "/bytes", "/missing"] {
        let told = why(seen(&json_source(&fake, path), gauge("health", "/a")).await);
        assert!(told.len() < 500, "{path}: {told}");
        assert!(!told.contains('\u{1b}'), "{path}: {told}");
    }
}

#[tokio::test]
async fn datadog_is_asked_as_its_reference_says() {
    let query = |Query(query): Query<Vec<(String, String)>>| async move {
        let text = &query[0].1;
        let series = match text.as_str() {
            "avg:a{*}" => json!([{"pointlist": [[1.0, 2.5], [2.0, 3.5], [3.0, null]]}]),
            "avg:none{*}" => json!([]),
            "avg:null{*}" => json!([{"pointlist": [[1.0, null]]}]),
            "avg:two{*} by {host}" => json!([{"pointlist": []}, {"pointlist": []}]),
            _ => return json!({"status": "error", "error": "Rule 'x' didn't match"}).to_string(),
        };
        json!({"status": "ok", "res_type": "time_series", "series": series}).to_string()
    };
    let history = |Query(query): Query<Vec<(String, String)>>| async move {
        let of = |key: &str| {
            let pair = query.iter().find(|(name, _)| name == key);
            pair.map(|(_, value)| value.clone())
        };
        let seconds = |key: &str| of(key).unwrap().parse::<i64>().unwrap();
        let budget = of("target").map(|_| json!({"custom": 41.5}));
        assert_eq!(seconds("to_ts") - seconds("from_ts"), 24 * 60 * 60);
        json!({"data": {"overall": {"sli_value": 99.95, "error_budget_remaining": budget}}})
            .to_string()
    };
    let unknown = || async { (StatusCode::NOT_FOUND, r#"{"errors":["SLO not found"]}"#) };
    let router = Router::new()
        .route("/api/v1/query", get(query))
        .route("/api/v1/slo/abc-1/history", get(history))
        .route("/api/v1/slo/none/history", get(unknown));
    let fake = Fake::serve(router).await;
    let sampler = datadog(&fake);
    for (query, expected) in [
        ("avg:a{*}", Seen::Gauge { value: 3.5 }),
        ("avg:none{*}", Seen::NoData),
        ("avg:null{*}", Seen::NoData),
        ("slo:abc-1 last 24h", Seen::Gauge { value: 99.95 }),
        ("slo:abc-1 budget 99.9 last 1d", Seen::Gauge { value: 41.5 }),
    ] {
        assert_eq!(
            seen(&sampler, gauge("dd", query)).await,
            expected,
            "{query}"
        );
    }
    for (query, said) in [
        ("avg:two{*} by {host}", "2 series"),
        ("nonsense", "didn't match"),
        ("slo:none", "404"),
        ("slo:../../x", "not understood"),
    ] {
        let told = why(seen(&sampler, gauge("dd", query)).await);
        assert!(told.contains(said), "{query}: {told}");
    }
    let calls = fake.calls();
    assert_eq!(calls[0].header("dd-api-key"), SECRET);
    assert_eq!(calls[0].header("dd-application-key"), "application-key");
}

#[tokio::test]
async fn a_secret_that_the_other_side_repeats_is_not_told_on() {
    let echo = |headers: axum::http::HeaderMap| async move {
        let said = format!("{headers:?} {SECRET} {}", SECRET.replace('/', "\\/"));
        (StatusCode::FORBIDDEN, said)
    };
    let router = Router::new()
        .route("/api/v1/query", get(echo).post(echo))
        .route("/", get(echo));
    let fake = Fake::serve(router).await;
    let basic = || {
        Some(Credentials::Basic {
            user: "ana".to_owned(),
            password: Secret::new(SECRET),
        })
    };
    let bearer = || Some(Credentials::Bearer(Secret::new(SECRET)));
    let endpoint = || endpoint(&fake.url());
    let prometheus = |credentials| SourceSettings::Prometheus {
        endpoint: endpoint(),
        credentials,
    };
    let json = |credentials| SourceSettings::Json {
        endpoint: endpoint(),
        credentials,
    };
    let samplers = [
        sampler("s", prometheus(basic())),
        sampler("s", prometheus(bearer())),
        sampler("s", json(basic())),
        sampler("s", json(bearer())),
        sampler(
            "s",
            SourceSettings::Datadog {
                endpoint: endpoint(),
                api_key: Secret::new(SECRET),
                application_key: Secret::new(SECRET),
            },
        ),
    ];
    for sampler in samplers {
        let measure = gauge("s", "/x");
        let refusal = sampler.check(&measure).await.unwrap_err();
        let seen = seen(&sampler, measure).await;
        let told = format!("{seen:?} {refusal} {refusal:?} {sampler:?}");
        assert!(told.contains("403"), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
        // As it travels in a basic authorization.
        assert!(!told.contains("YW5hOmh1bnRlcjI"), "{told}");
    }
}

#[tokio::test]
async fn settings_print_no_secret() {
    let shown = format!(
        "{:?} {:?}",
        SourceSettings::Datadog {
            endpoint: endpoint("https://api.datadoghq.eu"),
            api_key: Secret::new(SECRET),
            application_key: Secret::new(SECRET),
        },
        Credentials::Bearer(Secret::new(SECRET)),
    );
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn slow_sources_are_bounded_together_and_hold_up_nobody_else() {
    let router = Router::new()
        .route("/slow", get(std::future::pending::<String>))
        .route("/well", get(|| async { "{\"a\":1}" }));
    let fake = Fake::serve(router).await;
    let mut sources = Sources::default();
    for name in ["slow", "well"] {
        let endpoint = endpoint(&format!("{}/{name}", fake.url()));
        let endpoint = endpoint.within(Duration::from_secs(30)).unwrap();
        let settings = SourceSettings::Json {
            endpoint,
            credentials: None,
        };
        sources.open(name, settings, &resolver()).unwrap();
    }
    let sampler = Sampler::new(sources, Clock::start()).within(Duration::from_secs(1));
    let mut all = vec![wanted(gauge("well", "/a"))];
    // More than are asked at once.
    all.extend((0..100).map(|at| wanted(gauge("slow", &format!("/a{at}")))));
    let started = Instant::now();
    let sampled = sampler.sample(minute(), &all).await;
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(sampled.len(), all.len());
    for (at, sampled) in sampled.into_iter().enumerate() {
        match sampled.measurement.seen {
            Seen::Error { why } => assert!(why.contains("not answered within"), "{why}"),
            Seen::Gauge { .. } => assert_eq!(at, 0),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_query_of_several_levers_is_asked_once() {
    let fake = Fake::serve(Router::new().route("/", get(|| async { "{\"a\":1}" }))).await;
    let sampler = json_source(&fake, "/");
    let all = vec![wanted(gauge("health", "/a")); 50];
    let sampled = sampler.sample(minute(), &all).await;
    assert_eq!(sampled.len(), 50);
    assert_eq!(fake.calls().len(), 1);
    let own = Measure::Outcomes {
        name: "errors".into(),
    };
    assert_eq!(sampler.sample(minute(), &[wanted(own)]).await, []);
}

#[tokio::test]
async fn what_claims_to_be_prometheus_is_read_with_suspicion() {
    let answers = [
        ("", "does not answer like"),
        ("{}", "does not answer like"),
        (r#"{"status":"success"}"#, "without data"),
        (
            r#"{"status":"success","data":{"resultType":"vector","result":7}}"#,
            "form",
        ),
        (
            r#"{"status":"success","data":{"resultType":"string","result":[1,"x"]}}"#,
            "string",
        ),
        (
            r#"{"status":"success","warnings":["one store is away"],"data":{"resultType":"vector","result":[]}}"#,
            "in part: one store is away",
        ),
        (
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"lots"]}]}}"#,
            "no number",
        ),
    ];
    for (body, said) in answers {
        let router = Router::new().route("/base/api/v1/query", post(move || async move { body }));
        let fake = Fake::serve(router).await;
        let settings = SourceSettings::Prometheus {
            endpoint: endpoint(&format!("{}/base/", fake.url())),
            credentials: None,
        };
        let told = why(seen(&sampler("prom", settings), gauge("prom", "up")).await);
        assert!(told.contains(said), "{body}: {told}");
    }
}

#[tokio::test]
async fn a_source_that_comes_back_is_data_again() {
    let address = free_address();
    let settings = SourceSettings::Json {
        endpoint: endpoint(&format!("http://{address}/")),
        credentials: None,
    };
    let sampler = sampler("health", settings);
    let told = why(seen(&sampler, gauge("health", "/a")).await);
    assert!(told.contains("cannot be reached"), "{told}");
    let well = || Router::new().route("/", get(|| async { "{\"a\":1}" }));
    let fake = Fake::serve_at(address, well()).await;
    let up = Seen::Gauge { value: 1.0 };
    assert_eq!(seen(&sampler, gauge("health", "/a")).await, up);
    drop(fake);
}
