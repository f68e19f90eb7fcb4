//! What the guard makes of what it sees.

use std::sync::Arc;

use leverframe_core::access::Actor;
use leverframe_core::flag::FlagDefinition;
use leverframe_core::rollout::{Phase, Plan, Rollout};
use leverframe_core::{Entry, Event, Meta, Why};
use leverframe_flags::Position;

use super::*;

#[test]
fn nothing_goes_forward_where_less_than_nine_of_ten_are_heard() {
    assert_eq!(unheard(0, 0), None, "nobody follows");
    assert_eq!(unheard(10, 10), None);
    assert_eq!(unheard(10, 9), None);
    assert_eq!(unheard(1_000, 900), None);
    assert!(unheard(1_000, 899).is_some());
    assert!(unheard(1, 0).is_some());
}

fn rollout(name: &str) -> Rollout {
    let json = serde_json::json!({
        "id": name, "flag": name, "environment": "prod",
        "plan": Plan::safe(), "before": Position::start(), "lever_revision": 0,
        "phase": Phase::Warm, "since": 0, "proved": null,
        "started_by": "ana", "started_by_id": "tok_1", "started_at": 0, "moves": [],
    });
    serde_json::from_value(json).unwrap()
}

fn flag(name: &str) -> FlagDefinition {
    serde_json::from_value(serde_json::json!({
        "key": name, "kind": "ops", "type": "boolean", "owner": "team",
        "variants": {"on": true, "off": false}, "closed": "off", "open": "on",
    }))
    .unwrap()
}

/// A rollout that ended at a time for a cause; its revision.
fn ended(state: &mut State, name: &str, at: Timestamp, cause: Cause) -> u64 {
    let moved = Event::RolloutMoved {
        rollout: name.into(),
        at,
        to: Phase::RolledBack,
        proved: None,
        cause,
        sentence: "over".into(),
        sights: Vec::new(),
    };
    let mut events = vec![
        Event::FlagCreated {
            definition: Arc::new(flag(name)),
        },
        Event::RolloutStarted {
            rollout: Arc::new(rollout(name)),
        },
        moved,
    ];
    if state.revision() == 0 {
        let journal = "journal-1".into();
        events.insert(0, Event::JournalStarted { journal });
    }
    let meta = Meta {
        now: at,
        steady: at,
        actor: Actor::System,
        via: "test".into(),
        why: Why::default(),
        if_match: None,
        idempotency: None,
        entropy: 0,
    };
    let entry = Entry::seal(state.next_record(events, &meta), state.head()).unwrap();
    state.apply(&entry).unwrap();
    state.revision()
}

#[test]
fn rollouts_that_went_bad_count_for_ten_minutes_in_their_environment_and_once() {
    let at = Timestamp::from_ms(1_000_000);
    let harm = || Cause::Harm {
        metrics: vec!["errors".into()],
    };
    let mut state = State::new();
    ended(&mut state, "early", at.plus_ms(-1), harm());
    let first = ended(&mut state, "harmful", at, harm());
    ended(&mut state, "shared", at, Cause::SharedHarm);
    ended(&mut state, "by-hand", at, Cause::RolledBackByHand);
    let prod = EnvironmentKey::new("prod").unwrap();
    assert_eq!(went_bad(&state, &prod, 0, at), ["harmful", "shared"]);
    assert_eq!(
        went_bad(&state, &prod, first, at),
        ["shared"],
        "what led to a freeze does not lead to another"
    );
    let staging = EnvironmentKey::new("staging").unwrap();
    assert_eq!(went_bad(&state, &staging, 0, at), <[&str; 0]>::default());
}
