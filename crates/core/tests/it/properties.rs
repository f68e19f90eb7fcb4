//! Whatever is asked by whomever in whatever order, the promises hold. Proptest prints the seed
//! and the shortest sequence that breaks one.

use std::sync::Arc;

use leverframe_core::access::{Role, Token};
use leverframe_core::position::{is_opening, lifts_latch};
use leverframe_core::state::{Before, Flag, Snapshot};
use leverframe_core::{Command, Decision, Event, Selection, State};
use leverframe_flags::{Context, EnvironmentKey, Rule, RuleSet};
use proptest::prelude::*;
use proptest::sample::select;

use crate::frames::Told;
use crate::world::{
    World, create, create_segment, edit_segment, exposure, flag, is_latched, key, needs, open_to,
    pin, ramp, rule, rules_of, scoped, segment, token, undo,
};

pub(crate) const FLAGS: [&str; 4] = ["a-1", "a-2", "b-1", "b-2"];
pub(crate) const ENVIRONMENTS: [&str; 3] = ["dev", "staging", "prod"];
const SEGMENTS: [&str; 3] = ["s1", "s2", "s3"];
pub(crate) const PEOPLE: [&str; 8] = [
    "root",
    "ana",
    "oncall",
    "eve",
    "brake-a",
    "brake-prod",
    "ops-a",
    "ops-dev",
];
const EXPRESSIONS: [&str; 5] = [
    "plan == \"x\"",
    "segment s1",
    "not segment s2",
    "segment s3 or plan == \"y\"",
    "plan missing",
];

pub(crate) fn world() -> World {
    let mut world = World::new();
    for (name, role, environments, keys) in [
        ("brake-a", Role::Brake, &[][..], &["a-*"][..]),
        ("brake-prod", Role::Brake, &["prod"], &[]),
        ("ops-a", Role::Operator, &[], &["a-*"]),
        ("ops-dev", Role::Operator, &["dev"], &[]),
    ] {
        world.admit(scoped(token(name, role), environments, keys));
    }
    world
        .by("ana")
        .done(create_segment(segment("s1", "plan == \"x\"")));
    for name in ["a-1", "a-2", "b-1"] {
        world.by("ana").done(create(flag(name)));
    }
    world
}

/// What the asker says to have seen.
#[derive(Debug, Clone, Copy)]
enum Seen {
    Nothing,
    Current,
    Revision(u64),
}

#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) who: &'static str,
    /// An undo names a revision by how far back it is.
    command: Command,
    has_reason: bool,
    seen: Seen,
    repeats_key: Option<u8>,
    wait_ms: i64,
}

fn any_flag() -> impl Strategy<Value = &'static str> {
    select(FLAGS.to_vec())
}

fn any_environment() -> impl Strategy<Value = &'static str> {
    select(ENVIRONMENTS.to_vec())
}

fn any_rule() -> impl Strategy<Value = Rule> {
    (select(vec!["", "r1", "r2"]), select(EXPRESSIONS.to_vec())).prop_map(|(id, when)| {
        let mut rule = rule(when);
        rule.id = id.into();
        rule
    })
}

fn any_definition() -> impl Strategy<Value = Box<leverframe_core::flag::FlagDefinition>> {
    (
        any_flag(),
        any_environment(),
        prop::collection::vec(any_rule(), 0..3),
        prop::option::of(any_flag()),
        select(vec!["off", "on", "dim"]),
        any::<bool>(),
        select(vec!["team-a", "team-b"]),
    )
        .prop_map(
            |(name, environment, rules, prerequisite, closed, has_dim, owner)| {
                let mut definition = flag(name);
                let there = rules_of(&mut definition, environment);
                there.rules = rules;
                there.prerequisites.extend(prerequisite.map(needs));
                definition.closed = key(closed);
                definition.owner = owner.to_owned();
                if has_dim {
                    let value = leverframe_flags::Value::Boolean(true);
                    definition.variants.insert(key("dim"), value);
                }
                Box::new(definition)
            },
        )
}

fn any_close() -> impl Strategy<Value = Command> {
    let selection = prop_oneof![
        4 => prop::collection::btree_set(any_flag(), 1..3)
            .prop_map(|names| Selection::Flags(names.into_iter().map(key).collect())),
        1 => select(vec!["team-a", "team-b"]).prop_map(|name| Selection::Owner(name.to_owned())),
    ];
    (selection, any_environment()).prop_map(|(flags, environment)| Command::Close {
        flags,
        environment: key(environment),
    })
}

fn any_move() -> impl Strategy<Value = Command> {
    let percentage = || select(vec!["0", "1", "25", "50", "100"]);
    prop_oneof![
        (
            any_flag(),
            any_environment(),
            prop::collection::vec(select(SEGMENTS.to_vec()), 0..2),
            percentage()
        )
            .prop_map(|(flag, environment, cohorts, percentage)| {
                open_to(flag, environment, exposure(&cohorts, percentage))
            }),
        (any_flag(), any_environment(), percentage()).prop_map(|(flag, environment, to)| ramp(
            flag,
            environment,
            to
        )),
        (
            any_flag(),
            any_environment(),
            select(vec!["off", "on", "dim"])
        )
            .prop_map(|(flag, environment, variant)| pin(flag, environment, variant)),
    ]
}

fn any_segment_command() -> impl Strategy<Value = Command> {
    (
        select(SEGMENTS.to_vec()),
        select(EXPRESSIONS.to_vec()),
        0..3_u8,
    )
        .prop_map(|(name, when, what)| match what {
            0 => create_segment(segment(name, when)),
            1 => edit_segment(segment(name, when)),
            _ => Command::DeleteSegment { segment: key(name) },
        })
}

fn any_rule_command() -> impl Strategy<Value = Command> {
    (
        any_flag(),
        any_environment(),
        any_rule(),
        0..3_u8,
        0..3_usize,
    )
        .prop_map(|(flag, environment, rule, what, place)| {
            let (flag, environment, id) = (key(flag), key(environment), rule.id.clone());
            match what {
                0 => Command::AddRule {
                    flag,
                    environment,
                    rule,
                    at: (place > 0).then(|| place - 1),
                },
                1 => Command::RemoveRule {
                    flag,
                    environment,
                    rule: id,
                },
                _ => Command::MoveRule {
                    flag,
                    environment,
                    rule: id,
                    to: place,
                },
            }
        })
}

fn any_admin_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        (any_environment(), any::<bool>()).prop_map(|(name, guarded)| Command::GuardEnvironment {
            key: key(name),
            guarded,
        }),
        select(vec!["eve", "brake-a", "root"])
            .prop_map(|id| Command::RevokeToken { id: id.into() }),
        Just(Command::CreateEnvironment {
            key: key("qa"),
            guarded: true
        }),
        (2..5_u64, any_flag(), any_environment()).prop_map(|(epoch, flag, environment)| {
            Command::Restore {
                epoch,
                keep_closed: vec![(key(flag), key(environment))],
            }
        }),
    ]
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        4 => any_close(),
        8 => any_move(),
        4 => prop::option::weighted(0.8, 0..4_u64).prop_map(undo),
        2 => any_definition().prop_map(|definition| Command::CreateFlag { definition }),
        3 => any_definition().prop_map(|definition| Command::EditFlag { definition }),
        1 => any_flag().prop_map(|name| Command::ArchiveFlag { flag: key(name) }),
        3 => any_segment_command(),
        3 => any_rule_command(),
        1 => any_admin_command(),
    ]
}

pub(crate) fn any_asked() -> impl Strategy<Value = Asked> {
    let who = prop_oneof![1 => Just("root"), 4 => Just("ana"), 4 => select(PEOPLE.to_vec())];
    let seen = prop_oneof![
        1 => Just(Seen::Nothing),
        6 => Just(Seen::Current),
        1 => (0..30_u64).prop_map(Seen::Revision),
    ];
    (
        who,
        any_command(),
        prop::bool::weighted(0.8),
        seen,
        prop::option::weighted(0.1, 0..3_u8),
        0..60_000_i64,
    )
        .prop_map(
            |(who, command, has_reason, seen, repeats_key, wait_ms)| Asked {
                who,
                command,
                has_reason,
                seen,
                repeats_key,
                wait_ms,
            },
        )
}

/// The revision that matters to a command, as a surface would have shown it.
fn current(state: &State, command: &Command) -> Option<u64> {
    let flag = |key: &leverframe_flags::FlagKey| state.flag(key.as_str());
    match command {
        Command::Open {
            flag: key,
            environment,
            ..
        }
        | Command::Ramp {
            flag: key,
            environment,
            ..
        }
        | Command::Pin {
            flag: key,
            environment,
            ..
        } => flag(key).map(|flag| state.lever_revision(flag, environment.as_str())),
        Command::EditFlag { definition } => flag(&definition.key).map(|f| f.defined_revision),
        Command::ArchiveFlag { flag: key }
        | Command::AddRule { flag: key, .. }
        | Command::RemoveRule { flag: key, .. }
        | Command::MoveRule { flag: key, .. } => flag(key).map(|f| f.defined_revision),
        Command::EditSegment { segment } => state
            .segment(segment.key.as_str())
            .map(|entry| entry.revision),
        Command::DeleteSegment { segment } => {
            state.segment(segment.as_str()).map(|entry| entry.revision)
        }
        _ => None,
    }
}

/// Gives a command; what it did, and the command as it was given, when it was accepted.
pub(crate) fn ask(world: &mut World, asked: &Asked) -> Option<(Command, Vec<Event>)> {
    world.later(asked.wait_ms);
    let command = match &asked.command {
        Command::Undo {
            revision: Some(back),
        } => undo(world.revision().saturating_sub(*back)),
        other => other.clone(),
    };
    let seen = match asked.seen {
        Seen::Nothing => None,
        Seen::Current => current(&world.state, &command),
        Seen::Revision(revision) => Some(revision),
    };
    let mut ask = world.by(asked.who);
    ask.meta.if_match = seen;
    if asked.has_reason {
        ask = ask.because("because");
    }
    if let Some(number) = asked.repeats_key {
        ask = ask.under_key(&number.to_string(), &format!("{command:?}"));
    }
    match ask.ask(command.clone()) {
        Ok(Decision::Append(events)) => Some((command, events)),
        _ => None,
    }
}

fn levers(state: &State) -> impl Iterator<Item = (&Flag, &EnvironmentKey)> {
    state.flags().flat_map(|flag| {
        state
            .environments()
            .map(|entry| (&**flag, &entry.environment.key))
    })
}

/// P3: a lever leaves its latch only by an open of it, or by an undo that names the revision.
fn a_kill_stays_killed(before: &State, after: &State, command: &Command) {
    for (flag, environment) in levers(before) {
        let name = environment.as_str();
        let now = after.flag(flag.key().as_str()).unwrap().position(name);
        if !lifts_latch(flag.position(name), now) {
            continue;
        }
        match command {
            Command::Open {
                flag: opened,
                environment: there,
                ..
            } => {
                assert_eq!((opened, there), (flag.key(), environment));
            }
            Command::Undo {
                revision: Some(revision),
            } => {
                let lever = flag.lever(name).unwrap();
                assert_eq!(*revision, lever.moved_revision);
            }
            other => panic!(
                "{} left its latch in {environment} by {other:?}",
                flag.key()
            ),
        }
    }
}

/// P2: whatever a brake token does, no lever is more open and nothing else is changed.
fn a_brake_never_opens(before: &State, after: &State, token: &Token, events: &[Event]) {
    if token.role != Role::Brake {
        return;
    }
    for event in events {
        assert!(
            matches!(event, Event::PositionMoved { .. } | Event::Undone { .. }),
            "{event:?}"
        );
    }
    for (flag, environment) in levers(before) {
        let name = environment.as_str();
        let (from, now) = (
            flag.position(name),
            after.flag(flag.key().as_str()).unwrap(),
        );
        let to = now.position(name);
        assert!(
            !is_opening(from, to, &flag.definition.closed),
            "{from:?} to {to:?}"
        );
        assert!(!lifts_latch(from, to));
    }
}

/// P2, as evaluators see it: whoever got a closed variant gets it still.
fn nobody_is_let_in(before: &RuleSet, after: &RuleSet) {
    for name in FLAGS {
        let Some(flag) = before.flag(name) else {
            continue;
        };
        for (unit, plan) in (0..20).flat_map(|unit| [(unit, "x"), (unit, "z")]) {
            let context = Context::new(&format!("user-{unit}")).with("plan", plan);
            let variant = |rules: &RuleSet| {
                let outcome = rules.evaluate(name, &context).unwrap();
                outcome.variant.to_owned()
            };
            if variant(before) == flag.closed.0.as_str() {
                assert_eq!(variant(after), variant(before), "{name} for {context:?}");
            }
        }
    }
}

/// Nothing opens in a guarded environment without a reason.
fn a_guard_asks_why(before: &State, after: &State, asked: &Asked) {
    for (flag, environment) in levers(before) {
        let guarded = before
            .environment(environment.as_str())
            .unwrap()
            .environment
            .guarded;
        let now = after.flag(flag.key().as_str()).unwrap();
        let (from, to) = (
            flag.position(environment.as_str()),
            now.position(environment.as_str()),
        );
        if guarded && is_opening(from, to, &flag.definition.closed) {
            assert!(asked.has_reason, "{} opened in {environment}", flag.key());
        }
    }
}

/// The scopes of the token hold for every lever and definition that changed.
fn a_token_stays_in_its_scope(before: &State, after: &State, token: &Token) {
    for (flag, environment) in levers(before) {
        let name = environment.as_str();
        let now = after.flag(flag.key().as_str()).unwrap();
        let has_changed = flag.position(name) != now.position(name)
            || (now.is_archived && !flag.is_archived)
            || flag.definition.in_environment(name) != now.definition.in_environment(name);
        if has_changed {
            assert!(token.allows_environment(name), "{} in {name}", flag.key());
            assert!(
                token.allows_key(flag.key().as_str()),
                "{} in {name}",
                flag.key()
            );
        }
    }
}

proptest! {
    #[test]
    fn the_promises_hold_whatever_is_asked(
        sequence in prop::collection::vec(any_asked(), 1..60)
    ) {
        let mut world = world();
        let mut told = ENVIRONMENTS.map(|name| Told::of(&world.state, name));
        for asked in &sequence {
            let before = world.state.clone();
            let Some((command, events)) = ask(&mut world, asked) else {
                prop_assert!(world.state == before);
                continue;
            };
            let after = &world.state;
            prop_assert_eq!(after.revision(), before.revision() + 1);
            let token = &before.token(asked.who).unwrap().token;
            a_kill_stays_killed(&before, after, &command);
            a_brake_never_opens(&before, after, token, &events);
            a_guard_asks_why(&before, after, asked);
            a_token_stays_in_its_scope(&before, after, token);
            for told in &mut told {
                let rules = Arc::clone(told.follower.rule_set());
                told.follow(&before, after, world.entries.last().unwrap());
                if token.role == Role::Brake {
                    nobody_is_let_in(&rules, told.follower.rule_set());
                }
            }
        }
        prop_assert!(world.refolded() == world.state, "the journal folds to the state");
        let text = serde_json::to_string(&world.state.to_snapshot()).unwrap();
        let snapshot: Snapshot = serde_json::from_str(&text).unwrap();
        prop_assert!(State::from_snapshot(snapshot).unwrap() == world.state);
        let text = world.state.to_text().unwrap();
        prop_assert!(State::from_text(&text).unwrap() == world.state);
    }

    /// The last record, whoever made it, comes back exactly, or the admin is told why not.
    #[test]
    fn an_undo_puts_everything_back_exactly(
        sequence in prop::collection::vec(any_asked(), 1..40)
    ) {
        let mut world = world();
        let mut before = None;
        for asked in &sequence {
            let was = world.state.clone();
            if ask(&mut world, asked).is_some() {
                before = Some(was);
            }
        }
        prop_assume!(before.is_some());
        let before = before.unwrap();
        let last = world.state.clone();
        let touched = last.touched(last.revision()).unwrap();
        let is_final = touched.before.iter().any(|b| matches!(b, Before::Final { .. }));
        let is_admitted = last.token("root").unwrap().works_at(world.now);
        let undo = undo(last.revision());
        let decision = world.by("root").because("because").ask(undo);
        if is_final || !is_admitted {
            prop_assert!(decision.is_err());
            return Ok(());
        }
        prop_assert!(matches!(decision, Ok(Decision::Append(_))), "{:?}", decision);
        let was_created = |flag: &Flag| before.flag(flag.key().as_str()).is_none();
        for flag in world.state.flags() {
            if was_created(flag) {
                prop_assert!(flag.is_archived);
                continue;
            }
            let old = before.flag(flag.key().as_str()).unwrap();
            prop_assert_eq!(&flag.definition, &old.definition);
            prop_assert_eq!(flag.is_archived, old.is_archived);
            for name in ENVIRONMENTS {
                prop_assert_eq!(flag.position(name), old.position(name));
            }
        }
        let segments = |state: &State| -> Vec<_> {
            state.segments().map(|entry| entry.segment.clone()).collect()
        };
        prop_assert_eq!(segments(&world.state), segments(&before));
        for entry in world.state.environments() {
            let old = before.environment(entry.environment.key.as_str()).unwrap();
            prop_assert_eq!(&entry.environment, &old.environment);
        }
    }

    /// A close is accepted from whoever may close there, whatever went before.
    #[test]
    fn a_close_is_never_refused(
        sequence in prop::collection::vec(any_asked(), 0..40),
        name in select(vec!["a-1", "a-2", "b-1"]),
        environment in any_environment(),
    ) {
        let mut world = world();
        for asked in &sequence {
            ask(&mut world, asked);
        }
        let in_use = world.state.flag(name).is_some_and(|flag| !flag.is_archived);
        let is_admitted = world.state.token("oncall").unwrap().works_at(world.now);
        prop_assume!(in_use && is_admitted);
        let command = crate::world::close([name], environment);
        let decision = world.by("oncall").ask(command);
        prop_assert!(decision.is_ok(), "{:?}", decision);
        prop_assert!(is_latched(world.position(name, environment)));
    }
}
