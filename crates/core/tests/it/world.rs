//! A world in a few words: a journal with dev, staging and guarded prod, people with tokens, and a
//! clock that moves only when told.

use std::collections::BTreeSet;

use leverframe_core::access::{Actor, Role, Token};
use leverframe_core::environment::Environment;
use leverframe_core::flag::{EnvironmentRules, FlagDefinition, Kind};
use leverframe_core::state::Flag;
use leverframe_core::{
    Command, Decision, Entry, Event, Idempotency, Meta, Rejection, Selection, State, Table,
    Timestamp, Why, decide, first_events,
};
use leverframe_flags::{
    Exposure, Percentage, Position, Prerequisite, Rule, Segment, SegmentKey, Serve, Value,
    ValueType,
};

pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) entries: Vec<Entry>,
    pub(crate) now: Timestamp,
}

impl World {
    /// Somebody of each role: `root` (admin), `ana` (operator), `oncall` (brake), `eve` (viewer).
    pub(crate) fn new() -> Self {
        let mut world = Self {
            state: State::new(),
            entries: Vec::new(),
            now: Timestamp::from_ms(1_800_000_000_000),
        };
        let environments =
            [("dev", false), ("staging", false), ("prod", true)].map(|(name, guarded)| {
                Environment {
                    key: key(name),
                    guarded,
                }
            });
        let events = first_events("journal-1", environments, token("root", Role::Admin));
        world.append(events, &world.meta(Actor::System));
        for (name, role) in [
            ("ana", Role::Operator),
            ("oncall", Role::Brake),
            ("eve", Role::Viewer),
        ] {
            world.admit(token(name, role));
        }
        world
    }

    /// [`World::new`] with boolean flags, all closed.
    pub(crate) fn with_flags<const N: usize>(names: [&str; N]) -> Self {
        let mut world = Self::new();
        for name in names {
            world.by("ana").done(create(flag(name)));
        }
        world
    }

    pub(crate) fn admit(&mut self, token: Token) {
        self.by("root").done(Command::CreateToken {
            token: Box::new(token),
        });
    }

    pub(crate) fn by(&mut self, name: &str) -> Ask<'_> {
        let meta = self.meta(Actor::Token { id: name.into() });
        Ask { world: self, meta }
    }

    /// The node itself.
    pub(crate) fn by_system(&mut self) -> Ask<'_> {
        let meta = self.meta(Actor::System);
        Ask { world: self, meta }
    }

    pub(crate) fn meta(&self, actor: Actor) -> Meta {
        Meta {
            now: self.now,
            steady: self.now,
            actor,
            via: "test".into(),
            why: Why::default(),
            if_match: None,
            idempotency: None,
            entropy: u128::from(self.state.revision()),
        }
    }

    pub(crate) fn append(&mut self, events: Vec<Event>, meta: &Meta) {
        let record = self.state.next_record(events, meta);
        let entry = Entry::seal(record, self.state.head()).unwrap();
        self.state.apply(&entry).unwrap();
        self.entries.push(entry);
    }

    pub(crate) fn later(&mut self, ms: i64) {
        self.now = self.now.plus_ms(ms);
    }

    pub(crate) fn revision(&self) -> u64 {
        self.state.revision()
    }

    pub(crate) fn flag(&self, name: &str) -> &Flag {
        self.state.flag(name).unwrap()
    }

    pub(crate) fn position(&self, name: &str, environment: &str) -> &Position {
        self.flag(name).position(environment)
    }

    /// The ETag of a lever.
    pub(crate) fn etag(&self, name: &str, environment: &str) -> u64 {
        self.state.lever_revision(self.flag(name), environment)
    }

    /// Opens a lever as `ana` would: with a reason, having looked.
    pub(crate) fn open(&mut self, name: &str, environment: &str, percentage: &str) -> u64 {
        let seen = self.etag(name, environment);
        let command = open(name, environment, percentage);
        self.by("ana").because("go").seen(seen).done(command)
    }

    pub(crate) fn kill(&mut self, name: &str, environment: &str) -> u64 {
        self.by("oncall").done(close([name], environment))
    }

    /// Edits a flag as `ana` would: with a reason, having looked.
    pub(crate) fn edit(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut FlagDefinition),
    ) -> Result<Decision, Rejection> {
        let seen = self.flag(name).defined_revision;
        let command = edit(self.flag(name), change);
        self.by("ana").because("edit").seen(seen).ask(command)
    }

    /// The state that the entries fold to, from nothing.
    pub(crate) fn refolded(&self) -> State {
        let mut state = State::new();
        for entry in &self.entries {
            let stored = Entry::open(
                entry.record.revision,
                entry.text.clone(),
                entry.previous,
                entry.link,
            );
            state.apply(&stored.unwrap()).unwrap();
        }
        state
    }
}

/// A command about to be given.
pub(crate) struct Ask<'w> {
    world: &'w mut World,
    pub(crate) meta: Meta,
}

impl Ask<'_> {
    pub(crate) fn because(mut self, reason: &str) -> Self {
        self.meta.why.reason = Some(reason.into());
        self
    }

    pub(crate) fn seen(mut self, revision: u64) -> Self {
        self.meta.if_match = Some(revision);
        self
    }

    pub(crate) fn under_key(mut self, key: &str, body: &str) -> Self {
        self.meta.idempotency = Some(Idempotency {
            key: key.into(),
            body_sha256: body.into(),
        });
        self
    }

    /// Decides, and makes it true if it is accepted.
    #[expect(clippy::needless_pass_by_value, reason = "a call reads as a sentence")]
    pub(crate) fn ask(self, command: Command) -> Result<Decision, Rejection> {
        let before = self.world.state.clone();
        let decision = decide(&self.world.state, &command, &self.meta);
        assert_eq!(
            decision,
            decide(&before, &command, &self.meta),
            "the same question, the same answer"
        );
        assert!(self.world.state == before, "asking changes nothing");
        if let Ok(Decision::Append(events)) = &decision {
            assert!(!events.is_empty(), "never an empty record");
            self.world.append(events.clone(), &self.meta);
        }
        decision
    }

    /// [`Ask::ask`] where it must make a record; its revision.
    pub(crate) fn done(self, command: Command) -> u64 {
        let revision = self.world.revision() + 1;
        let sentence = format!("{command:?}");
        let world = self.world;
        let ask = Ask {
            world: &mut *world,
            meta: self.meta,
        };
        match ask.ask(command) {
            Ok(Decision::Append(_)) => revision,
            other => panic!("{sentence} gave {other:?}"),
        }
    }

    /// [`Ask::ask`] where it must be refused.
    pub(crate) fn refused(self, command: Command) -> Rejection {
        let sentence = format!("{command:?}");
        match self.ask(command) {
            Err(rejection) => rejection,
            Ok(decision) => panic!("{sentence} gave {decision:?}"),
        }
    }
}

pub(crate) fn key<K: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> K {
    text.parse().unwrap()
}

pub(crate) fn token(name: &str, role: Role) -> Token {
    Token {
        id: name.into(),
        name: name.into(),
        role,
        environments: BTreeSet::new(),
        keys: BTreeSet::new(),
        secret_sha256: "0".repeat(64).into(),
        expires_at: None,
    }
}

pub(crate) fn scoped(mut token: Token, environments: &[&str], keys: &[&str]) -> Token {
    token.environments = environments.iter().map(|name| key(name)).collect();
    token.keys = keys.iter().map(|glob| (*glob).into()).collect();
    token
}

/// A boolean operations flag of team-a, off when closed.
pub(crate) fn flag(name: &str) -> FlagDefinition {
    FlagDefinition {
        unsafe_closing: None,
        key: key(name),
        kind: Kind::Ops,
        value_type: ValueType::Boolean,
        variants: Table::from([
            (key("off"), Value::Boolean(false)),
            (key("on"), Value::Boolean(true)),
        ]),
        closed: key("off"),
        open: Serve::Variant(key("on")),
        owner: "team-a".to_owned(),
        description: String::new(),
        tags: BTreeSet::new(),
        runbook: String::new(),
        sunset: None,
        client_visible: false,
        stale_after_s: None,
        unit: None,
        salt: "".into(),
        hash: leverframe_flags::Hash::Native,
        environments: Table::new(),
    }
}

pub(crate) fn rules_of<'d>(
    definition: &'d mut FlagDefinition,
    environment: &str,
) -> &'d mut EnvironmentRules {
    definition.environments.get_or_default(key(environment))
}

pub(crate) fn rule(when: &str) -> Rule {
    Rule {
        id: "".into(),
        when: when.parse().unwrap(),
        serve: Serve::Variant(key("on")),
    }
}

pub(crate) fn needs(flag: &str) -> Prerequisite {
    Prerequisite {
        flag: key(flag),
        variants: Vec::new(),
    }
}

pub(crate) fn segment(name: &str, when: &str) -> Segment {
    Segment {
        key: key(name),
        when: Some(when.parse().unwrap()),
        include: Vec::new(),
        exclude: Vec::new(),
    }
}

pub(crate) fn percent(text: &str) -> Percentage {
    text.parse().unwrap()
}

pub(crate) fn exposure(cohorts: &[&str], percentage: &str) -> Exposure {
    Exposure {
        cohorts: cohorts.iter().map(|name| key::<SegmentKey>(name)).collect(),
        percentage: percent(percentage),
    }
}

pub(crate) fn create(definition: FlagDefinition) -> Command {
    Command::CreateFlag {
        definition: Box::new(definition),
    }
}

pub(crate) fn edit(flag: &Flag, change: impl FnOnce(&mut FlagDefinition)) -> Command {
    let mut definition = (*flag.definition).clone();
    change(&mut definition);
    Command::EditFlag {
        definition: Box::new(definition),
    }
}

pub(crate) fn create_segment(segment: Segment) -> Command {
    Command::CreateSegment {
        segment: Box::new(segment),
    }
}

pub(crate) fn edit_segment(segment: Segment) -> Command {
    Command::EditSegment {
        segment: Box::new(segment),
    }
}

pub(crate) fn open(flag: &str, environment: &str, percentage: &str) -> Command {
    open_to(flag, environment, exposure(&[], percentage))
}

pub(crate) fn open_to(flag: &str, environment: &str, exposure: Exposure) -> Command {
    Command::Open {
        flag: key(flag),
        environment: key(environment),
        exposure,
    }
}

pub(crate) fn ramp(flag: &str, environment: &str, percentage: &str) -> Command {
    Command::Ramp {
        flag: key(flag),
        environment: key(environment),
        percentage: percent(percentage),
    }
}

pub(crate) fn pin(flag: &str, environment: &str, variant: &str) -> Command {
    Command::Pin {
        flag: key(flag),
        environment: key(environment),
        variant: key(variant),
    }
}

pub(crate) fn close<const N: usize>(flags: [&str; N], environment: &str) -> Command {
    Command::Close {
        flags: Selection::Flags(flags.into_iter().map(key).collect()),
        environment: key(environment),
    }
}

pub(crate) fn undo(revision: impl Into<Option<u64>>) -> Command {
    Command::Undo {
        revision: revision.into(),
    }
}

pub(crate) fn is_latched(position: &Position) -> bool {
    leverframe_core::position::latch(position).is_some()
}
