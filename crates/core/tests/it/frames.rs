//! Frames: what evaluators are told adds up to what is true, and nothing is sent for nothing.

use leverframe_core::{Command, Entry, State, frame};
use leverframe_flags::{EnvironmentKey, Follower, Position, Step, Update, Value};

use crate::world::{
    World, close, create_segment, edit_segment, flag, key, open, rule, rules_of, segment, undo,
};

/// The engine's own follower, told every frame, which it must take in at once and whole.
pub(crate) struct Told {
    environment: EnvironmentKey,
    pub(crate) follower: Follower,
}

impl Told {
    pub(crate) fn of(state: &State, environment: &str) -> Self {
        let environment: EnvironmentKey = key(environment);
        let mut told = Self {
            follower: Follower::new(environment.clone()),
            environment,
        };
        told.hear(frame::snapshot(state, &told.environment).unwrap());
        told
    }

    /// Tells it of an entry, if it needs to hear of it, and checks that it knows what is true.
    pub(crate) fn follow(&mut self, before: &State, after: &State, entry: &Entry) {
        if let Some(update) = frame::change(before, after, entry, &self.environment) {
            self.hear(update);
        }
        assert_eq!(
            self.follower.snapshot(),
            frame::snapshot(after, &self.environment),
            "at r{}",
            after.revision()
        );
        assert_eq!(
            self.follower.cursor().map(|cursor| &cursor.head),
            frame::cursor(after, &self.environment)
                .map(|cursor| cursor.head)
                .as_ref(),
        );
    }

    fn hear(&mut self, update: Update) {
        let step = self.follower.apply(update);
        let Step::Applied {
            acknowledgement, ..
        } = step
        else {
            panic!("{step:?}");
        };
        assert_eq!(acknowledgement.refused, [], "what was accepted can be read");
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
    let told = Told::of(&world.state, "prod");
    let flag = told.follower.rule_set().flag("checkout").unwrap();
    assert_eq!(flag.closed, (&key("off"), &Value::Boolean(false)));
    assert_eq!(*flag.definition().unwrap().salt, *"checkout");
}

#[test]
fn frames_add_up_to_the_snapshot() {
    let mut world = World::new();
    let mut told = ["dev", "prod"].map(|environment| Told::of(&world.state, environment));
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
        for told in &mut told {
            told.follow(&before, &world.state, world.entries.last().unwrap());
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
