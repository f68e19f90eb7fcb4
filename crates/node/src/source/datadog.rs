//! Datadog: metric queries (`GET /api/v1/query`) and service-level objectives
//! (`GET /api/v1/slo/{id}/history`), as its public reference describes them.
//!
//! ```text
//! avg:system.cpu.user{service:shop}       the latest point of the last five minutes
//! slo:0123abcd                            the indicator of the last hour, in per cent
//! slo:0123abcd last 24h                   of the last day
//! slo:0123abcd budget 99.9 last 7d        what is left of the error budget, in per cent
//! ```

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use super::credentials::secret_header;
use super::{Question, Sample, Shape, Source};
use crate::outgoing::{Outgoing, Secret};

/// How far back a metric query looks for its latest point.
const METRIC_SPAN: Duration = Duration::from_secs(5 * 60);
/// How far back an objective looks when the query does not say.
const OBJECTIVE_SPAN: Duration = Duration::from_secs(60 * 60);
/// How far back an objective may look.
const OBJECTIVE_DAYS_MAX: u64 = 90;

/// One account.
pub(super) struct Datadog {
    outgoing: Outgoing,
    api_key: Secret,
    application_key: Secret,
}

#[derive(Deserialize)]
struct Series {
    #[serde(default)]
    pointlist: Vec<(f64, Option<f64>)>,
}

#[derive(Deserialize)]
struct Points {
    #[serde(default)]
    status: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    series: Vec<Series>,
}

/// A service-level objective that is asked about.
#[derive(Debug, Clone, PartialEq)]
struct Objective {
    id: String,
    span: Duration,
    /// Of which target what is left of the budget is wanted.
    budget_of: Option<f64>,
}

impl Datadog {
    pub(super) fn new(outgoing: Outgoing, api_key: Secret, application_key: Secret) -> Self {
        Self {
            outgoing,
            api_key,
            application_key,
        }
    }

    async fn ask(&self, question: &Question) -> Result<Sample, String> {
        if question.shape == Shape::Counters {
            return Err("a Datadog source gives gauges, not counters".to_owned());
        }
        match question.query.trim().strip_prefix("slo:") {
            Some(text) => self.objective(&Objective::parse(text)?, question).await,
            None => self.metric(question).await,
        }
    }

    async fn metric(&self, question: &Question) -> Result<Sample, String> {
        let (from, to) = window(question, METRIC_SPAN);
        let query = [
            ("query", question.query.to_string()),
            ("from", from),
            ("to", to),
        ];
        let body = self.get(&["api", "v1", "query"], &query).await?;
        let points: Points = serde_json::from_value(body).map_err(|_| self.unlike())?;
        if points.status == "error" || !points.error.is_empty() {
            let why = self.outgoing.told(&points.error);
            return Err(format!(
                "{} refuses the query: {why}",
                self.outgoing.place()
            ));
        }
        let [series] = points.series.as_slice() else {
            return match points.series.len() {
                0 => Ok(Sample::NoData),
                several => Err(format!(
                    "the query gives {several} series where one number is wanted; leave out its \
                     \"by {{…}}\""
                )),
            };
        };
        let latest = series.pointlist.iter().rev().find_map(|point| point.1);
        Ok(latest.map_or(Sample::NoData, Sample::Value))
    }

    async fn objective(&self, asked: &Objective, question: &Question) -> Result<Sample, String> {
        let (from, to) = window(question, asked.span);
        let mut query = vec![("from_ts", from), ("to_ts", to)];
        if let Some(target) = asked.budget_of {
            query.push(("target", target.to_string()));
        }
        let path = ["api", "v1", "slo", &asked.id, "history"];
        let body = self.get(&path, &query).await?;
        let problems = body.get("errors").and_then(Value::as_array);
        if let Some(problem) = problems.and_then(|problems| problems.first()) {
            let text = problem.get("error").unwrap_or(problem);
            let why = self.outgoing.told(text.as_str().unwrap_or_default());
            return Err(format!("{}: {why}", self.outgoing.place()));
        }
        let overall = body.pointer("/data/overall").ok_or_else(|| self.unlike())?;
        let found = match asked.budget_of {
            Some(_) => overall.pointer("/error_budget_remaining/custom"),
            None => overall.get("sli_value"),
        };
        match found {
            None | Some(Value::Null) => Ok(Sample::NoData),
            Some(value) => value
                .as_f64()
                .map(Sample::Value)
                .ok_or_else(|| self.unlike()),
        }
    }

    async fn get(&self, path: &[&str], query: &[(&str, String)]) -> Result<Value, String> {
        let call = self.outgoing.call(Method::GET, path).query(query);
        let call = secret_header(call, "dd-api-key", &self.api_key);
        let call = secret_header(call, "dd-application-key", &self.application_key);
        let answer = self.outgoing.send(call).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if answer.status == 200 {
            return serde_json::from_slice(&answer.body).map_err(|_| self.unlike());
        }
        let place = self.outgoing.place();
        let said = self.outgoing.told(&String::from_utf8_lossy(&answer.body));
        Err(match answer.status {
            403 => format!("{place} does not accept the keys (403): {said}"),
            429 => format!("{place} is asked too often (429)"),
            status => format!("{place} answered with status {status}: {said}"),
        })
    }

    fn unlike(&self) -> String {
        format!("{} does not answer like Datadog", self.outgoing.place())
    }
}

#[async_trait]
impl Source for Datadog {
    async fn sample(&self, question: &Question) -> Sample {
        match self.ask(question).await {
            Ok(Sample::Value(value)) if !value.is_finite() => Sample::NotANumber,
            Ok(sample) => sample,
            Err(why) => Sample::Error(why),
        }
    }
}

/// From when to when, in whole seconds.
fn window(question: &Question, span: Duration) -> (String, String) {
    let to = question.at.as_ms().div_euclid(1_000);
    let from = to.saturating_sub_unsigned(span.as_secs());
    (from.to_string(), to.to_string())
}

impl Objective {
    fn parse(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let id = words.next().unwrap_or_default();
        // It becomes part of a path.
        let is_id = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if id.is_empty() || !id.chars().all(is_id) {
            return Err(unclear("behind slo: stands the id of an objective"));
        }
        let mut objective = Self {
            id: id.to_owned(),
            span: OBJECTIVE_SPAN,
            budget_of: None,
        };
        while let Some(word) = words.next() {
            let value = words.next().unwrap_or_default();
            match word {
                "last" => objective.span = span(value)?,
                "budget" => {
                    let target: Option<f64> = value.parse().ok();
                    let target = target.filter(|target| *target > 0.0 && *target < 100.0);
                    let advice = "behind budget stands the target in per cent, such as 99.9";
                    objective.budget_of = Some(target.ok_or_else(|| unclear(advice))?);
                }
                _ => return Err(unclear("it is slo:ID, then budget TARGET and last SPAN")),
            }
        }
        Ok(objective)
    }
}

fn span(text: &str) -> Result<Duration, String> {
    let seconds = |unit: &str, seconds: u64| {
        let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
        count.checked_mul(seconds)
    };
    let found = seconds("m", 60)
        .or_else(|| seconds("h", 60 * 60))
        .or_else(|| seconds("d", 24 * 60 * 60))
        .filter(|seconds| (1..=OBJECTIVE_DAYS_MAX * 24 * 60 * 60).contains(seconds));
    let advice = "behind last stands a span of up to 90 days, such as 30m, 24h or 7d";
    found
        .map(Duration::from_secs)
        .ok_or_else(|| unclear(advice))
}

fn unclear(what: &str) -> String {
    format!("the query is not understood: {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objective_is_asked_for_its_indicator_or_its_budget() {
        let plain = Objective::parse("0123-abcd").unwrap();
        assert_eq!((plain.span, plain.budget_of), (OBJECTIVE_SPAN, None));
        let budget = Objective::parse("x budget 99.9 last 7d").unwrap();
        assert_eq!(budget.budget_of, Some(99.9));
        assert_eq!(budget.span, Duration::from_secs(7 * 24 * 60 * 60));
    }

    #[test]
    fn an_objective_that_is_unclear_is_refused() {
        for text in [
            "",
            "../../secrets",
            "a/b",
            "x last",
            "x last 0m",
            "x last 91d",
            "x last soon",
            "x budget 100",
            "x budget",
            "x sum",
            "x last 99999999999999999999d",
        ] {
            assert!(Objective::parse(text).is_err(), "{text}");
        }
    }
}
