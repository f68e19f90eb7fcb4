//! What the follower keeps: its snapshot, forced flags, and flags that go stale.

use leverframe_flags::{Cause, Follower, Update};
use serde_json::json;

use crate::shop::{
    boolean, closed, environment, key, open, pinned, quality, segment, update, user,
};
use crate::wire::{applied, changed, cursor, following, moved, on, refused, snapshot, variant};

#[test]
fn a_snapshot_of_ones_own_can_be_restored_from() {
    let mut follower = following();
    let rules = json!({"rules": [{"id": "r", "when": "segment s", "serve": "high"}]});
    let mut unreadable = on("c");
    unreadable.definition = Err("bad bytes".to_owned());
    applied(follower.apply(changed(
        cursor(5, 6, 0),
        vec![update(quality("q", &rules), open("25")), unreadable],
        vec![segment("s", &json!({"include": ["u"]}))],
    )));
    let kept = follower.snapshot().unwrap();
    let mut restored = Follower::new(environment());
    let acknowledgement = applied(restored.apply(kept.clone()));
    assert_eq!(Some(acknowledgement), follower.acknowledgement());
    assert_eq!(restored.snapshot(), Some(kept.clone()));
    for flag in ["a", "b", "c", "q"] {
        assert_eq!(variant(&restored, flag), variant(&follower, flag));
    }
    let json = serde_json::to_string(&kept).unwrap();
    assert_eq!(serde_json::from_str::<Update>(&json).unwrap(), kept);
    // It goes on from there.
    applied(restored.apply(moved(cursor(6, 7, 0), "a", closed())));
}

#[test]
fn forced_flags_are_closed_whatever_is_told() {
    let mut follower = Follower::new(environment());
    follower.force_closed([key("a"), key("gone")]);
    applied(follower.apply(snapshot(
        5,
        vec![update(boolean("a", &json!({})), pinned("on")), on("b")],
    )));
    let outcome = follower.rule_set().evaluate("a", &user("u")).unwrap();
    assert_eq!(
        (outcome.variant, outcome.cause),
        ("off", Some(Cause::ForcedClosed))
    );
    assert_eq!(
        (variant(&follower, "b"), variant(&follower, "gone")),
        ("on".into(), "-".into())
    );
    applied(follower.apply(moved(cursor(5, 6, 0), "a", open("100"))));
    assert_eq!(variant(&follower, "a"), "off");
    follower.force_closed([key("b")]);
    assert_eq!(
        (variant(&follower, "a"), variant(&follower, "b")),
        ("on".into(), "off".into())
    );
    let kept = follower.snapshot().unwrap();
    let mut restored = Follower::new(environment());
    applied(restored.apply(kept));
    assert_eq!(
        variant(&restored, "b"),
        "on",
        "forcing belongs to the process, not to the cache"
    );
}

#[test]
fn a_flag_closes_when_the_configuration_is_too_old_and_opens_when_the_server_is_heard() {
    let mut follower = following();
    let limited = |seconds: u32| {
        update(
            boolean("s", &json!({"stale_after_s": seconds})),
            open("100"),
        )
    };
    applied(follower.apply(changed(cursor(5, 6, 0), vec![limited(30)], vec![])));
    assert!(!follower.age(30_000));
    assert_eq!(variant(&follower, "s"), "on");
    assert!(follower.age(30_001));
    assert!(!follower.age(60_000));
    let outcome = follower.rule_set().evaluate("s", &user("u")).unwrap();
    assert_eq!(
        (outcome.variant, outcome.cause),
        ("off", Some(Cause::Stale))
    );
    assert_eq!(variant(&follower, "a"), "on");
    assert!(follower.age(0));
    assert_eq!(variant(&follower, "s"), "on");

    assert!(follower.age(31_000));
    follower.apply(moved(cursor(5, 6, 0), "a", closed()));
    assert_eq!(
        variant(&follower, "s"),
        "on",
        "even what was known already shows the server is there"
    );
    assert!(follower.age(31_000));
    refused(follower.apply(snapshot(2, Vec::new())));
    assert_eq!(variant(&follower, "s"), "off", "a refused update does not");
    applied(follower.apply(changed(cursor(6, 7, 0), vec![limited(90)], vec![])));
    assert!(!follower.age(31_000));
}
