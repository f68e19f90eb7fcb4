//! The shop that the world is about: its environments, flags, segments, tokens and customers.

use leverframe_core::access::{Role, Token};
use leverframe_core::environment::Environment;
use leverframe_core::flag::FlagDefinition;
use leverframe_core::{Command, Timestamp};
use leverframe_flags::{
    Attribute, Context, EnvironmentKey, FlagKey, Rule, Segment, SegmentKey, VariantKey,
};
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use crate::chance::Chance;

/// The guarded environment and the other one.
pub(crate) const ENVIRONMENTS: [(&str, bool); 2] = [("prod", true), ("dev", false)];
/// Every flag that there ever is. The last exists only once somebody creates it.
pub(crate) const FLAGS: [&str; 7] = [
    "checkout",
    "price",
    "quality",
    "payments-off",
    "exotic",
    "upsell",
    "cart",
];
/// The flag whose definition evaluators of an old build cannot read.
pub(crate) const EXOTIC: &str = "exotic";
/// Every segment that there ever is. The last exists only once somebody creates it.
pub(crate) const SEGMENTS: [&str; 3] = ["staff", "beta", "nordic"];
/// The token that everything is possible with.
pub(crate) const ROOT: &str = "tok_root";

/// Id, role, environments, keys, and after how many seconds it expires.
type TokenTraits = (
    &'static str,
    Role,
    &'static [&'static str],
    &'static [&'static str],
    Option<i64>,
);

/// The tokens besides [`ROOT`].
pub(crate) const TOKENS: [TokenTraits; 8] = [
    ("tok_ann", Role::Operator, &[], &[], None),
    ("tok_bob", Role::Operator, &["prod"], &[], None),
    ("tok_cem", Role::Operator, &[], &["c*"], None),
    ("tok_dora", Role::Brake, &[], &[], None),
    ("tok_emil", Role::Brake, &["prod"], &[], None),
    ("tok_vera", Role::Viewer, &[], &[], None),
    ("tok_web", Role::Evaluator, &["prod"], &[], None),
    ("tok_temp", Role::Operator, &[], &[], Some(20)),
];

/// Conditions that rules and segments are made of.
const CONDITIONS: [&str; 8] = [
    r#"plan == "beta""#,
    r#"country in ["NO", "SE"]"#,
    "age >= 18",
    "segment staff",
    r#"not (plan == "free")"#,
    r#"email ends_with "@acme.test""#,
    "plan missing",
    r#"segment beta and country != "DE""#,
];

pub(crate) fn environment(key: &str) -> EnvironmentKey {
    EnvironmentKey::new(key).unwrap_or_else(|error| unreachable!("{error}"))
}

pub(crate) fn flag(key: &str) -> FlagKey {
    FlagKey::new(key).unwrap_or_else(|error| unreachable!("{error}"))
}

pub(crate) fn segment_key(key: &str) -> SegmentKey {
    SegmentKey::new(key).unwrap_or_else(|error| unreachable!("{error}"))
}

pub(crate) fn environments() -> Vec<Environment> {
    ENVIRONMENTS
        .iter()
        .map(|(key, guarded)| Environment {
            key: environment(key),
            guarded: *guarded,
        })
        .collect()
}

pub(crate) fn root() -> Token {
    token(ROOT, Role::Admin, &[], &[], None)
}

pub(crate) fn token(
    id: &str,
    role: Role,
    environments: &[&str],
    keys: &[&str],
    expires_at: Option<Timestamp>,
) -> Token {
    Token {
        id: id.into(),
        name: id.trim_start_matches("tok_").into(),
        role,
        environments: environments.iter().map(|key| environment(key)).collect(),
        keys: keys.iter().map(|glob| (*glob).into()).collect(),
        secret_sha256: "0".repeat(64).into(),
        expires_at,
    }
}

/// The commands that open the shop.
pub(crate) fn opening_commands(now: Timestamp) -> Vec<Command> {
    let tokens = TOKENS
        .iter()
        .map(|(id, role, environments, keys, expires_s)| {
            let expires_at = expires_s.map(|s| now.plus_ms(s * 1_000));
            let token = Box::new(token(id, *role, environments, keys, expires_at));
            Command::CreateToken { token }
        });
    let segments = SEGMENTS[..2].iter().map(|key| Command::CreateSegment {
        segment: Box::new(plain_segment(key)),
    });
    let flags = FLAGS[..6].iter().map(|key| Command::CreateFlag {
        definition: Box::new(plain_flag(key)),
    });
    tokens.chain(segments).chain(flags).collect()
}

fn plain_segment(key: &str) -> Segment {
    read(match key {
        "staff" => {
            json!({"key": key, "when": r#"email ends_with "@acme.test""#, "include": ["u-4"]})
        }
        "beta" => json!({"key": key, "when": r#"plan == "beta""#}),
        _ => json!({"key": key, "when": r#"country in ["NO", "SE"] or segment staff"#}),
    })
}

/// A segment as somebody may define it.
pub(crate) fn some_segment(key: &str, chance: &mut Chance) -> Segment {
    let mut segment = plain_segment(key);
    // Only what refers to no segment, so that nothing goes round in a circle by itself.
    segment.when = Some(read(json!(CONDITIONS[chance.index(3)])));
    if chance.percent(40) {
        segment.include = vec![format!("u-{}", chance.between(1, 5)).into()];
    }
    if chance.percent(30) {
        segment.exclude = vec![format!("u-{}", chance.between(1, 5)).into()];
    }
    segment
}

/// A flag as it is defined first.
pub(crate) fn plain_flag(key: &str) -> FlagDefinition {
    let on_off = json!({"on": true, "off": false});
    read(match key {
        "price" => json!({
            "key": key, "kind": "experiment", "type": "string", "owner": "growth", "tags": ["shop"],
            "variants": {"a": "A", "b": "B", "plain": "P"}, "closed": "plain",
            "open": {"split": [{"variant": "a", "weight": 50}, {"variant": "b", "weight": 50}]},
        }),
        "quality" => json!({
            "key": key, "kind": "ops", "type": "integer", "owner": "web",
            "variants": {"low": 40, "normal": 70, "high": 90}, "closed": "low", "open": "normal",
        }),
        "payments-off" => json!({
            "key": key, "kind": "kill", "type": "boolean", "owner": "team-pay", "variants": on_off,
            "closed": "off", "open": "on", "stale_after_s": 20,
        }),
        "upsell" => json!({
            "key": key, "kind": "permission", "type": "boolean", "owner": "growth", "variants": on_off,
            "closed": "off", "open": "on",
            "environments": {
                "prod": {"prerequisites": [{"flag": "checkout"}]},
                "dev": {"prerequisites": [{"flag": "price", "variants": ["a"]}]},
            },
        }),
        _ => json!({
            "key": key, "kind": "release", "type": "boolean", "owner": "team-pay", "tags": ["shop"],
            "variants": on_off, "closed": "off", "open": "on", "sunset": "2027-12-31",
        }),
    })
}

/// Another definition of a flag, a step away from the one it has.
pub(crate) fn edited(flag: &FlagDefinition, chance: &mut Chance) -> FlagDefinition {
    let mut definition = flag.clone();
    let variants: Vec<VariantKey> = definition.variants.keys().cloned().collect();
    let some_variant = |chance: &mut Chance| {
        chance
            .pick(&variants)
            .unwrap_or_else(|| flag.closed.clone())
    };
    match chance.below(8) {
        0 => definition.description = format!("described {} times", chance.below(1_000)),
        1 => definition.open = leverframe_flags::Serve::Variant(some_variant(chance)),
        // What closed means: refused while somebody latched it.
        2 => definition.closed = some_variant(chance),
        3 => definition.stale_after_s = Some(chance.between(5, 60) as u32),
        4 => definition.environments.clear(),
        _ => {
            let (key, _) = ENVIRONMENTS[chance.index(2)];
            let rules = definition.environments.get_or_default(environment(key));
            rules.rules.push(some_rule(flag, chance));
            rules.rules.truncate(4);
        }
    }
    definition
}

/// A rule as somebody may add it.
pub(crate) fn some_rule(flag: &FlagDefinition, chance: &mut Chance) -> Rule {
    let variants: Vec<&str> = flag.variants.keys().map(VariantKey::as_str).collect();
    let one = variants[chance.index(variants.len())];
    let other = variants[chance.index(variants.len())];
    let serve = if chance.percent(70) || one == other {
        json!(one)
    } else {
        json!({"split": [{"variant": one, "weight": 25}, {"variant": other, "weight": 75}]})
    };
    let when = CONDITIONS[chance.index(CONDITIONS.len())];
    read(json!({"id": "", "when": when, "serve": serve}))
}

thread_local! {
    static CONTEXTS: Vec<Context> = contexts();
}

/// The customers: everything is asked about each of them.
pub(crate) fn with_contexts<T>(ask: impl FnOnce(&[Context]) -> T) -> T {
    CONTEXTS.with(|contexts| ask(contexts))
}

fn contexts() -> Vec<Context> {
    let mut contexts = vec![
        Context::new("u-1")
            .with("plan", "beta")
            .with("country", "NO"),
        Context::new("u-2")
            .with("plan", "free")
            .with("country", "SE")
            .with("age", 17),
        Context::new("u-3")
            .with("email", "x@acme.test")
            .with("age", 40),
        Context::new("u-4"),
        Context::new("u-5")
            .with("plan", "beta")
            .with("country", "DE")
            .with("age", 18),
        Context::anonymous(),
        // Everything about this one is wrong.
        Context::new(&"u".repeat(5_000))
            .with("plan", true)
            .with("country", Attribute::List(Vec::new()))
            .with("age", "old")
            .with("email", -1),
    ];
    contexts.extend((6..10).map(|number| Context::new(&format!("u-{number}"))));
    contexts
}

fn read<T: DeserializeOwned>(json: Json) -> T {
    serde_json::from_value(json).unwrap_or_else(|error| unreachable!("{error}"))
}
