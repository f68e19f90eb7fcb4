//! Reads everything at the moment of a scrape.

use std::fmt;
use std::sync::atomic::Ordering;

use leverframe_node::{DurationsSnapshot, Feed};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use super::counters::Ofrep;
use crate::app::App;
use crate::auth::{May, ReadMetrics};

pub(super) struct Figures {
    app: App,
    /// Whose environments are told; every one for nobody in particular.
    reader: Option<May<ReadMetrics>>,
}

impl Figures {
    pub(super) fn new(app: App, reader: Option<May<ReadMetrics>>) -> Self {
        Self { app, reader }
    }

    fn tells(&self, feed: &Feed) -> bool {
        self.reader.as_ref().is_none_or(|reader| {
            reader
                .token()
                .allows_environment(feed.environment().as_str())
        })
    }
}

impl fmt::Debug for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Figures")
    }
}

/// How one environment's roll stands.
struct Roll {
    environment: String,
    revision: u64,
    expected: u64,
    connected: u64,
    current: u64,
}

impl Roll {
    fn of(feed: &Feed, epoch: u64) -> Self {
        let revision = feed.revision();
        let mut roll = Self {
            environment: feed.environment().to_string(),
            revision,
            expected: 0,
            connected: 0,
            current: 0,
        };
        for member in feed.presence().members() {
            let has = member
                .acknowledged
                .as_ref()
                .map(|has| (has.epoch, has.revision));
            roll.connected += u64::from(member.is_connected);
            roll.expected += u64::from(member.counts);
            roll.current += u64::from(member.counts && has >= Some((epoch, revision)));
        }
        roll
    }
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let node = self.app.node();
        let figures = node.measurements();
        let now = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        counter(
            &mut encoder,
            "commits",
            "Durable appends to the journal",
            now(&figures.commits),
        )?;
        counter(
            &mut encoder,
            "commit_failures",
            "Appends that failed",
            now(&figures.commit_failures),
        )?;
        counter(
            &mut encoder,
            "records",
            "Records appended",
            now(&figures.records),
        )?;
        counter(
            &mut encoder,
            "frames",
            "Frames put out",
            now(&figures.frames),
        )?;
        counter(
            &mut encoder,
            "snapshots",
            "Snapshots encoded",
            now(&figures.snapshots),
        )?;
        counter(
            &mut encoder,
            "refused_connections",
            "Connections turned away because the server was full",
            self.app.counters.refused_connections_so_far(),
        )?;
        durations(
            &mut encoder,
            "commit",
            "How long a durable append took",
            &figures.commit_seconds.snapshot(),
        )?;
        durations(
            &mut encoder,
            "confirm",
            "From a request to its last acknowledgement",
            &figures.confirm_seconds.snapshot(),
        )?;
        durations(
            &mut encoder,
            "canary_confirm",
            "From a close of the server's own lever to its last acknowledgement",
            &figures.canary_seconds.snapshot(),
        )?;
        counter(
            &mut encoder,
            "canary_failures",
            "Pulls of the server's own lever that failed",
            now(&figures.canary_failures),
        )?;
        durations(
            &mut encoder,
            "rollout_tick_lag",
            "How late the rollouts were looked at",
            &figures.tick_lag_seconds.snapshot(),
        )?;
        durations(
            &mut encoder,
            "rollout_tick",
            "How long looking at all rollouts took",
            &figures.tick_seconds.snapshot(),
        )?;
        let state = node.state();
        gauge(
            &mut encoder,
            "rollouts_running",
            "Rollouts that run",
            state.running().count() as u64,
        )?;
        gauge(
            &mut encoder,
            "journal_revision",
            "The journal's head",
            state.revision(),
        )?;
        gauge(
            &mut encoder,
            "journal_epoch",
            "The journal's epoch",
            state.epoch(),
        )?;
        gauge(
            &mut encoder,
            "writable",
            "Whether the last change could be stored",
            u64::from(node.health().writable),
        )?;
        gauge(
            &mut encoder,
            "streams",
            "Open evaluator streams",
            self.app.connections.count() as u64,
        )?;
        gauge(
            &mut encoder,
            "notice_streams",
            "Open change-notice streams",
            self.app.counters.notices_open(),
        )?;
        let mut feeds = node.feeds();
        feeds.retain(|feed| self.tells(feed));
        let rolls: Vec<Roll> = feeds
            .iter()
            .map(|feed| Roll::of(feed, state.epoch()))
            .collect();
        by_environment(
            &mut encoder,
            "environment_revision",
            "What evaluators should have",
            &rolls,
            |roll| roll.revision,
        )?;
        by_environment(
            &mut encoder,
            "evaluators_expected",
            "Evaluators that count",
            &rolls,
            |roll| roll.expected,
        )?;
        by_environment(
            &mut encoder,
            "evaluators_connected",
            "Evaluators that are connected",
            &rolls,
            |roll| roll.connected,
        )?;
        by_environment(
            &mut encoder,
            "evaluators_current",
            "Evaluators that have the revision",
            &rolls,
            |roll| roll.current,
        )?;
        self.canaries(&mut encoder)?;
        self.ofrep(&mut encoder)?;
        evaluations(&mut encoder, &feeds)
    }
}

impl Figures {
    fn canaries(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let node = self.app.node();
        let now = node.steady_now();
        let mut family = encoder.encode_descriptor(
            "canary_success_age",
            "How long ago everybody last followed the server's own lever closed and open",
            Some(&Unit::Seconds),
            MetricType::Gauge,
        )?;
        for (environment, canary) in node.canaries() {
            let feed = node.feed(environment.as_str());
            let is_told = feed.is_some_and(|feed| self.tells(&feed));
            if let Some(at) = canary.last_success.filter(|_| is_told) {
                let labels = [("environment", environment.as_str())];
                let age_s = now.ms_since(at) / 1_000;
                ConstGauge::new(age_s).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }

    fn ofrep(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut family = encoder.encode_descriptor(
            "ofrep_requests",
            "OFREP requests by how they ended",
            None,
            MetricType::Counter,
        )?;
        for outcome in Ofrep::ALL {
            let count = ConstCounter::new(self.app.counters.ofrep_of(outcome));
            count.encode(family.encode_family(&[("outcome", outcome.as_str())])?)?;
        }
        Ok(())
    }
}

fn evaluations(encoder: &mut DescriptorEncoder<'_>, feeds: &[std::sync::Arc<Feed>]) -> fmt::Result {
    let mut family = encoder.encode_descriptor(
        "evaluations",
        "Evaluations as evaluators report them",
        None,
        MetricType::Counter,
    )?;
    for feed in feeds {
        for pair in feed.counts().all() {
            let labels = [
                ("environment", feed.environment().as_str()),
                ("flag", &pair.flag),
                ("variant", &pair.variant),
            ];
            ConstCounter::new(pair.count).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    ConstCounter::new(value).encode(encoder.encode_descriptor(
        name,
        help,
        None,
        MetricType::Counter,
    )?)
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let value = i64::try_from(value).unwrap_or(i64::MAX);
    ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
}

fn by_environment(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    rolls: &[Roll],
    value: impl Fn(&Roll) -> u64,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for roll in rolls {
        let labels = [("environment", roll.environment.as_str())];
        let value = i64::try_from(value(roll)).unwrap_or(i64::MAX);
        ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn durations(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    figures: &DurationsSnapshot,
) -> fmt::Result {
    // The encoder wants each bucket by itself and the last one without a bound.
    let mut below = 0;
    let mut buckets: Vec<(f64, u64)> = figures
        .buckets
        .iter()
        .map(|(bound, at_most)| {
            let own = at_most.saturating_sub(below);
            below = *at_most;
            (*bound, own)
        })
        .collect();
    buckets.push((f64::INFINITY, figures.count.saturating_sub(below)));
    encoder
        .encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?
        .encode_histogram::<[(&str, &str); 0]>(figures.sum_s, figures.count, &buckets, None)
}
