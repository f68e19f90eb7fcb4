//! `lever flag rule …`: the rules of a flag in one environment.

use clap::Subcommand;
use leverframe_wire::admin::{AddRule, Flag, MoveRule, Removal, Rule, Serve};
use serde_json::json;

use super::show::{rule_lines, rule_words};
use crate::api::{Attempt, Client};
use crate::arguments::{ChangeArgs, PlaceArgs, condition, flag_key, serve};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Tone, inert, paint};
use crate::receipt;
use crate::session::Session;

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a rule, the last unless --at says otherwise
    Add(AddArgs),
    /// List rules in the order in which they are tried
    List(ListArgs),
    /// Remove a rule
    Remove(RemoveArgs),
    /// Give a rule another place in the order
    Move(MoveArgs),
}

/// Which flag, where.
#[derive(Debug, clap::Args)]
pub(crate) struct FlagPlace {
    /// The flag
    #[arg(value_name = "FLAG", value_parser = flag_key)]
    flag: String,

    #[command(flatten)]
    place: PlaceArgs,
}

/// Add a rule, the last unless --at says otherwise.
#[derive(Debug, clap::Args)]
pub(crate) struct AddArgs {
    #[command(flatten)]
    flag: FlagPlace,

    /// The condition: 'plan == "beta" and country in ["NO","SE"]'
    #[arg(long, value_name = "CONDITION", value_parser = condition)]
    when: String,

    /// What contexts that meet it get: a variant, or a split such as a=50,b=50
    #[arg(long, value_name = "SERVE", value_parser = serve)]
    serve: Serve,

    /// The number it will have, from 1
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    at: Option<usize>,

    /// Its name; the server makes one when absent
    #[arg(long, value_name = "ID")]
    id: Option<String>,

    #[command(flatten)]
    change: ChangeArgs,
}

/// List rules in the order in which they are tried.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    flag: FlagPlace,
}

/// Remove a rule.
#[derive(Debug, clap::Args)]
pub(crate) struct RemoveArgs {
    #[command(flatten)]
    flag: FlagPlace,

    /// The rule: its name, or its number from `rule list`
    #[arg(value_name = "RULE")]
    rule: String,

    #[command(flatten)]
    change: ChangeArgs,
}

/// Give a rule another place in the order.
#[derive(Debug, clap::Args)]
pub(crate) struct MoveArgs {
    #[command(flatten)]
    flag: FlagPlace,

    /// The rule: its name, or its number from `rule list`
    #[arg(value_name = "RULE")]
    rule: String,

    /// The number it will have, from 1
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    to: usize,

    #[command(flatten)]
    change: ChangeArgs,
}

/// Reads a number from 1 and gives an index from 0.
fn number(text: &str) -> Result<usize, String> {
    text.parse::<usize>()
        .ok()
        .and_then(|number| number.checked_sub(1))
        .ok_or_else(|| "the first rule is number 1".to_owned())
}

pub(crate) async fn run(session: &Session, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Add(args) => add(session, &args).await,
        Command::List(args) => list(session, &args).await,
        Command::Remove(args) => remove(session, &args).await,
        Command::Move(args) => reorder(session, &args).await,
    }
}

async fn add(session: &Session, args: &AddArgs) -> Result<Exit, Failure> {
    let client = session.client()?;
    let target = Target::find(session, &client, &args.flag).await?;
    let rule = Rule {
        id: args.id.clone().unwrap_or_default(),
        when: args.when.clone(),
        serve: args.serve.clone(),
    };
    let receipt = session
        .reasoned(args.change.why(), async |why| {
            let rule = AddRule {
                rule: rule.clone(),
                at: args.at,
                why,
            };
            let attempt = target.attempt(&args.change);
            client
                .add_rule(&args.flag.flag, &target.environment, &rule, attempt)
                .await
        })
        .await?;
    let number = args.at.unwrap_or(target.rules().len()) + 1;
    let part = format!(
        "{}: rule {number} is now: {}",
        target.environment,
        rule_words(&rule)
    );
    receipt::tell_parts(session, &receipt, &[part])
}

async fn remove(session: &Session, args: &RemoveArgs) -> Result<Exit, Failure> {
    let client = session.client()?;
    let target = Target::find(session, &client, &args.flag).await?;
    let (number, rule) = target.rule(&args.rule)?;
    let receipt = session
        .reasoned(args.change.why(), async |why| {
            client
                .remove_rule(
                    &args.flag.flag,
                    &target.environment,
                    &rule.id,
                    &Removal { why },
                    target.attempt(&args.change),
                )
                .await
        })
        .await?;
    let part = format!(
        "{}: rule {number} is gone: {}",
        target.environment,
        rule_words(rule)
    );
    receipt::tell_parts(session, &receipt, &[part])
}

async fn reorder(session: &Session, args: &MoveArgs) -> Result<Exit, Failure> {
    let client = session.client()?;
    let target = Target::find(session, &client, &args.flag).await?;
    let (number, rule) = target.rule(&args.rule)?;
    let receipt = session
        .reasoned(args.change.why(), async |why| {
            let to = MoveRule { to: args.to, why };
            client
                .move_rule(
                    &args.flag.flag,
                    &target.environment,
                    &rule.id,
                    &to,
                    target.attempt(&args.change),
                )
                .await
        })
        .await?;
    let part = format!(
        "{}: rule {number} is now rule {}: {}",
        target.environment,
        args.to + 1,
        rule_words(rule)
    );
    receipt::tell_parts(session, &receipt, &[part])
}

async fn list(session: &Session, args: &ListArgs) -> Result<Exit, Failure> {
    let flag = session.client()?.flag(&args.flag.flag).await?;
    let wanted = session.environment_if_named(&args.flag.place);
    let mut items = Vec::new();
    let mut names = Vec::new();
    let mut human = Vec::new();
    for (environment, rules) in &flag.definition.environments {
        if wanted.as_ref().is_some_and(|wanted| wanted != environment) {
            continue;
        }
        human.push(paint(Tone::Strong, &inert(environment)));
        human.extend(
            rule_lines(rules)
                .into_iter()
                .map(|line| format!("  {line}")),
        );
        for (index, rule) in rules.rules.iter().enumerate() {
            names.push(rule.id.clone());
            items.push(json!({
                "environment": environment, "number": index + 1,
                "id": rule.id, "when": rule.when, "serve": rule.serve,
            }));
        }
    }
    if human.is_empty() {
        human.push("there are no rules".to_owned());
    }
    let document = json!({"flag": flag.definition.key, "rules": items});
    let answer = Answer::new(&document, human.join("\n"))?
        .listing(&items)?
        .named(names);
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}

/// The rules that are to be changed, as they were seen.
struct Target {
    flag: Flag,
    environment: String,
}

impl Target {
    async fn find(session: &Session, client: &Client, place: &FlagPlace) -> Result<Self, Failure> {
        let environment = session.environment_to_change(client, &place.place).await?;
        let flag = client.flag(&place.flag).await?;
        Ok(Self { flag, environment })
    }

    fn attempt(&self, change: &ChangeArgs) -> Attempt {
        Attempt {
            dry_run: change.dry_run,
            seen: Some(self.flag.defined_revision),
        }
    }

    fn rules(&self) -> &[Rule] {
        let there = self.flag.definition.environments.get(&self.environment);
        there.map_or(&[], |rules| &rules.rules)
    }

    /// The rule that `text` names or numbers, and its number.
    fn rule(&self, text: &str) -> Result<(usize, &Rule), Failure> {
        let rules = self.rules();
        // A name first: somebody may have called a rule "2".
        let by_name = rules.iter().position(|rule| rule.id == text);
        by_name
            .or_else(|| number(text).ok())
            .and_then(|index| Some((index + 1, rules.get(index)?)))
            .ok_or_else(|| {
                Failure::not_found(format!(
                    "{} has no rule {text:?} in {}; `lever flag rule list {} -e {}` shows them",
                    self.flag.definition.key,
                    self.environment,
                    self.flag.definition.key,
                    self.environment
                ))
            })
    }
}
