//! Updates as they come over the wire, and a follower that takes them.

use leverframe_flags::{
    Acknowledgement, Cursor, FlagUpdate, Follower, Position, SegmentUpdate, Step, Update,
    WhyRefused,
};
use serde_json::json;

use crate::shop::{boolean, environment, key, open, update, user};

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

pub(crate) fn snapshot_of(
    cursor: Cursor,
    flags: Vec<FlagUpdate>,
    segments: Vec<SegmentUpdate>,
) -> Update {
    Update::Snapshot {
        cursor,
        flags,
        segments,
    }
}

pub(crate) fn snapshot(revision: u64, flags: Vec<FlagUpdate>) -> Update {
    snapshot_of(cursor(0, revision, 0), flags, Vec::new())
}

pub(crate) fn moved(cursor: Cursor, flag: &str, position: Position) -> Update {
    Update::Change {
        cursor,
        positions: vec![(key(flag), position)],
        flags: Vec::new(),
        segments: Vec::new(),
        removed_flags: Vec::new(),
        removed_segments: Vec::new(),
    }
}

pub(crate) fn changed(
    cursor: Cursor,
    flags: Vec<FlagUpdate>,
    segments: Vec<SegmentUpdate>,
) -> Update {
    Update::Change {
        cursor,
        positions: Vec::new(),
        flags,
        segments,
        removed_flags: Vec::new(),
        removed_segments: Vec::new(),
    }
}

pub(crate) fn brake(cursor: Cursor, flags: &[&str]) -> Update {
    Update::Brake {
        cursor,
        closed: flags.iter().map(|flag| key(flag)).collect(),
    }
}

pub(crate) fn on(flag: &str) -> FlagUpdate {
    update(boolean(flag, &json!({})), open("100"))
}

/// A follower at revision 5 with `a` and `b` open.
pub(crate) fn following() -> Follower {
    let mut follower = Follower::new(environment());
    applied(follower.apply(snapshot(5, vec![on("a"), on("b")])));
    follower
}

#[track_caller]
pub(crate) fn applied(step: Step) -> Acknowledgement {
    match step {
        Step::Applied {
            acknowledgement,
            new_history: None,
        } => acknowledgement,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn refused(step: Step) -> WhyRefused {
    match step {
        Step::Refused { why } => why,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn variant(follower: &Follower, flag: &str) -> String {
    follower
        .rule_set()
        .evaluate(flag, &user("u"))
        .map_or("-".to_owned(), |outcome| outcome.variant.to_owned())
}
