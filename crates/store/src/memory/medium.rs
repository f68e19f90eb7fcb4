//! What is on the imaginary disk.

use std::collections::BTreeMap;

use leverframe_core::Entry;

use super::broken;
use super::fault::Orders;
use super::measurements::Measurements;
use super::sessions::Sessions;
use crate::chain::Row;
use crate::error::StoreError;
use crate::port::{Head, StoredSnapshot};

#[derive(Debug, Default)]
pub(super) struct Medium {
    pub(super) rows: Vec<Row>,
    /// How many rows are really on the disk, not only in its cache.
    synced: usize,
    pub(super) fence: u64,
    pub(super) rolls: BTreeMap<Box<str>, Vec<u8>>,
    pub(super) brakes: Option<Vec<u8>>,
    pub(super) measurements: Measurements,
    pub(super) sessions: Sessions,
    slots: [Option<Slot>; 2],
    pub(super) orders: Orders,
}

/// A snapshot, and whether it is still as it was saved.
#[derive(Debug)]
struct Slot {
    snapshot: StoredSnapshot,
    is_damaged: bool,
}

impl Slot {
    fn whole_revision(&self) -> Option<u64> {
        (!self.is_damaged).then_some(self.snapshot.head.revision)
    }
}

impl Medium {
    pub(super) fn append(&mut self, entries: &[Entry]) {
        self.rows.extend(entries.iter().map(Row::from));
        if !self.orders.ignores_syncs {
            self.synced = self.rows.len();
        }
    }

    pub(super) fn cut_power(&mut self) {
        self.rows.truncate(self.synced);
    }

    pub(super) fn readable(&self) -> Result<&Self, StoreError> {
        if self.orders.fails_reads {
            return Err(broken("read"));
        }
        Ok(self)
    }

    pub(super) fn takes_sessions(&self, action: &'static str) -> Result<(), StoreError> {
        if self.orders.fails_sessions {
            return Err(broken(action));
        }
        Ok(())
    }

    pub(super) fn head(&self) -> Head {
        self.rows.last().map_or(Head::START, place_of)
    }

    /// The place at a revision, if the journal reaches it.
    pub(super) fn place(&self, revision: u64) -> Option<Head> {
        if revision == 0 {
            return Some(Head::START);
        }
        // The rows lie in the order they were added in, even when one was taken out.
        let found = self
            .rows
            .binary_search_by_key(&revision, |row| row.revision);
        found.ok().and_then(|at| self.rows.get(at)).map(place_of)
    }

    pub(super) fn rows_after(&self, revision: u64) -> impl Iterator<Item = &Row> {
        let start = self.rows.partition_point(|row| row.revision <= revision);
        self.rows.iter().skip(start)
    }

    /// Saves it in the slot that is not that of the newest one that is whole.
    pub(super) fn save_snapshot(&mut self, snapshot: StoredSnapshot) {
        let slot = Slot {
            snapshot,
            is_damaged: false,
        };
        let [first, second] = &mut self.slots;
        let revision = |slot: &Option<Slot>| slot.as_ref().and_then(Slot::whole_revision);
        let replaced = if revision(first) > revision(second) {
            second
        } else {
            first
        };
        *replaced = Some(slot);
    }

    /// The snapshots that are whole, the newest first.
    pub(super) fn snapshots(&self) -> Vec<StoredSnapshot> {
        let mut whole: Vec<StoredSnapshot> = Vec::new();
        for slot in self.slots.iter().flatten() {
            if slot.is_damaged {
                tracing::warn!("a snapshot is damaged and is not used");
            } else {
                whole.push(slot.snapshot.clone());
            }
        }
        whole.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.head.revision));
        whole
    }

    /// Damages the newest snapshot that is whole.
    pub(super) fn damage_snapshot(&mut self) {
        let slots = self.slots.iter_mut().flatten();
        if let Some(newest) = slots.max_by_key(|slot| slot.whole_revision()) {
            newest.is_damaged = true;
        }
    }
}

fn place_of(row: &Row) -> Head {
    Head {
        revision: row.revision,
        link: row.link,
    }
}
