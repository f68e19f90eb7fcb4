//! The roll and its confirmations (P4).

use leverframe_core::limit::{ROLL_MS, SILENT_MS};
use leverframe_core::roll::{Acknowledged, Hello, Member, Roll, StragglerKind};
use leverframe_core::{Link, Timestamp};
use proptest::prelude::*;

use crate::world::key;

const T0: Timestamp = Timestamp::from_ms(1_000_000);

fn hello(instance: &str) -> Hello {
    Hello {
        instance: instance.into(),
        application: "shop".into(),
        build: "b1".into(),
        version: "leverframe 0.1.0".into(),
        resumes: None,
        flags: None,
    }
}

fn at(epoch: u64, revision: u64) -> Acknowledged {
    Acknowledged {
        epoch,
        revision,
        brake: 0,
        head: Link::START,
        at: T0,
    }
}

fn joined(names: &[&str], revision: u64) -> Roll {
    let mut roll = Roll::new();
    for name in names {
        roll.joined(hello(name), T0).unwrap();
        roll.acknowledged(name, at(1, revision), Vec::new(), T0);
    }
    roll
}

fn counts(roll: &Roll, revision: u64, now: Timestamp) -> (usize, usize) {
    let confirmation = roll.confirmation(1, revision, now);
    assert_eq!(
        confirmation.expected,
        confirmation.confirmed + confirmation.stragglers.len()
    );
    (confirmation.confirmed, confirmation.expected)
}

#[test]
fn an_empty_roll_is_never_confirmed() {
    let confirmation = Roll::new().confirmation(1, 5, T0);
    assert!(confirmation.is_empty_roll());
    assert!(!confirmation.is_complete());
}

#[test]
fn confirmed_means_acknowledged_by_everybody() {
    let mut roll = joined(&["a", "b", "c"], 4);
    assert_eq!(counts(&roll, 5, T0), (0, 3));
    roll.acknowledged("a", at(1, 5), Vec::new(), T0);
    roll.acknowledged("b", at(1, 9), Vec::new(), T0);
    assert_eq!(counts(&roll, 5, T0), (2, 3));
    assert_eq!(roll.behind(1, 5), 1);
    let confirmation = roll.confirmation(1, 5, T0);
    assert!(!confirmation.is_complete());
    let straggler = &confirmation.stragglers[0];
    assert_eq!((&*straggler.instance, &*straggler.build), ("c", "b1"));
    assert_eq!(straggler.acknowledged_revision, Some(4));
    roll.acknowledged("c", at(1, 5), Vec::new(), T0);
    assert!(roll.confirmation(1, 5, T0).is_complete());
    assert_eq!(roll.behind(1, 5), 0);
}

#[test]
fn a_newer_epoch_is_ahead_of_every_revision_of_an_older_one() {
    let mut roll = joined(&["a"], 900);
    assert!(!roll.confirmation(2, 5, T0).is_complete());
    roll.acknowledged("a", at(2, 5), Vec::new(), T0);
    assert!(roll.confirmation(2, 5, T0).is_complete());
    assert!(roll.confirmation(1, 950, T0).is_complete());
}

#[test]
fn a_joiner_counts_from_its_first_snapshot() {
    let mut roll = joined(&["a"], 5);
    roll.joined(hello("b"), T0).unwrap();
    let confirmation = roll.confirmation(1, 5, T0);
    assert_eq!((confirmation.expected, confirmation.joining), (1, 1));
    roll.acknowledged("b", at(1, 5), Vec::new(), T0);
    assert_eq!(counts(&roll, 5, T0), (2, 2));
}

#[test]
fn leaving_without_goodbye_makes_a_straggler_for_ten_minutes() {
    let mut roll = joined(&["a", "b"], 4);
    roll.disconnected("b", T0);
    roll.acknowledged("a", at(1, 5), Vec::new(), T0.plus_ms(10));
    let confirmation = roll.confirmation(1, 5, T0.plus_ms(ROLL_MS));
    let straggler = &confirmation.stragglers[0];
    assert_eq!(straggler.kind, StragglerKind::Disconnected);
    assert!(straggler.what_to_do.contains("did not say goodbye"));
    assert_eq!(counts(&roll, 5, T0.plus_ms(ROLL_MS + 1)), (1, 1));
    roll.forget_silent(T0.plus_ms(ROLL_MS + 1));
    assert_eq!(roll.to_members().len(), 1);
    assert_eq!(roll.behind(1, 5), 0);
}

#[test]
fn leaving_with_goodbye_leaves_the_roll() {
    let mut roll = joined(&["a", "b"], 5);
    roll.said_goodbye("b", T0);
    roll.disconnected("b", T0);
    assert_eq!(counts(&roll, 5, T0), (1, 1));
}

#[test]
fn a_reconnecting_instance_keeps_its_place() {
    let mut roll = joined(&["a"], 4);
    roll.disconnected("a", T0);
    let later = T0.plus_ms(1_000);
    roll.joined(hello("a"), later).unwrap();
    assert_eq!(
        counts(&roll, 4, later),
        (0, 1),
        "it has not said where it stands now"
    );
    assert_eq!(roll.behind(1, 4), 1);
    roll.acknowledged("a", at(1, 4), Vec::new(), later);
    assert_eq!(counts(&roll, 4, later), (1, 1));

    let mut resumed = hello("a");
    resumed.resumes = Some(at(1, 4));
    roll.joined(resumed, later).unwrap();
    assert_eq!(counts(&roll, 4, later), (1, 1));
    assert_eq!(roll.member("a").unwrap().joined_at, T0);
}

#[test]
fn the_old_connection_may_end_after_the_new_one_began() {
    let mut roll = joined(&["a"], 5);
    roll.joined(hello("a"), T0).unwrap();
    roll.disconnected("a", T0);
    assert!(roll.member("a").unwrap().is_connected);
    roll.disconnected("a", T0);
    assert!(!roll.member("a").unwrap().is_connected);
}

#[test]
fn whoever_is_heard_is_connected_whatever_was_counted() {
    let mut roll = joined(&["a"], 5);
    roll.said_goodbye("a", T0);
    roll.joined(hello("a"), T0).unwrap();
    // The end of the connection that the goodbye came on.
    roll.disconnected("a", T0);
    roll.heard("a", T0);
    assert!(roll.member("a").unwrap().is_connected);
}

#[test]
fn what_an_evaluator_says_last_counts_and_not_the_best_it_said() {
    let mut roll = joined(&["a"], 5);
    roll.acknowledged("a", at(1, 3), Vec::new(), T0);
    assert_eq!(counts(&roll, 5, T0), (0, 1));
}

#[test]
fn a_straggler_is_told_what_is_seen_of_it() {
    let mut roll = joined(&["behind", "refused", "silent"], 4);
    let now = T0.plus_ms(SILENT_MS + 1);
    roll.heard("behind", now);
    let refusal = vec![(key("img-quality"), "unknown predicate".to_owned())];
    roll.acknowledged("refused", at(1, 4), refusal, now);
    let kinds: Vec<_> = roll
        .confirmation(1, 5, now)
        .stragglers
        .iter()
        .map(|straggler| (straggler.kind, straggler.what_to_do.clone()))
        .collect();
    let [behind, refused, silent] = &kinds[..] else {
        panic!("{kinds:?}");
    };
    assert_eq!(behind.0, StragglerKind::Behind);
    assert_eq!(refused.0, StragglerKind::Refused);
    assert!(refused.1.contains("img-quality"), "{}", refused.1);
    assert_eq!(silent.0, StragglerKind::Silent);
    assert!(
        silent.1.contains("stopped answering 5 s ago"),
        "{}",
        silent.1
    );
}

#[test]
fn a_refused_definition_is_told_even_when_the_revision_is_there() {
    let mut roll = joined(&["a"], 4);
    let refusal = vec![(key("img-quality"), "unknown predicate".to_owned())];
    roll.acknowledged("a", at(1, 5), refusal, T0);
    let confirmation = roll.confirmation(1, 5, T0);
    assert!(confirmation.is_complete());
    assert_eq!(confirmation.refusals[0].flag.as_str(), "img-quality");
}

#[test]
fn the_roll_survives_a_restart_with_nobody_connected() {
    let roll = joined(&["a", "b"], 5);
    let text = serde_json::to_string(&roll.to_members()).unwrap();
    let members: Vec<Member> = serde_json::from_str(&text).unwrap();
    let mut loaded = Roll::load(members);
    assert!(loaded.members(T0).all(|member| !member.is_connected));
    assert_eq!(counts(&loaded, 5, T0), (2, 2));
    assert_eq!(counts(&loaded, 6, T0), (0, 2));
    loaded.joined(hello("a"), T0).unwrap();
    assert!(loaded.member("a").unwrap().is_connected);
}

#[test]
fn the_roll_survives_a_restart_with_the_wall_clock_set() {
    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
    let mut roll = joined(&["a", "b"], 5);
    roll.disconnected("a", T0);
    roll.heard("b", T0.plus_ms(ROLL_MS / 2));
    for now in [T0.plus_ms(DAY_MS), T0.plus_ms(-DAY_MS)] {
        let resumed = Roll::resumed(roll.to_members(), now);
        assert_eq!(counts(&resumed, 6, now), (0, 2), "nobody is forgotten");
        let later = now.plus_ms(ROLL_MS / 2 + 1);
        assert_eq!(
            counts(&resumed, 6, later),
            (0, 1),
            "a was silent before already"
        );
        assert_eq!(counts(&resumed, 6, now.plus_ms(ROLL_MS + 1)), (0, 0));
    }
}

#[test]
fn whoever_was_connected_when_the_roll_was_stored_counts_however_long_nothing_had_changed() {
    let mut roll = joined(&["a"], 5);
    // Heartbeats of `a` are not stored; only what happens to somebody else is.
    let later = T0.plus_ms(6 * ROLL_MS);
    roll.joined(hello("b"), later).unwrap();
    roll.acknowledged("b", at(1, 5), Vec::new(), later);
    let now = later.plus_ms(1);
    let resumed = Roll::resumed(roll.to_members(), now);
    assert_eq!(counts(&resumed, 6, now), (0, 2));
}

#[test]
fn a_goodbye_on_an_old_connection_does_not_take_the_new_one_off_the_roll() {
    let mut roll = joined(&["a"], 5);
    let mut resumed = hello("a");
    resumed.resumes = Some(at(1, 5));
    roll.joined(resumed, T0).unwrap();
    roll.said_goodbye("a", T0);
    assert_eq!(counts(&roll, 6, T0), (0, 1), "a is still there");
    roll.heard("a", T0);
    roll.disconnected("a", T0);
    assert_eq!(
        counts(&roll, 6, T0),
        (0, 1),
        "its new connection ended without goodbye"
    );
}

#[test]
fn a_goodbye_counts_once_an_older_connection_is_seen_to_be_gone() {
    let mut roll = joined(&["a"], 5);
    roll.joined(hello("a"), T0).unwrap();
    roll.said_goodbye("a", T0);
    roll.disconnected("a", T0);
    assert!(roll.confirmation(1, 5, T0).is_empty_roll());
}

#[test]
fn what_an_evaluator_says_about_itself_is_cut_to_size() {
    let mut roll = Roll::new();
    let mut long = hello("a");
    long.build = "ä".repeat(1_000).into();
    roll.joined(long, T0).unwrap();
    assert_eq!(roll.member("a").unwrap().build.len(), 256);
}

#[derive(Debug, Clone)]
enum Step {
    Join(u8, bool),
    Acknowledge(u8, u64),
    Hear(u8),
    Disconnect(u8),
    Goodbye(u8),
    Forget,
    Wait(i64),
}

fn any_step() -> impl Strategy<Value = Step> {
    let who = 0..4_u8;
    prop_oneof![
        (who.clone(), any::<bool>()).prop_map(|(who, resumes)| Step::Join(who, resumes)),
        (who.clone(), 0..6_u64).prop_map(|(who, revision)| Step::Acknowledge(who, revision)),
        who.clone().prop_map(Step::Hear),
        who.clone().prop_map(Step::Disconnect),
        who.prop_map(Step::Goodbye),
        Just(Step::Forget),
        (0..ROLL_MS).prop_map(Step::Wait),
    ]
}

proptest! {
    /// The cheap count is what counting shows, for those who are not forgotten yet.
    #[test]
    fn nobody_is_behind_exactly_when_everybody_has_it(
        steps in prop::collection::vec(any_step(), 0..60), wanted in 0..6_u64
    ) {
        let mut roll = Roll::new();
        let mut now = T0;
        for step in steps {
            match step {
                Step::Join(who, resumes) => {
                    let mut hello = hello(&who.to_string());
                    hello.resumes = resumes.then(|| at(1, u64::from(who)));
                    roll.joined(hello, now).unwrap();
                }
                Step::Acknowledge(who, revision) => {
                    let mut has = at(1, revision);
                    has.brake = u64::from(who);
                    roll.acknowledged(&who.to_string(), has, Vec::new(), now);
                }
                Step::Hear(who) => roll.heard(&who.to_string(), now),
                Step::Disconnect(who) => roll.disconnected(&who.to_string(), now),
                Step::Goodbye(who) => roll.said_goodbye(&who.to_string(), now),
                Step::Forget => roll.forget_silent(now),
                Step::Wait(ms) => now = now.plus_ms(ms),
            }
            let behind = roll.behind(1, wanted);
            let stragglers = roll.confirmation(1, wanted, now).stragglers.len();
            prop_assert!(stragglers <= behind);
            prop_assert_eq!(roll.is_nobody_behind(1, wanted), behind == 0);
            let mut swept = roll.clone();
            swept.forget_silent(now);
            prop_assert_eq!(swept.behind(1, wanted), stragglers);
            prop_assert_eq!(&Roll::load(swept.to_members()).behind(1, wanted), &stragglers);
            let stored = (wanted > 2).then_some(wanted);
            let confirmation = swept.brake_confirmation(1, 0, wanted, stored, now);
            let first = swept.first_without_brake(1, wanted, stored, "");
            prop_assert_eq!(
                first.map(|member| &member.instance),
                confirmation.stragglers.first().map(|straggler| &straggler.instance)
            );
        }
    }
}
