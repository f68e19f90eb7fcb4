//! "Is this user in?", as the page's address asks it.

use leverframe_console::Failing;
use leverframe_console::page::Trial;
use leverframe_flags::TARGETING_KEY;
use leverframe_wire::admin::Evaluate;
use serde_json::{Map, Value as Json};

use super::visit::Visit;
use crate::admin::evaluation;
use crate::app::App;
use crate::problem::Failure;
use crate::request::parse_json;

/// What was asked about a flag, and what it answers.
pub(super) fn trial(visit: &Visit, app: &App, key: &str) -> Trial {
    let mut trial = Trial {
        unit: visit.parameter("unit").unwrap_or_default(),
        context: visit.parameter("context").unwrap_or_default(),
        ..Trial::default()
    };
    let is_asked = visit.parameter("ask").is_some();
    if !is_asked && trial.unit.is_empty() && trial.context.is_empty() {
        return trial;
    }
    let asked = context(&trial.unit, &trial.context).and_then(|context| {
        let question = Evaluate {
            flag: key.to_owned(),
            context,
            explain: true,
        };
        evaluation::answer(app, visit, visit.environment.as_str(), question)
    });
    match asked {
        Ok(answer) => trial.answer = Some(answer),
        Err(failure) => trial.failing = Some(Failing::from(failure.problem())),
    }
    trial
}

/// The context of a unit and what else is known of it: JSON, or a line for each attribute.
fn context(unit: &str, text: &str) -> Result<Map<String, Json>, Failure> {
    let text = text.trim();
    let mut context = match text.starts_with('{') {
        true => parse_json(text.as_bytes())?,
        false => lines(text)?,
    };
    if !unit.is_empty() {
        context.insert(TARGETING_KEY.to_owned(), unit.into());
    }
    Ok(context)
}

fn lines(text: &str) -> Result<Map<String, Json>, Failure> {
    let mut context = Map::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once('=').ok_or_else(|| {
            Failure::invalid(
                "context",
                format!("{line:?} is no attribute; write name=value, a line each"),
            )
        })?;
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() {
            return Err(Failure::invalid(
                "context",
                format!("{line:?} has no name before its equals sign"),
            ));
        }
        // What is a number, a boolean, a list or a quoted text is taken for one.
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        context.insert(name.to_owned(), value);
    }
    Ok(context)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_are_attributes_of_the_type_that_they_look_like() {
        let known = context(
            "u-1",
            "plan = beta\nage=18\nvip=true\nid=\"7\"\n\nroles=[\"a\"]",
        );
        let wanted = json!({"targetingKey": "u-1", "plan": "beta", "age": 18, "vip": true, "id": "7", "roles": ["a"]});
        assert_eq!(Json::Object(known.unwrap()), wanted);
        let known = context("u-1", r#"{"plan": "beta", "targetingKey": "u-0"}"#).unwrap();
        assert_eq!(known["targetingKey"], "u-1");
    }

    #[test]
    fn what_is_no_attribute_is_named() {
        for text in ["plan", "=beta", "{\"plan\"", "{\"a\":1,\"a\":2}"] {
            assert!(context("", text).is_err(), "{text}");
        }
        let failure = context("", "plan").unwrap_err();
        assert_eq!(failure.field(), Some("context"));
    }
}
