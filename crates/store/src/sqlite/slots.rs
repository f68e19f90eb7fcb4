//! The two slots of the snapshot: a save never touches the newest one that is whole.

use leverframe_core::Link;
use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};

use crate::port::{Head, StoredSnapshot};

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot(i64);

/// What a slot holds.
pub(super) enum Content {
    Empty,
    Whole(StoredSnapshot),
    /// Why it cannot be used.
    Damaged(String),
}

impl Slot {
    pub(super) const FIRST: Self = Self(0);

    pub(super) fn other(self) -> Self {
        Self(1 - self.0)
    }
}

impl std::fmt::Display for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0 + 1)
    }
}

/// Both, the one that says it is the newest first.
pub(super) fn newest_first(connection: &Connection) -> [Slot; 2] {
    let first = Slot::FIRST;
    let revision = |slot: Slot| -> Option<i64> {
        let mut one = connection
            .prepare_cached("SELECT revision FROM snapshot WHERE slot = ?1")
            .ok()?;
        // One that cannot be read says so when it is to be used.
        one.query_row([slot.0], |row| row.get(0)).ok()
    };
    if revision(first) >= revision(first.other()) {
        [first, first.other()]
    } else {
        [first.other(), first]
    }
}

pub(super) fn read(connection: &Connection, slot: Slot) -> Content {
    match stored(connection, slot) {
        Ok(None) => Content::Empty,
        Ok(Some((snapshot, found))) if checksum(&snapshot) == found => Content::Whole(snapshot),
        Ok(Some(_)) => Content::Damaged("its checksum is wrong".to_owned()),
        Err(error) => Content::Damaged(error.to_string()),
    }
}

pub(super) fn write(
    connection: &Connection,
    slot: Slot,
    snapshot: &StoredSnapshot,
) -> rusqlite::Result<()> {
    let mut replace = connection.prepare_cached(
        "INSERT OR REPLACE INTO snapshot (slot, revision, link, checksum, state) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    replace.execute((
        slot.0,
        snapshot.head.revision.cast_signed(),
        snapshot.head.link.as_bytes(),
        checksum(snapshot),
        &snapshot.bytes,
    ))?;
    Ok(())
}

fn stored(
    connection: &Connection,
    slot: Slot,
) -> rusqlite::Result<Option<(StoredSnapshot, [u8; 32])>> {
    let mut one = connection
        .prepare_cached("SELECT revision, link, state, checksum FROM snapshot WHERE slot = ?1")?;
    one.query_row([slot.0], |row| {
        let snapshot = StoredSnapshot {
            head: Head {
                revision: row.get::<_, i64>(0)?.cast_unsigned(),
                link: Link::from_bytes(row.get(1)?),
            },
            bytes: row.get(2)?,
        };
        Ok((snapshot, row.get(3)?))
    })
    .optional()
}

/// Of the place as well as of the bytes, so that neither can belong to another snapshot.
fn checksum(snapshot: &StoredSnapshot) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(snapshot.head.revision.to_be_bytes());
    hasher.update(snapshot.head.link.as_bytes());
    hasher.update(&snapshot.bytes);
    hasher.finalize().into()
}
