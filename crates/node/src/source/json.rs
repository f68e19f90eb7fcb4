//! Any endpoint that answers with JSON, such as a health page: numbers and truths in it, picked by
//! JSON Pointers (RFC 6901) and joined into one number.
//!
//! ```text
//! /queue/depth                                    a number; true is 1 and false 0
//! /status = "UP"                                  1 when it is just this, else 0
//! all(/db/status = "UP", /cache/status = "UP")    1 when every one is true
//! any(/degraded, /maintenance)                    1 when one is
//! min(/pool/free, /disk/free)   max(…)            the smallest, the largest
//! ```

use async_trait::async_trait;
use reqwest::Method;
use serde_json::Value;

use super::{Credentials, Question, Sample, Shape, Source};
use crate::limit::SIGNALS_MAX;
use crate::outgoing::Outgoing;

/// One endpoint.
pub(super) struct Json {
    outgoing: Outgoing,
    credentials: Option<Credentials>,
}

/// How signals become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Join {
    All,
    Any,
    Min,
    Max,
}

/// A query that was understood.
#[derive(Debug, Clone, PartialEq)]
struct Query {
    join: Join,
    signals: Vec<Signal>,
}

/// A place in the answer, and what should stand there.
#[derive(Debug, Clone, PartialEq)]
struct Signal {
    pointer: String,
    wanted: Option<Value>,
}

impl Json {
    pub(super) fn new(outgoing: Outgoing, credentials: Option<Credentials>) -> Self {
        Self {
            outgoing,
            credentials,
        }
    }

    async fn ask(&self, question: &Question) -> Result<Sample, String> {
        if question.shape == Shape::Counters {
            return Err(
                "a JSON source knows only the present, and so gives no counters; use it as a gauge"
                    .to_owned(),
            );
        }
        let query = Query::parse(&question.query)?;
        let mut call = self.outgoing.call(Method::GET, &[]);
        if let Some(credentials) = &self.credentials {
            call = credentials.sign(call);
        }
        let answer = self.outgoing.send(call).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let place = self.outgoing.place();
        // 503 with a body is how a health page says that it is not well, and so is an answer.
        if !(200..300).contains(&answer.status) && answer.status != 503 {
            let status = answer.status;
            return Err(format!("{place} answered with status {status}"));
        }
        let page: Value = serde_json::from_slice(&answer.body).map_err(|_| {
            let body = self.outgoing.told(&String::from_utf8_lossy(&answer.body));
            format!("{place} does not answer with JSON: {body}")
        })?;
        query.of(&page).map_err(|why| self.outgoing.told(&why))
    }
}

#[async_trait]
impl Source for Json {
    async fn sample(&self, question: &Question) -> Sample {
        self.ask(question).await.unwrap_or_else(Sample::Error)
    }
}

impl Query {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (join, list) = match text.split_once('(') {
            Some((word, rest)) if !text.starts_with('/') => {
                let join = match word.trim() {
                    "all" => Join::All,
                    "any" => Join::Any,
                    "min" => Join::Min,
                    "max" => Join::Max,
                    _ => return Err(unclear("it begins with all(, any(, min( or max(")),
                };
                let list = rest.trim_end().strip_suffix(')');
                (
                    join,
                    list.ok_or_else(|| unclear("a ) is missing at its end"))?,
                )
            }
            _ => (Join::Max, text),
        };
        let signals: Result<Vec<_>, _> = parts(list)?.into_iter().map(Signal::parse).collect();
        let signals = signals?;
        if signals.len() > SIGNALS_MAX {
            return Err(unclear(&format!("{SIGNALS_MAX} signals are the most")));
        }
        Ok(Self { join, signals })
    }

    fn of(&self, page: &Value) -> Result<Sample, String> {
        let mut values = Vec::with_capacity(self.signals.len());
        for signal in &self.signals {
            match signal.of(page)? {
                Some(value) => values.push(value),
                // What is missing says nothing, however the others are.
                None => return Ok(Sample::NoData),
            }
        }
        let truth = |is_true: bool| if is_true { 1.0 } else { 0.0 };
        let value = match self.join {
            Join::All => truth(values.iter().all(|value| *value != 0.0)),
            Join::Any => truth(values.iter().any(|value| *value != 0.0)),
            Join::Min => values.into_iter().fold(f64::INFINITY, f64::min),
            Join::Max => values.into_iter().fold(f64::NEG_INFINITY, f64::max),
        };
        Ok(if value.is_finite() {
            Sample::Value(value)
        } else {
            Sample::NotANumber
        })
    }
}

impl Signal {
    fn parse(text: &str) -> Result<Self, String> {
        let (pointer, wanted) = match text.split_once('=') {
            Some((pointer, wanted)) => {
                let wanted = serde_json::from_str(wanted.trim())
                    .map_err(|_| unclear("behind = stands JSON, such as \"UP\", 0 or true"))?;
                (pointer, Some(wanted))
            }
            None => (text, None),
        };
        let pointer = pointer.trim();
        if !pointer.starts_with('/') {
            return Err(unclear(
                "a signal begins with /, such as /components/db/status",
            ));
        }
        Ok(Self {
            pointer: pointer.to_owned(),
            wanted,
        })
    }

    fn of(&self, page: &Value) -> Result<Option<f64>, String> {
        let found = match page.pointer(&self.pointer) {
            None | Some(Value::Null) => return Ok(None),
            Some(found) => found,
        };
        if let Some(wanted) = &self.wanted {
            return Ok(Some(if is_same(found, wanted) { 1.0 } else { 0.0 }));
        }
        match found {
            Value::Bool(is_true) => Ok(Some(f64::from(*is_true))),
            Value::Number(number) => Ok(number.as_f64()),
            other => {
                let kind = match other {
                    Value::String(_) => "a text; say which is good, as in /status = \"UP\"",
                    Value::Array(_) => "a list; point into it, as in /list/0",
                    _ => "an object; point into it",
                };
                Err(format!("at {} stands {kind}", self.pointer))
            }
        }
    }
}

/// Whether two values are the same; 1 and 1.0 are.
fn is_same(found: &Value, wanted: &Value) -> bool {
    match (found.as_f64(), wanted.as_f64()) {
        (Some(found), Some(wanted)) => found.total_cmp(&wanted).is_eq(),
        _ => found == wanted,
    }
}

/// The parts between commas, but for those inside of quotes.
fn parts(list: &str) -> Result<Vec<&str>, String> {
    let mut parts = Vec::new();
    let (mut begin, mut in_quotes, mut is_escaped) = (0, false, false);
    for (at, c) in list.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if in_quotes => is_escaped = true,
            '"' => in_quotes = !in_quotes,
            ',' if !in_quotes => {
                parts.extend(list.get(begin..at));
                begin = at + 1;
            }
            _ => {}
        }
    }
    if in_quotes {
        return Err(unclear("a \" is missing at the end of a text"));
    }
    parts.extend(list.get(begin..));
    Ok(parts)
}

fn unclear(what: &str) -> String {
    format!("the query is not understood: {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str) -> Result<Sample, String> {
        let page = serde_json::json!({
            "status": "UP, they say",
            "depth": 7,
            "share": 0.5,
            "well": true,
            "ill": false,
            "none": null,
            "parts": [{"state": "pass"}, {"state": "fail"}],
            "a/b": {"c~d": 3},
        });
        Query::parse(query).and_then(|query| query.of(&page))
    }

    #[test]
    fn numbers_truths_and_comparisons_become_numbers() {
        for (query, value) in [
            ("/depth", 7.0),
            (" /share ", 0.5),
            ("/well", 1.0),
            ("/ill", 0.0),
            ("/a~1b/c~0d", 3.0),
            ("/status = \"UP, they say\"", 1.0),
            ("/status = \"DOWN\"", 0.0),
            ("/depth = 7.0", 1.0),
            ("/parts/0/state = \"pass\"", 1.0),
            ("all(/well, /depth, /parts/0/state = \"pass\")", 1.0),
            ("all(/well, /parts/1/state = \"pass\")", 0.0),
            ("any(/ill, /status = \"UP, they say\")", 1.0),
            ("any(/ill, /ill)", 0.0),
            ("min(/depth, /share)", 0.5),
            ("max(/depth, /share)", 7.0),
        ] {
            assert_eq!(of(query), Ok(Sample::Value(value)), "{query}");
        }
    }

    #[test]
    fn what_is_missing_is_no_data_however_the_others_are() {
        for query in [
            "/nothing",
            "/none",
            "/none = 1",
            "any(/well, /nothing)",
            "all(/ill, /nothing)",
            "max(/depth, /none)",
        ] {
            assert_eq!(of(query), Ok(Sample::NoData), "{query}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_what_to_write() {
        for (query, advice) in [
            ("/status", "= \"UP\""),
            ("/parts", "/list/0"),
            ("/a~1b", "point into it"),
            ("depth", "begins with /"),
            ("", "begins with /"),
            ("sum(/depth)", "all("),
            ("all(/depth", ") is missing"),
            ("all()", "begins with /"),
            ("/status = UP", "stands JSON"),
            ("/status = \"UP", "\" is missing"),
        ] {
            let why = of(query).unwrap_err();
            assert!(why.contains(advice), "{query}: {why}");
        }
        let many = format!("all({})", vec!["/well"; SIGNALS_MAX + 1].join(","));
        assert!(of(&many).is_err());
    }
}
