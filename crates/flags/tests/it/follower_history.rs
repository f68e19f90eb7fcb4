//! What the follower refuses: older revisions, other environments, other histories.

use leverframe_flags::{Cursor, Step, WhyRefused};

use crate::shop::closed;
use crate::wire::{brake, cursor, following, moved, on, refused, snapshot, snapshot_of, variant};

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
