//! The server's snapshot of its state. What can be read is written and read again as the same, and
//! is served without a flag that would be open where it should be closed.

use leverframe_core::State;
use leverframe_core::frame;
use leverframe_core::state::Snapshot;
use leverframe_flags::{Context, Follower, Position, Step};

pub fn check(bytes: &[u8]) {
    let Ok(snapshot) = serde_json::from_slice::<Snapshot>(bytes) else {
        return;
    };
    let (revision, head) = (snapshot.revision, snapshot.head);
    let Ok(state) = State::from_snapshot(snapshot) else {
        return;
    };
    assert_eq!((state.revision(), state.head()), (revision, head));
    let text = serde_json::to_vec(&state.to_snapshot()).expect("a snapshot");
    let again: Snapshot = serde_json::from_slice(&text).expect("what is written can be read");
    let again = State::from_snapshot(again).expect("of this format");
    assert!(again == state, "a snapshot is read back as it was written");
    for entry in state.environments() {
        let environment = &entry.environment.key;
        let update = frame::snapshot(&state, environment).expect("the environment is there");
        let mut follower = Follower::new(environment.clone());
        let step = follower.apply(update);
        assert!(matches!(step, Step::Applied { .. }), "{step:?}");
        for flag in state.flags().filter(|flag| !flag.is_archived) {
            let key = flag.key().as_str();
            let outcome = follower.rule_set().evaluate(key, &Context::new("u-1"));
            let Some(outcome) = outcome else { continue };
            let view = follower.rule_set().flag(key).expect("the flag is there");
            if let Position::Closed { latch } = flag.position(environment.as_str()) {
                let closed_to = latch.as_ref().map_or(view.closed.0, |latch| &latch.variant);
                assert_eq!(outcome.variant, closed_to.as_str());
            }
        }
    }
}
