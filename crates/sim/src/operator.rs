//! Operators: people and programs that give commands, look whether it worked, and ask again with
//! the same idempotency key when no answer comes.

use std::collections::BTreeSet;

use leverframe_core::access::Actor;
use leverframe_core::{Command, Idempotency, Selection, State, Why};
use leverframe_flags::{EnvironmentKey, Exposure, FlagKey, Percentage, Position, VariantKey};

use crate::chance::Chance;
use crate::shop;

/// How often an errand is tried.
pub(crate) const ATTEMPTS_MAX: u32 = 4;

/// A person or program at a terminal.
#[derive(Debug, Default)]
pub(crate) struct Operator {
    pub(crate) errand: Option<Errand>,
}

/// One thing an operator wants, until it is answered or given up.
#[derive(Debug, Clone)]
pub(crate) struct Errand {
    pub(crate) request: Request,
    /// How often it was sent.
    pub(crate) attempt: u32,
}

/// A command with everything that goes with it, as it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// A number of its own; `via` in the record.
    pub(crate) errand: u64,
    pub(crate) operator: usize,
    pub(crate) command: Command,
    pub(crate) actor: Actor,
    pub(crate) why: Why,
    pub(crate) if_match: Option<u64>,
    pub(crate) idempotency: Option<Idempotency>,
}

impl Request {
    pub(crate) fn via(&self) -> Box<str> {
        format!("errand {}", self.errand).into()
    }

    pub(crate) fn words(&self) -> String {
        let what = match &self.command {
            Command::Close {
                flags: Selection::Flags(flags),
                environment,
            } => {
                format!("close {flags:?} in {environment}")
            }
            Command::Close { flags, environment } => format!("close {flags:?} in {environment}"),
            Command::Open {
                flag,
                environment,
                exposure,
            } => format!("open {flag} in {environment} to {exposure}"),
            Command::Ramp {
                flag,
                environment,
                percentage,
            } => {
                format!("ramp {flag} in {environment} to {percentage} %")
            }
            Command::Pin {
                flag,
                environment,
                variant,
            } => format!("pin {flag} in {environment} to {variant}"),
            Command::Undo {
                revision: Some(revision),
            } => format!("undo r{revision}"),
            Command::Undo { revision: None } => "undo".to_owned(),
            Command::EditFlag { definition } => format!("edit {}", definition.key),
            Command::CreateFlag { definition } => format!("create {}", definition.key),
            Command::ArchiveFlag { flag } => format!("archive {flag}"),
            Command::AddRule {
                flag, environment, ..
            } => format!("add a rule to {flag} in {environment}"),
            Command::RemoveRule {
                flag, environment, ..
            } => format!("remove a rule of {flag} in {environment}"),
            Command::MoveRule {
                flag, environment, ..
            } => format!("move a rule of {flag} in {environment}"),
            Command::CreateSegment { segment } => format!("create segment {}", segment.key),
            Command::EditSegment { segment } => format!("edit segment {}", segment.key),
            Command::DeleteSegment { segment } => format!("delete segment {segment}"),
            Command::GuardEnvironment { key, guarded } => format!("guard {key}: {guarded}"),
            Command::CreateToken { token } => format!("create token {}", token.id),
            Command::RevokeToken { id } => format!("revoke token {id}"),
            Command::CreateEnvironment { key, .. } => format!("create environment {key}"),
            Command::Restore { epoch, .. } => format!("restore into epoch {epoch}"),
            // Rollouts have a world of their own.
            other => format!("{other:?}"),
        };
        format!("{}: {what}", self.actor.id())
    }
}

/// What somebody may want to do next, looking at `state`.
pub(crate) fn some_request(
    errand: u64,
    operator: usize,
    state: &State,
    chance: &mut Chance,
) -> Request {
    let command = some_command(errand, state, chance);
    let seen = if_match(&command, state);
    let if_match = match chance.below(30) {
        0 => None,
        1 => seen.map(|revision| revision.saturating_sub(1)),
        _ => seen,
    };
    let reason = match chance.below(10) {
        0 => None,
        1 => Some("  ".into()),
        _ => Some(format!("INC-{errand}").into()),
    };
    Request {
        errand,
        operator,
        command,
        actor: some_actor(chance),
        why: Why {
            reason,
            incident: None,
        },
        if_match,
        idempotency: chance.percent(80).then(|| idempotency(errand)),
    }
}

/// A kill by somebody who may of something that is open, if anything is; and an opening of the same.
pub(crate) fn some_kill(
    (errand, operator): (u64, usize),
    state: &State,
    chance: &mut Chance,
) -> (Request, Command) {
    let (flag, mut environment) = some_lever(state, chance);
    if chance.percent(30) {
        // Where nothing is guarded more can go wrong.
        environment = shop::environment("dev");
    }
    let opening = Command::Open {
        flag: flag.clone(),
        environment: environment.clone(),
        exposure: Exposure::of(Percentage::FULL),
    };
    let command = Command::Close {
        flags: some_selection(flag, chance),
        environment,
    };
    let idempotency = chance.percent(80).then(|| idempotency(errand));
    let request = Request {
        errand,
        operator,
        command,
        actor: Actor::Token {
            id: shop::ROOT.into(),
        },
        why: Why::default(),
        if_match: None,
        idempotency,
    };
    (request, opening)
}

/// An opening by somebody who knows where the lever stands.
pub(crate) fn some_opening(
    (errand, operator): (u64, usize),
    opening: Command,
    state: &State,
) -> Request {
    let is_guarded = state
        .environments()
        .any(|entry| entry.environment.guarded && opening_in(&opening, &entry.environment.key));
    Request {
        errand,
        operator,
        // Where nothing is guarded nobody need have looked.
        if_match: if_match(&opening, state).filter(|_| is_guarded),
        command: opening,
        actor: Actor::Token {
            id: shop::ROOT.into(),
        },
        why: Why {
            reason: Some("it is needed".into()),
            incident: None,
        },
        idempotency: Some(idempotency(errand)),
    }
}

fn opening_in(command: &Command, key: &EnvironmentKey) -> bool {
    matches!(command, Command::Open { environment, .. } if environment == key)
}

pub(crate) fn idempotency(errand: u64) -> Idempotency {
    Idempotency {
        key: format!("key-{errand}").into(),
        body_sha256: format!("{errand:064x}").into(),
    }
}

fn some_actor(chance: &mut Chance) -> Actor {
    let id = match chance.below(100) {
        0..35 => shop::ROOT,
        35..70 => "tok_ann",
        70..82 => "tok_dora",
        _ => shop::TOKENS[chance.index(shop::TOKENS.len())].0,
    };
    Actor::Token { id: id.into() }
}

fn some_command(errand: u64, state: &State, chance: &mut Chance) -> Command {
    let (flag, environment) = some_lever(state, chance);
    let segment = shop::SEGMENTS[chance.index(shop::SEGMENTS.len())];
    let known = state.flag(flag.as_str());
    let definition = known.map_or_else(
        || shop::plain_flag(flag.as_str()),
        |known| (*known.definition).clone(),
    );
    let rules = definition.rules_in(environment.as_str());
    let some_rule = rules
        .get(chance.index(rules.len()))
        .map(|rule| rule.id.clone());
    match chance.weighted(&[22, 20, 16, 5, 14, 10, 5, 3, 3, 6, 3, 2, 1]) {
        0 => Command::Close {
            flags: some_selection(flag, chance),
            environment,
        },
        1 => Command::Open {
            flag,
            environment,
            exposure: some_exposure(chance),
        },
        2 => {
            let now = known.map(|known| known.position(environment.as_str()));
            let percentage = match now {
                // Mostly up, so that there is something to stay the same.
                Some(Position::Open { exposure }) if chance.percent(70) => {
                    let thousandths = exposure.percentage.thousandths();
                    Percentage::from_thousandths(thousandths + (100_000 - thousandths) / 2)
                        .unwrap_or(Percentage::FULL)
                }
                _ => some_percentage(chance),
            };
            Command::Ramp {
                flag,
                environment,
                percentage,
            }
        }
        3 => {
            let variants: Vec<VariantKey> = definition.variants.keys().cloned().collect();
            let variant = chance.pick(&variants).unwrap_or(definition.closed);
            Command::Pin {
                flag,
                environment,
                variant,
            }
        }
        4 => {
            let back = chance.between(0, 6);
            let named = chance
                .percent(60)
                .then(|| state.revision().saturating_sub(back));
            Command::Undo { revision: named }
        }
        5 => Command::EditFlag {
            definition: Box::new(shop::edited(&definition, chance)),
        },
        6 => Command::AddRule {
            rule: shop::some_rule(&definition, chance),
            flag,
            environment,
            at: chance.percent(30).then_some(0),
        },
        7 => match some_rule {
            Some(rule) if chance.percent(50) => Command::RemoveRule {
                flag,
                environment,
                rule,
            },
            Some(rule) => Command::MoveRule {
                flag,
                environment,
                rule,
                to: 0,
            },
            None => Command::ArchiveFlag { flag },
        },
        8 => Command::CreateFlag {
            definition: Box::new(shop::plain_flag(flag.as_str())),
        },
        9 => Command::EditSegment {
            segment: Box::new(shop::some_segment(segment, chance)),
        },
        10 if chance.percent(50) => Command::CreateSegment {
            segment: Box::new(shop::some_segment(segment, chance)),
        },
        10 => Command::DeleteSegment {
            segment: shop::segment_key(segment),
        },
        11 => Command::GuardEnvironment {
            key: environment,
            guarded: chance.percent(60),
        },
        _ if chance.percent(50) => {
            let (_, role, environments, keys, _) = shop::TOKENS[chance.index(shop::TOKENS.len())];
            let token = Box::new(shop::token(
                &format!("tok_{errand}"),
                role,
                environments,
                keys,
                None,
            ));
            Command::CreateToken { token }
        }
        _ => Command::RevokeToken {
            id: shop::TOKENS[chance.index(shop::TOKENS.len())].0.into(),
        },
    }
}

/// A lever; often one that is open, because there is more to be done with it.
fn some_lever(state: &State, chance: &mut Chance) -> (FlagKey, EnvironmentKey) {
    let flag = shop::flag(shop::FLAGS[chance.index(shop::FLAGS.len())]);
    let environment = shop::environment(shop::ENVIRONMENTS[usize::from(chance.percent(30))].0);
    let open: Vec<FlagKey> = state
        .flags()
        .filter(|flag| !flag.position(environment.as_str()).is_closed())
        .map(|flag| flag.key().clone())
        .collect();
    match chance.pick(&open) {
        Some(open) if chance.percent(50) => (open, environment),
        _ => (flag, environment),
    }
}

fn some_selection(flag: FlagKey, chance: &mut Chance) -> Selection {
    match chance.below(10) {
        0 => Selection::Owner("team-pay".to_owned()),
        1 => Selection::Tag("shop".to_owned()),
        2 => Selection::Flags(BTreeSet::from([flag, shop::flag("price")])),
        _ => Selection::Flags(BTreeSet::from([flag])),
    }
}

fn some_exposure(chance: &mut Chance) -> Exposure {
    let mut exposure = Exposure::of(some_percentage(chance));
    if chance.percent(30) {
        exposure.cohorts.insert(shop::segment_key(
            shop::SEGMENTS[chance.index(shop::SEGMENTS.len())],
        ));
    }
    exposure
}

fn some_percentage(chance: &mut Chance) -> Percentage {
    let thousandths = match chance.below(6) {
        0 => 0,
        1 => 100_000,
        _ => chance.below(100_001) as u32,
    };
    Percentage::from_thousandths(thousandths).unwrap_or(Percentage::FULL)
}

/// What a careful operator would send as `If-Match`.
fn if_match(command: &Command, state: &State) -> Option<u64> {
    let defined = |flag: &FlagKey| state.flag(flag.as_str()).map(|flag| flag.defined_revision);
    let segment = |key: &str| state.segment(key).map(|entry| entry.revision);
    match command {
        Command::Open {
            flag, environment, ..
        }
        | Command::Ramp {
            flag, environment, ..
        }
        | Command::Pin {
            flag, environment, ..
        } => {
            let flag = state.flag(flag.as_str())?;
            Some(state.lever_revision(flag, environment.as_str()))
        }
        Command::EditFlag { definition } => defined(&definition.key),
        Command::ArchiveFlag { flag }
        | Command::AddRule { flag, .. }
        | Command::RemoveRule { flag, .. }
        | Command::MoveRule { flag, .. } => defined(flag),
        Command::EditSegment { segment: edited } => segment(edited.key.as_str()),
        Command::DeleteSegment { segment: key } => segment(key.as_str()),
        _ => None,
    }
}
