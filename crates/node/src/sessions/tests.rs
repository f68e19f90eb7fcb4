use leverframe_store::memory::Disk;
use leverframe_store::{MemoryStore, Store as _};

use super::*;

fn on(disk: &Disk) -> (Sessions, Arc<dyn Beside>) {
    let beside = MemoryStore::open(disk).beside();
    (Sessions::resume(Clock::start(), &*beside), beside)
}

#[test]
fn a_session_is_found_by_its_secret_alone_and_lasts_twelve_hours() {
    let (sessions, _) = on(&Disk::new());
    let begun = sessions.begin("secret", "tok_1");
    assert_eq!(begun.expires_at.ms_since(begun.created_at), 43_200_000);
    assert_eq!(sessions.find("secret"), Some(begun.clone()));
    assert_eq!(sessions.find("Secret"), None);
    assert_eq!(sessions.find(""), None);
    sessions.end(&begun);
    assert_eq!(sessions.find("secret"), None);
}

#[test]
fn what_is_over_is_not_found_although_it_is_still_in_memory() {
    let disk = Disk::new();
    let (sessions, _) = on(&disk);
    sessions.begin("secret", "tok_1");
    {
        let mut held = sessions.held();
        let one = held.sessions.values_mut().next().unwrap();
        one.expires_at = sessions.clock.steady();
    }
    assert_eq!(sessions.find("secret"), None);
    assert_eq!(sessions.of_token("tok_1"), []);
}

#[test]
fn only_the_hash_is_stored_and_only_until_the_session_ends() {
    let disk = Disk::new();
    let (sessions, beside) = on(&disk);
    let begun = sessions.begin("secret", "tok_1");
    sessions.save(&*beside);
    let stored = beside.sessions(Timestamp::from_ms(0)).unwrap();
    assert_eq!(stored, [begun.stored()]);
    assert_eq!(stored[0].secret_sha256, hash("secret"));
    assert_eq!(on(&disk).0.find("secret"), Some(begun.clone()));

    sessions.end(&begun);
    sessions.save(&*beside);
    assert_eq!(beside.sessions(Timestamp::from_ms(0)).unwrap(), []);
}

#[test]
fn a_store_that_refuses_signs_nobody_out_and_is_told_later() {
    let disk = Disk::new();
    let (sessions, beside) = on(&disk);
    let first = sessions.begin("first", "tok_1");
    sessions.save(&*beside);
    disk.faults().fail_sessions(true);
    let second = sessions.begin("second", "tok_1");
    let third = sessions.begin("third", "tok_1");
    sessions.save(&*beside);
    assert_eq!(sessions.find("second"), Some(second.clone()));
    sessions.end(&first);
    sessions.end(&third);
    sessions.save(&*beside);
    assert_eq!(
        sessions.find("first"),
        None,
        "ended here, whatever the store says"
    );

    disk.faults().fail_sessions(false);
    sessions.save(&*beside);
    let stored = beside.sessions(Timestamp::from_ms(0)).unwrap();
    assert_eq!(stored, [second.stored()]);
    assert!(sessions.held().unsaved.is_empty());
}

#[test]
fn a_clock_that_was_set_back_makes_no_session_longer() {
    let disk = Disk::new();
    let beside = MemoryStore::open(&disk).beside();
    let ahead = Clock::start().steady().plus_ms(10 * 365 * 86_400_000);
    let begun = Session {
        secret_sha256: hash("secret"),
        token: "tok_1".into(),
        created_at: ahead,
        expires_at: ahead.plus_ms(SESSION_MS_MAX),
    };
    beside.save_session(&begun.stored()).unwrap();
    assert_eq!(on(&disk).0.find("secret"), None);
}

#[test]
fn the_others_of_a_token_are_ended_and_nobody_elses() {
    let (sessions, _) = on(&Disk::new());
    let own = sessions.begin("own", "tok_1");
    sessions.begin("forgotten", "tok_1");
    sessions.begin("somebody's", "tok_2");
    assert_eq!(sessions.of_token("tok_1").len(), 2);
    assert_eq!(sessions.end_others("tok_1", Some(&own)), 1);
    assert_eq!(sessions.of_token("tok_1"), [own]);
    assert_eq!(sessions.of_token("tok_2").len(), 1);
    assert_eq!(sessions.end_others("tok_2", None), 1);
    assert_eq!(sessions.find("somebody's"), None);
}

#[test]
fn one_token_cannot_fill_the_memory_nor_push_others_out() {
    let (sessions, _) = on(&Disk::new());
    sessions.begin("somebody's", "tok_2");
    for number in 0..2 * SESSIONS_OF_TOKEN_MAX {
        sessions.begin(&number.to_string(), "tok_1");
    }
    assert_eq!(sessions.of_token("tok_1").len(), SESSIONS_OF_TOKEN_MAX);
    assert!(sessions.find("somebody's").is_some());
    for number in 0..SESSIONS_MAX {
        sessions.begin(&format!("s{number}"), &format!("tok_{number}"));
    }
    let held = sessions.held();
    assert_eq!(held.sessions.len() as u64, SESSIONS_MAX);
    // What was never saved leaves nothing to be saved behind.
    assert_eq!(held.unsaved.len() as u64, SESSIONS_MAX);
}

#[test]
fn a_session_whose_token_is_gone_is_tidied_away() {
    let (sessions, beside) = on(&Disk::new());
    sessions.begin("secret", "tok_1");
    sessions.save(&*beside);
    sessions.tidy(&State::new(), Timestamp::from_ms(0));
    assert_eq!(sessions.find("secret"), None);
    sessions.save(&*beside);
    assert_eq!(beside.sessions(Timestamp::from_ms(0)).unwrap(), []);
}
