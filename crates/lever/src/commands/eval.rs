//! `lever eval`: ask a flag about a context.

use leverframe_wire::admin::{Evaluate, Evaluation};
use serde_json::{Map, Value};

use crate::arguments::{PlaceArgs, flag_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Tone, inert, paint};
use crate::session::Session;

/// Ask a flag about a context.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The flag
    #[arg(value_name = "FLAG", value_parser = flag_key)]
    flag: String,

    /// The unit that buckets are computed from, such as a user
    #[arg(long, visible_alias = "unit", value_name = "ID")]
    user: Option<String>,

    /// An attribute; `42` and `true` are read as what they look like, `str:42` stays text, `json:[1]`
    /// is JSON; repeat for several
    #[arg(long, value_name = "NAME=VALUE", value_parser = attribute)]
    attr: Vec<(String, Value)>,

    /// The context as a JSON object; --user and --attr add to it
    #[arg(long, value_name = "JSON", value_parser = context)]
    context: Option<Map<String, Value>>,

    /// Tell every step of the decision
    #[arg(long)]
    explain: bool,

    #[command(flatten)]
    place: PlaceArgs,
}

const TARGETING_KEY: &str = "targetingKey";

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let environment = session.environment_to_read(&args.place)?;
    let mut context = args.context.clone().unwrap_or_default();
    context.extend(args.attr.iter().cloned());
    if let Some(user) = &args.user {
        context.insert(TARGETING_KEY.to_owned(), Value::from(user.clone()));
    }
    let evaluate = Evaluate {
        flag: args.flag.clone(),
        context,
        explain: args.explain,
    };
    let evaluation = session.client()?.evaluate(&environment, &evaluate).await?;
    let answer = Answer::new(&evaluation, human(&evaluation, &environment))?
        .named([evaluation.variant.clone()]);
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}

fn human(evaluation: &Evaluation, environment: &str) -> String {
    let rule = evaluation
        .rule
        .as_deref()
        .map(|rule| format!(" by rule {rule}"))
        .unwrap_or_default();
    let cause = evaluation
        .cause
        .as_deref()
        .map(|cause| format!(" · {cause}"))
        .unwrap_or_default();
    let mut lines = vec![format!(
        "{} = {} · {}",
        inert(&evaluation.key),
        paint(Tone::Strong, &inert(&evaluation.value.to_string())),
        inert(&format!(
            "variant {} · {}{rule} · {}{cause} · {environment} r{}",
            evaluation.variant, evaluation.reason, evaluation.arm, evaluation.revision
        )),
    )];
    lines.extend(evaluation.steps.iter().map(|step| {
        let glyph = if step.decided {
            paint(Tone::Good, "→ decided")
        } else {
            paint(Tone::Quiet, "· passed ")
        };
        format!(
            "  {glyph} {:<12} {}",
            inert(&step.step),
            inert(&step.sentence)
        )
    }));
    lines.join("\n")
}

fn attribute(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("write an attribute as name=value")?;
    Ok((name.to_owned(), typed(value)?))
}

/// A number or boolean where the text looks like one; text otherwise, or where `str:` says so.
fn typed(text: &str) -> Result<Value, String> {
    if let Some(text) = text.strip_prefix("str:") {
        return Ok(Value::from(text));
    }
    if let Some(json) = text.strip_prefix("json:") {
        return serde_json::from_str(json).map_err(|error| format!("not JSON: {error}"));
    }
    // JSON's own notion of a number: `007`, `+1` and `1e999` stay text, as does all else.
    match serde_json::from_str(text) {
        Ok(scalar @ (Value::Bool(_) | Value::Number(_))) => Ok(scalar),
        _ => Ok(Value::from(text)),
    }
}

fn context(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("a context is a JSON object: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_attribute_is_read_as_what_it_looks_like_unless_it_says_otherwise() {
        for (text, value) in [
            ("plan=beta", json!("beta")),
            ("age=42", json!(42)),
            ("score=-0.5", json!(-0.5)),
            ("beta=true", json!(true)),
            ("id=str:42", json!("42")),
            ("tags=json:[\"a\",1]", json!(["a", 1])),
            ("zip=007", json!("007")),
            ("note=null", json!("null")),
            ("formula=a=b", json!("a=b")),
            ("empty=", json!("")),
        ] {
            assert_eq!(attribute(text).unwrap().1, value, "{text}");
        }
        assert!(attribute("plan").is_err());
        assert!(attribute("=x").is_err());
        assert!(attribute("x=json:{").is_err());
    }
}
