//! The follower: what it takes in and what it answers by.

use leverframe_flags::{
    Acknowledgement, Cause, Context, Follower, Latch, Position, Reason, Step, Update, Value,
};
use serde_json::json;

use crate::shop::{boolean, closed, environment, key, open, open_to, segment, update, user};
use crate::wire::{applied, brake, changed, cursor, following, moved, on, snapshot, variant};

#[test]
fn before_the_first_snapshot_every_flag_is_unknown() {
    let mut follower = Follower::new(environment());
    assert_eq!(
        (variant(&follower, "a").as_str(), follower.cursor()),
        ("-", None)
    );
    assert_eq!(
        (follower.acknowledgement(), follower.snapshot()),
        (None, None)
    );
    let gap = Step::Gap {
        have: 0,
        previous: 3,
    };
    assert_eq!(
        follower.apply(moved(cursor(3, 4, 0), "a", open("100"))),
        gap
    );
    let gap = Step::Gap {
        have: 0,
        previous: 4,
    };
    assert_eq!(follower.apply(brake(cursor(0, 4, 1), &["a"])), gap);
}

#[test]
fn a_chain_of_changes_is_applied_and_acknowledged() {
    let mut follower = following();
    let acknowledgement = applied(follower.apply(moved(cursor(5, 9, 0), "a", closed())));
    assert_eq!(
        acknowledgement,
        Acknowledgement {
            revision: 9,
            brake: 0,
            head: "head-9".into(),
            refused: Vec::new(),
        }
    );
    assert_eq!(
        (variant(&follower, "a"), variant(&follower, "b")),
        ("off".into(), "on".into())
    );
    let outcome = follower.rule_set().evaluate("b", &user("u")).unwrap();
    assert_eq!(
        outcome.revision, 9,
        "the answer names the revision it was given by"
    );

    let mut removal = changed(cursor(9, 12, 0), vec![on("c")], Vec::new());
    if let Update::Change { removed_flags, .. } = &mut removal {
        removed_flags.push(key("b"));
    }
    applied(follower.apply(removal));
    assert_eq!(
        (variant(&follower, "b"), variant(&follower, "c")),
        ("-".into(), "on".into())
    );
    assert_eq!(follower.cursor().unwrap().revision, 12);
}

#[test]
fn what_is_known_already_is_acknowledged_again() {
    let mut follower = following();
    let acknowledgement = applied(follower.apply(moved(cursor(5, 9, 0), "a", closed())));
    let again = Step::Duplicate { acknowledgement };
    assert_eq!(follower.apply(moved(cursor(5, 9, 0), "a", closed())), again);
    assert_eq!(
        follower.apply(moved(cursor(3, 5, 0), "a", open("100"))),
        again
    );
    assert_eq!(follower.apply(snapshot(9, vec![on("a")])), again);
    assert_eq!(variant(&follower, "a"), "off");
}

#[test]
fn a_gap_changes_nothing() {
    let mut follower = following();
    let gap = Step::Gap {
        have: 5,
        previous: 7,
    };
    assert_eq!(follower.apply(moved(cursor(7, 9, 0), "a", closed())), gap);
    // Builds on something older than what is known, but leads beyond it.
    let gap = Step::Gap {
        have: 5,
        previous: 4,
    };
    assert_eq!(follower.apply(moved(cursor(4, 9, 0), "a", closed())), gap);
    assert_eq!(variant(&follower, "a"), "on");
    applied(follower.apply(snapshot(9, vec![on("b")])));
    assert_eq!(
        (variant(&follower, "a"), variant(&follower, "b")),
        ("-".into(), "on".into())
    );
}

#[test]
fn a_definition_that_cannot_be_read_holds_up_nothing_else() {
    let mut follower = following();
    let mut unreadable = on("b");
    unreadable.definition = Err("unknown operator".to_owned());
    let update = Update::Change {
        cursor: cursor(5, 6, 0),
        positions: vec![(key("a"), closed())],
        flags: vec![unreadable, on("c")],
        segments: Vec::new(),
        removed_flags: Vec::new(),
        removed_segments: Vec::new(),
    };
    let acknowledgement = applied(follower.apply(update));
    assert_eq!(acknowledgement.refused.len(), 1);
    assert_eq!(acknowledgement.refused[0].flag, key("b"));
    assert_eq!(&*acknowledgement.refused[0].why, "unknown operator");
    assert_eq!(
        ["a", "b", "c"].map(|flag| variant(&follower, flag)),
        ["off", "off", "on"].map(str::to_owned)
    );
    // Still said with the next acknowledgement, and no longer once it can be read.
    let acknowledgement = applied(follower.apply(moved(cursor(6, 7, 0), "c", closed())));
    assert_eq!(acknowledgement.refused.len(), 1);
    let acknowledgement = applied(follower.apply(changed(cursor(7, 8, 0), vec![on("b")], vec![])));
    assert_eq!(acknowledgement.refused, []);
    assert_eq!(variant(&follower, "b"), "on");
}

#[test]
fn an_unreadable_flag_can_still_be_killed_and_serves_its_latch() {
    let mut follower = following();
    let mut unreadable = on("b");
    unreadable.definition = Err("unknown operator".to_owned());
    applied(follower.apply(changed(cursor(5, 6, 0), vec![unreadable], vec![])));
    let latch = Latch {
        variant: "safe".parse().unwrap(),
        value: Value::Boolean(false),
    };
    applied(follower.apply(moved(
        cursor(6, 7, 0),
        "b",
        Position::Closed { latch: Some(latch) },
    )));
    let outcome = follower.rule_set().evaluate("b", &user("u")).unwrap();
    assert_eq!(
        (outcome.variant, outcome.reason),
        ("safe", Reason::Disabled)
    );
}

#[test]
fn a_flag_follows_its_segments_as_they_come_change_and_go() {
    let mut follower = following();
    let rules = json!({"rules": [{"id": "r", "when": "segment staff", "serve": "on"}]});
    let acknowledgement = applied(follower.apply(changed(
        cursor(5, 6, 0),
        vec![
            update(boolean("f", &rules), open("0")),
            update(boolean("g", &json!({})), open_to(&["staff"], "0")),
        ],
        vec![],
    )));
    let refused: Vec<&str> = acknowledgement
        .refused
        .iter()
        .map(|refusal| refusal.flag.as_str())
        .collect();
    assert_eq!(refused, ["f", "g"]);

    let staff = |include: &str| segment("staff", &json!({"include": [include]}));
    let acknowledgement =
        applied(follower.apply(changed(cursor(6, 7, 0), vec![], vec![staff("u")])));
    assert_eq!(acknowledgement.refused, []);
    assert_eq!(
        (variant(&follower, "f"), variant(&follower, "g")),
        ("on".into(), "on".into())
    );
    applied(follower.apply(changed(cursor(7, 8, 0), vec![], vec![staff("v")])));
    assert_eq!(
        (variant(&follower, "f"), variant(&follower, "g")),
        ("off".into(), "off".into())
    );
    applied(follower.apply(changed(cursor(8, 9, 0), vec![], vec![staff("u")])));

    let mut unreadable = staff("u");
    unreadable.definition = Err("bad bytes".to_owned());
    let acknowledgement =
        applied(follower.apply(changed(cursor(9, 10, 0), vec![], vec![unreadable])));
    assert_eq!(acknowledgement.refused.len(), 2);
    assert!(acknowledgement.refused[0].why.contains("bad bytes"));
    let cause = follower.rule_set().evaluate("f", &user("u")).unwrap().cause;
    assert_eq!(cause, Some(Cause::Undecodable));

    applied(follower.apply(changed(cursor(10, 11, 0), vec![], vec![staff("u")])));
    let mut removal = changed(cursor(11, 12, 0), vec![], vec![]);
    if let Update::Change {
        removed_segments, ..
    } = &mut removal
    {
        removed_segments.push("staff".parse().unwrap());
    }
    let acknowledgement = applied(follower.apply(removal));
    assert!(acknowledgement.refused[0].why.contains("does not exist"));
}

#[test]
fn the_generation_changes_only_when_flags_come_or_go() {
    let mut follower = following();
    let before = follower.rule_set().generation();
    let index = follower.rule_set().find("b").unwrap();
    applied(follower.apply(moved(cursor(5, 6, 0), "a", closed())));
    applied(follower.apply(changed(cursor(6, 7, 0), vec![on("b")], vec![])));
    applied(follower.apply(brake(cursor(0, 7, 1), &["b"])));
    assert_eq!(follower.rule_set().generation(), before);
    assert_eq!(follower.rule_set().find("b"), Some(index));
    applied(follower.apply(changed(cursor(7, 8, 0), vec![on("aa")], vec![])));
    assert_ne!(follower.rule_set().generation(), before);
    assert_ne!(follower.rule_set().find("b"), Some(index));
}

#[test]
fn an_old_rule_set_goes_on_answering_as_before() {
    let mut follower = following();
    let old = follower.rule_set().clone();
    applied(follower.apply(moved(cursor(5, 6, 0), "a", closed())));
    let ask = |set: &leverframe_flags::RuleSet| {
        let outcome = set.evaluate("a", &Context::anonymous()).unwrap();
        (outcome.variant.to_owned(), outcome.revision)
    };
    assert_eq!(ask(&old), ("on".to_owned(), 5));
    assert_eq!(ask(follower.rule_set()), ("off".to_owned(), 6));
}

#[test]
fn a_change_shares_every_flag_that_it_does_not_touch() {
    let mut follower = Follower::new(environment());
    let flags = (0..500)
        .map(|number| update(boolean(&format!("f{number:03}"), &json!({})), open("99")))
        .collect();
    applied(follower.apply(snapshot(5, flags)));
    let before = follower.rule_set().clone();
    applied(follower.apply(moved(cursor(5, 6, 0), "f250", open("99.9"))));
    let after = follower.rule_set();
    for (old, new) in before.flags().zip(after.flags()) {
        let is_shared = std::ptr::eq(old.position, new.position);
        assert_eq!(is_shared, old.key.as_str() != "f250", "{}", old.key);
        // Nor is the flag that moved compiled again: its values are the very same.
        let old = before.evaluate(old.key.as_str(), &user("u")).unwrap();
        let new = after.evaluate(new.key.as_str(), &user("u")).unwrap();
        if old.variant == new.variant {
            assert!(std::ptr::eq(old.value, new.value));
        }
    }
}
