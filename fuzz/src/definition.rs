//! A file of definitions, YAML or JSON. What the server takes, every evaluator can serve; and it is
//! written out to a file that is read back as the same.

use std::collections::BTreeSet;

use leverframe_core::access::{Actor, Role, Token};
use leverframe_core::environment::Environment;
use leverframe_core::{
    Command, Decision, Entry, Meta, Rejection, State, Timestamp, Why, decide, first_events, frame,
};
use leverframe_flags::{Context, EnvironmentKey, Exposure, Follower, Position, Step, Update};
use leverframe_server::fuzz;
use leverframe_wire::admin::{FlagDefinition, SegmentDefinition};
use serde::de::DeserializeOwned;
use serde_json::json;
use serde_saphyr::options::DuplicateKeyPolicy;

pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Some(flag) = read::<FlagDefinition>(text) {
        check_flag(flag);
    } else if let Some(segment) = read::<SegmentDefinition>(text) {
        check_segment(segment);
    }
}

fn check_flag(wire: FlagDefinition) {
    let definition = match fuzz::definition(wire) {
        Ok(definition) => definition,
        Err(why) => {
            assert!(!why.is_empty());
            return;
        }
    };
    let mut state = shop();
    let key = definition.key.clone();
    let command = Command::CreateFlag {
        definition: Box::new(definition),
    };
    if give(&mut state, &command).is_err() {
        return;
    }
    let stored = &state.flag(key.as_str()).expect("it was created").definition;
    let view = fuzz::definition_view(stored);
    let text = serde_saphyr::to_string(&view).expect("YAML");
    let again = read::<FlagDefinition>(&text).unwrap_or_else(|| panic!("not read back:\n{text}"));
    assert_eq!(again, view, "a file is read back as it was written\n{text}");
    assert_eq!(
        fuzz::definition(again).as_ref(),
        Ok(&**stored),
        "a definition goes out and comes in again"
    );
    serve_everywhere(&state, key.as_str());
}

fn check_segment(wire: SegmentDefinition) {
    let Ok(segment) = fuzz::segment(wire) else {
        return;
    };
    let mut state = shop();
    let key = segment.key.clone();
    let command = Command::CreateSegment {
        segment: Box::new(segment),
    };
    if give(&mut state, &command).is_err() {
        return;
    }
    let stored = &state.segment(key.as_str()).expect("it was created").segment;
    let view = fuzz::segment_view(stored);
    let text = serde_saphyr::to_string(&view).expect("YAML");
    let again =
        read::<SegmentDefinition>(&text).unwrap_or_else(|| panic!("not read back:\n{text}"));
    assert_eq!(
        fuzz::segment(again).as_ref(),
        Ok(&**stored),
        "a segment goes out and comes in again"
    );
    serve_everywhere(&state, "checkout");
}

/// Follows every environment, at every kind of position.
fn serve_everywhere(state: &State, flag: &str) {
    for environment in ["dev", "prod"] {
        let environment = EnvironmentKey::new(environment).expect("a key");
        let mut update = frame::snapshot(state, &environment).expect("the environment is there");
        for position in [
            Position::start(),
            Position::Open {
                exposure: Exposure::of(leverframe_flags::Percentage::ZERO),
            },
            Position::Open {
                exposure: Exposure::of("50".parse().expect("a percentage")),
            },
        ] {
            if let Update::Snapshot { flags, .. } = &mut update {
                for flag in flags {
                    flag.position = position.clone();
                }
            }
            let mut follower = Follower::new(environment.clone());
            let step = follower.apply(update.clone());
            let Step::Applied {
                acknowledgement, ..
            } = step
            else {
                panic!("{step:?}");
            };
            assert_eq!(
                acknowledgement.refused,
                [],
                "what the server takes, an evaluator can serve"
            );
            answer(&follower, flag, &position);
        }
    }
}

fn answer(follower: &Follower, flag: &str, position: &Position) {
    let rules = follower.rule_set();
    let view = rules.flag(flag).expect("the flag is there");
    let definition = view.definition().expect("it can be read");
    for context in [
        json!({}),
        json!({"targetingKey": "u-1", "plan": "beta", "age": 18, "version": "2.0.0"}),
        json!({"targetingKey": "u-2", "plan": ["beta"], "age": "18", "ip": "10.1.2.3"}),
    ] {
        let context = Context::from_json(&context).expect("a context").at(1);
        let outcome = rules.evaluate(flag, &context).expect("an answer");
        assert_eq!(
            definition.variants.get(outcome.variant),
            Some(outcome.value)
        );
        assert_eq!(outcome.value.value_type(), definition.value_type);
        if position.is_closed() {
            assert_eq!(outcome.variant, definition.closed.as_str());
        }
        let explained = rules.explain(flag, &context).expect("an explanation");
        assert_eq!(explained.variant, outcome.variant);
        assert_eq!(explained.rule.as_deref(), outcome.rule);
        let _ = explained.to_string();
    }
}

/// As `lever apply` reads a file.
fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).ok()
}

/// A journal with two environments, a flag `checkout` and a segment `staff`.
fn shop() -> State {
    let mut state = State::new();
    let environments = [("dev", false), ("prod", true)].map(|(key, guarded)| Environment {
        key: EnvironmentKey::new(key).expect("a key"),
        guarded,
    });
    let root = Token {
        id: "root".into(),
        name: "root".into(),
        role: Role::Admin,
        environments: BTreeSet::new(),
        keys: BTreeSet::new(),
        secret_sha256: "0".repeat(64).into(),
        expires_at: None,
    };
    let meta = meta(Actor::System);
    append(
        &mut state,
        first_events("journal", environments, root),
        &meta,
    );
    let checkout = json!({
        "key": "checkout", "kind": "ops", "type": "boolean", "owner": "web",
        "variants": {"on": true, "off": false}, "closed": "off", "open": "on",
    });
    let checkout: FlagDefinition = serde_json::from_value(checkout).expect("a definition");
    let staff = json!({"key": "staff", "when": "plan == \"staff\"", "include": ["u-1"]});
    let staff: SegmentDefinition = serde_json::from_value(staff).expect("a segment");
    for command in [
        Command::CreateSegment {
            segment: Box::new(fuzz::segment(staff).expect("a segment")),
        },
        Command::CreateFlag {
            definition: Box::new(fuzz::definition(checkout).expect("a definition")),
        },
    ] {
        give(&mut state, &command).expect("a shop");
    }
    state
}

fn meta(actor: Actor) -> Meta {
    Meta {
        now: Timestamp::from_ms(1_800_000_000_000),
        steady: Timestamp::from_ms(1_800_000_000_000),
        actor,
        via: "fuzz".into(),
        why: Why::default(),
        if_match: None,
        idempotency: None,
        entropy: 7,
    }
}

fn give(state: &mut State, command: &Command) -> Result<(), Rejection> {
    let meta = meta(Actor::Token { id: "root".into() });
    if let Decision::Append(events) = decide(state, command, &meta)? {
        append(state, events, &meta);
    }
    Ok(())
}

/// Seals the record and reads it back, as the journal does.
fn append(state: &mut State, events: Vec<leverframe_core::Event>, meta: &Meta) {
    let record = state.next_record(events, meta);
    let entry = Entry::seal(record, state.head()).expect("a record");
    let stored = Entry::open(
        entry.record.revision,
        entry.text.clone(),
        entry.previous,
        entry.link,
    )
    .expect("what is sealed can be opened");
    assert_eq!(
        stored.record, entry.record,
        "a record is read back as it was"
    );
    state.apply(&stored).expect("it follows the one before");
}
