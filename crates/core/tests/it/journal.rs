//! Applying records: in order, of this journal, and all or nothing.

use leverframe_core::access::{Actor, Role};
use leverframe_core::state::{ApplyError, SNAPSHOT_FORMAT, Snapshot, SnapshotError};
use leverframe_core::{Decision, Entry, Event, State, decide};
use leverframe_flags::{Position, Value, ValueType};
use proptest::prelude::*;

use crate::world::{World, close, exposure, flag, key, open, token};

#[test]
fn a_journal_begins_with_its_start() {
    let world = World::new();
    assert_eq!(world.state.journal(), "journal-1");
    assert_eq!(world.state.epoch(), 1);
    let names: Vec<(&str, bool)> = world
        .state
        .environments()
        .map(|entry| (entry.environment.key.as_str(), entry.environment.guarded))
        .collect();
    assert_eq!(names, [("dev", false), ("prod", true), ("staging", false)]);

    let mut state = State::new();
    let event = Event::TokenCreated {
        token: token("x", Role::Admin).into(),
    };
    let record = state.next_record(vec![event], &world.meta(Actor::System));
    let entry = Entry::seal(record, state.head()).unwrap();
    assert!(matches!(
        state.apply(&entry),
        Err(ApplyError::Impossible { .. })
    ));
    assert!(state == State::new());
}

#[test]
fn nothing_is_decided_before_the_journal_has_started() {
    let world = World::new();
    let meta = world.meta(Actor::System);
    let decision = decide(&State::new(), &close(["x"], "prod"), &meta);
    assert_eq!(decision.unwrap_err().code(), "conflict");
}

#[test]
fn a_record_out_of_order_or_of_another_chain_is_refused() {
    let mut world = World::with_flags(["checkout"]);
    let before = world.state.clone();
    let Ok(Decision::Append(events)) = decide(
        &world.state,
        &open("checkout", "dev", "5"),
        &world.meta(Actor::System),
    ) else {
        panic!("it opens");
    };
    let meta = world.meta(Actor::System);
    let mut record = world.state.next_record(events, &meta);
    let elsewhere = Entry::seal(record.clone(), leverframe_core::Link::START).unwrap();
    assert!(matches!(
        world.state.apply(&elsewhere),
        Err(ApplyError::BrokenChain { .. })
    ));
    record.revision += 1;
    let early = Entry::seal(record, world.state.head()).unwrap();
    assert!(matches!(
        world.state.apply(&early),
        Err(ApplyError::WrongRevision { .. })
    ));
    assert!(world.state == before);
}

#[test]
fn a_record_that_says_what_cannot_be_changes_nothing() {
    let mut world = World::with_flags(["checkout"]);
    let before = world.state.clone();
    let moved = Event::PositionMoved {
        flag: key("checkout"),
        environment: key("dev"),
        from: Position::start(),
        to: Position::Open {
            exposure: exposure(&[], "5"),
        },
    };
    let wrong_from = Event::PositionMoved {
        flag: key("checkout"),
        environment: key("dev"),
        from: Position::start(),
        to: Position::start(),
    };
    let unknown = Event::FlagArchived { flag: key("none") };
    for events in [vec![moved.clone(), wrong_from], vec![moved, unknown]] {
        let record = world.state.next_record(events, &world.meta(Actor::System));
        let entry = Entry::seal(record, world.state.head()).unwrap();
        let refused = world.state.apply(&entry);
        assert!(
            matches!(refused, Err(ApplyError::Impossible { .. })),
            "{refused:?}"
        );
        assert!(world.state == before);
    }
}

#[test]
fn a_snapshot_of_another_format_is_refused() {
    let world = World::with_flags(["checkout"]);
    let mut snapshot: Snapshot = world.state.to_snapshot();
    snapshot.format = SNAPSHOT_FORMAT + 1;
    assert_eq!(
        State::from_snapshot(snapshot),
        Err(SnapshotError::Format {
            found: SNAPSHOT_FORMAT + 1
        })
    );
}

#[test]
fn a_state_that_is_cut_short_or_goes_on_is_refused() {
    let mut world = World::with_flags(["checkout", "search"]);
    world.open("checkout", "dev", "20");
    let text = world.state.to_text().unwrap();
    for end in 0..text.len() {
        let cut = State::from_text(&text[..end]);
        assert!(cut.is_err(), "cut after {end} of {} bytes", text.len());
    }
    let more = [&text[..], b"\n[]"].concat();
    assert!(State::from_text(&more).is_err());
    assert!(State::from_text(&text).unwrap() == world.state);
}

#[test]
fn a_state_with_any_byte_altered_is_refused_or_read_as_it_says() {
    let world = World::with_flags(["checkout"]);
    let text = world.state.to_text().unwrap();
    for index in 0..text.len() {
        let mut altered = text.clone();
        altered[index] ^= 0x10;
        // What it says may be wrong: the store's checksum is there for that. It must not panic.
        let _ = State::from_text(&altered);
    }
}

#[test]
fn a_record_names_who_and_carries_the_reason_tidied() {
    let mut world = World::with_flags(["checkout"]);
    world
        .by("oncall")
        .because(" INC-1 ")
        .done(close(["checkout"], "prod"));
    let record = &world.entries.last().unwrap().record;
    assert_eq!((&*record.actor, &*record.actor_name), ("oncall", "oncall"));
    assert_eq!(record.why.reason.as_deref(), Some("INC-1"));
    assert_eq!(&*world.entries[0].record.actor, "system");
}

#[test]
fn a_record_is_never_dated_before_the_one_in_front_of_it() {
    let mut world = World::with_flags(["checkout"]);
    world.later(-3_600_000);
    world.kill("checkout", "prod");
    let [.., before, last] = &world.entries[..] else {
        panic!("two records");
    };
    assert!(last.record.at >= before.record.at);
}

proptest! {
    /// A value that came back a little different would contradict the next record that names it,
    /// and the journal would be refused at the next start.
    #[test]
    fn a_number_comes_back_from_the_journal_as_it_went_in(
        number in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL
    ) {
        let world = World::new();
        let mut definition = flag("ratio");
        definition.value_type = ValueType::Float;
        definition.variants = [("off", Value::Float(number)), ("on", Value::Float(0.5))]
            .map(|(variant, value)| (key(variant), value))
            .into();
        let events = vec![Event::FlagCreated { definition: definition.into() }];
        let record = world.state.next_record(events, &world.meta(Actor::System));
        let sealed = Entry::seal(record, world.state.head()).unwrap();
        let revision = sealed.record.revision;
        let opened =
            Entry::open(revision, sealed.text.clone(), sealed.previous, sealed.link).unwrap();
        prop_assert_eq!(opened.record, sealed.record);
    }
}
