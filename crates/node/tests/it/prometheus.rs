//! The real Prometheus of Debian, which scrapes an application of ours.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use leverframe_core::Timestamp;
use leverframe_core::analysis::Tally;
use leverframe_core::rollout::{Measure, Seen};
use leverframe_node::{Clock, Interval, Sampler, SourceSettings, Sources, Unusable, WantedSample};

use crate::outside::{Fake, Program, endpoint, free_address, resolver, until};

/// How the counters of one instance stand: exposed, bad among them, held back, bad among them.
pub(crate) type Counters = [u64; 4];

/// An application with two instances, and a Prometheus that scrapes both.
pub(crate) struct World {
    instances: [Arc<Mutex<Option<Counters>>>; 2],
    _apps: [Fake; 2],
    place: tempfile::TempDir,
    address: SocketAddr,
    pub(crate) prometheus: Program,
    clock: Clock,
}

impl World {
    pub(crate) async fn start() -> Self {
        let instances = [(); 2].map(|()| Arc::new(Mutex::new(Some([0, 0, 0, 0]))));
        let apps = [app(&instances[0]).await, app(&instances[1]).await];
        let place = tempfile::tempdir().unwrap();
        let targets = format!("{}, {}", apps[0].address, apps[1].address);
        let config = format!(
            "global: {{scrape_interval: 100ms, scrape_timeout: 100ms}}\n\
             scrape_configs: [{{job_name: app, static_configs: [{{targets: [{targets}]}}]}}]\n"
        );
        std::fs::write(place.path().join("prometheus.yml"), config).unwrap();
        let address = free_address();
        let prometheus = start(address, &place);
        let world = Self {
            instances,
            _apps: apps,
            place,
            address,
            prometheus,
            clock: Clock::start(),
        };
        world.scraped([0, 0, 0, 0]).await;
        world
    }

    pub(crate) fn sources(&self) -> Sources {
        let mut sources = Sources::default();
        let settings = SourceSettings::Prometheus {
            endpoint: endpoint(&format!("http://{}", self.address)),
            credentials: None,
        };
        sources.open("prom", settings, &resolver()).unwrap();
        sources
    }

    fn sampler(&self) -> Sampler {
        Sampler::new(self.sources(), self.clock.clone())
    }

    /// Sets the counters of both instances, and waits until Prometheus has the sums.
    pub(crate) async fn set(&self, instances: [Counters; 2]) {
        for (instance, counters) in self.instances.iter().zip(instances) {
            *instance.lock().unwrap() = Some(counters);
        }
        let sums = [0, 1, 2, 3].map(|at| instances[0][at] + instances[1][at]);
        self.scraped(sums).await;
    }

    async fn scraped(&self, sums: Counters) {
        until("Prometheus has scraped", || async {
            for (query, sum) in queries().iter().zip(sums) {
                let seen = self.gauge(&format!("sum({query})")).await;
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let expected = Seen::Gauge { value: sum as f64 };
                if seen != expected {
                    return None;
                }
            }
            Some(())
        })
        .await;
    }

    async fn gauge(&self, query: &str) -> Seen {
        let interval = Interval {
            at: self.clock.steady(),
            length_ms: 0,
        };
        one(&self.sampler(), gauge(query), interval).await
    }

    /// From a moment until now.
    fn since(&self, at: Timestamp) -> Interval {
        let length_ms = self.clock.steady().ms_since(at);
        Interval { at, length_ms }
    }
}

fn start(address: SocketAddr, place: &tempfile::TempDir) -> Program {
    let arguments = [
        "--config.file=prometheus.yml".to_owned(),
        "--storage.tsdb.path=data".to_owned(),
        format!("--web.listen-address={address}"),
        "--log.level=warn".to_owned(),
    ];
    Program::start(
        "/usr/bin/prometheus",
        "prometheus",
        &arguments,
        place.path(),
    )
}

async fn app(counters: &Arc<Mutex<Option<Counters>>>) -> Fake {
    let counters = Arc::clone(counters);
    let metrics = move || {
        let counters = *counters.lock().unwrap();
        async move {
            let Some([exposed, exposed_bad, held, held_bad]) = counters else {
                return Err(axum::http::StatusCode::SERVICE_UNAVAILABLE);
            };
            Ok(format!(
                "# TYPE requests_total counter\n\
                 requests_total{{arm=\"exposed\"}} {exposed}\n\
                 requests_total{{arm=\"held-back\"}} {held}\n\
                 # TYPE failures_total counter\n\
                 failures_total{{arm=\"exposed\"}} {exposed_bad}\n\
                 failures_total{{arm=\"held-back\"}} {held_bad}\n\
                 # TYPE queue_depth gauge\n\
                 queue_depth 7\n"
            ))
        }
    };
    Fake::serve(Router::new().route("/metrics", get(metrics))).await
}

fn queries() -> [String; 4] {
    [
        r#"requests_total{arm="exposed"}"#.to_owned(),
        r#"failures_total{arm="exposed"}"#.to_owned(),
        r#"requests_total{arm="held-back"}"#.to_owned(),
        r#"failures_total{arm="held-back"}"#.to_owned(),
    ]
}

fn counters() -> Measure {
    let [exposed, exposed_bad, held_back, held_back_bad] = queries().map(Box::from);
    Measure::Counters {
        source: "prom".into(),
        exposed,
        exposed_bad,
        held_back,
        held_back_bad,
        convicts: false,
    }
}

fn gauge(query: &str) -> Measure {
    Measure::Gauge {
        source: "prom".into(),
        query: query.into(),
        limit: 1.0,
        above: false,
        in_a_row: 3,
    }
}

async fn one(sampler: &Sampler, measure: Measure, interval: Interval) -> Seen {
    let wanted = WantedSample {
        environment: "prod".parse().unwrap(),
        flag: "new-checkout".parse().unwrap(),
        lever_revision: 7,
        measure,
    };
    let mut sampled = sampler.sample(interval, &[wanted]).await;
    sampled.pop().unwrap().measurement.seen
}

fn units(exposed: (u64, u64), held_back: (u64, u64)) -> Seen {
    let tally = |(units, bad)| Tally { units, bad };
    Seen::Units {
        exposed: tally(exposed),
        held_back: tally(held_back),
        assigned: Tally::default(),
        late: (0, 0),
        arrivals: None,
        is_approximate: true,
    }
}

#[tokio::test]
async fn counts_of_an_interval_are_exact_through_a_restart_of_an_instance() {
    let world = World::start().await;
    world
        .set([[100, 10, 1_000, 10], [100, 10, 1_000, 10]])
        .await;
    let begin = world.clock.steady();
    // One instance goes on, the other begins anew.
    world.set([[190, 15, 1_900, 15], [20, 2, 200, 2]]).await;
    let seen = one(&world.sampler(), counters(), world.since(begin)).await;
    // Ninety and twenty; and two requests count as one before their spread is known.
    assert_eq!(seen, units((55, 3), (550, 3)));
}

#[tokio::test]
async fn value_no_data_nan_and_a_bad_query_are_four_outcomes() {
    let world = World::start().await;
    let seen = world.gauge("max(queue_depth)").await;
    assert_eq!(seen, Seen::Gauge { value: 7.0 });
    assert_eq!(world.gauge("no_such_metric").await, Seen::NoData);
    let nan = world
        .gauge("sum(failures_total) / sum(requests_total)")
        .await;
    assert!(matches!(nan, Seen::Untrusted { why } if why.contains("NaN")));
    let Seen::Error { why } = world.gauge("sum(").await else {
        panic!("a bad query is an error");
    };
    assert!(why.contains("bad_data"), "{why}");
    assert!(why.contains("parse error"), "{why}");
}

#[tokio::test]
async fn what_cannot_be_sampled_is_refused_with_what_is_wrong() {
    let world = World::start().await;
    let sampler = world.sampler();
    assert_eq!(sampler.check(&counters()).await, Ok(()));
    assert_eq!(sampler.check(&gauge("max(queue_depth)")).await, Ok(()));
    // Nobody is exposed yet: nothing there is fine.
    assert_eq!(sampler.check(&gauge("no_such_metric")).await, Ok(()));
    for bad in ["sum(", "queue_depth", "queue_depth[5m]"] {
        let refusal = sampler.check(&gauge(bad)).await.unwrap_err();
        assert!(matches!(refusal, Unusable::Fails { .. }), "{refusal}");
    }
    let elsewhere = Measure::Gauge {
        source: "grafana".into(),
        query: "up".into(),
        limit: 1.0,
        above: false,
        in_a_row: 1,
    };
    let refusal = sampler.check(&elsewhere).await.unwrap_err().to_string();
    assert_eq!(
        refusal,
        "there is no source grafana; the server's file names prom"
    );
    let mut world = world;
    world.prometheus.kill();
    let refusal = world.sampler().check(&counters()).await.unwrap_err();
    let told = refusal.to_string();
    assert!(told.contains("cannot be reached"), "{told}");
}

#[tokio::test]
async fn a_prometheus_that_dies_is_an_error_and_afterwards_goes_on() {
    let mut world = World::start().await;
    world.set([[100, 1, 100, 1], [100, 1, 100, 1]]).await;
    let begin = world.clock.steady();
    world.prometheus.kill();
    let seen = one(&world.sampler(), counters(), world.since(begin)).await;
    assert!(matches!(seen, Seen::Error { .. }), "{seen:?}");
    world.prometheus = start(world.address, &world.place);
    let late = [[200, 2, 200, 2], [200, 2, 200, 2]];
    world.set(late).await;
    // What it kept on its disk still says where the counters stood before it died.
    let seen = one(&world.sampler(), counters(), world.since(begin)).await;
    assert_eq!(seen, units((100, 1), (100, 1)));
}

#[tokio::test]
async fn an_application_that_cannot_be_scraped_is_no_data_in_the_end() {
    let world = World::start().await;
    world.set([[100, 1, 100, 1], [100, 1, 100, 1]]).await;
    for instance in &world.instances {
        *instance.lock().unwrap() = None;
    }
    let begin = world.clock.steady();
    until("the series are stale", || async {
        let seen = one(&world.sampler(), counters(), world.since(begin)).await;
        (seen == Seen::NoData).then_some(())
    })
    .await;
}

#[tokio::test]
async fn counters_that_stand_still_are_no_data_after_three_intervals() {
    let world = World::start().await;
    world.set([[100, 1, 100, 1], [100, 1, 100, 1]]).await;
    let sampler = world.sampler();
    let mut at = world.clock.steady();
    let mut seen = Vec::new();
    for _ in 0..4 {
        let end = until("the clock went on", || async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let now = world.clock.steady();
            (now > at).then_some(now)
        })
        .await;
        let interval = Interval {
            at,
            length_ms: end.ms_since(at),
        };
        seen.push(one(&sampler, counters(), interval).await);
        at = end;
    }
    let still = units((0, 0), (0, 0));
    assert_eq!(seen, [still.clone(), still, Seen::NoData, Seen::NoData]);
}
