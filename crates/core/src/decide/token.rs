//! Tokens: for admins only.

use crate::access::{Role, Token, is_glob};
use crate::event::Event;
use crate::limit::{LABEL_BYTES_MAX, TOKEN_SCOPES_MAX, TOKENS_MAX};
use crate::record::Link;
use crate::rejection::Rejection;
use crate::state::TokenEntry;

use super::authority::{Case, append, missing};
use super::definition::invalid;
use super::{Decision, at_most};

pub(super) fn create(case: &Case<'_>, token: &Token) -> Result<Decision, Rejection> {
    case.demand_role(Role::Admin, "create a token")?;
    if case.state.token(&token.id).is_some() {
        return Err(Rejection::Exists {
            noun: "token",
            key: token.id.to_string(),
        });
    }
    let working = case.state.tokens().filter(|entry| works(case, entry));
    if working.count() >= TOKENS_MAX {
        return Err(Rejection::Full {
            noun: "tokens",
            max: TOKENS_MAX,
        });
    }
    demand_valid(case, token)?;
    Ok(append(Event::TokenCreated {
        token: token.clone().into(),
    }))
}

fn demand_valid(case: &Case<'_>, token: &Token) -> Result<(), Rejection> {
    if token.name.trim().is_empty() {
        return Err(invalid("name", "a token needs a name to know it by"));
    }
    at_most("name", &token.name, LABEL_BYTES_MAX)?;
    if token.id.is_empty() || &*token.id == "system" {
        return Err(invalid("id", "a token needs an id of its own"));
    }
    at_most("id", &token.id, LABEL_BYTES_MAX)?;
    if Link::from_hex(&token.secret_sha256).is_none() {
        return Err(invalid("secret_sha256", "64 hexadecimal digits"));
    }
    if !token.is_valid_at(case.meta.now) {
        return Err(invalid("expires_at", "it lies in the past"));
    }
    if token.environments.len() > TOKEN_SCOPES_MAX || token.keys.len() > TOKEN_SCOPES_MAX {
        return Err(invalid(
            "environments",
            &format!("{TOKEN_SCOPES_MAX} environments or keys are the most"),
        ));
    }
    for environment in &token.environments {
        case.environment(environment)?;
    }
    if let Some(glob) = token.keys.iter().find(|glob| !is_glob(glob)) {
        return Err(invalid(
            "keys",
            &format!("{glob:?} holds more than the characters of a key and *"),
        ));
    }
    let (environments, has_keys) = (token.environments.len(), !token.keys.is_empty());
    match token.role {
        Role::Evaluator | Role::ClientEvaluator if environments != 1 => Err(invalid(
            "environments",
            "an evaluator's token is for exactly one environment",
        )),
        Role::Evaluator if has_keys => Err(invalid(
            "keys",
            "an evaluator's token covers its whole environment; leave the keys out",
        )),
        Role::Admin if environments > 0 || has_keys => Err(invalid(
            "environments",
            "an admin's token is for everything; leave environments and keys out",
        )),
        _ => Ok(()),
    }
}

pub(super) fn revoke(case: &Case<'_>, id: &str) -> Result<Decision, Rejection> {
    case.demand_role(Role::Admin, "revoke a token")?;
    let entry = case.state.token(id).ok_or_else(|| {
        let names = case.state.tokens();
        missing("token", id, names.map(|entry| &*entry.token.id))
    })?;
    if entry.revoked_at.is_some() {
        return Ok(Decision::Unchanged {
            revision: entry.revision,
        });
    }
    let is_admin = |entry: &TokenEntry| entry.token.role == Role::Admin && works(case, entry);
    let others = case.state.tokens().filter(|other| *other.token.id != *id);
    if is_admin(entry) && !others.into_iter().any(|other| is_admin(other)) {
        return Err(Rejection::Conflict {
            why: format!("{id} is the last admin token; create another one first"),
        });
    }
    Ok(append(Event::TokenRevoked { id: id.into() }))
}

fn works(case: &Case<'_>, entry: &TokenEntry) -> bool {
    entry.works_at(case.meta.now)
}
