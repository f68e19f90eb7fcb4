//! What is on the imaginary disk.

use std::collections::BTreeMap;

use leverframe_core::Entry;

use super::broken;
use super::fault::Orders;
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
    snapshot: Option<StoredSnapshot>,
    pub(super) is_snapshot_damaged: bool,
    pub(super) orders: Orders,
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

    pub(super) fn save_snapshot(&mut self, snapshot: StoredSnapshot) {
        self.snapshot = Some(snapshot);
        self.is_snapshot_damaged = false;
    }

    pub(super) fn snapshot(&self) -> Option<StoredSnapshot> {
        if self.is_snapshot_damaged {
            tracing::warn!("the snapshot is damaged and is not used; folding the journal instead");
            return None;
        }
        self.snapshot.clone()
    }
}

fn place_of(row: &Row) -> Head {
    Head {
        revision: row.revision,
        link: row.link,
    }
}
