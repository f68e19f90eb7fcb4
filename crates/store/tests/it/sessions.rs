//! What every adapter promises of sessions.

use leverframe_core::Timestamp;
use leverframe_store::{StoredSession, limit};

use crate::contract::Adapter;

pub(crate) fn session(number: u64, expires_ms: i64) -> StoredSession {
    let mut secret_sha256 = [7; 32];
    secret_sha256[..8].copy_from_slice(&number.to_be_bytes());
    StoredSession {
        secret_sha256,
        token: format!("tok_{number}").into(),
        created_at: at(expires_ms - 1_000),
        expires_at: at(expires_ms),
    }
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

pub(crate) fn sessions_are_there_after_reopening_until_they_are_over<A: Adapter>() {
    let place = A::fresh();
    let (first, second) = (session(1, 20_000), session(2, 10_000));
    {
        let beside = place.open().beside();
        assert_eq!(beside.sessions(at(0)).unwrap(), []);
        beside.save_session(&first).unwrap();
        beside.save_session(&second).unwrap();
    }
    let beside = place.open().beside();
    assert_eq!(
        beside.sessions(at(9_999)).unwrap(),
        [second, first.clone()],
        "those that end first first"
    );
    assert_eq!(beside.sessions(at(10_000)).unwrap(), [first]);
    assert_eq!(beside.sessions(at(20_000)).unwrap(), []);
}

pub(crate) fn a_session_is_saved_and_dropped_by_its_hash<A: Adapter>() {
    let place = A::fresh();
    let beside = place.open().beside();
    let (mut first, second) = (session(1, 10_000), session(2, 20_000));
    beside.save_session(&first).unwrap();
    beside.save_session(&second).unwrap();
    first.token = "tok_'); --".into();
    beside.save_session(&first).unwrap();
    assert_eq!(
        beside.sessions(at(0)).unwrap(),
        [first.clone(), second.clone()]
    );
    beside.drop_session(&session(3, 0).secret_sha256).unwrap();
    beside.drop_session(&first.secret_sha256).unwrap();
    beside.drop_session(&first.secret_sha256).unwrap();
    drop(beside);
    assert_eq!(place.open().beside().sessions(at(0)).unwrap(), [second]);
}

pub(crate) fn sessions_that_are_over_are_dropped<A: Adapter>() {
    let place = A::fresh();
    let beside = place.open().beside();
    for number in 1..=3 {
        beside
            .save_session(&session(number, 1_000 * number as i64))
            .unwrap();
    }
    assert_eq!(beside.drop_sessions_over(at(999)).unwrap(), 0);
    assert_eq!(beside.drop_sessions_over(at(2_000)).unwrap(), 2);
    assert_eq!(beside.sessions(at(0)).unwrap(), [session(3, 3_000)]);
}

pub(crate) fn beyond_the_bound_the_sessions_that_end_first_go<A: Adapter>() {
    let place = A::fresh();
    let beside = place.open().beside();
    // The one that ends first comes last: what counts is the end, not the order they came in.
    beside.save_session(&session(0, 5)).unwrap();
    for number in 1..=limit::SESSIONS_MAX {
        beside
            .save_session(&session(number, 1_000_000 - number as i64))
            .unwrap();
    }
    let kept = beside.sessions(at(0)).unwrap();
    assert_eq!(kept.len() as u64, limit::SESSIONS_MAX);
    assert_eq!(
        kept.first().unwrap().secret_sha256,
        session(limit::SESSIONS_MAX, 0).secret_sha256
    );
}
