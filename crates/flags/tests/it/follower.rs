//! The follower: what it takes in, what it refuses, and what it keeps closed.

use leverframe_flags::{
    Acknowledgement, Cause, Context, Cursor, FlagUpdate, Follower, Latch, Position, Reason,
    SegmentUpdate, Step, Update, Value, WhyRefused,
};
use serde_json::json;

use crate::shop::{
    boolean, closed, environment, key, open, open_to, pinned, quality, segment, update, user,
};

pub(crate) fn cursor(previous: u64, revision: u64, brake: u64) -> Cursor {
    Cursor {
        journal: "j1".into(),
        epoch: 1,
        environment: environment(),
        previous,
        revision,
        brake,
        head: format!("head-{revision}").into(),
    }
}

fn snapshot_of(cursor: Cursor, flags: Vec<FlagUpdate>, segments: Vec<SegmentUpdate>) -> Update {
    Update::Snapshot {
        cursor,
        flags,
        segments,
    }
}

fn snapshot(revision: u64, flags: Vec<FlagUpdate>) -> Update {
    snapshot_of(cursor(0, revision, 0), flags, Vec::new())
}

fn moved(cursor: Cursor, flag: &str, position: Position) -> Update {
    Update::Change {
        cursor,
        positions: vec![(key(flag), position)],
        flags: Vec::new(),
        segments: Vec::new(),
        removed_flags: Vec::new(),
        removed_segments: Vec::new(),
    }
}

fn changed(cursor: Cursor, flags: Vec<FlagUpdate>, segments: Vec<SegmentUpdate>) -> Update {
    Update::Change {
        cursor,
        positions: Vec::new(),
        flags,
        segments,
        removed_flags: Vec::new(),
        removed_segments: Vec::new(),
    }
}

fn brake(cursor: Cursor, flags: &[&str]) -> Update {
    Update::Brake {
        cursor,
        closed: flags.iter().map(|flag| key(flag)).collect(),
    }
}

fn on(flag: &str) -> FlagUpdate {
    update(boolean(flag, &json!({})), open("100"))
}

/// A follower at revision 5 with `a` and `b` open.
fn following() -> Follower {
    let mut follower = Follower::new(environment());
    applied(follower.apply(snapshot(5, vec![on("a"), on("b")])));
    follower
}

#[track_caller]
fn applied(step: Step) -> Acknowledgement {
    match step {
        Step::Applied {
            acknowledgement,
            new_history: None,
        } => acknowledgement,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused(step: Step) -> WhyRefused {
    match step {
        Step::Refused { why } => why,
        other => panic!("{other:?}"),
    }
}

fn variant(follower: &Follower, flag: &str) -> String {
    follower
        .rule_set()
        .evaluate(flag, &user("u"))
        .map_or("-".to_owned(), |outcome| outcome.variant.to_owned())
}

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
fn nothing_older_is_ever_applied() {
    let mut follower = following();
    let older = refused(follower.apply(snapshot(4, Vec::new())));
    assert!(
        older
            .to_string()
            .contains("revision 4 of epoch 1, older than revision 5"),
        "{older}"
    );

    let newer_epoch = Cursor {
        epoch: 2,
        revision: 3,
        ..cursor(0, 3, 0)
    };
    assert!(matches!(
        follower.apply(moved(
            Cursor {
                previous: 5,
                ..newer_epoch.clone()
            },
            "a",
            closed()
        )),
        Step::Gap { .. }
    ));
    match follower.apply(snapshot_of(newer_epoch, vec![on("a")], Vec::new())) {
        Step::Applied {
            acknowledgement,
            new_history: Some(history),
        } => {
            assert_eq!(acknowledgement.revision, 3);
            assert!(
                history
                    .to_string()
                    .contains("was restored: epoch 2 at revision 3"),
                "{history}"
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        refused(follower.apply(snapshot(9, Vec::new()))),
        WhyRefused::Older { .. }
    ));
    let change = moved(cursor(3, 9, 0), "a", closed());
    assert!(matches!(
        refused(follower.apply(change)),
        WhyRefused::Older { .. }
    ));
    assert!(matches!(
        refused(follower.apply(brake(cursor(3, 9, 1), &["a"]))),
        WhyRefused::Older { .. }
    ));
    assert_eq!(variant(&follower, "a"), "on");
}

#[test]
fn another_environment_is_refused() {
    let mut follower = following();
    let staging = Cursor {
        environment: "staging".parse().unwrap(),
        ..cursor(5, 9, 0)
    };
    for update in [
        snapshot_of(staging.clone(), Vec::new(), Vec::new()),
        moved(staging.clone(), "a", closed()),
        brake(staging, &["a"]),
    ] {
        let why = refused(follower.apply(update));
        assert!(
            why.to_string()
                .contains("about environment staging, but prod"),
            "{why}"
        );
    }
    assert_eq!(variant(&follower, "a"), "on");
}

#[test]
fn another_journal_is_entered_by_snapshot_only_and_reported() {
    let mut follower = following();
    let other = |previous, revision| Cursor {
        journal: "j2".into(),
        ..cursor(previous, revision, 0)
    };
    assert!(matches!(
        follower.apply(moved(other(5, 6), "a", closed())),
        Step::Gap { .. }
    ));
    assert!(matches!(
        follower.apply(brake(other(0, 6), &["a"])),
        Step::Gap { .. }
    ));
    match follower.apply(snapshot_of(other(0, 2), vec![on("c")], Vec::new())) {
        Step::Applied {
            new_history: Some(history),
            ..
        } => {
            assert_eq!((history.left.revision, history.entered.revision), (5, 2));
            assert!(
                history
                    .to_string()
                    .contains("instead of journal j1 at revision 5"),
                "{history}"
            );
        }
        step => panic!("{step:?}"),
    }
    assert_eq!(
        (variant(&follower, "a"), variant(&follower, "c")),
        ("-".into(), "on".into())
    );
    // The first journal is not gone back to where it was older.
    assert!(matches!(
        refused(follower.apply(snapshot(4, Vec::new()))),
        WhyRefused::Older { .. }
    ));
    assert!(matches!(
        follower.apply(snapshot(5, vec![on("a")])),
        Step::Applied {
            new_history: Some(_),
            ..
        }
    ));
}

#[test]
fn a_rewritten_journal_is_noticed() {
    let mut follower = following();
    let rewritten = Cursor {
        head: "forged".into(),
        ..cursor(0, 5, 0)
    };
    let why = refused(follower.apply(snapshot_of(rewritten.clone(), Vec::new(), Vec::new())));
    assert!(
        why.to_string()
            .contains("was head-5 and is now said to be forged"),
        "{why}"
    );
    let change = moved(
        Cursor {
            previous: 4,
            ..rewritten
        },
        "a",
        closed(),
    );
    assert!(matches!(
        refused(follower.apply(change)),
        WhyRefused::HeadDiffers { .. }
    ));
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
fn a_brake_closes_at_once_and_is_acknowledged_by_its_number() {
    let mut follower = following();
    let acknowledgement = applied(follower.apply(brake(cursor(0, 5, 1), &["a"])));
    assert_eq!((acknowledgement.revision, acknowledgement.brake), (5, 1));
    let outcome = follower.rule_set().evaluate("a", &user("u")).unwrap();
    assert_eq!((outcome.variant, outcome.reason), ("off", Reason::Disabled));
    assert_eq!(variant(&follower, "b"), "on");
    let again = follower.apply(brake(cursor(0, 5, 1), &["a"]));
    assert_eq!(again, Step::Duplicate { acknowledgement });
}

#[test]
fn a_braked_flag_stays_closed_until_the_journal_has_spoken_about_the_kill() {
    let mut follower = following();
    applied(follower.apply(brake(cursor(0, 5, 1), &["a"])));
    // An edit of the definition carries a position too, which says nothing about the kill.
    applied(follower.apply(changed(cursor(5, 6, 1), vec![on("a")], vec![])));
    assert_eq!(variant(&follower, "a"), "off");
    // A ramp that was decided before the kill and stored after it went out.
    applied(follower.apply(moved(cursor(6, 7, 1), "a", open("100"))));
    assert_eq!(variant(&follower, "a"), "off");
    // The kill is stored.
    let acknowledgement = applied(follower.apply(moved(cursor(7, 8, 0), "a", closed())));
    assert_eq!(
        (acknowledgement.brake, variant(&follower, "a")),
        (0, "off".into())
    );
    // And reopened by somebody.
    applied(follower.apply(moved(cursor(8, 9, 0), "a", open("100"))));
    assert_eq!(variant(&follower, "a"), "on");
    // A late copy of the brake does not close it again.
    assert!(matches!(
        follower.apply(brake(cursor(0, 5, 1), &["a"])),
        Step::Duplicate {
            acknowledgement: Acknowledgement { brake: 0, .. }
        }
    ));
    assert_eq!(variant(&follower, "a"), "on");
    // A new one does.
    applied(follower.apply(brake(cursor(0, 9, 2), &["a"])));
    assert_eq!(variant(&follower, "a"), "off");
}

#[test]
fn storing_one_kill_does_not_release_another() {
    let mut follower = following();
    applied(follower.apply(brake(cursor(0, 5, 1), &["a"])));
    applied(follower.apply(brake(cursor(0, 5, 2), &["b"])));
    let acknowledgement = applied(follower.apply(moved(cursor(5, 6, 2), "a", closed())));
    assert_eq!(acknowledgement.brake, 2);
    let acknowledgement = applied(follower.apply(moved(cursor(6, 7, 1), "a", open("100"))));
    assert_eq!(acknowledgement.brake, 1);
    assert_eq!(
        (variant(&follower, "a"), variant(&follower, "b")),
        ("on".into(), "off".into())
    );
    applied(follower.apply(snapshot(8, vec![on("a"), on("b")])));
    assert_eq!(
        variant(&follower, "b"),
        "on",
        "a snapshot with no kill outstanding decides"
    );
}

#[test]
fn a_brake_that_was_lost_is_never_acknowledged_by_a_change() {
    let mut follower = following();
    let acknowledgement = applied(follower.apply(moved(cursor(5, 6, 3), "a", open("50"))));
    assert_eq!(acknowledgement.brake, 0);
}

#[test]
fn a_snapshot_of_the_time_before_a_brake_does_not_release_it() {
    let mut follower = following();
    applied(follower.apply(brake(cursor(0, 5, 1), &["a", "later"])));
    follower.apply(snapshot(5, vec![on("a"), on("b"), on("later")]));
    assert_eq!(
        (variant(&follower, "a"), variant(&follower, "b")),
        ("off".into(), "on".into())
    );
    let outstanding = snapshot_of(cursor(0, 6, 1), vec![on("a"), on("later")], vec![]);
    applied(follower.apply(outstanding));
    assert_eq!(variant(&follower, "a"), "off");
    assert_eq!(
        variant(&follower, "later"),
        "off",
        "killed before this evaluator knew it"
    );
}

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
fn a_brake_survives_in_the_kept_snapshot() {
    let mut follower = following();
    applied(follower.apply(brake(cursor(0, 5, 1), &["a"])));
    let mut restored = Follower::new(environment());
    applied(restored.apply(follower.snapshot().unwrap()));
    assert_eq!(
        (variant(&restored, "a"), variant(&restored, "b")),
        ("off".into(), "on".into())
    );
    // The server says that the kill was withdrawn.
    applied(restored.apply(snapshot(5, vec![on("a"), on("b")])));
    assert_eq!(variant(&restored, "a"), "on");
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
        .map(|number| on(&format!("f{number:03}")))
        .collect();
    applied(follower.apply(snapshot(5, flags)));
    let before = follower.rule_set().clone();
    applied(follower.apply(moved(cursor(5, 6, 0), "f250", closed())));
    for (old, new) in before.flags().zip(follower.rule_set().flags()) {
        let is_shared = std::ptr::eq(old.position, new.position);
        assert_eq!(is_shared, old.key.as_str() != "f250", "{}", old.key);
        // Not even the flag that moved is compiled again.
        assert!(std::ptr::eq(
            old.definition.unwrap(),
            new.definition.unwrap()
        ));
    }
}
