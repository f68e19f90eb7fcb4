//! Prometheus: instant queries, each answered as of one moment.
//!
//! Counters are asked for raw, as they stand at the begin and at the end of an interval. `increase()`
//! extrapolates to the ends of its range, and so gives counts that never happened.

use async_trait::async_trait;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::Value;

use super::{Counters, Credentials, Labels, Question, Sample, Shape, Source};
use crate::limit::COUNTER_SERIES_MAX;
use crate::outgoing::{Answer, Outgoing};

/// One Prometheus.
pub(super) struct Prometheus {
    outgoing: Outgoing,
    credentials: Option<Credentials>,
}

/// The envelope of every answer of its API.
#[derive(Deserialize)]
struct Envelope {
    status: String,
    #[serde(default)]
    data: Option<Data>,
    #[serde(default, rename = "errorType")]
    error_type: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Value,
}

#[derive(Deserialize)]
struct Element {
    #[serde(default)]
    metric: Labels,
    /// Absent where the series is a native histogram.
    value: Option<Point>,
}

/// Seconds, and the value as text: JSON has no NaN.
type Point = (f64, String);

impl Prometheus {
    pub(super) fn new(outgoing: Outgoing, credentials: Option<Credentials>) -> Self {
        Self {
            outgoing,
            credentials,
        }
    }

    async fn ask(&self, question: &Question) -> Result<Sample, String> {
        let mut call = self
            .outgoing
            .call(Method::POST, &["api", "v1", "query"])
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form(question));
        if let Some(credentials) = &self.credentials {
            call = credentials.sign(call);
        }
        let answer = self.outgoing.send(call).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let data = self.data(&answer)?;
        match question.shape {
            Shape::Number => number(data),
            Shape::Counters => counters(data),
        }
    }

    fn data(&self, answer: &Answer) -> Result<Data, String> {
        let place = self.outgoing.place();
        let Ok(envelope) = serde_json::from_slice::<Envelope>(&answer.body) else {
            let body = String::from_utf8_lossy(&answer.body);
            let body = self.outgoing.told(&body);
            let status = answer.status;
            return Err(match status {
                200 => format!("{place} does not answer like Prometheus: {body}"),
                _ => format!("{place} answered with status {status}: {body}"),
            });
        };
        if envelope.status != "success" || answer.status != 200 {
            let kind = self.outgoing.told(&envelope.error_type);
            let error = self.outgoing.told(&envelope.error);
            return Err(format!("{place} refuses the query ({kind}): {error}"));
        }
        // Part of the data is missing then, and nobody can tell which part.
        if let Some(warning) = envelope.warnings.first() {
            let warning = self.outgoing.told(warning);
            return Err(format!("{place} answered in part: {warning}"));
        }
        envelope
            .data
            .ok_or_else(|| format!("{place} answered without data"))
    }
}

#[async_trait]
impl Source for Prometheus {
    async fn sample(&self, question: &Question) -> Sample {
        self.ask(question).await.unwrap_or_else(Sample::Error)
    }
}

/// The body of a query; a URL's query part is written in the same way as a form.
fn form(question: &Question) -> String {
    let ms = question.at.as_ms();
    let seconds = format!("{}.{:03}", ms.div_euclid(1_000), ms.rem_euclid(1_000));
    let Ok(mut url) = Url::parse("http://form") else {
        return String::new();
    };
    url.query_pairs_mut()
        .append_pair("query", &question.query)
        .append_pair("time", &seconds);
    url.query().unwrap_or_default().to_owned()
}

fn number(data: Data) -> Result<Sample, String> {
    let text = match data.result_type.as_str() {
        "scalar" => {
            let point: Point = serde_json::from_value(data.result).map_err(unreadable)?;
            point.1
        }
        "vector" => {
            let mut elements = elements(data.result)?;
            let Some(element) = elements.pop() else {
                return Ok(Sample::NoData);
            };
            if !elements.is_empty() {
                return Err(format!(
                    "the query gives {} series where one number is wanted; join them, such as by \
                     max(…)",
                    elements.len() + 1
                ));
            }
            value_of(element)?.1
        }
        other => return Err(wrong_type(other)),
    };
    let value = parse(&text)?;
    Ok(if value.is_finite() {
        Sample::Value(value)
    } else {
        Sample::NotANumber
    })
}

fn counters(data: Data) -> Result<Sample, String> {
    if data.result_type != "vector" {
        return Err(wrong_type(&data.result_type));
    }
    let elements = elements(data.result)?;
    if elements.is_empty() {
        return Ok(Sample::NoData);
    }
    if elements.len() > COUNTER_SERIES_MAX {
        return Err(format!(
            "the query gives {} series; {COUNTER_SERIES_MAX} are the most",
            elements.len()
        ));
    }
    let mut counters = Counters::new();
    for element in elements {
        let (labels, text) = value_of(element)?;
        let value = parse(&text)?;
        if !value.is_finite() {
            return Ok(Sample::NotANumber);
        }
        if value < 0.0 {
            return Err("a counter is never negative; ask for the counter itself".to_owned());
        }
        counters.insert(labels, value);
    }
    Ok(Sample::Counters(counters))
}

fn elements(result: Value) -> Result<Vec<Element>, String> {
    serde_json::from_value(result).map_err(unreadable)
}

fn value_of(element: Element) -> Result<(Labels, String), String> {
    let native = "the query gives a native histogram where a number is wanted";
    let (_, text) = element.value.ok_or(native)?;
    Ok((element.metric, text))
}

fn parse(text: &str) -> Result<f64, String> {
    // It writes NaN, +Inf and -Inf, which Rust reads as well.
    text.parse()
        .map_err(|_| "the answer holds a value that is no number".to_owned())
}

fn unreadable(_: serde_json::Error) -> String {
    "the answer is not in the form of an instant query".to_owned()
}

fn wrong_type(found: &str) -> String {
    let found: String = found.chars().filter(char::is_ascii_alphabetic).collect();
    format!(
        "the query gives a {found} where the state at one moment is wanted; leave out its [range]"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(result_type: &str, result: &str) -> Data {
        Data {
            result_type: result_type.to_owned(),
            result: serde_json::from_str(result).unwrap(),
        }
    }

    #[test]
    fn value_no_data_and_nan_are_three_answers() {
        let one = r#"[{"metric":{},"value":[1435781451.781,"0.25"]}]"#;
        assert_eq!(number(data("vector", one)), Ok(Sample::Value(0.25)));
        assert_eq!(
            number(data("scalar", r#"[1435781451,"7"]"#)),
            Ok(Sample::Value(7.0))
        );
        assert_eq!(number(data("vector", "[]")), Ok(Sample::NoData));
        for text in ["NaN", "+Inf", "-Inf"] {
            let not = format!(r#"[{{"metric":{{}},"value":[1,"{text}"]}}]"#);
            assert_eq!(number(data("vector", &not)), Ok(Sample::NotANumber));
            assert_eq!(counters(data("vector", &not)), Ok(Sample::NotANumber));
        }
        assert_eq!(counters(data("vector", "[]")), Ok(Sample::NoData));
    }

    #[test]
    fn what_is_not_one_number_is_an_error_that_says_what_to_write() {
        let two = r#"[{"metric":{"a":"1"},"value":[1,"1"]},{"metric":{"a":"2"},"value":[1,"1"]}]"#;
        assert!(number(data("vector", two)).unwrap_err().contains("max("));
        let matrix = number(data("matrix", "[]")).unwrap_err();
        assert!(matrix.contains("[range]"), "{matrix}");
        let histogram = r#"[{"metric":{},"histogram":[1,{}]}]"#;
        assert!(number(data("vector", histogram)).is_err());
        let negative = r#"[{"metric":{},"value":[1,"-1"]}]"#;
        assert!(counters(data("vector", negative)).is_err());
        for odd in ["{}", "7", r#"[{"value":[1]}]"#, r#"[{"value":["x","1"]}]"#] {
            assert!(number(data("vector", odd)).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_query_is_sent_as_a_form_with_its_moment() {
        let question = Question {
            query: "a{b=\"c&d\"} + 1".into(),
            shape: Shape::Number,
            at: leverframe_core::Timestamp::from_ms(1_700_000_000_045),
        };
        assert_eq!(
            form(&question),
            "query=a%7Bb%3D%22c%26d%22%7D+%2B+1&time=1700000000.045"
        );
    }
}
