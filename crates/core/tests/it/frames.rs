//! Frames: what evaluators are told adds up to what is true, and nothing is sent for nothing.

use std::collections::BTreeMap;

use leverframe_core::{Command, Entry, State, frame};
use leverframe_flags::{
    Definition, EnvironmentKey, FlagKey, FlagUpdate, Position, Segment, SegmentKey, Update,
};

use crate::world::{
    World, close, create_segment, edit_segment, flag, key, open, rule, rules_of, segment, undo,
};

/// An evaluator that does nothing but keep what it is told, and insists on an unbroken chain.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Mirror {
    revision: u64,
    head: Box<str>,
    flags: BTreeMap<FlagKey, FlagUpdate>,
    segments: BTreeMap<SegmentKey, Segment>,
}

impl Mirror {
    pub(crate) fn of(state: &State, environment: &EnvironmentKey) -> Self {
        let mut mirror = Self::default();
        mirror.hear(frame::snapshot(state, environment).unwrap());
        mirror
    }

    pub(crate) fn hear(&mut self, update: Update) {
        match update {
            Update::Snapshot {
                cursor,
                flags,
                segments,
            } => {
                *self = Self {
                    revision: cursor.revision,
                    head: cursor.head,
                    flags: flags
                        .into_iter()
                        .map(|flag| (flag.key.clone(), flag))
                        .collect(),
                    segments: segments
                        .into_iter()
                        .map(|segment| (segment.key, *segment.definition.unwrap()))
                        .collect(),
                };
            }
            Update::Change {
                cursor,
                positions,
                flags,
                segments,
                removed_flags,
                removed_segments,
            } => {
                assert_eq!(cursor.previous, self.revision, "the chain is unbroken");
                assert!(cursor.revision > cursor.previous);
                for (key, position) in positions {
                    self.flags.get_mut(&key).unwrap().position = position;
                }
                for flag in flags {
                    self.flags.insert(flag.key.clone(), flag);
                }
                for segment in segments {
                    self.segments
                        .insert(segment.key, *segment.definition.unwrap());
                }
                for key in removed_flags {
                    self.flags.remove(&key).unwrap();
                }
                for key in removed_segments {
                    self.segments.remove(&key).unwrap();
                }
                self.revision = cursor.revision;
                self.head = cursor.head;
            }
            Update::Brake { .. } => panic!("the journal makes none"),
        }
    }

    fn definition(&self, name: &str) -> &Definition {
        self.flags[name].definition.as_ref().unwrap()
    }
}

/// What the last record tells an environment.
fn told(before: &State, world: &World, environment: &str) -> Option<Update> {
    let entry: &Entry = world.entries.last().unwrap();
    frame::change(before, &world.state, entry, &key(environment))
}

#[test]
fn a_kill_travels_as_a_position_to_its_environment_only() {
    let mut world = World::with_flags(["checkout"]);
    world.open("checkout", "prod", "25");
    let before = world.state.clone();
    world.by("oncall").done(close(["checkout"], "prod"));
    assert_eq!(told(&before, &world, "dev"), None);
    let Some(Update::Change {
        positions,
        flags,
        cursor,
        ..
    }) = told(&before, &world, "prod")
    else {
        panic!("prod is told");
    };
    assert_eq!(flags, []);
    assert!(matches!(
        &positions[..],
        [(flag, Position::Closed { latch: Some(_) })] if flag.as_str() == "checkout"
    ));
    assert_eq!(
        cursor.previous,
        before.environment("prod").unwrap().revision
    );
    assert_eq!(cursor.revision, world.revision());
    assert_eq!(*cursor.head, world.state.head().to_hex());
}

#[test]
fn a_new_description_is_told_to_nobody_and_a_rule_only_where_it_is() {
    let mut world = World::with_flags(["checkout"]);
    let before = world.state.clone();
    world
        .edit("checkout", |d| d.description = "new words".to_owned())
        .unwrap();
    for environment in ["dev", "staging", "prod"] {
        assert_eq!(told(&before, &world, environment), None);
    }
    let before = world.state.clone();
    world
        .edit("checkout", |d| {
            rules_of(d, "dev").rules.push(rule("plan == \"a\""));
        })
        .unwrap();
    assert!(told(&before, &world, "dev").is_some());
    assert_eq!(told(&before, &world, "prod"), None);
}

#[test]
fn tokens_and_guards_are_told_to_nobody() {
    let mut world = World::new();
    let before = world.state.clone();
    world.by("root").done(Command::GuardEnvironment {
        key: key("staging"),
        guarded: true,
    });
    assert_eq!(told(&before, &world, "staging"), None);
    assert_eq!(
        world.state.environment("staging").unwrap().revision,
        before.environment("staging").unwrap().revision
    );
}

#[test]
fn the_closed_value_travels_apart_from_the_definition() {
    let world = World::with_flags(["checkout"]);
    let mirror = Mirror::of(&world.state, &key("prod"));
    let flag = &mirror.flags["checkout"];
    assert_eq!(flag.closed.0.as_str(), "off");
    assert_eq!(*mirror.definition("checkout").salt, *"checkout");
}

#[test]
fn frames_add_up_to_the_snapshot() {
    let mut world = World::new();
    let environments = ["dev", "prod"].map(key::<EnvironmentKey>);
    let mut mirrors = environments.clone().map(|e| Mirror::of(&world.state, &e));
    let mut step = |world: &mut World, who: &str, command: Command| {
        let before = world.state.clone();
        let seen = match &command {
            Command::ArchiveFlag { flag } => before.flag(flag.as_str()).unwrap().defined_revision,
            Command::EditSegment { segment } => {
                before.segment(segment.key.as_str()).unwrap().revision
            }
            Command::DeleteSegment { segment } => {
                before.segment(segment.as_str()).unwrap().revision
            }
            Command::Open {
                flag, environment, ..
            } => before.lever_revision(before.flag(flag.as_str()).unwrap(), environment.as_str()),
            _ => 0,
        };
        let revision = world.by(who).because("x").seen(seen).done(command);
        for (mirror, environment) in mirrors.iter_mut().zip(&environments) {
            let entry = world.entries.last().unwrap();
            if let Some(update) = frame::change(&before, &world.state, entry, environment) {
                mirror.hear(update);
            }
            assert_eq!(
                *mirror,
                Mirror::of(&world.state, environment),
                "r{revision}"
            );
        }
        revision
    };
    step(
        &mut world,
        "ana",
        create_segment(segment("staff", "plan == \"a\"")),
    );
    let mut definition = flag("checkout");
    rules_of(&mut definition, "dev")
        .rules
        .push(rule("segment staff"));
    let created = step(&mut world, "ana", crate::world::create(definition));
    step(&mut world, "ana", open("checkout", "prod", "25"));
    step(
        &mut world,
        "ana",
        edit_segment(segment("staff", "plan == \"b\"")),
    );
    step(&mut world, "oncall", close(["checkout"], "prod"));
    let archive = Command::ArchiveFlag {
        flag: key("checkout"),
    };
    let archived = step(&mut world, "ana", archive);
    let deleted = step(
        &mut world,
        "ana",
        Command::DeleteSegment {
            segment: key("staff"),
        },
    );
    step(&mut world, "ana", undo(deleted));
    step(&mut world, "ana", undo(archived));
    assert!(created < archived);
}
