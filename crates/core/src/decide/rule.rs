//! Single rules: each command is an edit of the flag's definition.

use leverframe_flags::{EnvironmentKey, FlagKey, Rule};

use crate::access::Role;
use crate::flag::FlagDefinition;
use crate::rejection::Rejection;

use super::Decision;
use super::authority::{Case, missing};
use super::completion::complete;
use super::definition::invalid;
use super::flag::{Seen, edit_to};

pub(super) fn add(
    case: &Case<'_>,
    flag: &FlagKey,
    environment: &EnvironmentKey,
    rule: &Rule,
    at: Option<usize>,
) -> Result<Decision, Rejection> {
    change(case, flag, environment, |rules| {
        if rules.iter().any(|old| old.id == rule.id) {
            return Err(Rejection::Exists {
                noun: "rule",
                key: rule.id.to_string(),
            });
        }
        let index = at.unwrap_or(rules.len());
        demand_index("at", index, rules.len())?;
        rules.insert(index, rule.clone());
        Ok(())
    })
}

pub(super) fn remove(
    case: &Case<'_>,
    flag: &FlagKey,
    environment: &EnvironmentKey,
    id: &str,
) -> Result<Decision, Rejection> {
    change(case, flag, environment, |rules| {
        let index = index_of(rules, id)?;
        rules.remove(index);
        Ok(())
    })
}

pub(super) fn shift(
    case: &Case<'_>,
    flag: &FlagKey,
    environment: &EnvironmentKey,
    id: &str,
    to: usize,
) -> Result<Decision, Rejection> {
    change(case, flag, environment, |rules| {
        let rule = rules.remove(index_of(rules, id)?);
        demand_index("to", to, rules.len())?;
        rules.insert(to, rule);
        Ok(())
    })
}

fn change(
    case: &Case<'_>,
    key: &FlagKey,
    environment: &EnvironmentKey,
    change: impl FnOnce(&mut Vec<Rule>) -> Result<(), Rejection>,
) -> Result<Decision, Rejection> {
    case.demand_role(Role::Operator, "edit a flag")?;
    case.environment(environment)?;
    let flag = case.flag(key)?;
    let mut definition: FlagDefinition = (*flag.definition).clone();
    let rules = definition.environments.get_or_default(environment.clone());
    change(&mut rules.rules)?;
    let definition = complete(&definition, Some(&flag.definition), case.meta.entropy);
    edit_to(case, flag, definition, Seen::IfMatch)
}

fn index_of(rules: &[Rule], id: &str) -> Result<usize, Rejection> {
    rules
        .iter()
        .position(|rule| &*rule.id == id)
        .ok_or_else(|| missing("rule", id, rules.iter().map(|rule| &*rule.id)))
}

fn demand_index(field: &str, index: usize, most: usize) -> Result<(), Rejection> {
    if index <= most {
        return Ok(());
    }
    Err(invalid(
        field,
        &format!("{index} is past the end; {most} is the last place"),
    ))
}
