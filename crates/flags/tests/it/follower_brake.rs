//! Kills that are out ahead of the journal.

use leverframe_flags::{Acknowledgement, Follower, Reason, RuleSet, Step};

use crate::shop::{closed, environment, open, user};
use crate::wire::{
    applied, brake, changed, cursor, following, moved, on, snapshot, snapshot_of, variant,
};

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
fn a_brake_survives_in_the_kept_snapshot() {
    let mut follower = following();
    applied(follower.apply(brake(cursor(0, 5, 1), &["a"])));
    let mut told = Follower::new(environment());
    applied(told.apply(follower.snapshot().unwrap()));
    let left = follower.keepsake().unwrap();
    let unpacked = RuleSet::unpack(&left.pack()).unwrap();
    for mut restored in [told, Follower::restored(left.cursor().clone(), unpacked)] {
        assert_eq!(
            (variant(&restored, "a"), variant(&restored, "b")),
            ("off".into(), "on".into())
        );
        // The server says that the kill was withdrawn.
        applied(restored.apply(snapshot(5, vec![on("a"), on("b")])));
        assert_eq!(variant(&restored, "a"), "on");
    }
}
