//! Completing a definition on the way in: what people leave out gets its default, and what was
//! there stays what it was.
//!
//! - The salt of the exposure is the flag's key; that of an open split `<key>/open`; that of a
//!   rule's split the key. On an edit an omitted salt keeps the old one (a rule's by its id), so
//!   that a file without salts never moves anybody.
//! - A rule without an id keeps that of an old rule with the same condition, or gets a new one of
//!   eight hexadecimal digits.
//! - A whole number in a float flag becomes a float.
//! - A kill flag without `stale_after_s` gets [`KILL_STALE_AFTER_S`].

use std::collections::BTreeSet;

use leverframe_flags::{FlagKey, Rule, Serve};
use sha2::{Digest, Sha256};

use crate::flag::{FlagDefinition, Kind};
use crate::limit::KILL_STALE_AFTER_S;

/// `given` with its defaults, or with what `old` had.
pub(super) fn complete(
    given: &FlagDefinition,
    old: Option<&FlagDefinition>,
    entropy: u128,
) -> FlagDefinition {
    let mut definition = given.clone();
    let key = definition.key.clone();
    if definition.salt.is_empty() {
        definition.salt = old.map_or_else(|| key.as_str().into(), |old| old.salt.clone());
    }
    salt(
        &mut definition.open,
        old.map(|old| &old.open),
        &format!("{key}/open"),
    );
    for value in definition.variants.values_mut() {
        // What does not fit is left for validation to name.
        if let Some(fitting) = value.clone().coerced_to(definition.value_type) {
            *value = fitting;
        }
    }
    if definition.kind == Kind::Kill {
        definition.stale_after_s.get_or_insert(KILL_STALE_AFTER_S);
    }
    let mut ids = Ids { entropy, made: 0 };
    for (environment, rules) in definition.environments.iter_mut() {
        let old = old.map_or(&[][..], |old| old.rules_in(environment.as_str()));
        complete_rules(&mut rules.rules, old, &key, &mut ids);
    }
    definition
        .environments
        .retain(|_, rules| !rules.rules.is_empty() || !rules.prerequisites.is_empty());
    definition
}

fn complete_rules(rules: &mut [Rule], old: &[Rule], key: &FlagKey, ids: &mut Ids) {
    let mut taken: BTreeSet<Box<str>> = rules.iter().map(|rule| rule.id.clone()).collect();
    for rule in rules {
        if rule.id.is_empty() {
            let known = old
                .iter()
                .find(|old| old.when == rule.when && !taken.contains(&old.id));
            rule.id = match known {
                Some(old) => old.id.clone(),
                None => ids.next_besides(|id| taken.contains(id)),
            };
            taken.insert(rule.id.clone());
        }
        let old = old.iter().find(|old| old.id == rule.id);
        salt(&mut rule.serve, old.map(|old| &old.serve), key.as_str());
    }
}

/// Gives a split without a salt its old one, or the default.
fn salt(serve: &mut Serve, old: Option<&Serve>, default: &str) {
    if let Serve::Split(split) = serve
        && split.salt.is_empty()
    {
        split.salt = match old {
            Some(Serve::Split(old)) => old.salt.clone(),
            _ => default.into(),
        };
    }
}

/// New rule ids out of injected randomness.
struct Ids {
    entropy: u128,
    made: u32,
}

impl Ids {
    fn next_besides(&mut self, is_taken: impl Fn(&str) -> bool) -> Box<str> {
        loop {
            let mut hasher = Sha256::new();
            hasher.update(self.entropy.to_be_bytes());
            hasher.update(self.made.to_be_bytes());
            self.made = self.made.wrapping_add(1);
            let [a, b, c, d, ..] = <[u8; 32]>::from(hasher.finalize());
            let id = format!("{:08x}", u32::from_be_bytes([a, b, c, d]));
            if !is_taken(&id) {
                return id.into();
            }
        }
    }
}
