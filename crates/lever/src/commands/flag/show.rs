//! `lever flag show`.

use jiff::Timestamp;
use leverframe_wire::admin::{EnvironmentRules, Flag, Kind, Lever, Rule, Serve, ValueType};

use crate::arguments::flag_key;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Tone, ago, inert, paint};
use crate::session::Session;

/// Show one flag: definition, rules and levers.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The flag
    #[arg(value_name = "FLAG", value_parser = flag_key)]
    key: String,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let flag = session.client()?.flag(&args.key).await?;
    let answer =
        Answer::new(&flag, human(&flag, Timestamp::now()))?.named([flag.definition.key.clone()]);
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}

pub(super) fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Release => "release",
        Kind::Kill => "kill",
        Kind::Job => "job",
        Kind::Ops => "ops",
        Kind::Experiment => "experiment",
        Kind::Permission => "permission",
    }
}

pub(super) fn type_word(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Boolean => "boolean",
        ValueType::String => "string",
        ValueType::Integer => "integer",
        ValueType::Float => "float",
        ValueType::Object => "object",
    }
}

/// `on`, or `a 50 %, b 50 %`.
pub(super) fn serve_words(serve: &Serve) -> String {
    match serve {
        Serve::Variant(variant) => variant.clone(),
        Serve::Split { split, .. } => {
            let arms: Vec<String> = split
                .iter()
                .map(|arm| format!("{} {} %", arm.variant, arm.weight))
                .collect();
            arms.join(", ")
        }
    }
}

/// `when plan == "beta" serve on`.
pub(super) fn rule_words(rule: &Rule) -> String {
    format!("when {} serve {}", rule.when, serve_words(&rule.serve))
}

/// The rules of one environment, one a line, with the number to type.
pub(super) fn rule_lines(rules: &EnvironmentRules) -> Vec<String> {
    let mut lines: Vec<String> = rules
        .rules
        .iter()
        .enumerate()
        .map(|(index, rule)| {
            inert(&format!(
                "{}. {}  ({})",
                index + 1,
                rule_words(rule),
                rule.id
            ))
            .into_owned()
        })
        .collect();
    lines.extend(rules.prerequisites.iter().map(|prerequisite| {
        let variants = if prerequisite.variants.is_empty() {
            "not closed".to_owned()
        } else {
            prerequisite.variants.join(" or ")
        };
        inert(&format!("needs {}: {variants}", prerequisite.flag)).into_owned()
    }));
    lines
}

fn human(flag: &Flag, now: Timestamp) -> String {
    let definition = &flag.definition;
    let mut lines = vec![paint(Tone::Strong, &inert(&definition.key))];
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            lines.push(format!("  {name:<12} {}", inert(value)));
        }
    };
    if flag.archived {
        field("archived", "out of use");
    }
    field("description", &definition.description);
    field(
        "kind",
        &format!(
            "{}, {}",
            kind_word(definition.kind),
            type_word(definition.value_type)
        ),
    );
    field("owner", &definition.owner);
    field("sunset", definition.sunset.as_deref().unwrap_or_default());
    field("runbook", &definition.runbook);
    let tags: Vec<&str> = definition.tags.iter().map(String::as_str).collect();
    field("tags", &tags.join(", "));
    let variants: Vec<String> = definition
        .variants
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    field("variants", &variants.join(", "));
    field("closed", &definition.closed);
    field("open", &serve_words(&definition.open));
    field("unit", definition.unit.as_deref().unwrap_or_default());
    if definition.client_visible {
        field("clients", "may see it");
    }
    if let Some(seconds) = definition.stale_after_s {
        field("stale after", &format!("{seconds} s"));
    }
    field("closing", definition.closing.as_deref().unwrap_or_default());
    field("defined", &format!("r{}", flag.defined_revision));
    for lever in &flag.levers {
        lines.push(lever_line(lever, now));
        if let Some(rules) = definition.environments.get(&lever.environment) {
            lines.extend(
                rule_lines(rules)
                    .into_iter()
                    .map(|rule| format!("      {rule}")),
            );
        }
    }
    lines.join("\n")
}

fn lever_line(lever: &Lever, now: Timestamp) -> String {
    let mut parts = vec![format!(
        "  {:<12} {}",
        inert(&lever.environment),
        inert(&crate::commands::status::position(&lever.position))
    )];
    if let (Some(at), Some(by)) = (&lever.moved_at, &lever.moved_by) {
        parts.push(format!("{} by {}", ago(at, now), inert(by)));
    }
    if let Some(reason) = &lever.reason {
        parts.push(inert(reason).into_owned());
    }
    parts.join(" · ")
}
