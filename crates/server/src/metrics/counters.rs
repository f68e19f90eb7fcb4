//! What the surfaces count themselves.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters that only grow.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    ofrep: [AtomicU64; Ofrep::ALL.len()],
    refused_connections: AtomicU64,
    notices_open: AtomicU64,
}

/// How an OFREP request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ofrep {
    /// One flag was answered.
    Answered,
    /// There is no such flag, or the token may not see it.
    NotFound,
    /// The request could not be read.
    Bad,
    /// Many flags were answered.
    Bulk,
    /// Many flags, and the client has the answer already.
    NotModified,
    /// The token does not work or may not do this.
    Refused,
}

impl Ofrep {
    pub(super) const ALL: [Self; 6] = [
        Self::Answered,
        Self::NotFound,
        Self::Bad,
        Self::Bulk,
        Self::NotModified,
        Self::Refused,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::NotFound => "not_found",
            Self::Bad => "bad_request",
            Self::Bulk => "bulk",
            Self::NotModified => "not_modified",
            Self::Refused => "refused",
        }
    }
}

impl Counters {
    pub(crate) fn ofrep(&self, outcome: Ofrep) {
        if let Some(counter) = self.ofrep.get(outcome as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn ofrep_of(&self, outcome: Ofrep) -> u64 {
        self.ofrep
            .get(outcome as usize)
            .map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    pub(crate) fn refused_connections(&self) {
        self.refused_connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused_connections_so_far(&self) -> u64 {
        self.refused_connections.load(Ordering::Relaxed)
    }

    /// Takes one of `max` places for change-notice streams, if there is one.
    pub(crate) fn open_notices(&self, max: usize) -> bool {
        let max = u64::try_from(max).unwrap_or(u64::MAX);
        self.notices_open
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| {
                (open < max).then_some(open + 1)
            })
            .is_ok()
    }

    pub(crate) fn close_notices(&self) {
        self.notices_open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn notices_open(&self) -> u64 {
        self.notices_open.load(Ordering::Relaxed)
    }
}
